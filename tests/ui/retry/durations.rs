use steadfast::retry;

#[retry(delay = 5)]
async fn no_unit() -> Option<u8> {
    None
}

#[retry(max_delay = 5m)]
async fn ambiguous() -> Option<u8> {
    None
}

#[retry(max_elapsed = "1h")]
async fn quoted() -> Option<u8> {
    None
}

fn main() {}
