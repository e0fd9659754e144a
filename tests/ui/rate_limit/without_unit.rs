use steadfast::rate_limit;

#[rate_limit(100 / 1)]
async fn bare() -> Option<u8> {
    None
}

#[rate_limit(100 / 1m)]
async fn ambiguous() -> Option<u8> {
    None
}

#[rate_limit(100s / 1s)]
async fn unit_of_count() -> Option<u8> {
    None
}

#[rate_limit(100 / 1s, max_wait = 5)]
async fn max_wait() -> Option<u8> {
    None
}

fn main() {}
