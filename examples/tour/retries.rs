//! `#[retry]`: runs the body again while it fails.

use std::time::{Duration, Instant};

use steadfast::{RetryEvent, retry};

use crate::error::AppError;
use crate::http;
use crate::report::{Report, note};
use crate::server::Server;

#[retry(attempts = 4, delay = 20ms, jitter = none, when = AppError::is_transient, on_retry = say)]
async fn page(url: &str) -> Result<String, AppError> {
    http::get(url).await
}

#[retry(attempts = 3, delay = 20ms, when = AppError::is_transient, retry_after = AppError::retry_after)]
async fn page_politely(url: &str) -> Result<String, AppError> {
    http::get(url).await
}

fn say<T>(event: &RetryEvent<'_, Result<T, AppError>>) {
    if let Some(error) = event.error() {
        note(format_args!("  attempt {}: {error}; retrying in {:?}", event.attempt(), event.delay()));
    }
}

pub(crate) async fn show(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("retry: an endpoint that fails twice");
    let base = server.base();

    let bare = http::get(&format!("{base}/flaky/bare")).await;
    let failed = bare.is_err_and(|error| error.is_transient()) && server.requests("/flaky/bare") == 1;
    report.check(failed, "baseline: the caller gets the failure")?;

    note("with `retry`:");
    let answer = page(&format!("{base}/flaky/tour")).await?;
    let requests = server.requests("/flaky/tour");
    report.check(requests == 3, format_args!("  attempt {requests}: \"{answer}\""))?;

    let outcome = page(&format!("{base}/missing")).await;
    let (permanent, requests) = (outcome.is_err_and(|error| !error.is_transient()), server.requests("/missing"));
    report.check(permanent && requests == 1, format_args!("404 is not transient according to `when`: {requests} attempt"))?;

    let began = Instant::now();
    let answer = page_politely(&format!("{base}/busy")).await?;
    let waited = began.elapsed();
    report.check(
        waited >= Duration::from_secs(1) && server.requests("/busy") == 2,
        format_args!("429 with `Retry-After: 1`: \"{answer}\", after {waited:.0?}"),
    )
}
