use steadfast::{async_cached, circuit_breaker, concurrency_limit, retry, timeout};

#[timeout(1s, or_else = 0)]
async fn timed() -> u8 {
    0
}

#[concurrency_limit(1, max_wait = 0s, or_else = -1)]
async fn limited() -> i8 {
    0
}

#[circuit_breaker(failure = true, or_else = "open")]
async fn broken() -> &'static str {
    ""
}

#[retry(when = true, retry_after = 5s, on_retry = println!("again"))]
async fn retried() -> Result<u8, String> {
    Err(String::new())
}

#[async_cached(weight = 1)]
async fn cached(id: u64) -> u64 {
    id
}

fn main() {}
