use steadfast::rate_limit;

static SHARED: steadfast::RateLimiter = steadfast::RateLimiter::new(10, std::time::Duration::from_secs(1));
static OTHER: steadfast::RateLimiter = steadfast::RateLimiter::new(10, std::time::Duration::from_secs(1));

#[rate_limit(SHARED, OTHER)]
async fn two_limiters() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, SHARED)]
async fn a_rate_and_a_limiter() -> Option<u8> {
    None
}

#[rate_limit(SHARED, 10 / 1s)]
async fn a_limiter_and_a_rate() -> Option<u8> {
    None
}

#[rate_limit(1 / 1s, 2 / 2s, 3 / 3s, 4 / 4s, 5 / 5s)]
async fn five() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, 5 / 1000ms)]
async fn same_period() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, 0 / 1min)]
async fn zero() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, 100 / min)]
async fn unit_alone() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, 100)]
async fn without_a_period() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, n / 1h)]
async fn depends_on_the_call(n: u32) -> Option<u32> {
    Some(n)
}

#[rate_limit(10 / 1s, burst = 5, 100 / 1h)]
async fn behind_the_options() -> Option<u8> {
    None
}

fn main() {}
