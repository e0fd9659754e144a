//! `#[timeout]`: the future is dropped when the deadline passes.

use std::time::{Duration, Instant};

use steadfast::{retry, timeout};

use crate::error::AppError;
use crate::http;
use crate::report::{Report, note};
use crate::server::Server;

#[timeout(500ms)]
async fn page(url: &str) -> Result<String, AppError> {
    http::get(url).await
}

#[timeout(1s)] // all attempts together
#[retry(attempts = 20, delay = 0s)]
#[timeout(300ms)] // each attempt
async fn page_at_last(url: &str) -> Result<String, AppError> {
    http::get(url).await
}

pub(crate) async fn show(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("timeout: a deadline of 500 ms");
    let base = server.base();

    let began = Instant::now();
    http::get(&format!("{base}/slow/900")).await?;
    note(format_args!("baseline without `timeout`, 900 ms of work: {:.0?}", began.elapsed()));

    let answer = page(&format!("{base}/slow/10")).await?;
    report.check(answer == "here after 10 ms", format_args!("10 ms of work: \"{answer}\""))?;

    let began = Instant::now();
    let outcome = page(&format!("{base}/slow/60000")).await;
    let missed = outcome.as_ref().is_err_and(|error| error.deadline() == Some(Duration::from_millis(500)));
    report.check(missed, format_args!("60 s of work: {} (measured {:.0?})", said(&outcome), began.elapsed()))?;
    stacked(server, report).await
}

async fn stacked(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("timeout above retry and below it: 1 s for all attempts, 300 ms for each");
    let base = server.base();

    let answer = page_at_last(&format!("{base}/hangs-once/tour")).await?;
    let requests = server.requests("/hangs-once/tour");
    report.check(requests >= 2, format_args!("first attempt hangs and is abandoned: \"{answer}\""))?;

    let began = Instant::now();
    let outcome = page_at_last(&format!("{base}/slow/50000")).await;
    let requests = server.requests("/slow/50000");
    let missed = outcome.as_ref().is_err_and(|error| error.deadline() == Some(Duration::from_secs(1)));
    report.check(
        missed && requests < 20,
        format_args!("endpoint hangs: {} (measured {:.0?}, {requests} attempts started)", said(&outcome), began.elapsed()),
    )
}

fn said(outcome: &Result<String, AppError>) -> String {
    outcome.as_ref().map_or_else(ToString::to_string, Clone::clone)
}
