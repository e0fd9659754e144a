//! Representative shapes under the policies: circuit breakers, limits, hedges, fallbacks.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use steadfast::{circuit_breaker, concurrency_limit, fallback, hedge, rate_limit, retry, timeout};

use crate::support::{Failure, Log, Noisy, Reply, abandon, tick};

shape! {
    free:
    each_policy()
    for {
        async fn sum(a: u8, text: &str, (b, c): (u16, u32), _: u8) -> Reply<usize> {
            tick().await;
            Ok(usize::from(a) + text.len() + usize::from(b) + c as usize)
        }
    } => { (is_send!(sum(1, "two", (3, 4), 5)), sum(1, "two", (3, 4), 5).await) }
}

shape! {
    ends_in_an_error:
    policies()
    for {
        async fn fail(n: u32) -> Reply<u32> {
            tick().await;
            Err(Failure::Busy(n))?;
            Ok(1)
        }
    } => { fail(4).await }
}

shape! {
    option:
    [circuit_breaker] [rate_limit(100 / 1s)] [concurrency_limit(8)] [hedge(after = 1h)] [fallback(|()| None)]
    [fallback(|_| None), rate_limit(100 / 1s, max_wait = 1s), concurrency_limit(8), circuit_breaker, timeout(1s), retry, hedge(after = 1h)]
    for {
        async fn half(n: u32) -> Option<u32> {
            tick().await;
            n.is_multiple_of(2).then_some(n / 2)
        }
    } => { (half(4).await, half(5).await) }
}

shape! {
    plain_value:
    [circuit_breaker(failure = |n| *n == 0, or_else = |_| 0)] [rate_limit(100 / 1s, or_else = |_| 0)]
    [concurrency_limit(8, or_else = |_| 0)] [hedge(after = 1h)] [hedge(after = p95)]
    for {
        async fn double(n: u32) -> u32 {
            tick().await;
            n * 2
        }
    } => { double(4).await }
}

shape! {
    unit:
    [circuit_breaker(failure = |()| false, or_else = |_| ())] [rate_limit(100 / 1s, max_wait = 1s, or_else = drop)]
    [concurrency_limit(8, or_else = drop)] [hedge(after = 1h)]
    for {
        async fn nothing() {
            tick().await;
        }
    } => { nothing().await }
}

shape! {
    impl_trait_in_the_return_type:
    [rate_limit(100 / 1s)] [hedge(after = 1h)] [fallback(|error| Err(error))]
    [concurrency_limit(8), circuit_breaker, retry(attempts = 1)]
    for {
        async fn numbers(n: u32) -> Reply<impl Iterator<Item = u32>> {
            tick().await;
            Ok(0..n)
        }
    } => { numbers(4).await.unwrap().sum::<u32>() }
}

shape! {
    impl_trait_alone:
    [concurrency_limit(8, or_else = |_| panic!("there is room"))] [hedge(after = 1h)]
    for {
        async fn numbers(n: u32) -> impl Debug + PartialEq {
            tick().await;
            n
        }
    } => { numbers(4).await == numbers(4).await }
}

shape! {
    changed_arguments:
    [steadfast::fallback(|error| Err(error))]
    each_refusal()
    for {
        async fn push(mut list: Vec<u32>, log: &mut Vec<u32>, mut n: u32) -> Reply<Vec<u32>> {
            n += 1;
            list.push(n);
            tick().await;
            log.push(n);
            Ok(list)
        }
    } => {
        let mut log = vec![];
        (push(vec![1], &mut log, 1).await, log)
    }
}

shape! {
    arguments_in_options:
    [rate_limit(100 / 1s, key = (user, name))] [rate_limit(100 / 1s, key = &name[..], max_wait = patience)]
    [concurrency_limit(8, max_wait = patience)] [hedge(after = patience)]
    [circuit_breaker(when = |_| user == 1)] [fallback(Ok(name.len() + list.len()))]
    for {
        async fn work(user: u32, name: &str, list: Vec<u8>, patience: std::time::Duration) -> Reply<usize> {
            tick().await;
            Ok(user as usize + name.len() + list.len() + usize::from(patience.is_zero()))
        }
    } => { work(1, "name", vec![1], std::time::Duration::from_secs(1)).await }
}

shape! {
    shared_self:
    policies()
    for { struct Db(u32); } in [impl Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}

shape! {
    mutable_self:
    [steadfast::fallback(|error| Err(error))]
    refusing()
    for { struct Db(u32); } in [impl Db] {
        async fn get(&mut self, n: u32) -> Reply<u32> {
            self.0 += n;
            tick().await;
            Ok(self.0)
        }
    } => {
        let mut db = Db(1);
        (db.get(4).await, db.0)
    }
}

shape! {
    self_by_value_and_in_pointers:
    [steadfast::fallback(|error| Err(error))]
    refusing()
    for { #[derive(Clone)] struct Db(u32); } in [impl Db] {
        async fn get(self: Arc<Self>, other: Box<Self>) -> Reply<u32> {
            tick().await;
            Ok(self.0 + other.0)
        }
    } => { Arc::new(Db(1)).get(Box::new(Db(2))).await }
}

shape! {
    generic:
    each_policy()
    for { struct Store<T, const N: usize>([T; N]); } in [impl<T: Clone + Debug, const N: usize> Store<T, N>] {
        async fn get<'a, I, K>(&'a self, index: I, key: &'a K, _suffix: impl ToString) -> Result<(T, &'a K, usize), Failure>
        where
            I: Into<usize> + Copy,
            K: Debug + ?Sized,
        {
            tick().await;
            Ok((self.0[index.into()].clone(), key, N))
        }
    } => {
        let store = Store(["a", "b"]);
        let found = store.get(1_u8, "key", 5).await.unwrap();
        format!("{found:?}")
    }
}

shape! {
    trait_implementation:
    policies()
    for {
        trait Source { async fn get(&self, n: u32) -> Reply<u32>; }
        struct Db(u32);
    } in [impl Source for Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}

shape! {
    provided_by_the_trait:
    policies()
    for {
        struct Db;
        impl Source for Db { fn base(&self) -> u32 { 7 } }
    } in [trait Source] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.base() + n)
        }

        fn base(&self) -> u32;
    } => { Db.get(4).await }
}

shape! {
    async_trait_method:
    each_policy()
    for {
        #[async_trait]
        trait Source { async fn get(&self, n: u32, name: &str) -> Reply<usize>; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, n: u32, name: &str) -> Reply<usize> {
            tick().await;
            Ok((self.0 + n) as usize + name.len())
        }
    } => {
        let source: Box<dyn Source + Sync> = Box::new(Db(1));
        (is_send!(source.get(4, "a")), source.get(4, "a").await)
    }
}

shape! {
    async_trait_changes:
    [steadfast::fallback(|error| Err(error))]
    each_refusal()
    for {
        #[async_trait]
        trait Source { async fn get(&mut self, mut n: u32) -> Reply<u32>; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&mut self, mut n: u32) -> Reply<u32> {
            n += 1;
            tick().await;
            self.0 += n;
            Ok(self.0)
        }
    } => { Db(1).get(4).await }
}

shape! {
    returned_future:
    policies()
    for {
        fn double(n: u32) -> impl Future<Output = Reply<u32>> + Send {
            async move {
                tick().await;
                Ok(n * 2)
            }
        }
    } => { double(4).await }
}

shape! {
    returned_box:
    each_policy()
    for {
        fn double(n: &u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + '_>> {
            Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(&4).await }
}

shape! {
    not_send:
    each_policy()
    for {
        async fn work(shared: Rc<u32>, cell: &Cell<u32>) -> Reply<u32> {
            tick().await;
            Ok(*shared + cell.get())
        }
    } => { (is_send!(work(Rc::new(1), &Cell::new(1))), work(Rc::new(2), &Cell::new(3)).await) }
}

shape! {
    dropped_in_order:
    [steadfast::fallback(|error| Err(error))]
    each_refusal()
    for {
        async fn work(first: Noisy, second: Noisy, third: Noisy) -> Reply<u32> {
            let _local = first.clone();
            tick().await;
            third.note("body");
            drop(second);
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work(log.item("first"), log.item("second"), log.item("third")).await;
        (result, log.take())
    }
}

shape! {
    dropped_while_it_waits:
    [hedge(after = 1h)]
    [fallback(|error| Err(error)), rate_limit(100 / 1s, max_wait = 1s), concurrency_limit(8), circuit_breaker, timeout(1s)]
    for {
        async fn work(first: Noisy, second: Noisy) -> Reply<u32> {
            first.note("begin");
            std::future::pending::<()>().await;
            second.note("never");
            Ok(1)
        }
    } => {
        let log = Log::default();
        abandon(work(log.item("first"), log.item("second")), 2);
        log.take()
    }
}

/// Handles have the visibility of their function, and its documentation.
mod visible {
    use steadfast::{circuit_breaker, concurrency_limit, rate_limit};

    pub(super) struct Client<T>(pub(super) T);

    impl<T: Clone> Client<T> {
        /// Of a generic type.
        #[rate_limit(10 / 1s, handle = Self::rate)]
        #[concurrency_limit(3, handle = Self::places)]
        #[circuit_breaker(handle = Self::circuit)]
        pub(super) async fn get(&self) -> Option<T> {
            Some(self.0.clone())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn handles_of_a_generic_type() {
    use visible::Client;
    assert_eq!(Client("a").get().await, Some("a"));
    assert_eq!(Client::<u8>::rate().rate().0, 10);
    assert_eq!(Client::<u8>::places().limit(), 3);
    assert_eq!(Client::<u8>::circuit().state(), steadfast::CircuitState::Closed);
}

macro_rules! annotated {
    ($rate:expr, $calls:literal, $limit:expr, $value:expr, $name:ident: $ty:ty) => {
        #[fallback($value)]
        #[rate_limit($rate, burst = $calls, key = $name)]
        #[concurrency_limit($limit)]
        #[circuit_breaker(failures = $calls)]
        #[hedge(after = 1h)]
        async fn fragments($name: $ty) -> Option<$ty> {
            tick().await;
            Some($name)
        }
    };
}

#[tokio::test(start_paused = true)]
async fn options_in_fragments() {
    annotated!(10 / 1s, 3, 4, 0, n: u32);
    assert_eq!(fragments(4).await, Some(4));
}
