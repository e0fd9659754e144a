use std::time::Duration;

use steadfast::{CircuitBreaker, RateLimiter, circuit_breaker, rate_limit};

#[allow(clippy::declare_interior_mutable_const)]
const BREAKER: CircuitBreaker = CircuitBreaker::new();
#[allow(clippy::declare_interior_mutable_const)]
const LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(1));

#[circuit_breaker(BREAKER)]
async fn breaker() -> Option<u64> {
    None
}

#[rate_limit(LIMITER)]
async fn limiter() -> Option<u64> {
    None
}

// A small name is no sign of a static.
#[allow(non_upper_case_globals, clippy::declare_interior_mutable_const)]
const small: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(small)]
async fn small_breaker() -> Option<u64> {
    None
}

fn main() {}
