//! What each attribute does, on a real HTTP server, a real database and real files: `cargo run --example tour`.
//!
//! Every step checks what it says, and the program ends with an error where something did not behave so.

mod error;
mod files;
mod report;
mod rows;
mod server;
mod steps;
mod upstream;

use std::process::ExitCode;

use report::Report;
use server::Server;

#[tokio::main]
async fn main() -> ExitCode {
    match tour().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe tour ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn tour() -> anyhow::Result<()> {
    let server = Server::start().await?;
    println!("An HTTP server listens on {}, with endpoints that are slow, flaky and broken.", server.base());
    let mut report = Report::default();
    steps::deadlines(&server, &mut report).await?;
    steps::retries(&server, &mut report).await?;
    steps::caching(&server, &mut report).await?;
    steps::database(&mut report).await?;
    steps::threads(&mut report).await?;
    steps::stack(&server, &mut report).await?;
    report.finish()
}
