//! A token that is refreshed between attempts, and orders that are placed once however often they are sent.
//!
//! `cargo run --example token`

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Client;
use steadfast::{attempt, call_id, retry, timeout};
use tokio::net::TcpListener;
use tokio::sync::RwLock;

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Deadline(#[from] steadfast::Error),
}

impl OrderError {
    /// Whether the token has expired.
    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Http(error) if error.status() == Some(StatusCode::UNAUTHORIZED))
    }

    /// Whether another attempt can succeed. Since a repeated order is recognized, this includes those whose outcome is unknown.
    fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => self.is_unauthorized() || error.status().is_none_or(|status| status.is_server_error()),
            Self::Deadline(_) => true,
        }
    }
}

/// What the client knows.
struct Session {
    http: Client,
    server: SocketAddr,
    password: &'static str,
    token: RwLock<String>,
}

impl Session {
    fn new(server: SocketAddr, password: &'static str) -> Self {
        Self { http: Client::new(), server, password, token: RwLock::new("expired".to_owned()) }
    }

    /// Exchanges the password for a new token, if the error calls for one. A failure is left to the next attempt.
    async fn recover(&self, error: Option<&OrderError>) {
        if !error.is_some_and(OrderError::is_unauthorized) {
            return;
        }
        match self.log_in().await {
            Ok(token) => *self.token.write().await = token,
            Err(error) => println!("  no new token: {error}"),
        }
    }

    async fn log_in(&self) -> Result<String, reqwest::Error> {
        let request = self.http.post(format!("http://{}/token", self.server)).body(self.password);
        request.send().await?.error_for_status()?.text().await
    }
}

#[timeout(5s)] // all attempts together, with the refresh between them
#[retry(
    attempts = 3,
    delay = 5ms,
    when = OrderError::is_transient,
    on_retry = async |event| session.recover(event.error()).await,
    gave_up = |event| println!("  gave up after {} attempts", event.attempt()),
)]
#[timeout(1s)] // each attempt
async fn order(session: &Session, item: &str) -> Result<String, OrderError> {
    println!("  attempt {} to order {item}", attempt().number());
    let request = session.http.post(format!("http://{}/orders", session.server)).bearer_auth(session.token.read().await);
    // The same for all attempts of this call: the server places one order.
    let request = request.header("Idempotency-Key", call_id().to_string()).body(item.to_owned());
    Ok(request.send().await?.error_for_status()?.text().await?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (server, address) = start_server().await?;
    let session = Session::new(address, "open sesame");

    println!("with an expired token");
    assert_eq!(order(&session, "tea").await?, "order 1: tea");
    assert_eq!(server.take_log(), ["401", "new token", "200 order 1: tea"]);

    println!("with a valid token");
    assert_eq!(order(&session, "coffee").await?, "order 2: coffee");
    assert_eq!(server.take_log(), ["200 order 2: coffee"]);

    println!("with an answer that is lost");
    server.state().loses_answer = true;
    assert_eq!(order(&session, "sugar").await?, "order 3: sugar");
    assert_eq!(server.take_log(), ["503 order 3: sugar", "200 order 3: sugar"]);
    assert_eq!(server.state().orders.len(), 3);

    println!("with a wrong password");
    let stranger = Session::new(address, "open barley");
    let error = order(&stranger, "milk").await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert_eq!(server.take_log(), ["401", "no token", "401", "no token", "401"]);
    Ok(())
}

/// A shop.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Shop>>);

#[derive(Default)]
struct Shop {
    token: Option<String>,
    /// The orders, by the key that came with each.
    orders: HashMap<String, String>,
    /// Whether the next order is placed, but not confirmed.
    loses_answer: bool,
    log: Vec<String>,
}

impl Server {
    fn state(&self) -> std::sync::MutexGuard<'_, Shop> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }
}

impl Shop {
    fn place(&mut self, headers: &HeaderMap, item: &str) -> (StatusCode, String) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let token = header("Authorization").and_then(|value| value.strip_prefix("Bearer "));
        if token.is_none() || token != self.token.as_deref() {
            return (StatusCode::UNAUTHORIZED, String::new());
        }
        let Some(key) = header("Idempotency-Key") else { return (StatusCode::BAD_REQUEST, String::new()) };
        let number = self.orders.len() + 1;
        let placed = self.orders.entry(key.to_owned()).or_insert_with(|| format!("order {number}: {item}")).clone();
        let lost = std::mem::take(&mut self.loses_answer);
        (if lost { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, placed)
    }
}

async fn start_server() -> std::io::Result<(Server, SocketAddr)> {
    async fn token(State(server): State<Server>, password: String) -> Result<String, StatusCode> {
        let mut shop = server.state();
        if password != "open sesame" {
            shop.log.push("no token".to_owned());
            return Err(StatusCode::FORBIDDEN);
        }
        shop.log.push("new token".to_owned());
        Ok(shop.token.insert("fresh".to_owned()).clone())
    }
    async fn orders(State(server): State<Server>, headers: HeaderMap, item: String) -> (StatusCode, String) {
        let mut shop = server.state();
        let (status, placed) = shop.place(&headers, &item);
        shop.log.push(format!("{} {placed}", status.as_str()).trim_end().to_owned());
        (status, placed)
    }
    let server = Server::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/token", post(token)).route("/orders", post(orders)).with_state(server.clone());
    tokio::spawn(async { axum::serve(listener, routes).await });
    Ok((server, address))
}
