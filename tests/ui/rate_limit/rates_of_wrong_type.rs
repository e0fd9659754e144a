use steadfast::rate_limit;

#[rate_limit("10/s")]
async fn text() -> Option<u8> {
    None
}

#[rate_limit(10 per 1s)]
async fn words() -> Option<u8> {
    None
}

#[rate_limit(1s / 10)]
async fn upside_down() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, burst = 5s)]
async fn burst_of_time() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, max_wait = 5)]
async fn wait_of_a_number() -> Option<u8> {
    None
}

fn main() {}
