use steadfast::retry;

#[retry(attempts = 0)]
async fn none() -> Option<u8> {
    None
}

#[retry(attempts = -1)]
async fn negative() -> Option<u8> {
    None
}

fn main() {}
