use std::time::Duration;
use steadfast::retry;

#[retry(retry_after = |_| Duration::from_secs(1))]
async fn not_an_option() -> Result<u8, String> {
    Err(String::new())
}

#[retry(retry_after = 5s)]
async fn not_a_closure() -> Result<u8, String> {
    Err(String::new())
}

fn main() {}
