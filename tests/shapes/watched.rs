//! What watches the body, and may cut it short.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use steadfast::{async_cached, concurrency_limit, retry, timeout, warn_slow_poll};

use crate::support::{Failure, Log, Reply, tick};

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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)] [timeout(1s), warn_slow_poll(10s), retry, timeout(1s)]
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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)]
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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), async_cached(skip(self)), retry]
    for { struct Shop(u32); } in [impl Shop] {
        async fn sum(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Shop(3).sum(4).await }
}

shape! {
    method_by_arc:
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)]
    for { struct Shop(u32); } in [impl Shop] {
        async fn sum(self: Arc<Self>, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Arc::new(Shop(3)).sum(4).await }
}

shape! {
    generic_method:
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)]
    for { struct Shop<T>(T); } in [impl<T: Clone + Into<u64>> Shop<T>] {
        async fn sum<const N: u64>(&mut self, n: impl Into<u64>) -> Reply<u64> {
            tick().await;
            Ok(self.0.clone().into() + n.into() + N)
        }
    } => { Shop(3_u32).sum::<7>(4_u8).await }
}

shape! {
    async_trait_method:
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s), retry]
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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)]
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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)]
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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)] [concurrency_limit(3), warn_slow_poll(10s)]
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
    [warn_slow_poll(10s)] [warn_slow_poll(10s), timeout(1s)]
    for {
        async fn cell(cell: std::cell::Cell<u8>) -> Reply<u8> {
            tick().await;
            Ok(cell.get())
        }
    } => { is_send!(cell(std::cell::Cell::new(1))) }
}
