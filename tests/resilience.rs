//! Policies combined: order, budgets, propagated deadlines, rejections with a retry time, and the cost of a stack.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, clippy::unchecked_time_subtraction, reason = "each function stands where it is tested")]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::Duration;

use futures::future::join_all;
use futures::poll;
use steadfast::{
    CircuitBreaker, ConcurrencyLimiter, Error, RateLimiter, RetryBudget, circuit_breaker, concurrency_limit, fallback, hedge,
    rate_limit, remaining, retry, timeout,
};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq, thiserror::Error)]
enum AppError {
    #[error("busy")]
    Busy,
    #[error("not found")]
    NotFound,
    // The chain of sources does not show what is inside.
    #[error(transparent)]
    Policy(#[from] Error),
}

// --- Budgets ---

#[tokio::test(start_paused = true)]
async fn a_total_outage_multiplies_calls_by_the_share_at_most() {
    static BUDGET: RetryBudget = RetryBudget::new().retry_ratio(0.2).min_per_second(0);
    #[retry(attempts = 4, delay = 1ms, budget = BUDGET)]
    async fn call(attempts: &Cell<u32>, up: bool) -> Result<(), AppError> {
        attempts.set(attempts.get() + 1);
        if up { Ok(()) } else { Err(AppError::Busy) }
    }
    let attempts = Cell::new(0);
    for _ in 0..10_000 {
        call(&attempts, true).await.unwrap();
    }
    assert_eq!((attempts.replace(0), BUDGET.balance()), (10_000, 100));
    for _ in 0..10_000 {
        assert_eq!(call(&attempts, false).await, Err(AppError::Busy));
    }
    assert_eq!(attempts.replace(0), 10_100, "the reserve, and nothing else");
    // Half of the calls fail: there is a retry for a fifth of those that succeed.
    for index in 0..10_000 {
        let _ = call(&attempts, index % 2 == 0).await;
    }
    assert!((10_995..=11_000).contains(&attempts.get()), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_floor_is_for_those_who_seldom_call() {
    static BUDGET: RetryBudget = RetryBudget::new().min_per_second(2);
    #[retry(attempts = 3, delay = 0s, budget = BUDGET)]
    async fn call(attempts: &Cell<u32>) -> Option<()> {
        attempts.set(attempts.get() + 1);
        None
    }
    let attempts = Cell::new(0);
    for expected in [3, 1, 1] {
        call(&attempts).await;
        assert_eq!(attempts.replace(0), expected);
    }
    advance(S).await;
    call(&attempts).await;
    assert_eq!(attempts.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_retried_is_no_success() {
    static BUDGET: RetryBudget = RetryBudget::new().retry_ratio(1.0).min_per_second(0);
    #[retry(delay = 0s, budget = BUDGET, when = |error| *error == AppError::Busy)]
    async fn call(found: bool) -> Result<(), AppError> {
        if found { Ok(()) } else { Err(AppError::NotFound) }
    }
    for found in [true, false, false, true] {
        let _ = call(found).await;
    }
    assert_eq!(BUDGET.balance(), 2);
}

// --- Refusals that know when to come again ---

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_a_refusal_below_asks_whatever_it_became() {
    #[retry(attempts = 2, delay = 1ms)]
    #[rate_limit(1 / 10s)]
    async fn transparent() -> Result<(), AppError> {
        Ok(())
    }
    #[retry(attempts = 2, delay = 0s)]
    #[rate_limit(1 / 10s)]
    async fn nothing_left() -> Option<()> {
        Some(())
    }
    #[retry(attempts = 2, delay = 1ms)]
    #[circuit_breaker(failures = 1, open_for = 7s)]
    async fn broken(fails: bool) -> Result<(), AppError> {
        if fails { Err(AppError::Busy) } else { Ok(()) }
    }
    let timed = async |call: std::pin::Pin<Box<dyn Future<Output = bool>>>| {
        let started = Instant::now();
        (call.await, started.elapsed().as_secs())
    };
    assert!(transparent().await.is_ok());
    assert_eq!(timed(Box::pin(async { transparent().await.is_ok() })).await, (true, 10));
    assert!(nothing_left().await.is_some());
    assert_eq!(timed(Box::pin(async { nothing_left().await.is_some() })).await, (true, 10));
    // The first attempt opens it, the second is refused, and of the next call the second is the probe.
    assert!(broken(true).await.is_err());
    assert_eq!(timed(Box::pin(async { broken(false).await.is_ok() })).await, (true, 6));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_another_function_is_found_in_the_error() {
    static QUOTA: RateLimiter = RateLimiter::new(1, S);
    #[rate_limit(QUOTA)]
    async fn limited() -> Result<(), Error> {
        Ok(())
    }
    #[retry(attempts = 2, delay = 1ms)]
    async fn io() -> std::io::Result<()> {
        Ok(limited().await?)
    }
    #[retry(attempts = 2, delay = 1ms)]
    async fn anyhow() -> anyhow::Result<()> {
        Ok(limited().await?)
    }
    #[retry(attempts = 2, delay = 1ms)]
    async fn transparent() -> Result<(), AppError> {
        Ok(limited().await?)
    }
    #[retry(attempts = 2, delay = 1ms)]
    async fn boxed() -> Result<(), Box<dyn std::error::Error>> {
        Ok(limited().await?)
    }
    limited().await.unwrap();
    let started = Instant::now();
    io().await.unwrap();
    anyhow().await.unwrap();
    transparent().await.unwrap();
    boxed().await.unwrap();
    assert_eq!(started.elapsed(), 4 * S);
}

// --- Deadlines ---

#[tokio::test(start_paused = true)]
async fn the_time_left_is_known_to_whatever_is_called_within() {
    #[timeout(100ms)]
    async fn outer(log: &RefCell<Vec<Option<u128>>>) -> Option<()> {
        let note = || log.borrow_mut().push(remaining().map(|left| left.as_millis()));
        note();
        sleep(30 * MS).await;
        note();
        inner(log).await;
        note();
        longer(log).await;
        tokio::spawn(async { assert_eq!(remaining(), None) }).await.unwrap();
        Some(())
    }
    #[timeout(20ms)]
    async fn inner(log: &RefCell<Vec<Option<u128>>>) -> Option<()> {
        log.borrow_mut().push(remaining().map(|left| left.as_millis()));
        sleep(10 * MS).await;
        log.borrow_mut().push(remaining().map(|left| left.as_millis()));
        Some(())
    }
    #[timeout(1h)]
    async fn longer(log: &RefCell<Vec<Option<u128>>>) -> Option<()> {
        log.borrow_mut().push(remaining().map(|left| left.as_millis()));
        Some(())
    }
    #[timeout(1s)]
    async fn panics() -> Option<()> {
        panic!("as it is")
    }
    let log = RefCell::default();
    assert_eq!(remaining(), None);
    outer(&log).await.unwrap();
    assert_eq!(log.take(), [Some(100), Some(70), Some(20), Some(10), Some(60), Some(60)]);
    assert_eq!(remaining(), None);
    // A panic leaves nothing behind.
    let caught = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(panics())).await;
    assert!(caught.is_err());
    assert_eq!(remaining(), None);
}

#[tokio::test(start_paused = true)]
async fn a_retry_begins_no_wait_that_cannot_end_before_the_deadline() {
    #[timeout(350ms)]
    #[retry(attempts = 100, delay = 100ms, factor = 1, jitter = none)]
    async fn same_function(attempts: &Cell<u32>) -> Result<(), AppError> {
        attempts.set(attempts.get() + 1);
        tokio::task::yield_now().await;
        Err(AppError::Busy)
    }
    #[timeout(350ms)]
    async fn caller(attempts: &Cell<u32>) -> Result<(), AppError> {
        callee(attempts).await
    }
    #[retry(attempts = 100, delay = 100ms, factor = 1, jitter = none)]
    async fn callee(attempts: &Cell<u32>) -> Result<(), AppError> {
        attempts.set(attempts.get() + 1);
        tokio::task::yield_now().await;
        Err(AppError::Busy)
    }
    #[timeout(350ms)]
    #[hedge(after = 1h)]
    #[retry(attempts = 100, delay = 100ms, factor = 1, jitter = none)]
    async fn in_a_race(attempts: &Cell<u32>, hedged: &Cell<bool>) -> Result<(), AppError> {
        if attempts.get() == 4 && !hedged.replace(true) {
            return Ok(());
        }
        attempts.set(attempts.get() + 1);
        tokio::task::yield_now().await;
        Err(AppError::Busy)
    }
    for call in 0..3 {
        let (attempts, started) = (Cell::new(0), Instant::now());
        let outcome = match call {
            0 => same_function(&attempts).await,
            1 => caller(&attempts).await,
            _ => in_a_race(&attempts, &Cell::new(false)).await,
        };
        // The error of the function, and not that of the deadline, and earlier than that.
        assert_eq!(outcome, if call == 2 { Ok(()) } else { Err(AppError::Busy) });
        assert_eq!((attempts.get(), started.elapsed().as_millis()), (4, 300));
    }
}

// --- Order ---

#[tokio::test(start_paused = true)]
async fn the_order_is_as_written() {
    async fn hang(attempts: &Cell<u32>) -> Result<(), Error> {
        attempts.set(attempts.get() + 1);
        std::future::pending().await
    }
    #[timeout(1s)]
    #[retry(attempts = 3, delay = 100ms, jitter = none)]
    async fn total(attempts: &Cell<u32>) -> Result<(), Error> {
        hang(attempts).await
    }
    #[retry(attempts = 3, delay = 100ms, factor = 1, jitter = none)]
    #[timeout(1s)]
    async fn each(attempts: &Cell<u32>) -> Result<(), Error> {
        hang(attempts).await
    }
    #[concurrency_limit(1, max_wait = 0s)]
    #[retry(attempts = 3, delay = 1s)]
    async fn held_over_waits() -> Option<()> {
        None
    }
    #[retry(attempts = 3, delay = 10ms)]
    #[concurrency_limit(1, max_wait = 0s, handle = each_attempt)]
    async fn taken_for_each(attempts: &Cell<u32>) -> Option<()> {
        assert_eq!(each_attempt().running(), 1);
        attempts.set(attempts.get() + 1);
        None
    }
    let attempts = Cell::new(0);
    let started = Instant::now();
    assert!(total(&attempts).await.unwrap_err().is_timeout());
    assert_eq!((attempts.take(), started.elapsed()), (1, S));
    let started = Instant::now();
    assert!(each(&attempts).await.unwrap_err().is_timeout());
    assert_eq!((attempts.take(), started.elapsed()), (3, 3_200 * MS));
    let mut first = Box::pin(held_over_waits());
    assert!(poll!(&mut first).is_pending());
    // The first one waits for its second attempt, and keeps its place: this one is refused at once.
    let started = Instant::now();
    assert_eq!((held_over_waits().await, started.elapsed()), (None, Duration::ZERO));
    let mut first = Box::pin(taken_for_each(&attempts));
    assert!(poll!(&mut first).is_pending());
    assert_eq!(each_attempt().running(), 0, "not while it waits for the next attempt");
    first.await;
    assert_eq!(attempts.take(), 3);
}

// --- A stack of six ---

static BREAKER: CircuitBreaker = CircuitBreaker::new();
static RATE: RateLimiter = RateLimiter::new(1_000_000, S);
static PLACES: ConcurrencyLimiter = ConcurrencyLimiter::new(4);
static BUDGET: RetryBudget = RetryBudget::new();

mod six {
    use super::*;

    pub(super) async fn fetch(bytes: &[u8; 64], wait: bool) -> Result<usize, Error> {
        if wait {
            sleep(MS).await;
        }
        Ok(bytes.len())
    }

    pub(super) async fn bare(bytes: [u8; 64], wait: bool) -> Result<usize, Error> {
        fetch(&bytes, wait).await
    }

    #[fallback(0)]
    #[rate_limit(RATE)]
    #[concurrency_limit(PLACES)]
    #[circuit_breaker(BREAKER)]
    #[timeout(1s)]
    #[retry]
    pub(super) async fn stacked(bytes: [u8; 64], wait: bool) -> Result<usize, Error> {
        fetch(&bytes, wait).await
    }

    #[fallback(0)]
    #[rate_limit(RATE)]
    #[concurrency_limit(PLACES)]
    #[circuit_breaker(BREAKER)]
    #[retry(budget = BUDGET)]
    pub(super) async fn timerless(bytes: [u8; 64], wait: bool) -> Result<usize, Error> {
        fetch(&bytes, wait).await
    }

    #[fallback(0)]
    #[rate_limit(RATE, max_wait = 1s)]
    #[concurrency_limit(PLACES, max_wait = 1s)]
    #[circuit_breaker(BREAKER)]
    #[timeout(1s)]
    pub(super) async fn waiting(bytes: [u8; 64], wait: bool) -> Result<usize, Error> {
        fetch(&bytes, wait).await
    }
}

#[test]
fn a_stack_of_six_allocates_nothing_and_its_future_is_small() {
    let bytes = [0; 64];
    assert_eq!(futures::executor::block_on(six::stacked(bytes, false)), Ok(64));
    let measured = allocation_counter::measure(|| {
        assert_eq!(futures::executor::block_on(six::stacked(bytes, false)), Ok(64));
    });
    assert_eq!(measured.count_total, 0);
    let size = |future: usize| future - size_of_val(&six::bare(bytes, true));
    let (stacked, timerless, waiting) = (
        size(size_of_val(&six::stacked(bytes, true))),
        size(size_of_val(&six::timerless(bytes, true))),
        size(size_of_val(&six::waiting(bytes, true))),
    );
    println!("more than the bare function: six {stacked}, without a deadline {timerless}, five without a retry {waiting}");
    assert!(timerless <= 128, "{timerless}");
    // Above 128 by what an attempt knows of itself while it is polled: `attempt()` and `call_id()`.
    assert!(stacked <= 144, "{stacked}");
    assert!(waiting <= 128, "{waiting}");
}

#[tokio::test(start_paused = true)]
async fn a_stack_of_six_that_waits_allocates_nothing_either() {
    six::stacked([0; 64], true).await.unwrap();
    let mut call = Box::pin(six::stacked([0; 64], true));
    let mut polled = false;
    let waker = std::task::Waker::noop();
    let measured = allocation_counter::measure(|| {
        polled = call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending();
    });
    assert!(polled);
    assert_eq!(measured.count_total, 0);
    call.await.unwrap();
}

/// At each point at which the call may be dropped.
#[tokio::test(start_paused = true)]
async fn whatever_a_call_holds_it_gives_back_when_it_is_dropped() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failures(1).open_for(MS);
    static RATE: RateLimiter = RateLimiter::new(1, Duration::from_millis(5)).burst(1);
    static PLACES: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    #[rate_limit(RATE, max_wait = 1h)]
    #[concurrency_limit(PLACES)]
    #[circuit_breaker(BREAKER)]
    #[retry(attempts = 2, delay = 2ms, jitter = none)]
    #[hedge(after = 3ms)]
    #[timeout(20ms)]
    async fn work(fails: bool) -> Result<(), Error> {
        sleep(10 * MS).await;
        if fails { std::future::pending().await } else { Ok(()) }
    }
    for after in 0..60 {
        let calls = join_all((0..4).map(|index| work(index % 2 == 0)));
        let _ = tokio::time::timeout(after * MS, calls).await;
        assert_eq!((PLACES.running(), PLACES.waiting()), (0, 0), "after {after} ms");
        sleep(10 * MS).await;
        BREAKER.reset();
        work(false).await.unwrap();
    }
}
