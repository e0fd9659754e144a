//! What each attribute does, on a real HTTP server, a real database and real files: `cargo run --example tour`.
//!
//! Every step checks what it prints. If a check fails, the program names the step and exits with a failure.

mod caching;
mod deadlines;
mod error;
mod files;
mod http;
mod report;
mod retries;
mod rows;
mod server;
mod stack;

use std::process::ExitCode;

use report::Report;
use server::Server;
use steadfast::timeout;

#[tokio::main]
async fn main() -> ExitCode {
    let mut report = Report::default();
    match tour(&mut report).await {
        Ok(()) => {
            println!("\n{report}: all checks passed.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nStep {}: {error:#}", report.current());
            ExitCode::FAILURE
        }
    }
}

#[timeout(1min)] // a step that hangs has failed, too
async fn tour(report: &mut Report) -> anyhow::Result<()> {
    let server = Server::start().await?;
    println!("An HTTP server listens on {}, with slow, flaky and failing endpoints.", server.base());
    deadlines::show(&server, report).await?;
    retries::show(&server, report).await?;
    caching::show(&server, report).await?;
    rows::show(report).await?;
    files::show(report).await?;
    stack::show(&server, report).await
}
