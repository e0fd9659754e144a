use steadfast::{circuit_breaker, concurrency_limit, rate_limit, shield, timeout};

#[derive(Debug)]
struct AppError;

/// Four attributes need the same conversion, one of them on a task of its own.
#[rate_limit(100 / 1s)]
#[concurrency_limit(8, max_wait = 1s)]
#[circuit_breaker]
#[shield]
#[timeout(5s)]
async fn load(id: u32) -> Result<u32, AppError> {
    Ok(id)
}

/// The one with `or_else` needs none.
#[rate_limit(100 / 1s, or_else = |_| Err("busy".to_owned()))]
#[timeout(5s)]
#[timeout(1s)]
async fn text(id: u32) -> Result<u32, String> {
    Ok(id)
}

fn main() {}
