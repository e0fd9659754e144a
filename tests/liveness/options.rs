//! What an option does happens within every attribute above it: its awaits, its panics, its use of the remaining time.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::FutureExt;
use steadfast::{
    CancellationToken, Error, ErrorKind, Exit, RateLimiter, async_cached, cancellable, circuit_breaker, concurrency_limit,
    fallback, finally, hedge, rate_limit, remaining, retry, shield, timeout, warn_slow_poll,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

async fn slow() -> u32 {
    sleep(10_000 * MS).await;
    1
}

/// Fails.
async fn unavailable() -> Result<u32, Error> {
    #[rate_limit(1 / 1h)]
    async fn limited() -> Result<u32, Error> {
        Ok(0)
    }
    while limited().await.is_ok() {}
    limited().await
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_what_a_fallback_awaits() {
    #[timeout(100ms)]
    #[fallback(slow().await)]
    async fn value() -> Option<u32> {
        None
    }
    #[timeout(100ms)]
    #[fallback(|_| slow().await)]
    async fn closure() -> Result<u32, Error> {
        unavailable().await
    }
    #[timeout(100ms)]
    #[retry(delay = 1ms, jitter = none)]
    #[timeout(30ms)]
    #[fallback(slow().await)]
    async fn attempts() -> Option<u32> {
        None
    }
    let started = Instant::now();
    assert_eq!((value().await, started.elapsed()), (None, 100 * MS));
    let started = Instant::now();
    assert_eq!(closure().await.map_err(|error| error.kind()), Err(ErrorKind::Timeout));
    assert_eq!(started.elapsed(), 100 * MS);
    let started = Instant::now();
    assert_eq!((attempts().await, started.elapsed() <= 100 * MS), (None, true));
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_what_a_fallback_awaits() {
    #[cancellable(token = token)]
    #[fallback({ begun.set(true); slow().await })]
    async fn value(token: &CancellationToken, begun: &Cell<bool>, ends: Option<CancellationToken>) -> Result<u32, Error> {
        if let Some(token) = ends {
            token.cancel();
        }
        unavailable().await
    }
    let (token, begun) = (CancellationToken::new(), Cell::new(false));
    let cancel = async {
        sleep(50 * MS).await;
        token.cancel();
    };
    let started = Instant::now();
    let (outcome, ()) = tokio::join!(value(&token, &begun, None), cancel);
    assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
    assert_eq!((started.elapsed(), begun.take()), (50 * MS, true));
    let token = CancellationToken::new();
    let outcome = value(&token, &begun, Some(token.clone())).await;
    assert_eq!(outcome.map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
    assert!(!begun.get(), "nothing below begins after the token was cancelled");
}

thread_local! {
    static LEFT: RefCell<Vec<(&'static str, Option<Duration>)>> = const { RefCell::new(Vec::new()) };
}

/// Notes the time that is left where `option` is evaluated.
fn left<T>(option: &'static str, value: T) -> T {
    LEFT.with_borrow_mut(|left| {
        left.push((option, remaining().map(|left| Duration::from_millis(left.as_millis().try_into().expect("short")))));
    });
    value
}

#[tokio::test(start_paused = true)]
async fn an_option_knows_the_time_that_is_left() {
    static FREE: RateLimiter = RateLimiter::new(1_000, Duration::from_secs(1));
    #[timeout(1s)]
    #[fallback(left("fallback", 1))]
    #[rate_limit(FREE, key = left("key", n), max_wait = left("max_wait", MS))]
    #[concurrency_limit(9, max_wait = left("the other max_wait", MS))]
    #[cancellable(token = left("token", CancellationToken::new()))]
    #[circuit_breaker(failure = |outcome| left("failure", outcome.is_none()))]
    #[retry(
        attempts = left("attempts", 2_u32),
        delay = left("delay", MS),
        jitter = none,
        on_retry = |_| left("on_retry", ()),
        gave_up = |_| left("gave_up", ()),
    )]
    #[timeout(left("timeout", 500 * MS))]
    async fn call(n: u32) -> Option<u32> {
        sleep(Duration::from_millis(u64::from(n))).await;
        None
    }
    #[timeout(1s, or_else = |_| Err(2))]
    #[retry(delay = 0s, when = |_| left("when", true), retry_after = |_| left("retry_after", Some(MS)))]
    #[timeout(5ms, or_else = |_| left("or_else", Err(1)))]
    async fn failing() -> Result<u32, u32> {
        std::future::pending().await
    }
    #[timeout(1s)]
    #[async_cached(key = left("key", n), refresh_if = left("refresh_if", false), ttl = left("ttl", 9 * MS), tags = [left("tags", "tag")])]
    async fn cached(n: u32) -> Option<u32> {
        Some(n)
    }
    assert_eq!(call(10).await, Some(1));
    assert_eq!(failing().await, Err(1));
    assert_eq!(cached(7).await, Some(7));
    let left = LEFT.take();
    let without: Vec<_> = left.iter().filter(|(_, left)| left.is_none()).collect();
    assert!(without.is_empty(), "{without:?}");
    for option in [
        "fallback",
        "key",
        "max_wait",
        "the other max_wait",
        "token",
        "failure",
        "attempts",
        "delay",
        "on_retry",
        "gave_up",
        "timeout",
        "when",
        "retry_after",
        "or_else",
        "refresh_if",
        "ttl",
        "tags",
    ] {
        assert!(left.iter().any(|(name, _)| *name == option), "{option}");
    }
    let last = left.iter().find(|(option, _)| *option == "fallback").expect("it was evaluated");
    assert!(last.1.is_some_and(|left| left < 981 * MS), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_fallback_awaits_knows_the_time_that_is_left() {
    #[timeout(1s)]
    #[fallback(other().await)]
    async fn call() -> Option<Duration> {
        sleep(10 * MS).await;
        None
    }
    async fn other() -> Duration {
        tokio::task::yield_now().await;
        remaining().unwrap_or_default()
    }
    assert_eq!(call().await.map(|left| left.as_millis()), Some(990));
}

/// The cleanup of a call that ends with the panic of an option has ended when the caller gets the panic.
#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_cleanup_after_the_panic_of_an_option() {
    static EXITS: Mutex<Vec<Exit>> = Mutex::new(Vec::new());
    async fn note(exit: Exit, _: &str) {
        sleep(MS).await;
        EXITS.lock().unwrap().push(exit);
    }
    fn bomb<T>() -> T {
        std::panic::panic_any("an option")
    }
    #[finally(|exit| note(exit, "ended"))]
    #[fallback(bomb::<u32>())]
    async fn of_fallback() -> Option<u32> {
        None
    }
    #[finally(|exit| note(exit, "ended"))]
    #[retry(failure = |_| bomb())]
    async fn of_failure() -> Option<u32> {
        None
    }
    #[finally(|exit| note(exit, "ended"))]
    #[async_cached(key = bomb::<u32>())]
    async fn of_key() -> Option<u32> {
        None
    }
    #[finally(|exit| note(exit, "ended"))]
    #[timeout(1s)]
    #[timeout(1ms, or_else = |_| bomb())]
    async fn of_or_else() -> Option<u32> {
        std::future::pending().await
    }
    #[finally(|exit| note(exit, "ended"))]
    #[async_cached(ttl = |_| bomb())]
    async fn of_ttl() -> u32 {
        1
    }
    #[concurrency_limit(1)]
    #[finally(|exit| note(exit, "ended"))]
    #[timeout(bomb())]
    async fn below_a_wait() -> Option<u32> {
        None
    }
    macro_rules! check {
        ($($call:ident)*) => {$(
            let panic = AssertUnwindSafe($call()).catch_unwind().await.map(drop).expect_err("it panics");
            assert_eq!(panic.downcast_ref(), Some(&"an option"));
            assert_eq!(std::mem::take(&mut *EXITS.lock().unwrap()), [Exit::Panicked], stringify!($call));
        )*};
    }
    check!(of_fallback of_failure of_key of_or_else of_ttl below_a_wait);
}

#[test]
fn a_fallback_that_holds_its_thread_is_reported() {
    static HELD: AtomicBool = AtomicBool::new(false);
    #[warn_slow_poll(20ms, panic)]
    #[fallback({ std::thread::sleep(30 * MS); 1 })]
    async fn call() -> Option<u32> {
        None
    }
    let caught = std::panic::catch_unwind(|| call().now_or_never());
    HELD.store(caught.is_err(), Relaxed);
    assert!(HELD.load(Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_awaits_its_own_function_does_not_hang() {
    #[async_cached]
    #[fallback(Box::pin(call(n)).await.unwrap_or(0) + 1)]
    async fn call(n: u32) -> Result<u32, Error> {
        unavailable().await.map(|_| n)
    }
    let call: std::pin::Pin<Box<dyn Future<Output = Result<u32, Error>>>> = Box::pin(call(1));
    assert_eq!(tokio::time::timeout(Duration::from_secs(1), call).await.map(Result::ok), Ok(Some(1)));
}

/// A retry knows when a rejected call is to come again, wherever the rejection was.
#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_a_rejection_on_another_task_asks() {
    static RUNS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];
    fn ends(run: usize) -> Option<u32> {
        (RUNS[run].fetch_add(1, Relaxed) > 0).then_some(1)
    }
    #[retry(delay = 1ms, jitter = none)]
    #[hedge(after = 1s)]
    #[circuit_breaker(failures = 1, open_for = 1s)]
    async fn below_a_hedge() -> Option<u32> {
        ends(0)
    }
    #[retry(delay = 1ms, jitter = none)]
    #[shield]
    #[circuit_breaker(failures = 1, open_for = 1s)]
    async fn below_a_shield() -> Option<u32> {
        ends(1)
    }
    #[retry(delay = 1ms, jitter = none)]
    #[hedge(after = 1s)]
    #[shield]
    #[circuit_breaker(failures = 1, open_for = 1s)]
    async fn below_both(name: String) -> Option<u32> {
        assert_eq!(name, "name");
        ends(2)
    }
    #[retry(delay = 1ms, jitter = none)]
    #[async_cached(detached)]
    #[rate_limit(1 / 1s)]
    async fn below_a_computation() -> Option<u32> {
        ends(3)
    }
    let started = Instant::now();
    assert_eq!((below_a_hedge().await, started.elapsed() >= Duration::from_secs(1)), (Some(1), true));
    let started = Instant::now();
    assert_eq!((below_a_shield().await, started.elapsed() >= Duration::from_secs(1)), (Some(1), true));
    let started = Instant::now();
    assert_eq!((below_both("name".to_owned()).await, started.elapsed() >= Duration::from_secs(1)), (Some(1), true));
    let started = Instant::now();
    assert_eq!((below_a_computation().await, started.elapsed() >= Duration::from_secs(1)), (Some(1), true));
}
