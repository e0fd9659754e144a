use steadfast::rate_limit;

#[rate_limit(0 / 1s)]
async fn count() -> Option<u8> {
    None
}

#[rate_limit(10 / 0s)]
async fn period() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, burst = 0)]
async fn burst() -> Option<u8> {
    None
}

fn main() {}
