//! Attributes that watch the body, and may cut it short.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use steadfast::{async_cached, cancellable, concurrency_limit, offload_blocking, retry, timeout, warn_slow_poll};
use tokio_util::sync::CancellationToken;

use crate::support::{Failure, Log, Reply, tick};

/// A type with a token of its own, anew in front of each.
macro_rules! shop {
    () => {
        struct Shop {
            id: u32,
            token: CancellationToken,
        }
        #[allow(dead_code, reason = "not used by the bare function")]
        impl Shop {
            fn new(id: u32) -> Self {
                Self { id, token: CancellationToken::new() }
            }
            fn token(&self) -> &CancellationToken {
                &self.token
            }
            async fn undo(&self) {
                tick().await;
            }
        }
    };
}

shape! {
    plain_values:
    [warn_slow_poll(10s)] [warn_slow_poll(10s, panic)] [warn_slow_poll(10s), async_cached]
    for {
        async fn sum(a: u32, mut b: u32) -> u32 {
            tick().await;
            b += a;
            b
        }
    } => { sum(1, 2).await }
}

shape! {
    borrowed_arguments:
    [warn_slow_poll(10s), timeout(1s)] [timeout(1s), warn_slow_poll(10s), retry, timeout(1s)]
    [concurrency_limit(3), warn_slow_poll(10s)] [warn_slow_poll(10s), concurrency_limit(3)]
    for {
        async fn first<'a>(text: &'a str, other: &str) -> Reply<&'a str> {
            tick().await;
            text.split(other).next().ok_or(Failure::Busy(0))
        }
    } => { first("a-b", "-").await }
}

shape! {
    changed_argument:
    [warn_slow_poll(10s), timeout(1s)]
    for {
        async fn push(all: &mut Vec<u32>, (n, _): (u32, u8)) -> Reply<usize> {
            tick().await;
            all.push(n);
            Ok(all.len())
        }
    } => { push(&mut vec![1], (2, 3)).await }
}

shape! {
    method:
    [warn_slow_poll(10s), async_cached(skip(self)), retry]
    for { struct Shop(u32); } in [impl Shop] {
        async fn sum(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Shop(3).sum(4).await }
}

shape! {
    method_by_arc:
    [warn_slow_poll(10s), timeout(1s)]
    for { struct Shop(u32); } in [impl Shop] {
        async fn sum(self: Arc<Self>, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Arc::new(Shop(3)).sum(4).await }
}

shape! {
    generic_method:
    [warn_slow_poll(10s), timeout(1s)]
    for { struct Shop<T>(T); } in [impl<T: Clone + Into<u64>> Shop<T>] {
        async fn sum<const N: u64>(&mut self, n: impl Into<u64>) -> Reply<u64> {
            tick().await;
            Ok(self.0.clone().into() + n.into() + N)
        }
    } => { Shop(3_u32).sum::<7>(4_u8).await }
}

shape! {
    async_trait_method:
    [warn_slow_poll(10s), timeout(1s), retry]
    for {
        #[async_trait]
        trait Source { async fn get(&self, text: &str) -> Reply<String>; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, text: &str) -> Reply<String> {
            tick().await;
            Ok(format!("{text}{}", self.0))
        }
    } => { Db(1).get("x").await }
}

shape! {
    returned_future:
    [warn_slow_poll(10s), timeout(1s)]
    for {
        fn sum(a: u32, b: u32) -> impl Future<Output = Reply<u32>> {
            let a = a + 1;
            async move {
                tick().await;
                Ok(a + b)
            }
        }
    } => { sum(1, 2).await }
}

shape! {
    boxed_future:
    [warn_slow_poll(10s), timeout(1s)]
    for {
        fn sum(a: &u32, b: u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send + '_>> {
            Box::pin(async move {
                tick().await;
                Ok(a + b)
            })
        }
    } => { sum(&1, 2).await }
}

shape! {
    drops_in_order:
    [warn_slow_poll(10s), timeout(1s)] [concurrency_limit(3), warn_slow_poll(10s)]
    for {
        async fn noisy(log: Log, _first: crate::support::Noisy, second: crate::support::Noisy) -> Reply<()> {
            let _local = log.item("local");
            tick().await;
            second.note("body");
            Ok(())
        }
    } => {
        let log = Log::default();
        let result = noisy(log.clone(), log.item("first"), log.item("second")).await;
        (result, log.take())
    }
}

shape! {
    sends:
    [warn_slow_poll(10s), timeout(1s)]
    for {
        async fn cell(cell: std::cell::Cell<u8>) -> Reply<u8> {
            tick().await;
            Ok(cell.get())
        }
    } => { is_send!(cell(std::cell::Cell::new(1))) }
}

shape! {
    token_in_an_argument:
    [cancellable(token = &token)] [cancellable(token = token.child_token())] [cancellable(token = token, cleanup = tick())]
    [timeout(1s), cancellable(token = token), timeout(1s)] [retry, cancellable(token = token)] [cancellable(token = token), retry]
    [cancellable(token = token), concurrency_limit(3)] [concurrency_limit(3), cancellable(token = token)]
    [cancellable(token = token), async_cached(skip(token, log)), retry]
    for {
        async fn noisy(token: CancellationToken, n: u32, log: Log) -> Reply<bool> {
            let _local = log.item("local");
            tick().await;
            log.note("body");
            Ok(token.is_cancelled() || n == 0)
        }
    } => {
        let log = Log::default();
        (noisy(CancellationToken::new(), 1, log.clone()).await, log.take())
    }
}

shape! {
    token_by_reference_and_borrowed_arguments:
    [cancellable(token = token)] [cancellable(token = token, cleanup = clean(text))] [warn_slow_poll(10s), cancellable(token = *token)]
    [cancellable(token = token, or_else = |_| Ok(text))]
    [concurrency_limit(3), cancellable(token = token, cleanup = clean(other))]
    for {
        async fn first<'a>(text: &'a str, other: &str, token: &CancellationToken) -> Reply<&'a str> {
            tick().await;
            assert!(!token.is_cancelled());
            text.split(other).next().ok_or(Failure::Busy(0))
        }
    } => { first("a-b", "-", &CancellationToken::new()).await }
}

shape! {
    arguments_that_are_cleaned_up:
    [cancellable(token = &*TOKEN, cleanup = undo(all), or_else = |_| Ok(all.len()))]
    [timeout(1s), cancellable(token = TOKEN, cleanup = undo(all)), retry]
    for {
        async fn push(all: &mut Vec<u32>, n: u32) -> Reply<usize> {
            tick().await;
            all.push(n);
            Ok(all.len())
        }
    } => { push(&mut vec![1], 2).await }
}

shape! {
    token_of_a_method:
    [cancellable(token = self.token)] [cancellable(token = self.token, cleanup = self.undo())]
    [timeout(1s), cancellable(token = self.token(), cleanup = self.undo(), or_else = |_| Ok(n))]
    for { shop!(); let shop = Shop::new(3); } in [impl Shop] {
        async fn sum(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.id + n)
        }
    } => { shop.sum(4).await }
}

shape! {
    token_of_a_changed_method:
    [cancellable(token = self.token, cleanup = self.undo())] [warn_slow_poll(10s), cancellable(token = self.token)]
    for { shop!(); let mut shop = Shop::new(3); } in [impl Shop] {
        async fn add(&mut self, n: u32) -> Reply<u32> {
            tick().await;
            self.id += n;
            Ok(self.id)
        }
    } => { (shop.add(4).await, shop.id) }
}

shape! {
    token_of_an_arc:
    [cancellable(token = self.token)] [cancellable(token = self.token, cleanup = self.undo())]
    for { shop!(); let shop = Arc::new(Shop::new(3)); } in [impl Shop] {
        async fn sum(self: Arc<Self>, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.id + n)
        }
    } => { shop.sum(4).await }
}

shape! {
    token_of_an_async_trait:
    [cancellable(token = self.token)] [cancellable(token = self.token, cleanup = self.undo()), timeout(1s), retry]
    for {
        shop!();
        #[async_trait]
        trait Source { async fn get(&self, text: &str) -> Reply<String>; }
    } in [#[async_trait] impl Source for Shop] {
        async fn get(&self, text: &str) -> Reply<String> {
            tick().await;
            Ok(format!("{text}{}", self.id))
        }
    } => { Shop::new(3).get("x").await }
}

shape! {
    token_of_a_generic:
    [cancellable(token = token.as_ref())] [cancellable(token = token.as_ref(), cleanup = tick()), retry]
    for {
        async fn sum<T: Into<u64> + Clone, const N: u64>(a: T, b: impl Into<u64> + Clone, token: impl AsRef<CancellationToken>) -> Reply<u64> {
            tick().await;
            let _ = token.as_ref();
            Ok(a.clone().into() + b.clone().into() + N)
        }
    } => {
        struct Token(CancellationToken);
        impl AsRef<CancellationToken> for Token { fn as_ref(&self) -> &CancellationToken { &self.0 } }
        sum::<_, 4>(1_u8, 2_u32, Token(CancellationToken::new())).await
    }
}

shape! {
    token_and_a_returned_future:
    [cancellable(token = TOKEN)] [cancellable(token = TOKEN, cleanup = tick())]
    for {
        fn sum(a: u32, b: u32) -> impl Future<Output = Reply<u32>> {
            async move {
                tick().await;
                Ok(a + b)
            }
        }
    } => { sum(1, 2).await }
}

shape! {
    token_and_a_boxed_future:
    [cancellable(token = TOKEN)] [cancellable(token = TOKEN, cleanup = tick())]
    for {
        fn sum(a: &u32, b: u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send + '_>> {
            Box::pin(async move {
                tick().await;
                Ok(a + b)
            })
        }
    } => { sum(&1, 2).await }
}

shape! {
    token_and_sends:
    [cancellable(token = TOKEN)] [cancellable(token = TOKEN, cleanup = tick())]
    for {
        async fn cell(cell: std::cell::Cell<u8>) -> Reply<u8> {
            tick().await;
            Ok(cell.get())
        }
    } => { is_send!(cell(std::cell::Cell::new(1))) }
}

shape! {
    token_and_a_plain_value:
    [cancellable(token = TOKEN, or_else = |_| 0)] [cancellable(token = TOKEN, cleanup = tick(), or_else = |_| n)]
    for {
        async fn count(n: u32) -> u32 {
            tick().await;
            n
        }
    } => { count(3).await }
}

/// Above a thread pool, where a job that has started runs on.
#[tokio::test]
async fn token_above_a_thread_pool() {
    #[cancellable(token = token)]
    #[offload_blocking]
    fn sum(token: CancellationToken, n: u32) -> Reply<u32> {
        Ok(if token.is_cancelled() { 0 } else { n })
    }
    assert_eq!(sum(CancellationToken::new(), 3).await, Ok(3));
}

static TOKEN: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

async fn clean(text: &str) {
    tick().await;
    let _ = text.len();
}

async fn undo(all: &mut Vec<u32>) {
    tick().await;
    all.clear();
}
