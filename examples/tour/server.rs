//! The other side: endpoints that are slow, flaky and broken, and that count who asks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// How often each path was asked for.
#[derive(Clone, Default)]
pub(crate) struct Requests(Arc<Mutex<HashMap<String, u32>>>);

impl Requests {
    fn count(&self, path: String) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(path).or_default();
        *count += 1;
        *count
    }

    pub(crate) fn of(&self, path: &str) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied().unwrap_or(0)
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    pub(crate) requests: Requests,
}

impl Server {
    /// Starts it on a free port of this machine.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let requests = Requests::default();
        let router = Router::new()
            .route("/slow/{ms}", get(slow))
            .route("/flaky/{name}/{failures}", get(flaky))
            .route("/missing", get(missing))
            .route("/busy/{name}", get(busy))
            .route("/rate/{currency}", get(rate))
            .route("/report/{day}", get(report))
            .with_state(requests.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, requests })
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn slow(State(requests): State<Requests>, Path(ms): Path<u64>) -> String {
    requests.count(format!("/slow/{ms}"));
    sleep(Duration::from_millis(ms)).await;
    format!("after {ms} ms")
}

/// Fails a number of times, and then answers.
async fn flaky(State(requests): State<Requests>, Path((name, failures)): Path<(String, u32)>) -> Result<String, StatusCode> {
    let request = requests.count(format!("/flaky/{name}"));
    if request <= failures { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(format!("answered at request {request}")) }
}

async fn missing(State(requests): State<Requests>) -> StatusCode {
    requests.count("/missing".to_owned());
    StatusCode::NOT_FOUND
}

/// Asks to be left alone for a second, once.
async fn busy(State(requests): State<Requests>, Path(name): Path<String>) -> impl IntoResponse {
    if requests.count(format!("/busy/{name}")) == 1 {
        (StatusCode::TOO_MANY_REQUESTS, AppendHeaders([("retry-after", "1")]), "later")
    } else {
        (StatusCode::OK, AppendHeaders([("retry-after", "0")]), "now")
    }
}

async fn rate(State(requests): State<Requests>, Path(currency): Path<String>) -> Result<String, StatusCode> {
    let request = requests.count(format!("/rate/{currency}"));
    sleep(Duration::from_millis(50)).await;
    if currency == "none" { Err(StatusCode::NOT_FOUND) } else { Ok((100 + request).to_string()) }
}

/// Fails at first, then hangs, and then answers with a text that takes some hashing.
async fn report(State(requests): State<Requests>, Path(day): Path<u32>) -> Result<String, StatusCode> {
    match requests.count(format!("/report/{day}")) {
        1 => Err(StatusCode::BAD_GATEWAY),
        2 => {
            sleep(Duration::from_secs(60)).await;
            Ok("too late".to_owned())
        }
        _ => Ok(format!("report of day {day} ").repeat(1_000)),
    }
}
