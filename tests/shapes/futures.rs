//! Functions that return a future instead of being `async`.

use std::future::Future;
use std::pin::Pin;

use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

shape! {
    impl_future_by_an_async_block:
    every()
    for {
        fn double(n: u32) -> impl Future<Output = Reply<u32>> {
            async move {
                tick().await;
                Ok(n * 2)
            }
        }
    } => { (is_send!(double(3)), double(4).await) }
}

shape! {
    impl_future_with_bounds:
    every()
    for {
        fn double(n: u32) -> impl Future<Output = Reply<u32>> + Send + 'static {
            async move {
                tick().await;
                Ok(n * 2)
            }
        }
    } => { tokio::spawn(double(4)).await.unwrap() }
}

shape! {
    impl_future_that_does_something_first:
    alone(skip(text))
    for {
        fn double(text: &str) -> impl Future<Output = Reply<usize>> + use<> {
            let length = text.len();
            async move {
                tick().await;
                Ok(length * 2)
            }
        }
    } => { double("four").await }
}

shape! {
    boxed_future:
    every()
    for {
        fn double(n: u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(4).await }
}

shape! {
    boxed_future_that_borrows:
    alone()
    for {
        fn length<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Reply<usize>> + Send + 'a>> {
            Box::pin(async move {
                tick().await;
                Ok(text.len())
            })
        }
    } => { length("four").await }
}

shape! {
    boxed_future_by_full_paths:
    every()
    for {
        fn double(n: u32) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Reply<u32>>>> {
            let n = n + 1;
            ::std::boxed::Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(4).await }
}

shape! {
    boxed_future_of_futures:
    every()
    for {
        fn double(n: u32) -> futures::future::BoxFuture<'static, Reply<u32>> {
            Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(4).await }
}

shape! {
    local_boxed_future_of_futures:
    every()
    for {
        fn double(n: u32) -> futures::future::LocalBoxFuture<'static, Reply<u32>> {
            let shared = std::rc::Rc::new(n);
            Box::pin(async move {
                tick().await;
                if *shared > 9 { Err(Failure::Busy(*shared)) } else { Ok(*shared * 2) }
            })
        }
    } => { (is_send!(double(1)), double(4).await, double(10).await) }
}

/// Every way in which a function can return its future: all of it is below the attributes.
mod ways {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use futures::FutureExt;
    use futures::future::{BoxFuture, Either, LocalBoxFuture};

    use super::*;

    async fn inner(n: u32) -> Reply<u32> {
        tick().await;
        if n == 9 { Err(Failure::Busy(n)) } else { Ok(n * 2) }
    }

    fn boxed_inner(text: &str) -> BoxFuture<'_, Reply<usize>> {
        inner(0).map(|_| Ok(text.len())).boxed()
    }

    macro_rules! leave_with {
        ($future:expr) => {
            return $future
        };
    }

    macro_rules! ways {
        (of $n:ident;) => {};
        (of $n:ident; $name:ident: $returned:ty { $($body:tt)* } $($rest:tt)*) => {
            ways! { [$n $name $returned] { $($body)* } }
            ways! { of $n; $($rest)* }
        };
        ($([$n:ident $name:ident $returned:ty] { $($body:tt)* })*) => {
            $(
                shape! {
                    $name:
                    every()
                    [
                        steadfast::finally(async {}), steadfast::coalesce, steadfast::warn_slow_poll(10s), timeout(1s),
                        steadfast::cancellable(token = steadfast::CancellationToken::new())
                    ]
                    for {
                        fn double($n: u32) -> $returned { $($body)* }
                    } => { (double(0).await, double(1).await, double(9).await) }
                }
            )*
        };
    }

    ways! {
        of n;
        boxed_by_a_method: BoxFuture<'static, Reply<u32>> { async move { inner(n).await }.boxed() }
        boxed_locally: LocalBoxFuture<'static, Reply<u32>> {
            let shared = std::rc::Rc::new(n);
            async move { inner(*shared).await }.boxed_local()
        }
        returned_early: Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            if n == 0 {
                return Box::pin(async { Ok(77) });
            }
            Box::pin(async move { inner(n).await })
        }
        returned_early_by_a_macro: Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            if n == 0 {
                leave_with!(Box::pin(async { Ok(77) }));
            }
            Box::pin(async move { inner(n).await })
        }
        returned_by_let_else: BoxFuture<'static, Reply<u32>> {
            let Some(less) = n.checked_sub(1) else { return Box::pin(async { Ok(77) }) };
            Box::pin(async move { inner(less).await })
        }
        in_branches: Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            if n == 0 { Box::pin(std::future::ready(Ok(77))) } else { Box::pin(inner(n)) }
        }
        in_arms: Pin<Box<dyn Future<Output = Reply<u32>>>> {
            match n {
                0 => Box::pin(async { Ok(77) }),
                n => Box::pin(async move { inner(n).await }),
            }
        }
        by_a_call: impl Future<Output = Reply<u32>> { inner(n) }
        by_a_call_in_a_box: BoxFuture<'static, Reply<u32>> { Box::pin(inner(n)) }
        by_combinators: impl Future<Output = Reply<u32>> + Send { inner(n).map(|reply| reply.map(|n| n + 1)) }
        either: impl Future<Output = Reply<u32>> {
            if n == 0 { Either::Left(std::future::ready(Ok(77))) } else { Either::Right(inner(n)) }
        }
        by_a_name: Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            let future = async move { inner(n).await };
            Box::pin(future)
        }
        in_a_box_that_can_be_moved: Box<dyn Future<Output = Reply<u32>> + Send + Unpin> { Box::new(Box::pin(inner(n))) }
        with_a_return_in_front: Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            #[allow(clippy::needless_return)]
            return Box::pin(inner(n));
        }
        under_conditions: Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            #[cfg(all())]
            {
                Box::pin(async move { inner(n).await })
            }
            #[cfg(any())]
            Box::pin(async move { inner(n + 1).await })
        }
        with_an_error_to_be_inferred: impl Future<Output = Reply<u32>> {
            let doubled = n * 2;
            async move { Ok(doubled) }.map(|reply| reply)
        }
    }

    shape! {
        a_method_that_borrows_itself:
        changing(skip(self))
        for { struct Counter(u32); } in [impl Counter] {
            fn add<'a>(&'a mut self, text: &'a str) -> BoxFuture<'a, Reply<u32>> {
                if text.is_empty() {
                    return Box::pin(std::future::ready(Ok(self.0)));
                }
                self.0 += 1;
                let length = boxed_inner(text);
                length.map(|length| length.map(|length| u32::try_from(length).unwrap_or(0) + self.0)).boxed()
            }
        } => {
            let mut counter = Counter(5);
            (counter.add("four").await, counter.add("").await)
        }
    }

    shape! {
        an_argument_that_is_moved:
        [timeout(1s)] [retry(clone(text))] [async_cached] [steadfast::shield] [steadfast::fallback(Ok(0))]
        for {
            fn length(text: String) -> BoxFuture<'static, Reply<usize>> {
                match text.len() {
                    0 => Box::pin(async { Ok(77) }),
                    _ => async move { Ok(text.len()) }.boxed(),
                }
            }
        } => { (length(String::new()).await, length("four".to_owned()).await) }
    }

    /// A call that never ends, however its future is made.
    #[timeout(10ms)]
    fn stuck(n: u32) -> BoxFuture<'static, Reply<u32>> {
        if n == 0 {
            return Box::pin(std::future::pending());
        }
        inner(n).boxed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_returned_early_is_below_the_attributes() {
        let Err(Failure::Policy(error)) = stuck(0).await else { panic!("it cannot end") };
        assert!(error.is_timeout());
        assert_eq!(stuck(1).await, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_makes_its_future() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        /// It fails once.
        #[retry(delay = 1ms)]
        fn call() -> impl Future<Output = Reply<u32>> {
            let run = RUNS.fetch_add(1, SeqCst);
            std::future::ready(if run == 0 { Err(Failure::Busy(0)) } else { Ok(run) })
        }
        let future = call();
        assert_eq!(RUNS.load(SeqCst), 0, "all of it is below the attributes, which begin when the call is awaited");
        assert_eq!(future.await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_in_front_of_the_one_block_runs_at_the_call() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        /// It waits.
        #[timeout(1s)]
        fn call() -> impl Future<Output = Reply<u32>> {
            let run = RUNS.fetch_add(1, SeqCst);
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(run)
            }
        }
        let future = call();
        assert_eq!(RUNS.load(SeqCst), 1);
        assert_eq!(future.await, Ok(0));
    }

    /// What is bound in front of the block is not what the attributes look at: keys and options see the arguments of the call.
    #[tokio::test(start_paused = true)]
    async fn an_argument_that_is_bound_again_in_front_of_the_block() {
        /// Its key is the argument.
        #[async_cached(handle = pages, tags = [format!("page {id}")])]
        fn page(id: u32) -> impl Future<Output = u32> {
            let full = id;
            let id = id % 2;
            async move { full * 10 + id }
        }
        assert_eq!((page(1).await, page(3).await, page(2).await), (11, 31, 20));
        pages().invalidate(&3);
        pages().invalidate_tag("page 2");
        assert_eq!((pages().len(), pages().get(&1)), (1, Some(11)));

        /// So is that of one flight.
        #[steadfast::coalesce]
        fn joined(id: u32) -> BoxFuture<'static, u32> {
            let full = id;
            let (id, _half) = (id % 2, id / 2);
            Box::pin(async move { full * 10 + id })
        }
        assert_eq!(tokio::join!(joined(1), joined(3)), (11, 31));

        /// Its deadline is said by the argument.
        #[timeout(Duration::from_millis(n))]
        fn late(n: u64) -> impl Future<Output = Reply<u64>> {
            let n = n * 10;
            async move {
                tokio::time::sleep(Duration::from_millis(n)).await;
                Ok(n)
            }
        }
        assert!(late(5).await.is_err());
    }
}
