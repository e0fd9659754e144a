//! Policies without an attribute: permits, `call`, `metrics`.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::time::Duration;

use steadfast::testing::cancel_at_every_await;
use steadfast::{CircuitBreaker, CircuitState, ConcurrencyLimiter, Error};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

// --- CircuitBreaker ---

#[tokio::test(start_paused = true)]
async fn a_call_counts_by_its_type() {
    let breaker = CircuitBreaker::new().failures(2).open_for(SECOND);
    assert_eq!(breaker.call(async || Some(1)).await, Some(1));
    assert_eq!(breaker.call(async || None::<u8>).await, None);
    assert_eq!(
        breaker
            .call(async || Err::<u8, Error>(steadfast::testing::error(steadfast::ErrorKind::Timeout, None)))
            .await
            .unwrap_err()
            .function(),
        "test"
    );
    assert_eq!(breaker.state(), CircuitState::Open);
    let rejected = breaker.call(async || Ok::<u8, Error>(1)).await.unwrap_err();
    assert_eq!((rejected.function(), rejected.retry_after()), ("circuit_breaker", Some(SECOND)));
    advance(SECOND).await;
    assert_eq!(breaker.call(async || Some(3)).await, Some(3));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_may_borrow_and_be_spawned() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().name("warehouse");
    let mut calls = 0;
    let text = String::from("a");
    let found = BREAKER
        .call(async || {
            calls += 1;
            Some(text.len())
        })
        .await;
    assert_eq!((found, calls), (Some(1), 1));
    let spawned = tokio::spawn(async move {
        BREAKER
            .call(async move || {
                sleep(MS).await;
                Some(text)
            })
            .await
    });
    assert_eq!(spawned.await.unwrap().as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_call_is_a_failure() {
    let breaker = CircuitBreaker::new().failures(1);
    let panicked = std::panic::AssertUnwindSafe(breaker.call(async || -> Option<u8> { panic!("on purpose") }));
    assert!(futures::FutureExt::catch_unwind(panicked).await.is_err());
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_no_probe() {
    let awaits = cancel_at_every_await(
        async || {
            let breaker = CircuitBreaker::new().failures(1).open_for(SECOND);
            breaker.permit().unwrap().failure();
            advance(SECOND).await;
            breaker
        },
        async |breaker| {
            breaker
                .call(async || {
                    sleep(MS).await;
                    sleep(MS).await;
                    None::<u8>
                })
                .await;
        },
        async |breaker| assert!(breaker.metrics().half_open_in.is_some() || breaker.permit().is_ok()),
    )
    .await;
    assert_eq!(awaits, 2);
}

#[tokio::test(start_paused = true)]
async fn an_unsettled_permit_counts_as_nothing() {
    let breaker = CircuitBreaker::new().failures(1).open_for(SECOND);
    drop(breaker.permit().unwrap());
    let in_a_panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _permit = breaker.permit().unwrap();
        panic!("on purpose");
    }));
    assert!(in_a_panic.is_err());
    assert_eq!(breaker.state(), CircuitState::Closed);
    breaker.permit().unwrap().failure();
    advance(SECOND).await;
    let probe = breaker.permit().unwrap();
    assert!(breaker.permit().unwrap_err().is_circuit_open());
    drop(probe);
    breaker.permit().unwrap().success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn metrics_are_those_of_the_rule() {
    let streak = CircuitBreaker::new().failures(5);
    for failed in [true, false, true, true] {
        settle(&streak, failed);
    }
    let metrics = streak.metrics();
    assert_eq!((metrics.calls, metrics.failures, metrics.failure_rate), (2, 2, None));
    let timed = CircuitBreaker::new().failure_rate(0.9).min_calls(100).window(SECOND).slow_call(50 * MS).slow_rate(0.9);
    for failed in [true, false, false, false] {
        settle(&timed, failed);
    }
    let slow = timed.permit().unwrap();
    advance(50 * MS).await;
    slow.success();
    let metrics = timed.metrics();
    assert_eq!((metrics.calls, metrics.failures, metrics.slow_calls), (5, 1, 1));
    assert_eq!((metrics.failure_rate, metrics.slow_rate), (Some(0.2), Some(0.2)));
    advance(SECOND).await;
    assert_eq!((timed.metrics().calls, timed.metrics().failure_rate), (0, Some(0.0)));
    let open = CircuitBreaker::new().failures(1).open_for(SECOND);
    settle(&open, true);
    advance(300 * MS).await;
    let metrics = open.metrics();
    assert_eq!((metrics.state, metrics.half_open_in), (CircuitState::Open, Some(700 * MS)));
}

fn settle(breaker: &CircuitBreaker, failed: bool) {
    let permit = breaker.permit().unwrap();
    if failed { permit.failure() } else { permit.success() }
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_by_a_rate_of_their_own() {
    let breaker = CircuitBreaker::new().failures(1).slow_call(10 * MS).slow_rate(0.5).min_calls(4).window_calls(4);
    for slow in [false, true, false, true] {
        assert_eq!(breaker.state(), CircuitState::Closed);
        let permit = breaker.permit().unwrap();
        advance(if slow { 10 * MS } else { MS }).await;
        permit.success();
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_jittered() {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let breaker = CircuitBreaker::new().failures(1).open_for(SECOND).open_jitter(0.5);
        settle(&breaker, true);
        let wait = breaker.permit().unwrap_err().retry_after().unwrap();
        assert!((SECOND..=SECOND + 500 * MS).contains(&wait), "{wait:?}");
        seen.insert(wait);
    }
    assert!(seen.len() > 40);
}

// --- ConcurrencyLimiter ---

#[tokio::test(start_paused = true)]
async fn permits_are_granted_in_order() {
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1).queue(1);
    let order = std::sync::Mutex::new(Vec::new());
    let hold = async |n: u32| {
        let _permit = LIMITER.acquire().await;
        order.lock().unwrap().push(n);
        sleep(10 * MS).await;
    };
    // More than the bound of the queue, which does not apply.
    let started = Instant::now();
    futures::join!(hold(1), hold(2), hold(3));
    assert_eq!((order.into_inner().unwrap(), started.elapsed()), (vec![1, 2, 3], 30 * MS));
    assert_eq!((LIMITER.running(), LIMITER.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_has_an_end() {
    let limiter = ConcurrencyLimiter::new(1).queue(1).name("uploads");
    let held = limiter.try_acquire().unwrap();
    let started = Instant::now();
    let (first, second) = futures::join!(limiter.acquire_within(20 * MS), limiter.acquire_within(20 * MS));
    assert_eq!(first.unwrap_err().to_string(), "`uploads` was rejected: concurrency limit of 1 reached");
    assert!(second.unwrap_err().is_saturated(), "the queue was full");
    assert_eq!((started.elapsed(), limiter.waiting()), (20 * MS, 0));
    drop(held);
    assert!(limiter.acquire_within(20 * MS).await.is_ok());
    assert!(limiter.acquire_within(Duration::ZERO).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_leaves_no_place() {
    for within in [false, true] {
        let awaits = cancel_at_every_await(
            async || ConcurrencyLimiter::new(1),
            async |limiter| {
                let held = limiter.acquire().await;
                let release = async {
                    sleep(MS).await;
                    drop(held);
                };
                let wait = async {
                    if within {
                        drop(limiter.acquire_within(SECOND).await);
                    } else {
                        drop(limiter.acquire().await);
                    }
                };
                futures::join!(wait, release);
            },
            async |limiter| {
                assert_eq!((limiter.running(), limiter.waiting()), (0, 0));
                assert!(limiter.try_acquire().is_ok());
            },
        )
        .await;
        assert!(awaits > 0);
    }
}

#[test]
fn outcomes_adapt_the_limit() {
    let limiter = ConcurrencyLimiter::new(10).adaptive();
    drop(limiter.try_acquire().unwrap());
    assert_eq!(limiter.limit(), 10);
    limiter.try_acquire().unwrap().failure();
    assert_eq!(limiter.limit(), 9);
    let held: Vec<_> = (0..5).map(|_| limiter.try_acquire().unwrap()).collect();
    limiter.try_acquire().unwrap().success();
    assert_eq!((limiter.limit(), held.len()), (10, 5));
}

#[test]
fn permits_allocate_nothing() {
    let (breaker, limiter) = (CircuitBreaker::new(), ConcurrencyLimiter::new(1));
    let allocated = allocation_counter::measure(|| {
        for _ in 0..10 {
            breaker.permit().unwrap().success();
            drop(limiter.try_acquire().unwrap());
            let calls = async {
                drop(limiter.acquire().await);
                breaker.call(async || Some(1)).await
            };
            assert_eq!(futures::FutureExt::now_or_never(calls), Some(Some(1)));
        }
    });
    assert_eq!(allocated.count_total, 0);
}
