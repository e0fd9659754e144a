//! The attributes together with mockall and axum: above and below their attributes, and as handlers of clients that disconnect.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use steadfast::{async_cached, retry, shield, timeout};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use tokio::time::sleep;
use tower::ServiceExt;

type Reply<T> = Result<T, Failure>;

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Policy(steadfast::Error),
    Busy,
}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error)
    }
}

/// A trait whose mock is made from the bare declarations, and implementations under attributes.
#[mockall::automock]
#[async_trait]
trait Upstream: Send + Sync {
    async fn rate(&self, currency: String) -> Reply<u32>;
}

struct Cached<U>(U);

#[async_trait]
impl<U: Upstream> Upstream for Cached<U> {
    #[async_cached(skip(self))]
    #[timeout(1s)]
    #[retry(clone(currency))]
    async fn rate(&self, currency: String) -> Reply<u32> {
        self.0.rate(currency).await
    }
}

#[tokio::test(start_paused = true)]
async fn around_a_mocked_trait() {
    let mut mock = MockUpstream::new();
    mock.expect_rate().times(1).returning(|_| Err(Failure::Busy));
    mock.expect_rate().times(1).returning(|currency| Ok(u32::try_from(currency.len()).unwrap()));
    let cached = Cached(mock);
    assert_eq!(cached.rate("EUR".to_owned()).await, Ok(3), "the second attempt");
    assert_eq!(cached.rate("EUR".to_owned()).await, Ok(3), "kept: the mock allows no third");
}

/// The error of a web application.
#[derive(Debug, Clone)]
struct Refused(StatusCode);

impl From<steadfast::Error> for Refused {
    fn from(error: steadfast::Error) -> Self {
        Self(if error.is_timeout() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::INTERNAL_SERVER_ERROR })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

#[axum::debug_handler]
#[timeout(1s)]
#[retry(attempts = 2)]
async fn handler_below(State(step): State<u32>, Path(n): Path<u32>) -> Result<String, Refused> {
    if n == 0 {
        std::future::pending::<()>().await;
    }
    yield_now().await;
    Ok((n + step).to_string())
}

#[async_cached(skip(step))]
#[timeout(1s)]
#[axum::debug_handler]
async fn handler_above(State(step): State<u32>, Path(n): Path<u32>) -> Result<String, Refused> {
    if n == 0 {
        std::future::pending::<()>().await;
    }
    yield_now().await;
    Ok((n + step).to_string())
}

#[tokio::test(start_paused = true)]
async fn web_handlers() {
    let router = Router::new().route("/below/{n}", get(handler_below)).route("/above/{n}", get(handler_above)).with_state(1);
    for path in ["below", "above"] {
        let ask = |n: u32| {
            let request = Request::builder().uri(format!("/{path}/{n}")).body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        };
        let found = ask(4).await.unwrap();
        let text = axum::body::to_bytes(found.into_body(), 100).await.unwrap();
        assert_eq!(&text[..], b"5");
        assert_eq!(ask(0).await.unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
    }
}

/// What happened to a request.
#[derive(Default)]
struct Requests {
    started: AtomicUsize,
    finished: AtomicUsize,
}

async fn work(requests: &Requests) {
    requests.started.fetch_add(1, SeqCst);
    sleep(Duration::from_millis(200)).await;
    requests.finished.fetch_add(1, SeqCst);
}

#[shield]
async fn shielded(requests: Arc<Requests>) -> &'static str {
    work(&requests).await;
    "done"
}

async fn bare(requests: Arc<Requests>) -> &'static str {
    work(&requests).await;
    "done"
}

#[tokio::test]
async fn over_a_client_that_hangs_up_the_shielded_handler_finishes_and_the_other_is_dropped() {
    let (kept, lost) = (Arc::new(Requests::default()), Arc::new(Requests::default()));
    let router = Router::new()
        .route(
            "/shielded",
            get({
                let kept = Arc::clone(&kept);
                move || shielded(kept)
            }),
        )
        .route(
            "/bare",
            get({
                let lost = Arc::clone(&lost);
                move || bare(lost)
            }),
        );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    for (path, requests) in [("/shielded", &kept), ("/bare", &lost)] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        while requests.started.load(SeqCst) == 0 {
            yield_now().await;
        }
        drop(client);
    }
    while kept.finished.load(SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    sleep(Duration::from_millis(300)).await;
    assert_eq!((kept.finished.load(SeqCst), lost.finished.load(SeqCst)), (1, 0));
    server.abort();
}
