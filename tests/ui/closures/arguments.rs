use steadfast::{async_cached, circuit_breaker, finally, rate_limit, retry, timeout};

#[retry(
    when = |error, attempt| attempt < 3,
    retry_after = || None,
    on_retry = |attempt, error| println!("{attempt}: {error}")
)]
async fn retried() -> Result<u8, String> {
    Err(String::new())
}

#[retry(failure = |a, b| a == b)]
async fn retried_by_failure() -> u8 {
    0
}

#[circuit_breaker(when = || true, or_else = |error, _| 0)]
async fn broken() -> Result<u8, String> {
    Err(String::new())
}

#[timeout(1s, or_else = || 0)]
async fn timed() -> u8 {
    0
}

#[rate_limit(1 / 1s, or_else = |function, error| 0)]
async fn rated() -> u8 {
    0
}

#[async_cached(weight = |value| 1, on_evict = |key, value| {}, ttl = |key, value, cause| 1s)]
async fn cached(id: u64) -> u64 {
    id
}

#[finally(|| async {})]
async fn cleaned() {}

fn main() {}
