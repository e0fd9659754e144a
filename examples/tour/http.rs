//! A request without any policy, which the attributed functions of the steps call.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;

use crate::error::AppError;

/// One client for the whole program: it keeps connections open.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

pub(crate) async fn get(url: &str) -> Result<String, AppError> {
    let response = CLIENT.get(url).send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response.text().await?);
    }
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Err(AppError::Status { status: status.as_u16(), retry_after: seconds.map(Duration::from_secs) })
}
