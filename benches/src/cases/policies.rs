//! Circuit breakers, limits, hedges, and stacks of them.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use steadfast::{circuit_breaker, concurrency_limit, fallback, hedge, rate_limit, retry, timeout};
use tokio::sync::Semaphore;

use super::timeout::inside;
use super::{Failure, bare, each_ready, ready};
use crate::Case;

pub(super) const CASES: &[Case] = &[
    Case { group: "breaker", name: "breaker", run: |n| each_ready(n, |n| broken(black_box([n; 8]))) },
    Case { group: "rate", name: "governor", run: |n| each_ready(n, |n| governed(black_box([n; 8]))) },
    Case { group: "rate", name: "rate", run: |n| each_ready(n, |n| rated(black_box([n; 8]))) },
    Case { group: "limit", name: "semaphore", run: |n| each_ready(n, |n| permitted(black_box([n; 8]))) },
    Case { group: "limit", name: "limit", run: |n| each_ready(n, |n| limited(black_box([n; 8]))) },
    Case { group: "limit", name: "limit_no_wait", run: |n| each_ready(n, |n| limited_no_wait(black_box([n; 8]))) },
    Case { group: "hedge", name: "hedged", run: |n| each_ready(n, |n| hedged(black_box([n; 8]))) },
    Case { group: "fallback", name: "fallen_back", run: |n| each_ready(n, |n| fallen_back(black_box([n; 8]))) },
    Case { group: "stack", name: "stack_of_four_by_hand", run: |n| inside(|| each_ready(n, |n| by_hand(black_box([n; 8])))) },
    Case { group: "stack", name: "stack_of_four", run: |n| inside(|| each_ready(n, |n| stack_of_four(black_box([n; 8])))) },
    Case { group: "stack", name: "stack_of_six", run: |n| inside(|| each_ready(n, |n| stack_of_six(black_box([n; 8])))) },
];

#[circuit_breaker]
async fn broken(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

static GOVERNOR: LazyLock<RateLimiter<NotKeyed, InMemoryState, DefaultClock>> =
    LazyLock::new(|| RateLimiter::direct(Quota::per_second(NonZeroU32::MAX)));

async fn governed(argument: [u64; 8]) -> Result<u64, Failure> {
    GOVERNOR.check().map_err(|_| Failure)?;
    ready(argument[0]).await
}

#[rate_limit(4_294_967_295 / 1s)]
async fn rated(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

static SEMAPHORE: Semaphore = Semaphore::const_new(64);

async fn permitted(argument: [u64; 8]) -> Result<u64, Failure> {
    let _permit = SEMAPHORE.try_acquire().map_err(|_| Failure)?;
    ready(argument[0]).await
}

#[concurrency_limit(64)]
async fn limited(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

#[concurrency_limit(64, max_wait = 0s)]
async fn limited_no_wait(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

#[hedge(after = 1s)]
async fn hedged(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

#[fallback(Ok(0))]
async fn fallen_back(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

/// What one writes with tokio alone: no breaker, and no second look at the error.
async fn by_hand(argument: [u64; 8]) -> Result<u64, Failure> {
    let _permit = SEMAPHORE.acquire().await.map_err(|_| Failure)?;
    let mut attempt = 1;
    loop {
        let result = tokio::time::timeout(Duration::from_secs(5), bare(argument)).await.unwrap_or(Err(Failure));
        if result.is_ok() || attempt == 3 {
            return result;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        attempt += 1;
    }
}

#[concurrency_limit(64)]
#[circuit_breaker]
#[retry(attempts = 3)]
#[timeout(5s)]
async fn stack_of_four(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

#[fallback(Ok(0))]
#[rate_limit(4_294_967_295 / 1s)]
#[concurrency_limit(64)]
#[circuit_breaker]
#[retry(attempts = 3)]
#[timeout(5s)]
async fn stack_of_six(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}
