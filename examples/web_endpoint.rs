//! Web endpoints: precise status codes and bounded latency for a handler that calls an upstream.
//!
//! `cargo run --example web_endpoint`

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use steadfast::{offload_blocking, timeout};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    id: u32,
    title: String,
}

#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("no such item")]
    NotFound,
    #[error("the upstream failed")]
    Upstream(#[from] reqwest::Error),
    #[error(transparent)]
    Policy(#[from] steadfast::Error),
}

/// The only place that maps errors to status codes. The details of an upstream or a policy (addresses, functions, limits) belong in the log, not
/// in the response.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, text) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "no such item"),
            Self::Upstream(_) => (StatusCode::BAD_GATEWAY, "the upstream failed"),
            Self::Policy(error) if error.is_timeout() => (StatusCode::GATEWAY_TIMEOUT, "the upstream took too long"),
            Self::Policy(_) => (StatusCode::SERVICE_UNAVAILABLE, "too busy: try again later"),
        };
        if status.is_server_error() {
            eprintln!("{status}: {self}");
        }
        (status, text).into_response()
    }
}

#[derive(Clone)]
struct App {
    http: Client,
    upstream: String,
}

impl App {
    #[timeout(500ms)]
    async fn item(&self, id: u32) -> Result<Item, ApiError> {
        let answer = self.http.get(format!("{}/items/{id}", self.upstream)).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(ApiError::NotFound);
        }
        Ok(answer.error_for_status()?.json().await?)
    }
}

async fn get_data(State(app): State<App>, Path(id): Path<u32>) -> Result<Json<Item>, ApiError> {
    Ok(Json(app.item(id).await?))
}

/// Moves heavy work off the threads that serve other clients. Attributes work on handlers, too.
#[timeout(5s)]
async fn process_data(Json(words): Json<Vec<String>>) -> Result<String, ApiError> {
    Ok(digest(words).await)
}

#[offload_blocking(limit = 2)]
fn digest(words: Vec<String>) -> String {
    blake3::hash(words.join(" ").as_bytes()).to_string()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let upstream = serve(Router::new().route("/items/{id}", get(upstream_item))).await?;
    let app = App { http: Client::new(), upstream };
    let api = Router::new().route("/api/data/{id}", get(get_data)).route("/api/process", post(process_data)).with_state(app);
    let api = serve(api).await?;

    let client = Client::new();
    let get = async |id: u32| client.get(format!("{api}/api/data/{id}")).send().await;

    let item: Item = get(1).await?.error_for_status()?.json().await?;
    println!("{item:?}");
    assert_eq!(item.title, "a book");

    for (id, expected, why) in [
        (404, StatusCode::NOT_FOUND, "what is not there is not our failure"),
        (500, StatusCode::BAD_GATEWAY, "the upstream's failure is distinguished from our own"),
        (504, StatusCode::GATEWAY_TIMEOUT, "an upstream that says nothing costs its deadline, no more"),
    ] {
        let answer = get(id).await?;
        println!("{}: {why}", answer.status());
        assert_eq!(answer.status(), expected);
        let text = answer.text().await?;
        assert!(!text.contains("500ms") && !text.contains('`'), "the response must not leak internals: {text}");
    }

    let answer = client.post(format!("{api}/api/process")).json(&["some", "words"]).send().await?;
    assert_eq!(answer.text().await?, blake3::hash(b"some words").to_string());
    Ok(())
}

async fn upstream_item(Path(id): Path<u32>) -> Result<Json<Item>, StatusCode> {
    match id {
        404 => return Err(StatusCode::NOT_FOUND),
        500 => return Err(StatusCode::INTERNAL_SERVER_ERROR),
        504 => sleep(Duration::from_secs(10)).await,
        _ => {}
    }
    Ok(Json(Item { id, title: "a book".to_owned() }))
}

/// Serves `router` on a free loopback port; returns its address.
async fn serve(router: Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}
