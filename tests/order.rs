//! The table of orders in `steadfast::guide::order`: each row is a test here, found by its name.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::{join, poll};
use steadfast::{
    CircuitState, ErrorKind, async_cached, circuit_breaker, concurrency_limit, fallback, finally, hedge, offload_blocking,
    rate_limit, retry, shield, timeout,
};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);

#[test]
fn each_line_of_the_table_is_a_test() {
    let between_ticks = |line: &str| line.split('`').collect::<Vec<_>>().get(1..4).map(|name| name.concat().replace(' ', "_"));
    let page = include_str!("../runtime/src/guide/order.md");
    let table: BTreeSet<_> = page.lines().filter(|line| line.contains("` above `")).filter_map(between_ticks).collect();
    let tests = include_str!("order.rs").lines().filter_map(|line| line.strip_prefix("async fn ")?.split_once("() {"));
    let tests: BTreeSet<_> = tests.map(|(name, _)| name.to_owned()).filter(|name| name.contains("_above_")).collect();
    assert!(table.len() > 40, "{table:?}");
    assert_eq!(table, tests);
}

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Busy,
    Policy(ErrorKind),
}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error.kind())
    }
}

type Outcome = Result<u32, Failure>;

const LATE: Outcome = Err(Failure::Policy(ErrorKind::Timeout));
const REFUSED: Outcome = Err(Failure::Policy(ErrorKind::CircuitOpen));
const NO_TURN: Outcome = Err(Failure::Policy(ErrorKind::RateLimited));
const NO_PLACE: Outcome = Err(Failure::Policy(ErrorKind::Saturated));
const BUSY: Outcome = Err(Failure::Busy);

/// How often something was done.
#[derive(Debug, Default)]
struct Count(Cell<u32>);

impl Count {
    fn add(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn more(&self) -> u32 {
        self.add();
        self.0.get()
    }

    fn take(&self) -> u32 {
        self.0.take()
    }
}

/// What comes of `future`, and after how many milliseconds.
async fn timed<T>(future: impl Future<Output = T>) -> (T, u128) {
    let started = Instant::now();
    (future.await, started.elapsed().as_millis())
}

// --- Attempts ---

#[tokio::test(start_paused = true)]
async fn timeout_above_retry() {
    #[timeout(350ms)]
    #[retry(attempts = 9, delay = 100ms, factor = 1, jitter = none)]
    async fn work(attempts: &Count) -> Outcome {
        sleep(10 * MS).await;
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (BUSY, 340), "a fourth wait would not end in time");
    assert_eq!(attempts.take(), 4);
}

#[tokio::test(start_paused = true)]
async fn retry_above_timeout() {
    #[retry(attempts = 3, delay = 100ms, factor = 1, jitter = none)]
    #[timeout(50ms)]
    async fn work(attempts: &Count) -> Outcome {
        match attempts.more() {
            3 => Ok(3),
            _ => pending().await,
        }
    }
    assert_eq!(timed(work(&Count::default())).await, (Ok(3), 300));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_retry() {
    #[rate_limit(2 / 1s)]
    #[retry(attempts = 5, delay = 0s)]
    async fn work(attempts: &Count) -> Outcome {
        if attempts.more() < 5 { BUSY } else { Ok(5) }
    }
    for expected in [Ok(5), Ok(5), NO_TURN] {
        assert_eq!(work(&Count::default()).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_above_rate_limit() {
    #[retry(attempts = 9, delay = 1ms, factor = 1, jitter = none, on_retry = |_| waits.add())]
    #[rate_limit(2 / 1s)]
    async fn work(attempts: &Count, waits: &Count) -> Outcome {
        if attempts.more() < 4 { BUSY } else { Ok(4) }
    }
    let (attempts, waits) = (Count::default(), Count::default());
    assert_eq!(timed(work(&attempts, &waits)).await, (Ok(4), 1_000));
    assert_eq!((attempts.take(), waits.take()), (4, 5), "two were refused, and waited half a second for the next turn");
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_retry() {
    #[concurrency_limit(1, max_wait = 0s)]
    #[retry(attempts = 2, delay = 1s)]
    async fn work() -> Outcome {
        BUSY
    }
    assert_eq!(join!(work(), work()), (BUSY, NO_PLACE));
}

#[tokio::test(start_paused = true)]
async fn retry_above_concurrency_limit() {
    #[retry(attempts = 2, delay = 1s, jitter = none)]
    #[concurrency_limit(1, max_wait = 0s)]
    async fn work() -> Outcome {
        BUSY
    }
    // While the first one waits, the second one runs.
    assert_eq!(join!(work(), work()), (BUSY, BUSY));
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_retry() {
    #[circuit_breaker(failures = 1, handle = circuit)]
    #[retry(attempts = 3, delay = 0s)]
    async fn work(attempts: &Count) -> Outcome {
        if attempts.more() < 3 { BUSY } else { Ok(3) }
    }
    assert_eq!(work(&Count::default()).await, Ok(3));
    assert_eq!(circuit().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn retry_above_circuit_breaker() {
    #[retry(attempts = 3, delay = 1ms, factor = 1, jitter = none)]
    #[circuit_breaker(failures = 1, open_for = 5s, handle = circuit)]
    async fn work(attempts: &Count) -> Outcome {
        if attempts.more() == 1 { BUSY } else { Ok(2) }
    }
    // The first fails, the second is refused, and the third is the probe.
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (Ok(2), 5_000));
    assert_eq!((attempts.take(), circuit().state()), (2, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn finally_above_retry() {
    static CLEANUPS: AtomicU32 = AtomicU32::new(0);
    #[finally(async { CLEANUPS.fetch_add(1, Relaxed); })]
    #[retry(attempts = 3, delay = 0s)]
    async fn work() -> Outcome {
        assert_eq!(CLEANUPS.load(Relaxed), 0);
        BUSY
    }
    assert_eq!(work().await, BUSY);
    assert_eq!(CLEANUPS.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_above_finally() {
    static CLEANUPS: AtomicU32 = AtomicU32::new(0);
    #[retry(attempts = 3, delay = 0s)]
    #[finally(async { CLEANUPS.fetch_add(1, Relaxed); })]
    async fn work(attempts: &Count) -> Outcome {
        assert_eq!(CLEANUPS.load(Relaxed) + 1, attempts.more());
        BUSY
    }
    assert_eq!(work(&Count::default()).await, BUSY);
    assert_eq!(CLEANUPS.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn hedge_above_retry() {
    #[hedge(after = 50ms)]
    #[retry(attempts = 2, delay = 100ms, jitter = none)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    // At 0 and 100 ms the first, at 50 and 150 ms the second.
    assert_eq!(timed(work(&attempts)).await, (BUSY, 150));
    assert_eq!(attempts.take(), 4);
}

#[tokio::test(start_paused = true)]
async fn retry_above_hedge() {
    #[retry(attempts = 2, delay = 100ms, jitter = none)]
    #[hedge(after = 50ms)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    // Two at once, since the first fails at once, and two at once after the wait.
    assert_eq!(timed(work(&attempts)).await, (BUSY, 100));
    assert_eq!(attempts.take(), 4);
}

// --- Deadlines ---

#[tokio::test(start_paused = true)]
async fn timeout_above_rate_limit() {
    #[timeout(500ms)]
    #[rate_limit(1 / 1s, max_wait = 1min)]
    async fn work() -> Outcome {
        Ok(1)
    }
    assert_eq!(work().await, Ok(1));
    assert_eq!(timed(work()).await, (LATE, 500));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_timeout() {
    #[rate_limit(1 / 1s, max_wait = 1min)]
    #[timeout(500ms)]
    async fn work() -> Outcome {
        sleep(400 * MS).await;
        Ok(1)
    }
    assert_eq!(timed(async { join!(work(), work()) }).await, ((Ok(1), Ok(1)), 1_400));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_concurrency_limit() {
    #[timeout(500ms)]
    #[concurrency_limit(1)]
    async fn work() -> Outcome {
        sleep(400 * MS).await;
        Ok(1)
    }
    assert_eq!(timed(async { join!(work(), work()) }).await, ((Ok(1), LATE), 500));
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_timeout() {
    #[concurrency_limit(1)]
    #[timeout(500ms)]
    async fn work() -> Outcome {
        sleep(400 * MS).await;
        Ok(1)
    }
    assert_eq!(timed(async { join!(work(), work()) }).await, ((Ok(1), Ok(1)), 800));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_circuit_breaker() {
    #[timeout(50ms)]
    #[circuit_breaker(failures = 1, handle = circuit)]
    async fn work() -> Outcome {
        pending().await
    }
    assert_eq!((work().await, circuit().state()), (LATE, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_timeout() {
    #[circuit_breaker(failures = 1, handle = circuit)]
    #[timeout(50ms)]
    async fn work() -> Outcome {
        pending().await
    }
    assert_eq!((work().await, circuit().state()), (LATE, CircuitState::Open));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_hedge() {
    #[timeout(100ms)]
    #[hedge(after = 80ms)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        sleep(110 * MS).await;
        Ok(1)
    }
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (LATE, 100));
    assert_eq!(attempts.take(), 2);
}

#[tokio::test(start_paused = true)]
async fn hedge_above_timeout() {
    #[hedge(after = 80ms)]
    #[timeout(100ms)]
    async fn work(attempts: &Count) -> Outcome {
        let attempt = attempts.more();
        sleep(if attempt == 1 { 110 * MS } else { 90 * MS }).await;
        Ok(attempt)
    }
    // The first one is late at 100 ms, the second one ends at 170.
    assert_eq!(timed(work(&Count::default())).await, (Ok(2), 170));
}

#[tokio::test(start_paused = true)]
async fn timeout_above_async_cached() {
    static LOADS: AtomicU32 = AtomicU32::new(0);
    #[timeout(100ms)]
    #[async_cached]
    async fn work() -> Outcome {
        LOADS.fetch_add(1, Relaxed);
        sleep(150 * MS).await;
        Ok(1)
    }
    let later = async {
        sleep(80 * MS).await;
        timed(work()).await
    };
    // The one who began it gives up; the one who waits takes over, by a load of its own, and has what is left of its time.
    let (first, second) = join!(timed(work()), later);
    assert_eq!((first, second), ((LATE, 100), (LATE, 100)));
    assert_eq!(LOADS.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_timeout() {
    static LOADS: AtomicU32 = AtomicU32::new(0);
    #[async_cached]
    #[timeout(100ms)]
    async fn work() -> Outcome {
        LOADS.fetch_add(1, Relaxed);
        pending().await
    }
    let later = async {
        sleep(80 * MS).await;
        timed(work()).await
    };
    assert_eq!(join!(timed(work()), later), ((LATE, 100), (LATE, 20)));
    assert_eq!(LOADS.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn timeout_above_shield() {
    static ENDED: AtomicBool = AtomicBool::new(false);
    #[timeout(100ms)]
    #[shield]
    async fn work() -> Outcome {
        sleep(150 * MS).await;
        ENDED.store(true, Relaxed);
        Ok(1)
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
    #[shield]
    #[timeout(100ms)]
    async fn work() -> Outcome {
        let _ended = Ended;
        pending().await
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
    #[timeout(100ms)]
    #[offload_blocking]
    fn work(go_on: std::sync::mpsc::Receiver<()>) -> Outcome {
        STARTED.store(true, Relaxed);
        go_on.recv().expect("it is told to");
        ENDED.store(true, Relaxed);
        Ok(1)
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
    #[rate_limit(2 / 1s)]
    #[circuit_breaker(failures = 1)]
    async fn work() -> Outcome {
        BUSY
    }
    for expected in [BUSY, REFUSED, NO_TURN] {
        assert_eq!(work().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_rate_limit() {
    #[circuit_breaker(failures = 1, open_for = 1ms)]
    #[rate_limit(2 / 1s)]
    async fn work(fails: bool) -> Outcome {
        if fails { BUSY } else { Ok(1) }
    }
    for (fails, expected) in [(true, BUSY), (false, REFUSED), (false, REFUSED)] {
        assert_eq!(work(fails).await, expected);
    }
    advance(MS).await;
    for expected in [Ok(1), NO_TURN, REFUSED] {
        assert_eq!(work(false).await, expected);
    }
    #[circuit_breaker(failures = 1, when = |failure| *failure == Failure::Busy)]
    #[rate_limit(1 / 1s)]
    async fn lenient() -> Outcome {
        Ok(1)
    }
    for expected in [Ok(1), NO_TURN, NO_TURN] {
        assert_eq!(lenient().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_circuit_breaker() {
    #[concurrency_limit(1)]
    #[circuit_breaker(failures = 1)]
    async fn work() -> Outcome {
        sleep(100 * MS).await;
        BUSY
    }
    let (first, second) = join!(timed(work()), timed(work()));
    assert_eq!((first, second), ((BUSY, 100), (REFUSED, 100)));
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_concurrency_limit() {
    #[circuit_breaker(failures = 2, handle = circuit)]
    #[concurrency_limit(1, max_wait = 50ms)]
    async fn work() -> Outcome {
        sleep(100 * MS).await;
        BUSY
    }
    // The second one finds no place, and is the first failure.
    assert_eq!(join!(timed(work()), timed(work())), ((BUSY, 100), (NO_PLACE, 50)));
    assert_eq!(circuit().state(), CircuitState::Open);
    assert_eq!(timed(work()).await, (REFUSED, 0));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_concurrency_limit() {
    #[rate_limit(2 / 1s)]
    #[concurrency_limit(1, max_wait = 0s)]
    async fn work() -> Outcome {
        sleep(MS).await;
        Ok(1)
    }
    assert_eq!(join!(work(), work(), work()), (Ok(1), NO_PLACE, NO_TURN));
}

#[tokio::test(start_paused = true)]
async fn concurrency_limit_above_rate_limit() {
    #[concurrency_limit(1, max_wait = 0s, handle = places)]
    #[rate_limit(2 / 1s, max_wait = 1s, handle = turns)]
    async fn work() -> Outcome {
        sleep(MS).await;
        Ok(1)
    }
    assert_eq!(join!(work(), work(), work()), (Ok(1), NO_PLACE, NO_PLACE));
    assert_eq!(work().await, Ok(1), "the second turn is still there");
    let mut waits = Box::pin(work());
    assert!(poll!(&mut waits).is_pending());
    assert_eq!(places().running(), 1);
    assert_eq!(waits.await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_hedge() {
    #[rate_limit(1 / 1s)]
    #[hedge(after = 10ms)]
    async fn work(attempts: &Count) -> Outcome {
        match attempts.more() {
            1 => pending().await,
            attempt => Ok(attempt),
        }
    }
    assert_eq!(timed(work(&Count::default())).await, (Ok(2), 10));
}

#[tokio::test(start_paused = true)]
async fn hedge_above_rate_limit() {
    #[hedge(after = 10ms)]
    #[rate_limit(1 / 1s)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        sleep(100 * MS).await;
        Ok(1)
    }
    let attempts = Count::default();
    assert_eq!(timed(work(&attempts)).await, (Ok(1), 100), "the second one has no turn; the first one wins");
    assert_eq!(attempts.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_hedge() {
    #[circuit_breaker(failures = 1, handle = circuit)]
    #[hedge(after = 10ms)]
    async fn work(attempts: &Count) -> Outcome {
        match attempts.more() {
            1 => BUSY,
            attempt => Ok(attempt),
        }
    }
    assert_eq!(work(&Count::default()).await, Ok(2));
    assert_eq!(circuit().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn hedge_above_circuit_breaker() {
    #[hedge(after = 10ms)]
    #[circuit_breaker(failures = 1, handle = circuit)]
    async fn work(attempts: &Count, first: Outcome) -> Outcome {
        match attempts.more() {
            1 if first.is_ok() => pending().await,
            1 => first.clone(),
            attempt => Ok(attempt),
        }
    }
    assert_eq!(work(&Count::default(), Ok(1)).await, Ok(2));
    assert_eq!(circuit().state(), CircuitState::Closed, "the loser was dropped");
    assert_eq!(work(&Count::default(), BUSY).await, REFUSED, "the first one opened it for the second");
}

// --- Values ---

#[tokio::test(start_paused = true)]
async fn fallback_above_retry() {
    #[fallback(0)]
    #[retry(attempts = 3, delay = 0s)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    assert_eq!((work(&attempts).await, attempts.take()), (Ok(0), 3));
}

#[tokio::test(start_paused = true)]
async fn retry_above_fallback() {
    #[retry(attempts = 3, delay = 0s)]
    #[fallback(0)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    assert_eq!((work(&attempts).await, attempts.take()), (Ok(0), 1));
}

#[tokio::test(start_paused = true)]
async fn fallback_above_circuit_breaker() {
    #[fallback(0)]
    #[circuit_breaker(failures = 1, handle = circuit)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    for _ in 0..3 {
        assert_eq!((work(&attempts).await, circuit().state()), (Ok(0), CircuitState::Open));
    }
    assert_eq!(attempts.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn circuit_breaker_above_fallback() {
    #[circuit_breaker(failures = 1, handle = circuit)]
    #[fallback(0)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    for _ in 0..3 {
        assert_eq!((work(&attempts).await, circuit().state()), (Ok(0), CircuitState::Closed));
    }
    assert_eq!(attempts.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn fallback_above_async_cached() {
    #[fallback(0)]
    #[async_cached(skip(attempts))]
    async fn work(attempts: &Count) -> Outcome {
        if attempts.more() == 1 { BUSY } else { Ok(2) }
    }
    let attempts = Count::default();
    assert_eq!([work(&attempts).await, work(&attempts).await], [Ok(0), Ok(2)]);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_fallback() {
    #[async_cached(skip(attempts))]
    #[fallback(0)]
    async fn work(attempts: &Count) -> Outcome {
        if attempts.more() == 1 { BUSY } else { Ok(2) }
    }
    let attempts = Count::default();
    assert_eq!([work(&attempts).await, work(&attempts).await], [Ok(0), Ok(0)]);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_retry() {
    #[async_cached(skip(attempts))]
    #[retry(attempts = 3, delay = 10ms)]
    async fn work(attempts: &Count) -> Outcome {
        attempts.add();
        BUSY
    }
    let attempts = Count::default();
    assert_eq!(join!(work(&attempts), work(&attempts)), (BUSY, BUSY));
    assert_eq!(attempts.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_above_async_cached() {
    #[retry(attempts = 3, delay = 10ms, jitter = none)]
    #[async_cached(skip(attempts))]
    async fn work(attempts: &Count) -> Outcome {
        let attempt = attempts.more();
        sleep(MS).await;
        if attempt < 3 { BUSY } else { Ok(attempt) }
    }
    let attempts = Count::default();
    assert_eq!(join!(work(&attempts), work(&attempts)), (Ok(3), Ok(3)));
    assert_eq!(attempts.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn async_cached_above_rate_limit() {
    #[async_cached]
    #[rate_limit(1 / 1s)]
    async fn work(key: u32) -> Outcome {
        Ok(key)
    }
    for (key, expected) in [(1, Ok(1)), (1, Ok(1)), (2, NO_TURN), (1, Ok(1))] {
        assert_eq!(work(key).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_above_async_cached() {
    #[rate_limit(1 / 1s)]
    #[async_cached]
    async fn work(key: u32) -> Outcome {
        Ok(key)
    }
    for (key, expected) in [(1, Ok(1)), (1, NO_TURN)] {
        assert_eq!(work(key).await, expected);
    }
}

// --- When options are evaluated ---

/// When the duration of the timeout was computed, and when the call ended, in milliseconds.
#[tokio::test(start_paused = true)]
async fn options_are_evaluated_in_their_turn() {
    #[derive(Default)]
    struct Seen(Cell<u128>);
    impl Seen {
        fn left(&self, started: Instant) -> Duration {
            self.0.set(started.elapsed().as_millis());
            (100 * MS).saturating_sub(started.elapsed())
        }
    }
    #[concurrency_limit(1)]
    #[timeout(seen.left(started))]
    async fn below_a_limit(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[timeout(seen.left(started))]
    #[concurrency_limit(1)]
    async fn above_a_limit(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[rate_limit(1 / 60ms, max_wait = 1s)]
    #[timeout(seen.left(started))]
    async fn below_a_rate(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[rate_limit(1 / 60ms, max_wait = 1s)]
    #[retry(attempts = 1)]
    #[timeout(seen.left(started))]
    async fn below_a_retry(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[circuit_breaker(failures = 1)]
    #[timeout(seen.left(started))]
    async fn below_a_circuit(seen: &Seen, started: Instant) -> Outcome {
        BUSY
    }
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(below_a_limit(&first, started), below_a_limit(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 100), "after the wait, when nothing is left");
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(above_a_limit(&first, started), above_a_limit(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 0));
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(below_a_rate(&first, started), below_a_rate(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 60));
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(below_a_retry(&first, started), below_a_retry(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 60), "an attempt begins after the wait");
    let (started, seen) = (Instant::now(), Seen::default());
    assert_eq!(below_a_circuit(&seen, started).await, BUSY);
    advance(MS).await;
    assert_eq!((below_a_circuit(&seen, started).await, seen.0.take()), (REFUSED, 0), "not of a call that is rejected");
}

/// A `max_elapsed` begins with the first attempt, wherever the call has waited before.
#[tokio::test(start_paused = true)]
async fn the_clock_of_a_retry_starts_with_its_first_attempt() {
    #[rate_limit(1 / 50ms, max_wait = 1s)]
    #[retry(max_elapsed = 20ms, delay = 5ms, jitter = none)]
    async fn below_a_rate(runs: &Cell<u32>) -> Outcome {
        runs.set(runs.get() + 1);
        BUSY
    }
    #[concurrency_limit(1)]
    #[timeout(1h)]
    #[circuit_breaker(failures = 10)]
    #[retry(max_elapsed = 20ms, delay = 5ms, jitter = none)]
    async fn below_a_limit(runs: &Cell<u32>) -> Outcome {
        runs.set(runs.get() + 1);
        sleep(MS).await;
        BUSY
    }
    #[concurrency_limit(1)]
    #[hedge(after = 1h)]
    #[retry(max_elapsed = 20ms, delay = 5ms, jitter = none)]
    async fn below_a_hedge(runs: &Cell<u32>) -> Outcome {
        runs.set(runs.get() + 1);
        sleep(MS).await;
        BUSY
    }
    let runs = [Cell::new(0), Cell::new(0)];
    assert_eq!(join!(below_a_rate(&runs[0]), below_a_rate(&runs[1])), (BUSY, BUSY));
    assert_eq!(runs.each_ref().map(Cell::take), [3, 3]);
    assert_eq!(join!(below_a_limit(&runs[0]), below_a_limit(&runs[1])), (BUSY, BUSY));
    assert_eq!(runs.each_ref().map(Cell::take), [3, 3]);
    assert_eq!(join!(below_a_hedge(&runs[0]), below_a_hedge(&runs[1])), (BUSY, BUSY));
    assert_eq!(runs.each_ref().map(Cell::take), [6, 6], "of two attempts of the hedge");
}

// --- Any order ---

/// Whatever is above a task of its own stays with the caller, also if something on the task waits.
#[tokio::test(start_paused = true)]
async fn tasks_stand_between_what_waits() {
    macro_rules! calls {
        ($n:ident, $text:ident; $($name:ident: $(#[$layer:meta])* ;)*) => {
            calls!(@ ($n: u32, $text: String) { Ok($n + u32::try_from($text.len()).unwrap_or(0)) } $($name: $(#[$layer])* ;)*)
        };
        (@ $parameters:tt $body:tt $($name:ident: $(#[$layer:meta])* ;)*) => {
            $({
                $(#[$layer])*
                async fn $name $parameters -> Outcome $body
                assert_eq!($name(1, "four".to_owned()).await, Ok(5), stringify!($name));
            })*
        };
    }
    calls! {
        n, text;
        cached_shield_limit: #[async_cached] #[shield] #[concurrency_limit(1)];
        cached_shield_rate: #[async_cached] #[shield] #[rate_limit(9 / 1s, max_wait = 1s)];
        cached_shield_keyed: #[async_cached] #[shield] #[rate_limit(9 / 1s, max_wait = 1s, key = n)];
        alone_shield_limit: #[async_cached(single_flight = false)] #[shield] #[concurrency_limit(1)];
        coalesce_shield_limit: #[steadfast::coalesce] #[shield] #[concurrency_limit(1)];
        limit_shield_rate: #[concurrency_limit(1)] #[shield] #[rate_limit(9 / 1s, max_wait = 1s)];
        rate_finally_shield_limit:
            #[rate_limit(9 / 1s, max_wait = 1s)] #[finally(sleep(MS))] #[shield] #[concurrency_limit(1)];
        limit_finally_shield_rate:
            #[concurrency_limit(1)] #[finally(sleep(MS))] #[shield] #[rate_limit(9 / 1s, max_wait = 1s)];
        limit_finally_shield_cached: #[concurrency_limit(1)] #[finally(sleep(MS))] #[shield] #[async_cached];
        retry_hedge_shield_limit: #[retry] #[hedge(after = 1s)] #[shield] #[concurrency_limit(1)];
        retry_detached: #[retry] #[async_cached(detached)] #[circuit_breaker];
        retry_stale: #[retry] #[async_cached(ttl = 1s, stale_while_revalidate = 1s)];
        fallback_shield: #[fallback(text.len().try_into().unwrap_or(0))] #[shield];
        fallback_retry_shield: #[fallback(text.len().try_into().unwrap_or(0))] #[retry] #[shield];
        retry_fallback_shield: #[retry] #[fallback(text.len().try_into().unwrap_or(0))] #[shield];
        fallback_retry_clone: #[fallback(text.len().try_into().unwrap_or(0))] #[retry(clone(text))];
        fallback_detached: #[fallback(text.len().try_into().unwrap_or(0))] #[async_cached(detached)];
    }
}

/// The `mut` of an argument belongs where the body gets it, however often it is bound again on the way.
#[tokio::test(start_paused = true)]
async fn an_argument_that_is_bound_again_is_mutable_once() {
    #[retry(delay = 0s)]
    #[async_cached(detached, key = n)]
    #[concurrency_limit(1)]
    async fn thrice(n: u32, mut text: String) -> Outcome {
        text.push('!');
        Ok(n + u32::try_from(text.len()).unwrap_or(0))
    }
    #[fallback(text.len().try_into().unwrap_or(0))]
    #[shield]
    #[concurrency_limit(1)]
    async fn cloned(mut text: String) -> Outcome {
        text.push('!');
        BUSY
    }
    #[fallback(text.len().try_into().unwrap_or(0))]
    #[retry(delay = 0s)]
    #[offload_blocking]
    fn job(mut text: String) -> Outcome {
        text.push('!');
        BUSY
    }
    #[fallback(text.len().try_into().unwrap_or(0))]
    #[offload_blocking]
    fn one_job(mut text: String) -> Outcome {
        text.push('!');
        BUSY
    }
    let text = || "four".to_owned();
    assert_eq!(thrice(1, text()).await, Ok(6));
    assert_eq!((cloned(text()).await, job(text()).await, one_job(text()).await), (Ok(4), Ok(4), Ok(4)));
}
