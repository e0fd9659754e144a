use steadfast::rate_limit;

static SHARED: steadfast::RateLimiter = steadfast::RateLimiter::new(10, std::time::Duration::from_secs(1));

#[rate_limit(10 / 1s, 20 / 1h, cost = 11)]
async fn above_the_burst() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, burst = 3, cost = 4)]
async fn above_the_set_burst() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, cost = 0)]
async fn nothing() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, cost = 5s)]
async fn cost_of_time() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, rate = 100 / 1s)]
async fn rate_without_key() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, key = user, rate = 0 / 1s)]
async fn rate_of_zero(user: u8) -> Option<u8> {
    Some(user)
}

#[rate_limit(10 / 1s, key = user, rate = 5 / 1)]
async fn rate_without_unit(user: u8) -> Option<u8> {
    Some(user)
}

#[rate_limit(10 / 1s, max_keys = 5)]
async fn max_keys_without_key() -> Option<u8> {
    None
}

#[rate_limit(SHARED, key = user, max_keys = 5)]
async fn max_keys_of_a_static(user: u8) -> Option<u8> {
    Some(user)
}

#[rate_limit(10 / 1s, key = user, max_keys = 0)]
async fn no_keys(user: u8) -> Option<u8> {
    Some(user)
}

#[rate_limit(10 / 1s, key = user, max_keys = usize::from(user))]
async fn max_keys_of_the_call(user: u8) -> Option<u8> {
    Some(user)
}

fn main() {}
