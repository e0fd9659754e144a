use steadfast::{async_cached, circuit_breaker, concurrency_limit, rate_limit, retry};

#[async_cached(cache = steadfast::Cache::new(10))]
#[rate_limit(steadfast::RateLimiter::new(1, std::time::Duration::from_secs(1)))]
#[concurrency_limit(steadfast::ConcurrencyLimiter::new(3))]
#[circuit_breaker(steadfast::CircuitBreaker::new().failures(1))]
#[retry(budget = steadfast::RetryBudget::new())]
async fn each_call_its_own(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
