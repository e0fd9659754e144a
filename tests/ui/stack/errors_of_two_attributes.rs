use steadfast::{retry, timeout};

#[timeout(5)]
#[retry(attempts = 0)]
async fn fetch() -> Option<u8> {
    None
}

fn main() {}
