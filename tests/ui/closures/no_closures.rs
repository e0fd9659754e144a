use steadfast::{async_cached, rate_limit, retry, timeout};

#[retry(max_delay = |_| 5s)]
async fn retried_at_most() -> Result<u8, String> {
    Err(String::new())
}

#[timeout(|| 5s)]
async fn timed() -> Option<u8> {
    None
}

#[rate_limit(1 / 1s, max_wait = |_| 5s)]
async fn rated() -> Option<u8> {
    None
}

#[async_cached(tti = |value| 5s)]
async fn cached(id: u64) -> u64 {
    id
}

fn main() {}
