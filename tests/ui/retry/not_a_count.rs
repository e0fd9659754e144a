use steadfast::retry;

#[retry(attempts = 3s)]
async fn unit() -> Option<u8> {
    None
}

#[retry(attempts = "3")]
async fn quoted() -> Option<u8> {
    None
}

#[retry(attempts = 2.5)]
async fn float() -> Option<u8> {
    None
}

#[retry(attempts = times)]
async fn wrong_type(times: &str) -> Option<u8> {
    times.bytes().next()
}

fn main() {}
