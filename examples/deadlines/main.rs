//! Deadline propagation across services: each sends its remaining time to the next, and rejections carry `Retry-After`.
//!
//! A client calls a shop, and the shop calls a warehouse. The client's remaining time is passed along in the header `grpc-timeout`, so that no
//! service works for a caller that has given up. A warehouse whose rate limit is reached rejects the request at once, with the header
//! `Retry-After`; the shop waits that long and retries, if its own caller has the time.
//!
//! `cargo run --example deadlines`

mod error;
mod grpc_timeout;
mod retry_after;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::routing::get;
use reqwest::Client;
use steadfast::{rate_limit, retry, timeout};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::sleep;

use error::ApiError;
use grpc_timeout::Patience;

const SECOND: Duration = Duration::from_secs(1);

/// The shop: what it calls, and with what.
struct Shop {
    http: Client,
    warehouse: String,
}

impl Shop {
    /// All attempts together take no longer than the caller waits. No attempt or backoff starts that could not end in time.
    #[timeout(patience)]
    #[retry(attempts = 3, when = ApiError::is_busy, retry_after = ApiError::retry_after)]
    async fn ask(&self, path: &str, patience: Duration) -> Result<String, ApiError> {
        let mut request = self.http.get(format!("{}/{path}", self.warehouse));
        if let Some(left) = steadfast::remaining() {
            request = request.header(grpc_timeout::NAME, grpc_timeout::format(left));
        }
        let answer = request.send().await?;
        match ApiError::of(&answer) {
            Some(error) => Err(error),
            None => Ok(answer.error_for_status()?.text().await?),
        }
    }
}

async fn stock(State(shop): State<Arc<Shop>>, Patience(patience): Patience) -> Result<String, ApiError> {
    shop.ask("stock", patience).await
}

async fn inventory(State(shop): State<Arc<Shop>>, Patience(patience): Patience) -> Result<String, ApiError> {
    shop.ask("inventory", patience).await
}

/// The warehouse: fast, with a low rate limit.
#[rate_limit(1 / 1s)]
async fn count() -> Result<String, ApiError> {
    Ok("7 pieces".to_owned())
}

/// How long the caller of the warehouse waits, and how long the warehouse worked.
#[derive(Debug)]
struct Work {
    patience: Duration,
    worked: Duration,
}

/// More work than any caller waits for. The future is dropped at the deadline, and `worked` with it.
#[timeout(patience)]
async fn count_everything(patience: Duration, done: Sender<Work>) -> Result<String, ApiError> {
    let _worked = Worked { began: Instant::now(), patience, done };
    sleep(60 * SECOND).await;
    Ok("all of it".to_owned())
}

struct Worked {
    began: Instant,
    patience: Duration,
    done: Sender<Work>,
}

impl Drop for Worked {
    fn drop(&mut self) {
        let work = Work { patience: self.patience, worked: self.began.elapsed() };
        self.done.try_send(work).expect("there is room for one");
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    headers();

    let (done, mut work) = channel(1);
    let everything = move |Patience(patience)| count_everything(patience, done.clone());
    let warehouse = serve(Router::new().route("/stock", get(count)).route("/inventory", get(everything))).await?;
    let shop = Arc::new(Shop { http: Client::new(), warehouse });
    let shop = serve(Router::new().route("/stock", get(stock)).route("/inventory", get(inventory)).with_state(shop)).await?;
    let client = Client::new();
    let ask = async |path: &str, patience: Duration| {
        client.get(format!("{shop}/{path}")).header(grpc_timeout::NAME, grpc_timeout::format(patience)).send().await
    };

    println!("deadline propagation");
    let patience = Duration::from_millis(300);
    let answer = ask("inventory", patience).await?;
    let work = work.recv().await.expect("the warehouse reports its work");
    println!(
        "  {} after {patience:?}; the warehouse received {:?} and stopped after {:.0?}",
        answer.status(),
        work.patience,
        work.worked
    );
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(work.patience <= patience, "never more than there was");
    assert!(work.worked < 30 * SECOND, "no work continues for a caller that has given up");

    println!("rejections carry Retry-After");
    assert_eq!(ask("stock", 10 * SECOND).await?.status(), StatusCode::OK);
    let hurried = ask("stock", patience).await?;
    println!("  {} for a caller without time to wait: Retry-After: {:?}", hurried.status(), hurried.headers()[RETRY_AFTER]);
    assert_eq!((hurried.status(), &hurried.headers()[RETRY_AFTER]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse()?));
    assert_eq!(hurried.text().await?, "Service Unavailable", "the response must not leak internals");
    let began = Instant::now();
    let patient = ask("stock", 10 * SECOND).await?;
    println!("  {} after {:.1?} for a caller with time", patient.status(), began.elapsed());
    assert_eq!(patient.status(), StatusCode::OK);
    assert!(began.elapsed() >= SECOND, "the shop has waited as long as the warehouse asked");

    let answer = client.get(format!("{shop}/stock")).header(grpc_timeout::NAME, "soon").send().await?;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    Ok(())
}

/// How both headers are written and read.
fn headers() {
    let durations = [
        (Duration::ZERO, "0n"),
        (Duration::from_nanos(1), "1n"),
        (Duration::from_nanos(99_999_999), "99999999n"),
        (Duration::from_nanos(100_000_999), "100000u"),
        (Duration::from_secs(2), "2000000u"),
        (Duration::from_millis(99_999_999), "99999999m"),
        (Duration::from_millis(100_000_999), "100000S"),
        (Duration::from_secs(365 * 24 * 60 * 60), "31536000S"),
        (Duration::MAX, "99999999H"),
    ];
    for (duration, text) in durations {
        assert_eq!(grpc_timeout::format(duration), text);
        let read = grpc_timeout::parse(text).expect("what was written can be read");
        assert!(read <= duration, "{text} is rounded down");
    }
    assert_eq!(grpc_timeout::parse("90M"), Some(Duration::from_secs(5_400)));
    for wrong in ["", "5", "S", "5s", "-5S", "+5S", "5 S", "1.5S", "123456789n", "5µ"] {
        assert_eq!(grpc_timeout::parse(wrong), None, "`{wrong}`");
    }

    let now = SystemTime::UNIX_EPOCH + 1_000 * SECOND;
    assert_eq!(retry_after::format(Duration::from_millis(1_001)), "2");
    assert_eq!(retry_after::parse("120", now), Some(120 * SECOND));
    assert_eq!(retry_after::parse("Thu, 01 Jan 1970 00:17:00 GMT", now), Some(20 * SECOND));
    assert_eq!(retry_after::parse("Thu, 01 Jan 1970 00:00:00 GMT", now), Some(Duration::ZERO));
    assert_eq!(retry_after::parse("soon", now), None);
}

/// Serves `router` on a free loopback port; returns its address.
async fn serve(router: Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}
