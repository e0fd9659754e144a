//! The service: a shop whose parts can fail, be slow, or be overloaded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use steadfast::{async_cached, circuit_breaker, concurrency_limit, rate_limit, retry};
use tokio::time::sleep;

/// Whether the stock can be asked at present.
static STOCK_IS_UP: AtomicBool = AtomicBool::new(true);

/// Takes the stock down, or brings it back.
pub fn set_stock(up: bool) {
    STOCK_IS_UP.store(up, Ordering::Relaxed);
}

/// What an article costs.
#[async_cached(ttl = 10s, capacity = 1_000)]
#[concurrency_limit(4, max_wait = 200ms)]
pub async fn price(article: u32) -> Result<u32, steadfast::Error> {
    sleep(Duration::from_millis(20)).await;
    Ok(article * 100)
}

/// How many there are of an article; nothing while the stock is down.
#[circuit_breaker(failures = 5, open_for = 2s)]
#[retry(attempts = 2, delay = 5ms)]
pub async fn stock(article: u32) -> Option<u32> {
    sleep(Duration::from_millis(2)).await;
    STOCK_IS_UP.load(Ordering::Relaxed).then_some(article % 7)
}

/// The articles whose names have a word.
#[rate_limit(50 / 1s)]
pub async fn search(word: &str) -> Result<Vec<usize>, steadfast::Error> {
    Ok((0..word.len()).collect())
}
