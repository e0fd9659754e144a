use steadfast::{async_cached, retry, timeout};

#[retry(attempts = 2)]
#[timeout(1s)]
#[retry(attempts = 3)]
async fn retries() -> Option<u8> {
    None
}

#[async_cached]
#[async_cached]
async fn caches(id: u64) -> u64 {
    id
}

// Only `timeout` may: once for all attempts, and once for each.
#[timeout(5s)]
#[retry]
#[timeout(1s)]
async fn fine() -> Option<u8> {
    None
}

fn main() {}
