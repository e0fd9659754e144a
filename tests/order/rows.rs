// The rows of the table, in the form that `form!` gives each function.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::{join, poll};
use steadfast::{Cache, CircuitBreaker, CircuitState, ConcurrencyLimiter};
use tokio::time::{advance, sleep};

use super::*;

// --- Attempts ---

#[tokio::test(start_paused = true)]
async fn timeout_above_retry() {
    form! {
        #[timeout(350ms)]
        #[retry(attempts = 9, delay = 100ms, factor = 1, jitter = none)]
        async fn work(attempts: &Count) -> Outcome {
            sleep(10 * MS).await;
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (BUSY, 340), "a fourth wait would not end in time");
    assert_eq!(attempts.take(), 4);
}

#[tokio::test(start_paused = true)]
async fn retry_above_timeout() {
    form! {
        #[retry(attempts = 3, delay = 100ms, factor = 1, jitter = none)]
        #[timeout(50ms)]
        async fn work(attempts: &Count) -> Outcome {
            match attempts.more() {
                3 => Ok(3),
                _ => pending().await,
            }
        }
    }
    assert_eq!(timed(work(&Count::default())).await, (Ok(3), 300));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_retry() {
    form! {
        #[rate_limit(2 / 1s)]
        #[retry(attempts = 5, delay = 0s)]
        async fn work(attempts: &Count) -> Outcome {
            if attempts.more() < 5 { BUSY } else { Ok(5) }
        }
    }
    for expected in [Ok(5), Ok(5), NO_TURN] {
        assert_eq!(work(&Count::default()).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_above_rate_limit() {
    form! {
        #[retry(attempts = 9, delay = 1ms, factor = 1, jitter = none, on_retry = |_| waits.add())]
        #[rate_limit(2 / 1s)]
        async fn work(attempts: &Count, waits: &Count) -> Outcome {
            if attempts.more() < 4 { BUSY } else { Ok(4) }
        }
    }
    let (attempts, waits) = (Count::default(), Count::default());
    assert_eq!(timed(work(&attempts, &waits)).await, (Ok(4), 1_000));
    assert_eq!((attempts.take(), waits.take()), (4, 5), "two were refused, and waited half a second for the next turn");
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_retry() {
    form! {
        #[concurrency_limit(1, max_wait = 0s)]
        #[retry(attempts = 2, delay = 1s)]
        async fn work() -> Outcome {
            BUSY
        }
    }
    assert_eq!(join!(work(), work()), (BUSY, NO_PLACE));
}

#[tokio::test(start_paused = true)]
async fn retry_above_concurrency_limit() {
    form! {
        #[retry(attempts = 2, delay = 1s, jitter = none)]
        #[concurrency_limit(1, max_wait = 0s)]
        async fn work() -> Outcome {
            BUSY
        }
    }
    // While the first one waits, the second one runs.
    assert_eq!(join!(work(), work()), (BUSY, BUSY));
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_retry() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[circuit_breaker(CIRCUIT)]
        #[retry(attempts = 3, delay = 0s)]
        async fn work(attempts: &Count) -> Outcome {
            if attempts.more() < 3 { BUSY } else { Ok(3) }
        }
    }
    assert_eq!(work(&Count::default()).await, Ok(3));
    assert_eq!(CIRCUIT.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn retry_above_circuit_breaker() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1).open_for(Duration::from_secs(5));
    form! {
        #[retry(attempts = 3, delay = 1ms, factor = 1, jitter = none)]
        #[circuit_breaker(CIRCUIT)]
        async fn work(attempts: &Count) -> Outcome {
            if attempts.more() == 1 { BUSY } else { Ok(2) }
        }
    }
    // The first fails, the second is refused, and the third is the probe.
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (Ok(2), 5_000));
    assert_eq!((attempts.take(), CIRCUIT.state()), (2, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn finally_above_retry() {
    static CLEANUPS: AtomicU32 = AtomicU32::new(0);
    form! {
        #[finally(async { CLEANUPS.fetch_add(1, Relaxed); })]
        #[retry(attempts = 3, delay = 0s)]
        async fn work() -> Outcome {
            assert_eq!(CLEANUPS.load(Relaxed), 0);
            BUSY
        }
    }
    assert_eq!(work().await, BUSY);
    assert_eq!(CLEANUPS.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_above_finally() {
    static CLEANUPS: AtomicU32 = AtomicU32::new(0);
    form! {
        #[retry(attempts = 3, delay = 0s)]
        #[finally(async { CLEANUPS.fetch_add(1, Relaxed); })]
        async fn work(attempts: &Count) -> Outcome {
            assert_eq!(CLEANUPS.load(Relaxed) + 1, attempts.more());
            BUSY
        }
    }
    assert_eq!(work(&Count::default()).await, BUSY);
    assert_eq!(CLEANUPS.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn hedge_above_retry() {
    form! {
        #[hedge(after = 50ms)]
        #[retry(attempts = 2, delay = 100ms, jitter = none)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    // At 0 and 100 ms the first, at 50 and 150 ms the second.
    assert_eq!(timed(work(&attempts)).await, (BUSY, 150));
    assert_eq!(attempts.take(), 4);
}

#[tokio::test(start_paused = true)]
async fn retry_above_hedge() {
    form! {
        #[retry(attempts = 2, delay = 100ms, jitter = none)]
        #[hedge(after = 50ms)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    // Two at once, since the first fails at once, and two at once after the wait.
    assert_eq!(timed(work(&attempts)).await, (BUSY, 100));
    assert_eq!(attempts.take(), 4);
}

// --- Deadlines ---

#[tokio::test(start_paused = true)]
async fn timeout_above_rate_limit() {
    form! {
        #[timeout(500ms)]
        #[rate_limit(1 / 1s, max_wait = 1min)]
        async fn work() -> Outcome {
            Ok(1)
        }
    }
    assert_eq!(work().await, Ok(1));
    assert_eq!(timed(work()).await, (LATE, 500));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_timeout() {
    form! {
        #[rate_limit(1 / 1s, max_wait = 1min)]
        #[timeout(500ms)]
        async fn work() -> Outcome {
            sleep(400 * MS).await;
            Ok(1)
        }
    }
    assert_eq!(timed(async { join!(work(), work()) }).await, ((Ok(1), Ok(1)), 1_400));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_concurrency_limit() {
    form! {
        #[timeout(500ms)]
        #[concurrency_limit(1)]
        async fn work() -> Outcome {
            sleep(400 * MS).await;
            Ok(1)
        }
    }
    assert_eq!(timed(async { join!(work(), work()) }).await, ((Ok(1), LATE), 500));
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_timeout() {
    form! {
        #[concurrency_limit(1)]
        #[timeout(500ms)]
        async fn work() -> Outcome {
            sleep(400 * MS).await;
            Ok(1)
        }
    }
    assert_eq!(timed(async { join!(work(), work()) }).await, ((Ok(1), Ok(1)), 800));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_circuit_breaker() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[timeout(50ms)]
        #[circuit_breaker(CIRCUIT)]
        async fn work() -> Outcome {
            pending().await
        }
    }
    assert_eq!((work().await, CIRCUIT.state()), (LATE, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_timeout() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[circuit_breaker(CIRCUIT)]
        #[timeout(50ms)]
        async fn work() -> Outcome {
            pending().await
        }
    }
    assert_eq!((work().await, CIRCUIT.state()), (LATE, CircuitState::Open));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_hedge() {
    form! {
        #[timeout(100ms)]
        #[hedge(after = 80ms)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            sleep(110 * MS).await;
            Ok(1)
        }
    }
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (LATE, 100));
    assert_eq!(attempts.take(), 2);
}

#[tokio::test(start_paused = true)]
async fn hedge_above_timeout() {
    form! {
        #[hedge(after = 80ms)]
        #[timeout(100ms)]
        async fn work(attempts: &Count) -> Outcome {
            let attempt = attempts.more();
            sleep(if attempt == 1 { 110 * MS } else { 90 * MS }).await;
            Ok(attempt)
        }
    }
    // The first one is late at 100 ms, the second one ends at 170.
    assert_eq!(timed(work(&Count::default())).await, (Ok(2), 170));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_async_cached() {
    static LOADS: AtomicU32 = AtomicU32::new(0);
    form! {
        #[timeout(100ms)]
        #[async_cached(key = id)]
        async fn work(id: u32) -> Outcome {
            LOADS.fetch_add(1, Relaxed);
            sleep(150 * MS).await;
            Ok(1)
        }
    }
    let later = async {
        sleep(80 * MS).await;
        timed(work(1)).await
    };
    // The one who began it gives up; the one who waits takes over, by a load of its own, and has what is left of its time.
    let (first, second) = join!(timed(work(1)), later);
    assert_eq!((first, second), ((LATE, 100), (LATE, 100)));
    assert_eq!(LOADS.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_timeout() {
    static LOADS: AtomicU32 = AtomicU32::new(0);
    form! {
        #[async_cached(key = id)]
        #[timeout(100ms)]
        async fn work(id: u32) -> Outcome {
            LOADS.fetch_add(1, Relaxed);
            pending().await
        }
    }
    let later = async {
        sleep(80 * MS).await;
        timed(work(1)).await
    };
    assert_eq!(join!(timed(work(1)), later), ((LATE, 100), (LATE, 20)));
    assert_eq!(LOADS.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn timeout_above_shield() {
    static ENDED: AtomicBool = AtomicBool::new(false);
    form! {
        #[timeout(100ms)]
        #[shield]
        async fn work() -> Outcome {
            sleep(150 * MS).await;
            ENDED.store(true, Relaxed);
            Ok(1)
        }
    }
    assert_eq!(timed(work()).await, (LATE, 100));
    sleep(60 * MS).await;
    assert!(ENDED.load(Relaxed));
}

#[tokio::test(start_paused = true)]
async fn shield_above_timeout() {
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            ENDED.store(true, Relaxed);
        }
    }
    static ENDED: AtomicBool = AtomicBool::new(false);
    form! {
        #[shield]
        #[timeout(100ms)]
        async fn work() -> Outcome {
            let _ended = Ended;
            pending().await
        }
    }
    assert!(tokio::time::timeout(50 * MS, work()).await.is_err());
    sleep(40 * MS).await;
    assert!(!ENDED.load(Relaxed));
    sleep(20 * MS).await;
    assert!(ENDED.load(Relaxed));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_offload_blocking() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    static ENDED: AtomicBool = AtomicBool::new(false);
    form! {
        #[timeout(100ms)]
        #[offload_blocking]
        fn work(go_on: std::sync::mpsc::Receiver<()>) -> Outcome {
            STARTED.store(true, Relaxed);
            go_on.recv().expect("it is told to");
            ENDED.store(true, Relaxed);
            Ok(1)
        }
    }
    let (go, go_on) = std::sync::mpsc::channel();
    let mut call = Box::pin(work(go_on));
    assert!(poll!(&mut call).is_pending());
    // One that still stood in line would not be run at all.
    while !STARTED.load(Relaxed) {
        std::thread::yield_now();
    }
    // By hand, since a paused clock does not go on by itself while a job runs; and a timer may be late by a millisecond.
    advance(101 * MS).await;
    assert_eq!(call.await, LATE);
    assert!(!ENDED.load(Relaxed));
    go.send(()).expect("the job is still there");
    while !ENDED.load(Relaxed) {
        std::thread::yield_now();
    }
}

// --- Refusals ---

#[tokio::test(start_paused = true)]
async fn rate_limit_above_circuit_breaker() {
    form! {
        #[rate_limit(2 / 1s)]
        #[circuit_breaker(failures = 1)]
        async fn work() -> Outcome {
            BUSY
        }
    }
    for expected in [BUSY, REFUSED, NO_TURN] {
        assert_eq!(work().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_rate_limit() {
    form! {
        #[circuit_breaker(failures = 1, open_for = 1ms)]
        #[rate_limit(2 / 1s)]
        async fn work(fails: bool) -> Outcome {
            if fails { BUSY } else { Ok(1) }
        }
    }
    for (fails, expected) in [(true, BUSY), (false, REFUSED), (false, REFUSED)] {
        assert_eq!(work(fails).await, expected);
    }
    advance(MS).await;
    for expected in [Ok(1), NO_TURN, REFUSED] {
        assert_eq!(work(false).await, expected);
    }
    form! {
        #[circuit_breaker(failures = 1, when = |failure| *failure == Failure::Busy)]
        #[rate_limit(1 / 1s)]
        async fn lenient() -> Outcome {
            Ok(1)
        }
    }
    for expected in [Ok(1), NO_TURN, NO_TURN] {
        assert_eq!(lenient().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_circuit_breaker() {
    form! {
        #[concurrency_limit(1)]
        #[circuit_breaker(failures = 1)]
        async fn work() -> Outcome {
            sleep(100 * MS).await;
            BUSY
        }
    }
    let (first, second) = join!(timed(work()), timed(work()));
    assert_eq!((first, second), ((BUSY, 100), (REFUSED, 100)));
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_concurrency_limit() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(2);
    form! {
        #[circuit_breaker(CIRCUIT)]
        #[concurrency_limit(1, max_wait = 50ms)]
        async fn work() -> Outcome {
            sleep(100 * MS).await;
            BUSY
        }
    }
    // The second one finds no place, and is the first failure.
    assert_eq!(join!(timed(work()), timed(work())), ((BUSY, 100), (NO_PLACE, 50)));
    assert_eq!(CIRCUIT.state(), CircuitState::Open);
    assert_eq!(timed(work()).await, (REFUSED, 0));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_concurrency_limit() {
    form! {
        #[rate_limit(2 / 1s)]
        #[concurrency_limit(1, max_wait = 0s)]
        async fn work() -> Outcome {
            sleep(MS).await;
            Ok(1)
        }
    }
    assert_eq!(join!(work(), work(), work()), (Ok(1), NO_PLACE, NO_TURN));
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_rate_limit() {
    static PLACES: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    form! {
        #[concurrency_limit(PLACES, max_wait = 0s)]
        #[rate_limit(2 / 1s, max_wait = 1s)]
        async fn work() -> Outcome {
            sleep(MS).await;
            Ok(1)
        }
    }
    assert_eq!(join!(work(), work(), work()), (Ok(1), NO_PLACE, NO_PLACE));
    assert_eq!(work().await, Ok(1), "the second turn is still there");
    let mut waits = Box::pin(work());
    assert!(poll!(&mut waits).is_pending());
    assert_eq!(PLACES.running(), 1);
    assert_eq!(waits.await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_hedge() {
    form! {
        #[rate_limit(1 / 1s)]
        #[hedge(after = 10ms)]
        async fn work(attempts: &Count) -> Outcome {
            match attempts.more() {
                1 => pending().await,
                attempt => Ok(attempt),
            }
        }
    }
    assert_eq!(timed(work(&Count::default())).await, (Ok(2), 10));
}

#[tokio::test(start_paused = true)]
async fn hedge_above_rate_limit() {
    form! {
        #[hedge(after = 10ms)]
        #[rate_limit(1 / 1s)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            sleep(100 * MS).await;
            Ok(1)
        }
    }
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (Ok(1), 100), "the second one has no turn; the first one wins");
    assert_eq!(attempts.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_hedge() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[circuit_breaker(CIRCUIT)]
        #[hedge(after = 10ms)]
        async fn work(attempts: &Count) -> Outcome {
            match attempts.more() {
                1 => BUSY,
                attempt => Ok(attempt),
            }
        }
    }
    assert_eq!(work(&Count::default()).await, Ok(2));
    assert_eq!(CIRCUIT.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn hedge_above_circuit_breaker() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[hedge(after = 10ms)]
        #[circuit_breaker(CIRCUIT)]
        async fn work(attempts: &Count, first: Outcome) -> Outcome {
            match attempts.more() {
                1 if first.is_ok() => pending().await,
                1 => first.clone(),
                attempt => Ok(attempt),
            }
        }
    }
    assert_eq!(work(&Count::default(), Ok(1)).await, Ok(2));
    assert_eq!(CIRCUIT.state(), CircuitState::Closed, "the loser was dropped");
    assert_eq!(work(&Count::default(), BUSY).await, REFUSED, "the first one opened it for the second");
}

// --- Values ---

#[tokio::test(start_paused = true)]
async fn fallback_above_retry() {
    form! {
        #[fallback(0)]
        #[retry(attempts = 3, delay = 0s)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    assert_eq!((work(&attempts).await, attempts.take()), (Ok(0), 3));
}

#[tokio::test(start_paused = true)]
async fn retry_above_fallback() {
    form! {
        #[retry(attempts = 3, delay = 0s)]
        #[fallback(0)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    assert_eq!((work(&attempts).await, attempts.take()), (Ok(0), 1));
}

#[tokio::test(start_paused = true)]
async fn fallback_above_circuit_breaker() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[fallback(0)]
        #[circuit_breaker(CIRCUIT)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    for _ in 0..3 {
        assert_eq!((work(&attempts).await, CIRCUIT.state()), (Ok(0), CircuitState::Open));
    }
    assert_eq!(attempts.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_fallback() {
    static CIRCUIT: CircuitBreaker = CircuitBreaker::new().failures(1);
    form! {
        #[circuit_breaker(CIRCUIT)]
        #[fallback(0)]
        async fn work(attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    for _ in 0..3 {
        assert_eq!((work(&attempts).await, CIRCUIT.state()), (Ok(0), CircuitState::Closed));
    }
    assert_eq!(attempts.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn fallback_above_async_cached() {
    form! {
        #[fallback(0)]
        #[async_cached(key = id)]
        async fn work(id: u32, attempts: &Count) -> Outcome {
            if attempts.more() == 1 { BUSY } else { Ok(2) }
        }
    }
    let attempts = Count::default();
    assert_eq!([work(1, &attempts).await, work(1, &attempts).await], [Ok(0), Ok(2)]);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_fallback() {
    form! {
        #[async_cached(key = id)]
        #[fallback(0)]
        async fn work(id: u32, attempts: &Count) -> Outcome {
            if attempts.more() == 1 { BUSY } else { Ok(2) }
        }
    }
    let attempts = Count::default();
    assert_eq!([work(1, &attempts).await, work(1, &attempts).await], [Ok(0), Ok(0)]);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_retry() {
    form! {
        #[async_cached(key = id)]
        #[retry(attempts = 3, delay = 10ms)]
        async fn work(id: u32, attempts: &Count) -> Outcome {
            attempts.add();
            BUSY
        }
    }
    let attempts = Count::default();
    assert_eq!(join!(work(1, &attempts), work(1, &attempts)), (BUSY, BUSY));
    assert_eq!(attempts.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_above_async_cached() {
    form! {
        #[retry(attempts = 3, delay = 10ms, jitter = none)]
        #[async_cached(key = id)]
        async fn work(id: u32, attempts: &Count) -> Outcome {
            let attempt = attempts.more();
            sleep(MS).await;
            if attempt < 3 { BUSY } else { Ok(attempt) }
        }
    }
    let attempts = Count::default();
    assert_eq!(join!(work(1, &attempts), work(1, &attempts)), (Ok(3), Ok(3)));
    assert_eq!(attempts.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_rate_limit() {
    form! {
        #[async_cached(key = id)]
        #[rate_limit(1 / 1s)]
        async fn work(id: u32) -> Outcome {
            Ok(id)
        }
    }
    for (key, expected) in [(1, Ok(1)), (1, Ok(1)), (2, NO_TURN), (1, Ok(1))] {
        assert_eq!(work(key).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_async_cached() {
    form! {
        #[rate_limit(1 / 1s)]
        #[async_cached(key = id)]
        async fn work(id: u32) -> Outcome {
            Ok(id)
        }
    }
    for (key, expected) in [(1, Ok(1)), (1, NO_TURN)] {
        assert_eq!(work(key).await, expected);
    }
}

// --- Writes ---

/// A cache with one entry, for one write.
macro_rules! cache {
    () => {
        static CACHE: Cache<u32, u32> = Cache::new(1);
        CACHE.insert(1, 1);
    };
}

#[tokio::test(start_paused = true)]
async fn retry_above_invalidates() {
    cache!();
    form! {
        #[retry(attempts = 2, delay = 10ms, jitter = none)]
        #[invalidates(CACHE, key = 1, always)]
        async fn work(attempts: &Count) -> Outcome {
            match attempts.more() {
                2 if !CACHE.contains(&1) => Ok(2),
                _ => BUSY,
            }
        }
    }
    assert_eq!(work(&Count::default()).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn invalidates_above_retry() {
    cache!();
    form! {
        #[invalidates(CACHE, key = 1, always)]
        #[retry(attempts = 2, delay = 10ms, jitter = none)]
        async fn work(attempts: &Count) -> Outcome {
            match attempts.more() {
                2 if CACHE.contains(&1) => Ok(2),
                _ => BUSY,
            }
        }
    }
    assert_eq!(work(&Count::default()).await, Ok(2));
    assert!(CACHE.is_empty());
}

#[tokio::test(start_paused = true)]
async fn shield_above_invalidates() {
    cache!();
    form! {
        #[shield]
        #[invalidates(CACHE, key = 1)]
        async fn work() -> Outcome {
            sleep(100 * MS).await;
            Ok(1)
        }
    }
    assert!(tokio::time::timeout(50 * MS, work()).await.is_err());
    assert_eq!(CACHE.len(), 1);
    sleep(60 * MS).await;
    assert_eq!(CACHE.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn invalidates_above_shield() {
    cache!();
    form! {
        #[invalidates(CACHE, key = 1)]
        #[shield]
        async fn work() -> Outcome {
            sleep(100 * MS).await;
            Ok(1)
        }
    }
    assert!(tokio::time::timeout(50 * MS, work()).await.is_err());
    sleep(60 * MS).await;
    assert_eq!(CACHE.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fallback_above_invalidates() {
    cache!();
    form! {
        #[fallback(Ok(7))]
        #[invalidates(CACHE, key = 1)]
        async fn work() -> Outcome {
            BUSY
        }
    }
    assert_eq!((work().await, CACHE.len()), (Ok(7), 1));
}

#[tokio::test(start_paused = true)]
async fn invalidates_above_fallback() {
    cache!();
    form! {
        #[invalidates(CACHE, key = 1)]
        #[fallback(Ok(7))]
        async fn work() -> Outcome {
            BUSY
        }
    }
    assert_eq!((work().await, CACHE.len()), (Ok(7), 0));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_invalidates() {
    cache!();
    form! {
        #[rate_limit(1 / 1s)]
        #[invalidates(CACHE, key = 1, always)]
        async fn work() -> Outcome {
            Ok(1)
        }
    }
    assert_eq!((work().await, CACHE.len()), (Ok(1), 0));
    CACHE.insert(1, 1);
    assert_eq!((work().await, CACHE.len()), (NO_TURN, 1));
}

#[tokio::test(start_paused = true)]
async fn invalidates_above_rate_limit() {
    cache!();
    form! {
        #[invalidates(CACHE, key = 1, always)]
        #[rate_limit(1 / 1s)]
        async fn work() -> Outcome {
            Ok(1)
        }
    }
    assert_eq!(work().await, Ok(1));
    CACHE.insert(1, 1);
    assert_eq!((work().await, CACHE.len()), (NO_TURN, 0));
}
