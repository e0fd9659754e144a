//! When options are evaluated: each evaluation is counted over calls with a known number of attempts, failures and rejections, and
//! compared with the table on the page of its attribute.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use steadfast::{
    BlockingPool, Cache, CancellationToken, CircuitBreaker, ConcurrencyLimiter, Error, RateLimiter, RetryBudget, TaskTracker,
    async_cached, batched, cancellable, circuit_breaker, coalesce, concurrency_limit, fallback, finally, hedge, invalidates,
    offload_blocking, rate_limit, retry, shield, timeout, warn_slow_poll,
};
use tokio::time::sleep;

use crate::tables;

const SECOND: Duration = Duration::from_secs(1);

thread_local! {
    static SEEN: RefCell<BTreeMap<&'static str, usize>> = const { RefCell::new(BTreeMap::new()) };
}

/// Counts an evaluation of `option`, as it is called in the table.
fn seen<T>(option: &'static str, value: T) -> T {
    SEEN.with_borrow_mut(|seen| *seen.entry(option).or_default() += 1);
    value
}

/// The same, of something that is elsewhere.
fn seen_at<'a, T>(option: &'static str, value: &'a T) -> &'a T {
    seen(option, value)
}

/// Compares what was seen with the table on the page of `attribute`, where each row is to have the given count.
fn check(attribute: &str, rows: &[(&str, usize)]) {
    let mut seen = SEEN.take();
    let table = tables::table(&tables::page(attribute), "When options are evaluated");
    let written: Vec<&str> = table.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(written, rows.iter().map(|(when, _)| *when).collect::<Vec<_>>(), "the table of `{attribute}`");
    for (row, (when, count)) in table.iter().zip(rows) {
        for option in row[1].split(", ") {
            let option = option.trim_matches('`');
            assert_eq!(seen.remove(option), Some(*count), "`{attribute}` evaluates `{option}` {when}");
        }
    }
    assert!(seen.is_empty(), "the table of `{attribute}` says nothing of {seen:?}");
}

#[timeout(seen("the duration", SECOND), or_else = |_| seen("or_else", 0))]
async fn timed(work: Duration) -> u32 {
    sleep(work).await;
    1
}

#[tokio::test(start_paused = true)]
async fn of_timeout() {
    for (seconds, result) in [(0, 1), (0, 1), (2, 0), (2, 0), (2, 0)] {
        assert_eq!(timed(SECOND * seconds).await, result);
    }
    check("timeout", &[("at each call", 5), ("at each timeout", 3)]);
}

static BUDGET: RetryBudget = RetryBudget::new();

/// Fails with 1 and with 2 by turns: for a 2 `retry_after` has an answer.
#[retry(
    attempts = seen("attempts", 4),
    delay = seen("delay", SECOND),
    factor = seen("factor", 2),
    max_delay = seen("max_delay", SECOND),
    max_elapsed = seen("max_elapsed", SECOND * 60),
    retry_after = |error: &u32| seen("retry_after", (*error == 2).then_some(SECOND)),
    on_retry = |_| seen("on_retry", ()),
    gave_up = |_| seen("gave_up", ()),
    when = |error| seen("when", *error > 0),
    budget = seen_at("budget", &BUDGET),
    jitter = none
)]
async fn retried(failures: &RefCell<Vec<u32>>) -> Result<(), u32> {
    failures.borrow_mut().pop().map_or(Ok(()), Err)
}

#[retry(attempts = 3, delay = 0s, failure = |outcome: &u32| seen("failure", *outcome > 0))]
async fn retried_by_failure(left: &RefCell<u32>) -> u32 {
    *left.borrow_mut() -= 1;
    *left.borrow()
}

#[tokio::test(start_paused = true)]
async fn of_retry() {
    // Three attempts; four, of which the last fails; one; two, of which the last fails with what is not worth another.
    for (mut failures, result) in [(vec![1, 2], Ok(())), (vec![1, 2, 1, 1], Err(1)), (vec![], Ok(())), (vec![2, 0], Err(0))] {
        failures.reverse();
        assert_eq!(retried(&RefCell::new(failures)).await, result);
    }
    // Ten attempts.
    for (left, result) in [(1, 0), (2, 0), (3, 0), (4, 1), (1, 0)] {
        assert_eq!(retried_by_failure(&RefCell::new(left)).await, result);
    }
    check(
        "retry",
        &[
            ("at each call", 4),
            ("after each attempt", 10),
            ("after each attempt that failed", 8),
            ("after each that another may follow", 6),
            ("the same, if `retry_after` is not set or returns `None`", 3),
            ("before each wait", 6),
            ("after the last attempt, if it failed and `when` retries its error", 1),
        ],
    );
}

#[hedge(after = seen("after", SECOND), max = seen("max", 2))]
async fn hedged(work: Duration) -> Option<()> {
    sleep(work).await;
    None
}

#[hedge(after = p95, key = seen("key", n), max_keys = seen("max_keys", 5))]
async fn hedged_by_key(n: u32) -> Option<u32> {
    Some(n)
}

#[tokio::test(start_paused = true)]
async fn of_hedge() {
    for seconds in [0, 5, 5] {
        assert_eq!(hedged(SECOND * seconds).await, None);
        assert_eq!(hedged_by_key(3).await, Some(3));
    }
    check("hedge", &[("once, at the first call", 1), ("at each call", 3)]);
}

#[fallback(seen("the value", 7))]
async fn replaced(value: Option<u32>) -> Option<u32> {
    value
}

#[tokio::test]
async fn of_fallback() {
    for (value, result) in [(Some(1), 1), (None, 7), (None, 7)] {
        assert_eq!(replaced(value).await, Some(result));
    }
    check("fallback", &[("at each failure", 2)]);
}

#[finally(seen("the cleanup", std::future::ready(())))]
async fn cleaned(ends: bool) -> u32 {
    if ends { 1 } else { pending().await }
}

#[tokio::test(start_paused = true)]
async fn of_finally() {
    assert_eq!((cleaned(true).await, cleaned(true).await), (1, 1));
    assert!(tokio::time::timeout(SECOND, cleaned(false)).await.is_err());
    drop(cleaned(true));
    steadfast::drain(SECOND).await;
    check("finally", &[("at each end", 3)]);
}

#[shield(tracker = seen("tracker", TaskTracker::new()))]
async fn shielded() -> Option<u32> {
    None
}

#[tokio::test]
async fn of_shield() {
    assert_eq!((shielded().await, shielded().await), (None, None));
    check("shield", &[("at each call", 2)]);
}

#[cancellable(
    token = seen_at("token", token),
    cleanup = seen("cleanup", std::future::ready(())),
    or_else = |_| seen("or_else", 0)
)]
async fn cancelled(token: &CancellationToken) -> u32 {
    1
}

#[tokio::test]
async fn of_cancellable() {
    let (open, over) = (CancellationToken::new(), CancellationToken::new());
    over.cancel();
    for (token, result) in [(&open, 1), (&over, 0), (&over, 0)] {
        assert_eq!(cancelled(token).await, result);
    }
    check("cancellable", &[("at each call", 3), ("at each cancellation", 2)]);
}

#[warn_slow_poll(seen("the duration", SECOND * 60))]
async fn watched() -> u32 {
    tokio::task::yield_now().await;
    1
}

#[tokio::test]
async fn of_warn_slow_poll() {
    assert_eq!((watched().await, watched().await), (1, 1));
    check("warn_slow_poll", &[("at each call", 2)]);
}

#[invalidates(seen_cache("the cache"), key = seen("key", n))]
#[invalidates(WRITTEN, tag = seen("tag", "tag"))]
#[invalidates(WRITTEN, key = |n: &u32| seen("closures", *n))]
async fn written(n: u32) -> Option<u32> {
    (n > 0).then_some(n)
}

static WRITTEN: Cache<u32, u32> = Cache::new(9);

fn seen_cache(option: &'static str) -> &'static Cache<u32, u32> {
    seen_at(option, &WRITTEN)
}

#[tokio::test]
async fn of_invalidates() {
    assert_eq!((written(0).await, written(1).await, written(2).await), (None, Some(1), Some(2)));
    check("invalidates", &[("at each call, before the body", 3), ("after the body, if it returned a value", 2)]);
}

/// Fails for a batch that has a zero in it.
#[batched(max_batch_size = seen("max_batch_size", 3), delay = seen("delay", SECOND), or_else = |_| seen("or_else", 0))]
async fn load(ids: Vec<u32>) -> Vec<u32> {
    assert!(!ids.contains(&0));
    ids
}

#[tokio::test(start_paused = true)]
async fn of_batched() {
    assert_eq!(tokio::join!(load(1), load(2), load(3), load(0), load(4)), (1, 2, 3, 0, 0));
    check(
        "batched",
        &[("at each call; those of the call that opens a batch apply", 5), ("for each caller of a batch that failed", 2)],
    );
}

static POOL: BlockingPool = BlockingPool::new("evaluated", 1);

#[offload_blocking(limit = seen("limit", 2), pool = seen_at("pool", &POOL))]
fn offloaded(n: u32) -> u32 {
    n
}

#[tokio::test]
async fn of_offload_blocking() {
    assert_eq!((offloaded(1).await, offloaded(2).await, offloaded(3).await), (1, 2, 3));
    check("offload_blocking", &[("once, at the first call", 1), ("at each call", 3)]);
}

#[rate_limit(
    seen("the rate", 2) / Duration::from_secs(60),
    burst = seen("burst", 2),
    max_wait = seen("max_wait", SECOND),
    key = seen("key", 7),
    max_keys = seen("max_keys", 5),
    cost = seen("cost", 1),
    rate = seen("rate", (2, Duration::from_secs(60))),
    or_else = |_| seen("or_else", 0)
)]
async fn rated() -> u32 {
    1
}

static RATE: RateLimiter = RateLimiter::new(5, SECOND);

#[rate_limit(seen_at("a limiter that is created elsewhere", &RATE))]
async fn rated_elsewhere() -> Option<u32> {
    Some(1)
}

#[tokio::test(start_paused = true)]
async fn of_rate_limit() {
    for result in [1, 1, 0, 0, 0] {
        assert_eq!(rated().await, result);
        assert_eq!(rated_elsewhere().await, Some(1));
    }
    check("rate_limit", &[("once, at the first call", 1), ("at each call", 5), ("at each rejection", 3)]);
}

#[concurrency_limit(seen("the limit", 1_usize), max_wait = seen("max_wait", SECOND), or_else = |_| seen("or_else", 0))]
async fn limited() -> u32 {
    sleep(SECOND * 5).await;
    1
}

#[concurrency_limit(seen("the limit if `queue` or `adaptive` or `handle` is set", 1), queue = seen("queue", 5))]
async fn limited_with_a_queue() -> Option<u32> {
    Some(1)
}

#[concurrency_limit(1, key = seen("key", n), max_keys = seen("max_keys", 5))]
async fn limited_by_key(n: u32) -> u32 {
    n
}

static LIMIT: ConcurrencyLimiter = ConcurrencyLimiter::new(1);

#[concurrency_limit(seen_at("the limit", &LIMIT))]
async fn limited_elsewhere() -> Option<u32> {
    Some(1)
}

#[tokio::test(start_paused = true)]
async fn of_concurrency_limit() {
    assert_eq!(tokio::join!(limited(), limited(), limited()), (1, 0, 0));
    for _ in 0..3 {
        assert_eq!(limited_with_a_queue().await, Some(1));
        assert_eq!(limited_by_key(2).await, 2);
    }
    for _ in 0..2 {
        assert_eq!(limited_elsewhere().await, Some(1));
    }
    check(
        "concurrency_limit",
        &[
            ("once, at the first call", 1),
            ("at each call, since it may name a limiter; a number applies from the first call on", 5),
            ("at each call", 3),
            ("at each rejection", 2),
        ],
    );
}

#[circuit_breaker(
    failures = seen("failures", 2),
    window = seen("window", SECOND),
    open_for = seen("open_for", SECOND),
    open_for_max = seen("open_for_max", SECOND),
    probes = seen("probes", 1),
    probe_timeout = seen("probe_timeout", SECOND),
    slow_call = seen("slow_call", SECOND * 60),
    slow_rate = seen("slow_rate", 0.5),
    open_jitter = seen("open_jitter", 0.0),
    ignore = |_| seen("ignore", false),
    when = |_| seen("when", true),
    or_else = |_| seen("or_else", Ok(9))
)]
async fn broken(failed: bool) -> Result<u32, u8> {
    if failed { Err(8) } else { Ok(1) }
}

#[circuit_breaker(
    failure_rate = seen("failure_rate", 0.5),
    min_calls = seen("min_calls", 20),
    failure = |outcome: &Result<u32, Error>| seen("failure", outcome.is_err())
)]
async fn broken_by_share(value: u32) -> Result<u32, Error> {
    Ok(value)
}

static BREAKER: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(key = seen("key", n), max_keys = seen("max_keys", 5))]
async fn broken_by_key(n: u32) -> Option<u32> {
    Some(n)
}

#[circuit_breaker(seen_at("a breaker that is created elsewhere", &BREAKER))]
async fn broken_elsewhere() -> Option<u32> {
    Some(1)
}

#[tokio::test(start_paused = true)]
async fn of_circuit_breaker() {
    for (failed, result) in [(false, Ok(1)), (true, Err(8)), (true, Err(8)), (true, Ok(9)), (true, Ok(9)), (true, Ok(9))] {
        assert_eq!(broken(failed).await, result);
    }
    for _ in 0..4 {
        assert_eq!(broken_by_share(1).await.unwrap(), 1);
    }
    for _ in 0..5 {
        assert_eq!(broken_elsewhere().await, Some(1));
        assert_eq!(broken_by_key(2).await, Some(2));
    }
    check(
        "circuit_breaker",
        &[
            ("once, at the first call", 1),
            ("at each call", 5),
            ("after each call that was admitted", 4),
            ("after each of these that failed", 2),
            ("at each rejection", 3),
        ],
    );
}

#[coalesce(key = seen("key", n))]
async fn coalesced(n: u32) -> u32 {
    tokio::task::yield_now().await;
    n
}

#[tokio::test]
async fn of_coalesce() {
    assert_eq!(tokio::join!(coalesced(1), coalesced(1), coalesced(2)), (1, 1, 2));
    check("coalesce", &[("at each call", 3)]);
}

static CACHE: Cache<u32, u32> = Cache::new(10);

#[async_cached(cache = seen_at("cache", &CACHE))]
async fn cached(n: u32) -> u32 {
    tokio::task::yield_now().await;
    n
}

/// The other options of `async_cached` are counted by what it finds, in a test of its own.
#[tokio::test]
async fn of_a_cache_that_is_named() {
    assert_eq!(cached(1).await, 1);
    assert_eq!(SEEN.take(), BTreeMap::from([("cache", 1)]), "a miss");
    assert_eq!(cached(1).await, 1);
    assert_eq!(SEEN.take(), BTreeMap::from([("cache", 1)]), "a hit");
    assert_eq!(tokio::join!(cached(2), cached(2)), (2, 2));
    assert_eq!(SEEN.take(), BTreeMap::from([("cache", 2)]), "a miss, and a call that waits for it");
}
