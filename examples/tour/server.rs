//! The server: endpoints that are slow, flaky or failing, and count their requests.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// The number of requests for each path.
#[derive(Clone, Default)]
struct Requests(Arc<Mutex<HashMap<String, u32>>>);

impl Requests {
    fn count(&self, path: String) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(path).or_default();
        *count += 1;
        *count
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Requests,
}

impl Server {
    /// Starts it on a free port of this machine.
    pub(crate) async fn start() -> io::Result<Self> {
        let requests = Requests::default();
        let router = Router::new()
            .route("/slow/{ms}", get(slow))
            .route("/hangs-once/{name}", get(hangs_once))
            .route("/flaky/{name}", get(flaky))
            .route("/missing", get(missing))
            .route("/busy", get(busy))
            .route("/rate/{currency}", get(rate))
            .route("/report/{day}", get(report))
            .with_state(requests.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, requests })
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests for a path have arrived.
    pub(crate) fn requests(&self, path: &str) -> u32 {
        self.requests.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied().unwrap_or(0)
    }
}

async fn slow(State(requests): State<Requests>, Path(ms): Path<u64>) -> String {
    requests.count(format!("/slow/{ms}"));
    sleep(Duration::from_millis(ms)).await;
    format!("here after {ms} ms")
}

async fn hangs_once(State(requests): State<Requests>, Path(name): Path<String>) -> String {
    let request = requests.count(format!("/hangs-once/{name}"));
    if request == 1 {
        sleep(Duration::from_secs(60)).await;
    }
    format!("the answer to request {request}")
}

/// Fails twice, then succeeds.
async fn flaky(State(requests): State<Requests>, Path(name): Path<String>) -> Result<String, StatusCode> {
    let request = requests.count(format!("/flaky/{name}"));
    if request < 3 { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(format!("the answer to request {request}")) }
}

async fn missing(State(requests): State<Requests>) -> StatusCode {
    requests.count("/missing".to_owned());
    StatusCode::NOT_FOUND
}

/// Asks the first client to wait for a second.
async fn busy(State(requests): State<Requests>) -> Response {
    match requests.count("/busy".to_owned()) {
        1 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response(),
        request => format!("the answer to request {request}").into_response(),
    }
}

/// A rate that differs from request to request, and takes its time; there is none for `xxx`.
async fn rate(State(requests): State<Requests>, Path(currency): Path<String>) -> Result<String, StatusCode> {
    let request = requests.count(format!("/rate/{currency}"));
    sleep(Duration::from_millis(50)).await;
    if currency == "xxx" { Err(StatusCode::NOT_FOUND) } else { Ok(format!("{currency} {}", 100 + request)) }
}

/// Fails, then hangs for a while, then succeeds.
async fn report(State(requests): State<Requests>, Path(day): Path<u32>) -> Result<String, StatusCode> {
    match requests.count(format!("/report/{day}")) {
        1 => return Err(StatusCode::BAD_GATEWAY),
        2 => sleep(Duration::from_secs(1)).await,
        _ => {}
    }
    Ok(format!("report of day {day}\n").repeat(1_000))
}
