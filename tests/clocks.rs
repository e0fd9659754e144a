//! Several clocks in one process: paused ones that are far apart, and real time. A separate binary, because the clock that is read
//! first must make no difference.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::Duration;

use futures::join;
use steadfast::{
    Cache, CircuitBreaker, Error, async_cached, batched, circuit_breaker, concurrency_limit, hedge, rate_limit, retry, timeout,
};
use tokio::runtime::Runtime;
use tokio::time::{Instant, advance, pause, sleep};

const DAY: Duration = Duration::from_secs(86_400);

/// The time that every option of `times` says.
const TIME: Duration = Duration::from_millis(40);

fn runtime(paused: bool) -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(paused).build().unwrap()
}

/// The first clock that is looked at is years ahead of all others.
fn first() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let check = async {
            advance(1_000 * DAY).await;
            far_ahead::check(true).await;
        };
        runtime(true).block_on(check);
    });
}

/// Lets time pass, as the clock does by itself or is told to.
async fn pass(paused: bool, time: Duration) {
    if paused { advance(time).await } else { sleep(time).await }
}

async fn elapsed<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let out = call.await;
    (out, start.elapsed())
}

/// A function of its own for each option that has a time, and a check that the time passes. On the real clock a machine under load may be
/// late, so that nothing is asked there of what has not passed yet.
macro_rules! times {
    ($($clock:ident)*) => {$(
        mod $clock {
            use super::*;

            static RUNS: AtomicU32 = AtomicU32::new(0);
            static FAILS: AtomicU32 = AtomicU32::new(0);

            fn run() -> u32 {
                RUNS.fetch_add(1, SeqCst) + 1
            }

            fn fallible() -> Result<u32, Error> {
                let run = run();
                if FAILS.load(SeqCst) == 0 { Ok(run) } else { Err(steadfast::testing::error(steadfast::ErrorKind::Timeout, None)) }
            }

            #[async_cached(ttl = 40ms)]
            async fn ttl() -> u32 { run() }

            #[async_cached(tti = 40ms)]
            async fn tti() -> u32 { run() }

            #[async_cached(ttl = 40ms, stale_if_error = 40ms)]
            async fn stale_if_error() -> Result<u32, Error> { fallible() }

            #[async_cached(ttl = 40ms, stale_while_revalidate = 40ms)]
            async fn revalidated() -> u32 { run() }

            #[async_cached(ttl = 80ms, refresh_ahead = 0.5)]
            async fn ahead() -> u32 { run() }

            #[async_cached(error_ttl = 40ms)]
            async fn error_ttl() -> Result<u32, Error> { run(); Err(steadfast::testing::error(steadfast::ErrorKind::Timeout, None)) }

            #[async_cached(none_ttl = 40ms)]
            async fn none_ttl() -> Option<u32> { run(); None }

            #[async_cached(load_timeout = 40ms)]
            async fn loaded() -> u32 { if run() == 1 { std::future::pending().await } else { 7 } }

            #[rate_limit(1 / 40ms)]
            async fn rate() -> Option<u32> { Some(1) }

            #[rate_limit(1 / 40ms, max_wait = 1h)]
            async fn rate_waits() -> Option<u32> { Some(1) }

            #[rate_limit(1 / 40ms, key = key)]
            async fn rate_by_key(key: u32) -> Option<u32> { Some(key) }

            #[circuit_breaker(failures = 1, open_for = 40ms)]
            async fn open_for(fails: bool) -> Option<u32> { (!fails).then_some(1) }

            #[circuit_breaker(failures = 2, window = 40ms, open_for = 1h)]
            async fn window(fails: bool) -> Option<u32> { (!fails).then_some(1) }

            #[timeout(40ms)]
            async fn deadline() -> Option<u32> { sleep(DAY).await; Some(1) }

            #[retry(attempts = 2, delay = 40ms, jitter = none)]
            async fn delay() -> Option<u32> { None }

            #[retry(attempts = 1_000, delay = 10ms, factor = 1, jitter = none, max_elapsed = 40ms)]
            async fn max_elapsed() -> Option<u32> { None }

            #[hedge(after = 40ms)]
            async fn hedged() -> Option<u32> { if run() == 1 { std::future::pending().await } else { Some(1) } }

            #[batched(delay = 40ms)]
            async fn batch(ids: Vec<u32>) -> Vec<u32> { ids }

            #[concurrency_limit(1, max_wait = 40ms)]
            async fn limited() -> Option<u32> { sleep(DAY).await; Some(1) }

            pub(super) async fn check(paused: bool) {
                let counted = |runs: u32| assert_eq!(RUNS.swap(0, SeqCst), runs, "runs of a body");
                let not_yet = |runs: u32| if paused { counted(runs) } else { RUNS.store(0, SeqCst) };
                // Values, and how long they are fresh.
                ttl().await;
                ttl().await;
                not_yet(1);
                pass(paused, TIME).await;
                ttl().await;
                if paused { counted(1) } else { assert!(RUNS.swap(0, SeqCst) > 0) }
                tti().await;
                tti().await;
                not_yet(1);
                pass(paused, TIME).await;
                tti().await;
                if paused { counted(1) } else { assert!(RUNS.swap(0, SeqCst) > 0) }
                stale_if_error().await.unwrap();
                FAILS.store(1, SeqCst);
                pass(paused, TIME).await;
                let stale = stale_if_error().await;
                assert!(stale.is_ok() || !paused);
                pass(paused, TIME).await;
                assert!(stale_if_error().await.is_err(), "the window is over");
                FAILS.store(0, SeqCst);
                RUNS.store(0, SeqCst);
                assert_eq!(revalidated().await, 1);
                pass(paused, TIME).await;
                let stale = revalidated().await;
                assert!(stale == 1 || !paused);
                tokio::task::yield_now().await;
                pass(paused, 2 * TIME).await;
                assert!(revalidated().await > 2);
                RUNS.store(0, SeqCst);
                assert_eq!(ahead().await, 1);
                pass(paused, TIME).await;
                assert!(ahead().await == 1 || !paused);
                tokio::task::yield_now().await;
                assert!(ahead().await > 1, "refreshed ahead");
                RUNS.store(0, SeqCst);
                let _ = (error_ttl().await, error_ttl().await);
                not_yet(1);
                pass(paused, TIME).await;
                let _ = error_ttl().await;
                assert!(RUNS.swap(0, SeqCst) > 0);
                let _ = (none_ttl().await, none_ttl().await);
                not_yet(1);
                pass(paused, TIME).await;
                let _ = none_ttl().await;
                assert!(RUNS.swap(0, SeqCst) > 0);
                let stuck = futures::future::select(Box::pin(loaded()), Box::pin(loaded()));
                let (futures::future::Either::Right((7, _)) | futures::future::Either::Left((7, _)), waited) = elapsed(stuck).await else {
                    panic!("one of them gives up")
                };
                assert!(waited >= TIME);
                RUNS.store(0, SeqCst);
                // Rates and circuits.
                assert!(rate().await.is_some() && rate_by_key(1).await.is_some());
                assert!((rate().await.is_none() && rate_by_key(1).await.is_none()) || !paused);
                pass(paused, TIME).await;
                assert!(rate().await.is_some() || !paused);
                assert!(rate_by_key(1).await.is_some() || !paused);
                pass(paused, 2 * TIME).await;
                assert!(rate().await.is_some() && rate_by_key(1).await.is_some());
                let ((one, other), waited) = elapsed(async { join!(rate_waits(), rate_waits()) }).await;
                assert!(one.is_some() && other.is_some());
                assert!(waited >= TIME && (waited < 2 * TIME || !paused), "{waited:?}");
                assert!(open_for(true).await.is_none());
                assert!(open_for(false).await.is_none() || !paused);
                pass(paused, TIME).await;
                assert!(open_for(false).await.is_some());
                for _ in 0..5 {
                    assert!(window(true).await.is_none());
                    pass(paused, 2 * TIME).await;
                }
                assert!(window(false).await.is_some(), "one failure at a time");
                // Deadlines, delays, waits.
                let (out, waited) = elapsed(deadline()).await;
                assert!(out.is_none() && waited >= TIME && (waited < 2 * TIME || !paused), "{waited:?}");
                let (_, waited) = elapsed(delay()).await;
                assert!(waited >= TIME && (waited < 2 * TIME || !paused), "{waited:?}");
                let (_, waited) = elapsed(max_elapsed()).await;
                assert!(waited <= TIME || !paused, "{waited:?}");
                let (out, waited) = elapsed(hedged()).await;
                assert!(out.is_some() && waited >= TIME && (waited < 2 * TIME || !paused), "{waited:?}");
                RUNS.store(0, SeqCst);
                let (out, waited) = elapsed(async { join!(batch(1), batch(2)) }).await;
                assert_eq!((out.0, out.1), (1, 2));
                assert!(waited >= TIME && (waited < 2 * TIME || !paused), "{waited:?}");
                let place = futures::future::select(Box::pin(limited()), Box::pin(limited()));
                let (out, waited) = elapsed(place).await;
                let (futures::future::Either::Left((out, _)) | futures::future::Either::Right((out, _))) = out;
                assert!(out.is_none() && waited >= TIME && (waited < 2 * TIME || !paused), "{waited:?}");
            }
        }
    )*};
}

times! { far_ahead behind a_bit_behind real ahead_of_all }

#[test]
fn a_clock_far_behind_the_first_one_goes_on() {
    first();
    runtime(true).block_on(behind::check(true));
}

#[test]
fn clocks_in_any_order() {
    first();
    runtime(true).block_on(async {
        advance(DAY).await;
        a_bit_behind::check(true).await;
    });
    runtime(true).block_on(async {
        advance(100_000 * DAY).await;
        ahead_of_all::check(true).await;
    });
    runtime(false).block_on(real::check(false));
}

/// A limiter or circuit that two clocks have in common is not stuck where the one ahead has left it.
#[test]
fn what_clocks_share_is_not_stuck_in_the_future_of_one() {
    static OPEN: CircuitBreaker = CircuitBreaker::new().failures(1).open_for(TIME);
    #[rate_limit(1 / 40ms)]
    async fn rate() -> Option<u32> {
        Some(1)
    }
    #[circuit_breaker(OPEN)]
    async fn open_for(fails: bool) -> Option<u32> {
        (!fails).then_some(1)
    }
    #[circuit_breaker(failures = 2, window = 40ms)]
    async fn window(fails: bool) -> Option<u32> {
        (!fails).then_some(1)
    }
    first();
    runtime(true).block_on(async {
        advance(10 * DAY).await;
        assert!(rate().await.is_some() && open_for(true).await.is_none() && window(true).await.is_none());
    });
    runtime(true).block_on(async {
        let _ = (rate().await, open_for(false).await);
        advance(TIME).await;
        assert!(rate().await.is_some(), "the rate goes on");
        assert_eq!(OPEN.state(), steadfast::CircuitState::HalfOpen);
        assert!(open_for(false).await.is_some(), "the circuit lets a probe through");
        for _ in 0..5 {
            assert!(window(true).await.is_none());
            advance(2 * TIME).await;
        }
        assert!(window(false).await.is_some(), "failures far apart open nothing");
    });
}

/// Two tests in parallel, with a function in common and keys of their own.
#[test]
fn the_clock_of_one_test_does_not_remove_the_entries_of_another() {
    static VALUES: Cache<u32, u32> = Cache::builder().ttl(Duration::from_secs(60)).build();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[async_cached(cache = VALUES)]
    async fn value(key: u32) -> u32 {
        RUNS.fetch_add(1, SeqCst);
        key
    }
    first();
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel::<()>();
    let one = thread::spawn(move || {
        let one = runtime(true);
        one.block_on(async { value(1).await });
        answer.send(()).unwrap();
        asked.recv().unwrap();
        one.block_on(async {
            value(1).await;
            assert_eq!(RUNS.load(SeqCst), 2, "it is as fresh as it was");
            // Its own clock does.
            advance(Duration::from_secs(60)).await;
            assert!(!VALUES.contains(&1));
            assert_eq!(VALUES.len(), 0);
        });
    });
    answered.recv().unwrap();
    runtime(true).block_on(async {
        advance(DAY).await;
        value(2).await;
        for _ in 0..10 {
            value(2).await;
        }
        assert_eq!(VALUES.len(), 2);
        advance(DAY).await;
        assert_eq!(VALUES.len(), 1, "that of the other is left alone");
    });
    runtime(false).block_on(async { assert_eq!(VALUES.len(), 1) });
    ask.send(()).unwrap();
    one.join().unwrap();
}

/// What is stored before a test pauses its clock expires by it.
#[test]
fn a_clock_that_is_paused_later_on_is_the_same_clock() {
    let values: Cache<u32, u32> = Cache::builder().ttl(Duration::from_secs(60)).build();
    runtime(false).block_on(async {
        values.insert(1, 1);
        pause();
        advance(Duration::from_secs(60)).await;
        assert_eq!((values.len(), values.stats().expirations), (0, 1));
    });
    // And what expires in real time leaves by whatever runtime asks.
    let values: Cache<u32, u32> = Cache::builder().ttl(Duration::from_millis(1)).build();
    runtime(false).block_on(async { values.insert(1, 1) });
    thread::sleep(Duration::from_millis(20));
    runtime(false).block_on(async { assert_eq!(values.len(), 0) });
}

/// Nothing is left of a call that would move a paused clock.
#[test]
fn a_clock_that_is_paused_after_a_call_stands_still() {
    #[timeout(1h)]
    async fn bounded() -> Result<(), Error> {
        tokio::task::yield_now().await;
        Ok(())
    }
    #[rate_limit(1 / 1ms, max_wait = 1h)]
    async fn paced() -> Option<()> {
        Some(())
    }
    #[retry(max_elapsed = 1h)]
    #[hedge(after = 1h)]
    #[concurrency_limit(1, max_wait = 1h)]
    async fn others() -> Option<()> {
        tokio::task::yield_now().await;
        Some(())
    }
    #[batched(max_batch_size = 1, delay = 1h)]
    async fn batch(ids: Vec<u32>) -> Vec<u32> {
        ids
    }
    runtime(false).block_on(async {
        bounded().await.unwrap();
        let _ = join!(bounded(), bounded(), paced(), paced());
        let _ = join!(others(), others(), batch(1));
        pause();
        let start = Instant::now();
        let (done, wait) = tokio::sync::oneshot::channel();
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            done.send(()).unwrap();
        });
        wait.await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "time moved while a thread was waited for");
        other.join().unwrap();
    });
}
