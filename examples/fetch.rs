//! Fetching over HTTP with a timeout and retries.
//!
//! `cargo run --example fetch`

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use steadfast::{retry, timeout};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Data {
    name: String,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Deadline(#[from] steadfast::Error),
}

impl FetchError {
    /// Whether another attempt can succeed: a 404 stays a 404.
    fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_connect() || error.status().is_some_and(|status| status.is_server_error()),
            Self::Deadline(_) => true,
        }
    }
}

#[timeout(5s)] // all attempts together
#[retry(attempts = 3, delay = 10ms, when = FetchError::is_transient)]
#[timeout(400ms)] // each attempt
async fn fetch_data(http: &Client, url: &str) -> Result<Data, FetchError> {
    Ok(http.get(url).send().await?.error_for_status()?.json().await?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = start_server().await?;
    let http = Client::new(); // one for the whole program: it pools connections

    let data = fetch_data(&http, &server.url("/data")).await?;
    println!("fetched {data:?} at attempt {}", server.take_requests());
    assert_eq!(data.name, "Ada");

    let error = fetch_data(&http, &server.url("/nothing")).await.unwrap_err();
    println!("not found: {error}");
    assert!(matches!(&error, FetchError::Http(error) if error.status() == Some(StatusCode::NOT_FOUND)));
    assert_eq!(server.take_requests(), 1, "a 404 is not retried");

    let error = fetch_data(&http, &server.url("/stuck")).await.unwrap_err();
    println!("timed out: {error}");
    assert!(matches!(&error, FetchError::Deadline(error) if error.is_timeout()));
    assert_eq!(server.take_requests(), 3);
    Ok(())
}

/// An unreliable upstream, on a loopback port.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn take_requests(&self) -> usize {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

async fn start_server() -> anyhow::Result<Server> {
    let requests = Arc::new(AtomicUsize::new(0));
    let app = Router::new()
        .route("/data", get(third_time_lucky))
        .route("/nothing", get(nothing))
        .route("/stuck", get(stuck))
        .with_state(Arc::clone(&requests));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(Server { address, requests })
}

async fn third_time_lucky(State(requests): State<Arc<AtomicUsize>>) -> Result<Json<Data>, StatusCode> {
    match requests.fetch_add(1, Ordering::Relaxed) {
        0 => return Err(StatusCode::SERVICE_UNAVAILABLE),
        1 => sleep(Duration::from_secs(10)).await,
        _ => {}
    }
    Ok(Json(Data { name: "Ada".to_owned() }))
}

async fn nothing(State(requests): State<Arc<AtomicUsize>>) -> StatusCode {
    requests.fetch_add(1, Ordering::Relaxed);
    StatusCode::NOT_FOUND
}

async fn stuck(State(requests): State<Arc<AtomicUsize>>) {
    requests.fetch_add(1, Ordering::Relaxed);
    sleep(Duration::from_secs(10)).await;
}
