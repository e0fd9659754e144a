//! A client that was not written here, guarded by a set of policies and a circuit breaker for each host.
//!
//! `cargo run --example per_host`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use reqwest::{Client, Url};
use steadfast::{CircuitBreaker, CircuitState, Error, Keyed, policies, run};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// One circuit for each host: if one is down, calls to the others continue.
static HOSTS: Keyed<String, CircuitBreaker> = Keyed::new(|| CircuitBreaker::new().failures(3).open_for(Duration::from_millis(300)));

policies! {
    /// What every request gets. `host` is a variable where the set is applied.
    remote = {
        #[timeout(2s)]
        #[retry(attempts = 2, delay = 10ms, when = FetchError::is_transient)]
        #[circuit_breaker(HOSTS, key = host, when = FetchError::is_outage)]
        #[timeout(300ms)]
    };
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Policy(#[from] Error),
}

impl FetchError {
    /// Whether another attempt can succeed. One that the circuit rejects would wait until it admits a probe.
    fn is_transient(&self) -> bool {
        match self {
            Self::Http(_) => self.is_outage(),
            Self::Policy(error) => error.is_timeout(),
        }
    }

    /// Whether the host is in trouble: a 404 is an answer.
    fn is_outage(&self) -> bool {
        match self {
            Self::Http(error) => error.status().is_none_or(|status| status.is_server_error()),
            Self::Policy(error) => error.is_timeout(),
        }
    }

    fn is_rejected(&self) -> bool {
        matches!(self, Self::Policy(error) if error.is_circuit_open())
    }
}

/// `reqwest` has no attributes, and this needs no function for each kind of request: the policies are around the call.
async fn fetch(http: &Client, url: Url) -> Result<String, FetchError> {
    let host = url.authority();
    run! {
        #[apply(remote)]
        async { Ok::<_, FetchError>(http.get(url.clone()).send().await?.error_for_status()?.text().await?) }
    }
    .await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (paris, lima) = (Server::start("Paris").await?, Server::start("Lima").await?);
    let http = Client::new();

    for server in [&paris, &lima] {
        println!("{} answers: {}", server.name, fetch(&http, server.url()).await?);
    }

    paris.is_down.store(true, Ordering::Relaxed);
    println!("Paris goes down");
    for _ in 0..2 {
        // Two attempts each; the third failure opens the circuit.
        let _failed = fetch(&http, paris.url()).await.unwrap_err();
    }
    let state = |server: &Server| HOSTS.of(server.url().authority()).state();
    assert_eq!((state(&paris), state(&lima)), (CircuitState::Open, CircuitState::Closed));

    let asked = paris.requests();
    let error = fetch(&http, paris.url()).await.unwrap_err();
    println!("a call without a request: {error}");
    assert!(error.is_rejected());
    assert_eq!(paris.requests(), asked, "an open circuit sends nothing");
    println!("Lima still answers: {}", fetch(&http, lima.url()).await?);

    let missing = fetch(&http, lima.url().join("nothing")?).await.unwrap_err();
    println!("not found: {missing}");
    assert_eq!(state(&lima), CircuitState::Closed, "a 404 is no outage");

    paris.is_down.store(false, Ordering::Relaxed);
    sleep(Duration::from_millis(320)).await;
    println!("Paris is up again: {}", fetch(&http, paris.url()).await?); // the probe
    assert_eq!(state(&paris), CircuitState::Closed);
    Ok(())
}

/// A server on loopback that can be down.
struct Server {
    name: &'static str,
    address: std::net::SocketAddr,
    is_down: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start(name: &'static str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (is_down, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let state = (name, Arc::clone(&is_down), Arc::clone(&requests));
        let answer = async |State((name, is_down, requests)): State<(&'static str, Arc<AtomicBool>, Arc<AtomicUsize>)>| {
            requests.fetch_add(1, Ordering::Relaxed);
            if is_down.load(Ordering::Relaxed) { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(name) }
        };
        let router = Router::new().route("/", get(answer)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { name, address, is_down, requests })
    }

    fn url(&self) -> Url {
        format!("http://{}/", self.address).parse().expect("a valid address")
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}
