//! Calls to the server, as a user would write them.

use std::sync::LazyLock;
use std::time::Duration;

use steadfast::{async_cached, retry, timeout};

use crate::error::AppError;

/// One client for the whole program: it keeps connections.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// A request without any policy.
pub(crate) async fn get(url: &str) -> Result<String, AppError> {
    let response = CLIENT.get(url).send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response.text().await?);
    }
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Err(AppError::Status { status: status.as_u16(), retry_after: seconds.map(Duration::from_secs) })
}

#[timeout(300ms)]
pub(crate) async fn in_time(url: &str) -> Result<String, AppError> {
    get(url).await
}

#[timeout(700ms)] // all attempts together
#[retry(attempts = 10, delay = 0s)]
#[timeout(200ms)] // each of them
pub(crate) async fn in_time_with_attempts(url: &str) -> Result<String, AppError> {
    get(url).await
}

#[retry(attempts = 4, delay = 20ms, jitter = none, when = AppError::is_transient, on_retry = |event| println!(
    "   attempt {} failed, the next one comes in {:?}", event.attempt(), event.delay(),
))]
pub(crate) async fn stubborn(url: &str) -> Result<String, AppError> {
    get(url).await
}

#[retry(attempts = 3, when = AppError::is_transient, retry_after = AppError::retry_after)]
pub(crate) async fn polite(url: &str) -> Result<String, AppError> {
    get(url).await
}

#[async_cached(ttl = 60s, skip(base), handle = rates)]
pub(crate) async fn rate(base: &str, currency: &str) -> Result<String, AppError> {
    get(&format!("{base}/rate/{currency}")).await
}

#[async_cached(ttl = 100ms, stale_while_revalidate = 1min, skip(base), handle = quick_rates)]
pub(crate) async fn quick_rate(base: &str, currency: &str) -> Result<String, AppError> {
    get(&format!("{base}/rate/{currency}")).await
}

/// The same without a cache, for comparison.
pub(crate) async fn get_rate(base: &str, currency: &str) -> Result<String, AppError> {
    get(&format!("{base}/rate/{currency}")).await
}
