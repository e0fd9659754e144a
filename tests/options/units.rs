//! A literal with a unit may appear anywhere in an option.

use std::time::Duration;

use steadfast::{
    async_cached, batched, circuit_breaker, concurrency_limit, fallback, hedge, rate_limit, retry, timeout, warn_slow_poll,
};
use tokio::time::{Instant, sleep};

const TTL: Duration = Duration::from_secs(5);

#[timeout(if vip { 60s } else { 5s })]
async fn by_branch(vip: bool, work: Duration) -> Option<bool> {
    sleep(work).await;
    Some(vip)
}

#[timeout(match name { "a" => 1s, "1s" => { let wait = 1s; wait * 2 } _ => [3s, 500ms].into_iter().max().unwrap() })]
async fn by_match(name: &str) -> Option<usize> {
    std::future::pending::<()>().await;
    Some(name.len())
}

#[timeout((2 * 1s + TTL).min(vec![10s, 1.5min][0]))]
async fn by_arithmetic() -> Option<()> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_timeout() {
    let start = Instant::now();
    assert_eq!(by_branch(false, Duration::from_secs(10)).await, None);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(by_branch(true, Duration::from_secs(10)).await, Some(true));
    for (name, seconds) in [("a", 1), ("1s", 2), ("b", 3)] {
        let start = Instant::now();
        assert_eq!(by_match(name).await, None);
        assert_eq!(start.elapsed(), Duration::from_secs(seconds));
    }
    let start = Instant::now();
    assert_eq!(by_arithmetic().await, None);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[async_cached(ttl = |value| if *value > 1 { 60s } else { 5s }, handle = by_value_cache)]
async fn by_value(n: u32) -> u32 {
    n
}

#[async_cached(ttl = if n > 1 { 60s } else { 5s }, handle = by_key_cache)]
async fn by_key(n: u32) -> u32 {
    n
}

#[tokio::test(start_paused = true)]
async fn a_ttl() {
    for n in [1, 2] {
        assert_eq!((by_value(n).await, by_key(n).await), (n, n));
    }
    sleep(Duration::from_secs(10)).await;
    assert_eq!((by_value_cache().get(&1), by_value_cache().get(&2)), (None, Some(2)));
    assert_eq!((by_key_cache().get(&1), by_key_cache().get(&2)), (None, Some(2)));
}

#[retry(delay = if slow { 10s } else { 1s }, max_delay = 2 * 60s, jitter = none, retry_after = |error: &u32| (*error > 1).then_some(30s))]
async fn retried(slow: bool, error: u32) -> Result<bool, u32> {
    if error > 0 { Err(error) } else { Ok(slow) }
}

#[tokio::test(start_paused = true)]
async fn a_retry() {
    for (slow, error, seconds) in [(false, 1, 3), (true, 1, 30), (true, 2, 60)] {
        let start = Instant::now();
        assert_eq!(retried(slow, error).await, Err(error));
        assert_eq!(start.elapsed(), Duration::from_secs(seconds));
    }
}

const SLOW: bool = true;

#[circuit_breaker(failures = 1, open_for = if SLOW { 50s } else { 5s }, handle = breaker)]
#[rate_limit(100 / if SLOW { 50s } else { 5s }, max_wait = [1s, 2s][1], handle = rate)]
#[concurrency_limit(1, max_wait = if SLOW { 4s } else { 5s })]
async fn guarded() -> Result<(), steadfast::Error> {
    sleep(Duration::from_secs(10)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn gates() {
    let start = Instant::now();
    let (first, second) = tokio::join!(guarded(), async {
        let refused = guarded().await;
        (refused, start.elapsed())
    });
    assert!(first.is_ok() && second.0.unwrap_err().is_saturated());
    assert_eq!((second.1, rate().rate()), (Duration::from_secs(4), (100, Duration::from_secs(50))));
    let open = guarded().await.unwrap_err();
    assert!(open.is_circuit_open());
    assert_eq!(open.retry_after(), Some(Duration::from_secs(44)));
    breaker().reset();
}

#[hedge(after = if quick { 1s } else { 1h })]
async fn hedged(quick: bool) -> Duration {
    let start = Instant::now();
    sleep(Duration::from_secs(2)).await;
    if quick { start.elapsed() } else { Duration::ZERO }
}

#[fallback(if short { 1s } else { 2s })]
async fn replaced(short: bool) -> Option<Duration> {
    short.then_some(TTL).filter(|_| false)
}

#[fallback(1.5s)]
async fn replaced_by_a_literal() -> Option<Duration> {
    None
}

#[timeout(1s, or_else = |_| 7ms)]
async fn instead() -> Duration {
    std::future::pending().await
}

#[batched(delay = if SLOW { 3s } else { 5ms })]
async fn load(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[warn_slow_poll(if quick { 1h } else { 2h }, panic)]
async fn watched(quick: bool) -> bool {
    quick
}

#[tokio::test(start_paused = true)]
async fn all_others() {
    assert_eq!(hedged(true).await, Duration::from_secs(2));
    assert_eq!((replaced(true).await, replaced(false).await), (Some(Duration::from_secs(1)), Some(Duration::from_secs(2))));
    assert_eq!(replaced_by_a_literal().await, Some(Duration::from_millis(1_500)));
    assert_eq!(instead().await, Duration::from_millis(7));
    let start = Instant::now();
    assert_eq!(load(3).await, 3);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert!(watched(true).await);
}
