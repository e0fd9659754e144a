use steadfast::rate_limit;

static SHARED: steadfast::RateLimiter = steadfast::RateLimiter::new(10, std::time::Duration::from_secs(1));

#[rate_limit(SHARED, burst = 3, handle = shared)]
async fn inert() -> Option<u8> {
    None
}

fn main() {}
