//! `#[retry]`: `delay = |event|`, `on_retry`, `gave_up`: when each is called, with what, and what may await.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt;
use steadfast::testing::cancel_at_every_await;
use steadfast::{Error, RetryBudget, RetryEvent, circuit_breaker, finally, retry, timeout};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Busy(u32),
    Fatal,
    Steadfast(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Steadfast(error)
    }
}

/// What a callback was told: attempt, delay, elapsed time, in milliseconds.
type Told = RefCell<Vec<(u32, u128, u128)>>;

fn told<R>(to: &Told, event: &RetryEvent<'_, R>) {
    to.borrow_mut().push((event.attempt(), event.delay().as_millis(), event.elapsed().as_millis()));
}

#[tokio::test(start_paused = true)]
async fn a_closure_computes_each_delay() {
    #[retry(attempts = 4, delay = |event| { told(to, event); 10ms * event.attempt() }, on_retry = |event| told(next, event))]
    async fn linear(to: &Told, next: &Told) -> Option<()> {
        sleep(MS).await;
        None
    }
    let (computed, next) = (Told::default(), Told::default());
    linear(&computed, &next).await;
    // The delay of the event is the one before the attempt that failed.
    assert_eq!(*computed.borrow(), [(1, 0, 1), (2, 10, 12), (3, 20, 33)]);
    assert_eq!(*next.borrow(), [(1, 10, 1), (2, 20, 12), (3, 30, 33)]);
}

#[tokio::test(start_paused = true)]
async fn a_computed_delay_is_capped_and_jittered_only_if_that_is_written() {
    #[retry(attempts = 2, delay = |_| 60s)]
    async fn exact() -> Option<()> {
        None
    }
    #[retry(attempts = 4, delay = |event| 10ms * event.attempt(), max_delay = 15ms)]
    async fn capped() -> Option<()> {
        None
    }
    #[retry(attempts = 2, delay = |_| 1s, jitter = equal)]
    async fn jittered() -> Option<()> {
        None
    }
    let start = Instant::now();
    exact().await;
    assert_eq!(start.elapsed(), 60_000 * MS);
    let start = Instant::now();
    capped().await;
    assert_eq!(start.elapsed(), 40 * MS);
    let mut waits = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        jittered().await;
        waits.push(start.elapsed());
    }
    assert!(waits.iter().all(|wait| (500 * MS..=1_001 * MS).contains(wait)), "{waits:?}");
    assert!(waits.iter().max().unwrap().abs_diff(*waits.iter().min().unwrap()) > 100 * MS, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_error_asks_for_comes_before_a_computed_delay() {
    #[retry(attempts = 3, delay = |event| 10ms * event.attempt(), retry_after = |error| match error {
        Failure::Busy(1) => Some(70ms),
        _ => None,
    })]
    async fn asks(runs: &Cell<u32>) -> Result<(), Failure> {
        runs.set(runs.get() + 1);
        Err(Failure::Busy(runs.get()))
    }
    static OPEN: steadfast::CircuitBreaker = steadfast::CircuitBreaker::new().failures(1).open_for(Duration::from_secs(1));
    // A rejection below asks for a second.
    #[retry(attempts = 3, delay = |_| 10ms)]
    #[circuit_breaker(OPEN)]
    async fn rejected() -> Result<(), Failure> {
        Err(Failure::Fatal)
    }
    let start = Instant::now();
    asks(&Cell::new(0)).await.unwrap_err();
    assert_eq!(start.elapsed(), 90 * MS);
    let start = Instant::now();
    rejected().await.unwrap_err();
    assert!(start.elapsed() >= 1_000 * MS, "{:?}", start.elapsed());
}

/// Calls the function, and returns what `gave_up` was told: attempt and error.
macro_rules! gave_up {
    ($to:ident: #[retry($($options:tt)*)] $($rest:tt)*) => {{
        #[retry($($options)*, gave_up = |event| $to.borrow_mut().push((event.attempt(), event.error().cloned())))]
        async fn call($to: &RefCell<Vec<(u32, Option<Failure>)>>) -> Result<(), Failure> $($rest)*
        let told = RefCell::default();
        let outcome = call(&told).await;
        (outcome, told.into_inner())
    }};
}

#[tokio::test(start_paused = true)]
async fn gave_up_is_called_once_when_no_attempt_follows() {
    static EMPTY: RetryBudget = RetryBudget::new().retry_ratio(0.0).min_per_second(0);
    let busy = Failure::Busy(7);
    let fails = |of: u32| (Err(Failure::Busy(7)), vec![(of, Some(Failure::Busy(7)))]);
    let used_up = gave_up!(to: #[retry(attempts = 3)] { let _ = to; Err(Failure::Busy(7)) });
    assert_eq!(used_up, fails(3));
    let only_one = gave_up!(to: #[retry(attempts = 1)] { let _ = to; Err(Failure::Busy(7)) });
    assert_eq!(only_one, fails(1));
    let no_budget = gave_up!(to: #[retry(budget = EMPTY)] { let _ = to; Err(Failure::Busy(7)) });
    assert_eq!(no_budget, fails(1));
    let no_time = gave_up!(to: #[retry(max_elapsed = 250ms, jitter = none)] { let _ = to; Err(Failure::Busy(7)) });
    assert_eq!(no_time, fails(2));
    let not_retried = gave_up!(to: #[retry(when = |error| *error != Failure::Busy(7))] { let _ = to; Err(Failure::Busy(7)) });
    assert_eq!(not_retried, (Err(busy), Vec::new()));
    let success = gave_up!(to: #[retry(attempts = 1)] { let _ = to; Ok(()) });
    assert_eq!(success, (Ok(()), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn gave_up_is_called_for_a_deadline_that_leaves_no_room_for_the_delay() {
    #[timeout(150ms)]
    #[retry(attempts = 9, jitter = none, gave_up = |event| told(to, event))]
    async fn of_its_own(to: &Told) -> Result<(), Failure> {
        Err(Failure::Fatal)
    }
    #[retry(attempts = 9, jitter = none, gave_up = |event| told(to, event))]
    async fn inner(to: &Told) -> Result<(), Failure> {
        Err(Failure::Fatal)
    }
    #[timeout(150ms)]
    async fn of_the_caller(to: &Told) -> Result<(), Failure> {
        inner(to).await
    }
    for nested in [false, true] {
        let to = Told::default();
        let outcome = if nested { of_the_caller(&to).await } else { of_its_own(&to).await };
        assert_eq!(outcome, Err(Failure::Fatal));
        assert_eq!(*to.borrow(), [(2, 0, 100)]);
    }
}

#[tokio::test(start_paused = true)]
async fn gave_up_is_not_called_for_a_call_that_is_cut_or_dropped() {
    #[timeout(50ms)]
    #[retry(gave_up = |event| told(to, event))]
    async fn cut(to: &Told) -> Result<(), Failure> {
        sleep(100 * MS).await;
        Err(Failure::Fatal)
    }
    #[retry(gave_up = |event| told(to, event))]
    async fn slow(to: &Told) -> Result<(), Failure> {
        sleep(100 * MS).await;
        Err(Failure::Fatal)
    }
    let to = Told::default();
    assert!(matches!(cut(&to).await, Err(Failure::Steadfast(_))));
    tokio::time::timeout(110 * MS, slow(&to)).await.unwrap_err();
    assert!(to.borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_outcome_can_be_given_up() {
    #[retry(attempts = 2, failure = |status| *status >= 500, gave_up = |event| seen.set(*event.outcome()))]
    async fn status(seen: &Cell<u32>) -> u32 {
        503
    }
    let seen = Cell::new(0);
    assert_eq!((status(&seen).await, seen.get()), (503, 503));
}

#[tokio::test(start_paused = true)]
async fn an_async_on_retry_is_awaited_before_the_wait() {
    #[retry(delay = 10ms, jitter = none, on_retry = async |event| {
        sleep(100 * MS).await;
        told(to, event);
        token.set(token.get() + 1);
    })]
    async fn call(token: &Cell<u32>, to: &Told) -> Result<u32, Failure> {
        if token.get() == 2 { Ok(2) } else { Err(Failure::Busy(token.get())) }
    }
    let (token, to, start) = (Cell::new(0), Told::default(), Instant::now());
    assert_eq!(call(&token, &to).await, Ok(2));
    assert_eq!(start.elapsed(), (100 + 10 + 100 + 20) * MS);
    assert_eq!(*to.borrow(), [(1, 10, 0), (2, 20, 110)]);
}

#[tokio::test(start_paused = true)]
async fn async_callbacks_are_awaited_within_what_is_above() {
    static RELEASED: AtomicU32 = AtomicU32::new(0);
    #[finally(async { assert!(RELEASED.fetch_add(1, Ordering::SeqCst) < 3) })]
    #[timeout(50ms)]
    #[retry(attempts = 2, delay = 0s, on_retry = async |_| sleep(slow).await, gave_up = async |_| sleep(slowest).await)]
    async fn call(slow: Duration, slowest: Duration) -> Result<(), Failure> {
        Err(Failure::Fatal)
    }
    for (slow, slowest) in [(60 * MS, MS), (MS, 60 * MS)] {
        let start = Instant::now();
        assert!(matches!(call(slow, slowest).await, Err(Failure::Steadfast(error)) if error.is_timeout()));
        assert_eq!(start.elapsed(), 50 * MS);
    }
    assert_eq!(call(MS, MS).await, Err(Failure::Fatal));
    assert_eq!(RELEASED.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_panic_of_a_callback_is_one_of_the_call() {
    static RELEASED: AtomicU32 = AtomicU32::new(0);
    #[finally(async { assert!(RELEASED.fetch_add(1, Ordering::SeqCst) < 2) })]
    #[retry(on_retry = async |event| panic!("after attempt {}", event.attempt()))]
    async fn panics() -> Option<()> {
        None
    }
    #[finally(async { assert!(RELEASED.fetch_add(1, Ordering::SeqCst) < 2) })]
    #[retry(attempts = 1, gave_up = |event| panic!("after attempt {}", event.attempt()))]
    async fn panics_at_last() -> Option<()> {
        None
    }
    for payload in [
        AssertUnwindSafe(panics()).catch_unwind().await.unwrap_err(),
        AssertUnwindSafe(panics_at_last()).catch_unwind().await.unwrap_err(),
    ] {
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "after attempt 1");
    }
    assert_eq!(RELEASED.load(Ordering::SeqCst), 2);
}

/// What is under way: a body, or a callback.
struct UnderWay<'a>(&'a AtomicU32);

impl<'a> UnderWay<'a> {
    fn of(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_a_callback_leaves_nothing() {
    static UNDER_WAY: AtomicU32 = AtomicU32::new(0);
    async fn work() {
        let _work = UnderWay::of(&UNDER_WAY);
        sleep(MS).await;
    }
    #[retry(attempts = 2, on_retry = async |_| work().await, gave_up = async |_| work().await)]
    async fn call() -> Option<()> {
        work().await;
        None
    }
    let awaits = cancel_at_every_await(
        async || (),
        async |(): &mut ()| assert_eq!(call().await, None),
        async |(): &()| assert_eq!(UNDER_WAY.load(Ordering::SeqCst), 0),
    )
    .await;
    // Two bodies, two callbacks and a delay.
    assert!(awaits >= 5, "{awaits}");
}

#[tokio::test]
async fn a_call_with_async_callbacks_can_be_spawned() {
    #[retry(attempts = 2, delay = 0s, on_retry = async |event| {
        tokio::task::yield_now().await;
        let _ = event.error();
    }, gave_up = async move |event: &RetryEvent<'_, Result<String, Failure>>| {
        tokio::task::yield_now().await;
        let _ = event.error();
    })]
    async fn call(name: String) -> Result<String, Failure> {
        let _ = &name;
        Err(Failure::Fatal)
    }
    assert_eq!(tokio::spawn(call("a".to_owned())).await.unwrap(), Err(Failure::Fatal));
}
