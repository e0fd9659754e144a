//! The cases.

use std::future::Future;
use std::hint::black_box;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use quick_cache::sync::Cache as QuickCache;
use steadfast::{async_cached, retry, timeout};

use crate::Case;

pub(crate) const ALL: &[Case] = &[
    Case { group: "hit u64", name: "quick_cache_u64", run: |n| each(n, |n| QUICK.get(&black_box(n % 64))) },
    Case { group: "hit u64", name: "cached_u64", run: |n| each_ready(n, |n| cached_u64(black_box(n % 64))) },
    Case { group: "hit u64", name: "cached_ttl_u64", run: |n| each_ready(n, |n| cached_ttl_u64(black_box(n % 64))) },
    Case { group: "hit &str", name: "quick_cache_str", run: |n| each(n, |_| QUICK_STR.get(black_box("a key of some length"))) },
    Case { group: "hit &str", name: "cached_str", run: |n| each_ready(n, |_| cached_str(black_box("a key of some length"))) },
    Case { group: "retry", name: "bare", run: |n| each_ready(n, |n| bare(black_box([n; 8]))) },
    Case { group: "retry", name: "retried", run: |n| each_ready(n, |n| retried(black_box([n; 8]))) },
    Case { group: "retry", name: "retried_3_zero_delay", run: |n| each_ready(n, |n| failing(black_box(n))) },
    Case { group: "timeout ready", name: "tokio_timeout", run: |n| inside(|| each_ready(n, |n| tokio_timeout(black_box(n)))) },
    Case { group: "timeout ready", name: "timeout", run: |n| inside(|| each_ready(n, |n| timed(black_box(n)))) },
    Case {
        group: "timeout pending",
        name: "tokio_timeout_pending",
        run: |n| inside(|| each_twice(n, |n| tokio_timeout_pending(black_box(n)))),
    },
    Case { group: "timeout pending", name: "timeout_pending", run: |n| inside(|| each_twice(n, |n| timed_pending(black_box(n)))) },
];

fn each<T>(count: u64, mut call: impl FnMut(u64) -> T) {
    for n in 0..count {
        black_box(call(n));
    }
}

/// Polls once, and finds the call ready.
fn each_ready<F: Future>(count: u64, mut call: impl FnMut(u64) -> F) {
    let mut context = Context::from_waker(Waker::noop());
    each(count, |n| {
        let call = std::pin::pin!(call(n));
        match call.poll(&mut context) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("this case never waits"),
        }
    });
}

/// Polls twice, and finds the call ready the second time.
fn each_twice<F: Future>(count: u64, mut call: impl FnMut(u64) -> F) {
    let mut context = Context::from_waker(Waker::noop());
    each(count, |n| {
        let mut call = std::pin::pin!(call(n));
        assert!(call.as_mut().poll(&mut context).is_pending());
        match call.poll(&mut context) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("this case waits once"),
        }
    });
}

/// Inside a runtime whose timer wheel already has a timer, as that of a service has.
fn inside(run: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let mut earlier = std::pin::pin!(tokio::time::sleep(Duration::from_millis(1)));
        assert!(earlier.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::unconstrained(async { run() }).await;
    });
}

static QUICK: LazyLock<QuickCache<u64, u64>> = LazyLock::new(|| {
    let cache = QuickCache::new(10_000);
    (0..64).for_each(|n| cache.insert(n, n));
    cache
});

static QUICK_STR: LazyLock<QuickCache<String, u64>> = LazyLock::new(|| {
    let cache = QuickCache::new(10_000);
    cache.insert("a key of some length".to_owned(), 1);
    cache
});

#[async_cached]
async fn cached_u64(n: u64) -> u64 {
    n
}

#[async_cached(ttl = 1h)]
async fn cached_ttl_u64(n: u64) -> u64 {
    n
}

#[async_cached]
async fn cached_str(key: &str) -> usize {
    key.len()
}

async fn bare(argument: [u64; 8]) -> Result<u64, ()> {
    ready(argument[0]).await
}

#[retry(attempts = 3)]
async fn retried(argument: [u64; 8]) -> Result<u64, ()> {
    ready(argument[0]).await
}

#[retry(attempts = 3, delay = 0s)]
async fn failing(n: u64) -> Result<u64, ()> {
    ready(n).await.and(Err(()))
}

#[expect(clippy::unused_async, reason = "what is measured is the call of an async function")]
async fn ready(n: u64) -> Result<u64, ()> {
    black_box(Ok(n))
}

async fn tokio_timeout(n: u64) -> Option<u64> {
    tokio::time::timeout(Duration::from_secs(5), async move { black_box(n) }).await.ok()
}

#[timeout(5s)]
async fn timed(n: u64) -> Option<u64> {
    Some(black_box(n))
}

async fn tokio_timeout_pending(n: u64) -> Option<u64> {
    tokio::time::timeout(Duration::from_secs(5), once_pending(n)).await.ok()
}

#[timeout(5s)]
async fn timed_pending(n: u64) -> Option<u64> {
    Some(once_pending(n).await)
}

async fn once_pending(n: u64) -> u64 {
    let mut first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
    n
}
