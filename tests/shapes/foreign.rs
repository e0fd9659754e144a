//! Attributes of other crates, above and below.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use steadfast::{async_cached, retry, timeout};
use tower::ServiceExt;
use tracing::instrument;

use crate::support::{Failure, Reply, tick};

shape! {
    traced:
    [instrument, timeout(1s)] [timeout(1s), instrument]
    [instrument(skip_all, fields(n)), retry] [retry, instrument(skip_all, fields(n))]
    [instrument(err), async_cached] [async_cached, instrument(err)]
    [instrument(ret, err, level = "debug"), async_cached, timeout(1s), retry]
    [async_cached, timeout(1s), retry, instrument(ret, err, level = "debug")]
    [async_cached, instrument, timeout(1s), retry]
    for {
        async fn fetch(n: u32, text: &str) -> Reply<String> {
            tick().await;
            if n == 0 { Err(Failure::Busy(n)) } else { Ok(format!("{n}{text}")) }
        }
    } => { (fetch(0, "a").await, fetch(1, "b").await) }
}

shape! {
    traced_method:
    [instrument(skip(self)), timeout(1s)] [timeout(1s), instrument(skip(self))]
    [instrument(skip(self)), async_cached(skip(self)), retry] [async_cached(skip(self)), retry, instrument(skip(self))]
    for { struct Db(u32); } in [impl Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}

shape! {
    traced_async_trait:
    [instrument(skip(self)), timeout(1s)] [timeout(1s), instrument(skip(self))]
    [instrument(skip(self)), async_cached(skip(self)), retry(clone(text))] [async_cached(skip(self)), retry, instrument(skip(self))]
    for {
        #[async_trait]
        trait Source { async fn get(&self, n: u32, text: String) -> Reply<String>; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, n: u32, text: String) -> Reply<String> {
            tick().await;
            Ok(format!("{}{n}{text}", self.0))
        }
    } => { Db(1).get(4, "x".to_owned()).await }
}

/// Above `#[tokio::test]`, the function is still async.
#[timeout(1s)]
#[retry]
#[tokio::test(start_paused = true)]
async fn above_tokio_test() -> Reply<()> {
    tick().await;
    Ok(())
}

/// The attribute of the runtime may be that of a whole program as well.
#[test]
fn above_tokio_main() {
    #[timeout(1s, or_else = |_| 0)]
    #[tokio::main(flavor = "current_thread", start_paused = true)]
    async fn main() -> u32 {
        tick().await;
        4
    }
    assert_eq!(main(), 4);
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
    mock.expect_rate().times(1).returning(|_| Err(Failure::Busy(1)));
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
    tick().await;
    Ok((n + step).to_string())
}

#[async_cached(skip(step))]
#[timeout(1s)]
#[axum::debug_handler]
async fn handler_above(State(step): State<u32>, Path(n): Path<u32>) -> Result<String, Refused> {
    if n == 0 {
        std::future::pending::<()>().await;
    }
    tick().await;
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
