//! A small web service as a team would build it: users with passwords, a catalog from another service, orders that are charged there and
//! recorded here.
//!
//! `cargo run --example service`, with these optional environment variables:
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `ADDRESS` | `127.0.0.1:8080` | where it listens; port 0 picks a free one |
//! | `DATABASE_URL` | `sqlite://service.db?mode=rwc` | or `postgres://user:password@host/database` |
//! | `UPSTREAM_URL` | `http://127.0.0.1:8081` | `GET /articles/{id}`, `POST /charges` |
//!
//! It shuts down gracefully on Ctrl-C and on SIGTERM.
//!
//! ```sh
//! curl -i 127.0.0.1:8080/users --json '{"name": "ada", "password": "secret"}' # 201, {"id": 1}
//! curl -i 127.0.0.1:8080/users/1                                              # 200, from the cache the second time
//! curl -i 127.0.0.1:8080/users/1/login --json '{"password": "guess"}'         # 401
//! curl -i 127.0.0.1:8080/users/2                                              # 404
//! curl -i 127.0.0.1:8080/articles/7                                           # 502 without an upstream
//! ```

mod error;
mod password;
mod routes;
mod store;
mod upstream;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use steadfast::{Watchdog, drain, on_report};
use tokio::net::TcpListener;

use crate::routes::{App, router};
use crate::store::Store;
use crate::upstream::Upstream;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    on_report(|report| eprintln!("{report}"));
    let _watchdog = Watchdog::start();

    let store = Arc::new(Store::open(&variable("DATABASE_URL", "sqlite://service.db?mode=rwc")).await?);
    let upstream = Upstream::new(variable("UPSTREAM_URL", "http://127.0.0.1:8081"));
    let listener = TcpListener::bind(variable("ADDRESS", "127.0.0.1:8080")).await?;
    println!("listening on http://{}", listener.local_addr()?);

    // Accepts no new requests, and completes the current ones: each has a deadline.
    let app = App { store: Arc::clone(&store), upstream };
    axum::serve(listener, router(app)).with_graceful_shutdown(asked_to_stop()).await?;

    // Then wait for the work of clients that have disconnected, before closing the database it writes to.
    let drained = drain(Duration::from_secs(20)).await;
    store.close().await;
    anyhow::ensure!(drained.is_complete(), "given up: {:?}", drained.running);
    println!("stopped");
    Ok(())
}

fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Without a signal handler, it runs until it is killed.
async fn asked_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();

    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
