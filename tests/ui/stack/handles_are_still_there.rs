use steadfast::{async_cached, circuit_breaker, rate_limit};

#[circuit_breaker(failures = 0, handle = breaker)]
#[rate_limit(0 / 1s, handle = limiter)]
#[async_cached(capacity = 10, unbounded, handle = cache)]
async fn lookup(id: u64) -> Option<String> {
    Some(id.to_string())
}

fn main() {
    breaker().reset();
    let _ = limiter().check();
    cache().invalidate(&7);
}
