//! Error handling: keep error types precise, clean up after every failure, recover only where recovery is possible.
//!
//! `cargo run --example error_handling`

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use steadfast::{on_report, retry, timeout, with_resource};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, thiserror::Error)]
enum PriceError {
    #[error("the price service cannot be reached")]
    Unreachable(#[from] io::Error),
    #[error("the price service returned `{0}`")]
    Malformed(String),
    #[error(transparent)]
    Deadline(#[from] steadfast::Error),
}

impl PriceError {
    /// Whether another attempt can succeed. A malformed response would be the same a second time.
    fn is_transient(&self) -> bool {
        !matches!(self, Self::Malformed(_))
    }
}

/// `Ok(None)` is a valid response: there is no such article. Everything else that is not a price is an `Err` of its own.
#[retry(attempts = 2, delay = 10ms, when = PriceError::is_transient)]
#[timeout(500ms)]
async fn price(service: SocketAddr, article: &str) -> Result<Option<u32>, PriceError> {
    with_resource(
        async { Ok(BufReader::new(TcpStream::connect(service).await?)) },
        async |connection| {
            connection.write_all(format!("{article}\n").as_bytes()).await?;
            let mut answer = String::new();
            connection.read_line(&mut answer).await?;
            match answer.trim_end() {
                "none" => Ok(None),
                answer => answer.parse().map(Some).map_err(|_| PriceError::Malformed(answer.to_owned())),
            }
        },
        // The `finally`: it runs in every case, and its own error does not replace the first.
        async |mut connection, _| connection.write_all(b"bye\n").await.map_err(PriceError::from),
    )
    .await
}

/// A fallback is the caller's decision, for specific errors.
async fn price_or_last_known(service: SocketAddr, article: &str, last_known: u32) -> Result<Option<u32>, PriceError> {
    match price(service, article).await {
        Err(error) if error.is_transient() => {
            println!("{article}: {error}; using the last known price");
            Ok(Some(last_known))
        }
        answer => answer,
    }
}

static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Receives failures that no caller is left to handle.
    on_report(|report| REPORTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(report.to_string()));
    let service = start_service().await?;

    assert_eq!(price(service, "book").await?, Some(12));
    assert_eq!(price(service, "unicorn").await?, None);

    let error = price(service, "riddle").await.unwrap_err();
    println!("malformed: {error}");
    assert!(matches!(&error, PriceError::Malformed(answer) if answer == "what?"));

    let error = price(service, "silence").await.unwrap_err();
    println!("no response: {error}");
    assert!(matches!(&error, PriceError::Deadline(error) if error.is_timeout()));

    let unused = TcpListener::bind("127.0.0.1:0").await?.local_addr()?; // closed again
    let error = price(unused, "book").await.unwrap_err();
    println!("unreachable: {error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default());
    assert!(matches!(&error, PriceError::Unreachable(cause) if cause.kind() == io::ErrorKind::ConnectionRefused));

    assert_eq!(price_or_last_known(unused, "book", 11).await?, Some(11));
    assert!(price_or_last_known(service, "riddle", 11).await.is_err(), "a bug is not papered over");

    assert!(REPORTS.lock().is_ok_and(|reports| reports.is_empty()), "{REPORTS:?}");
    Ok(())
}

async fn start_service() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            steadfast::spawn_logged("price service", answer(stream));
        }
    });
    Ok(address)
}

async fn answer(stream: TcpStream) -> io::Result<()> {
    let (articles, mut answers) = stream.into_split();
    let mut articles = BufReader::new(articles).lines();
    while let Some(article) = articles.next_line().await? {
        let answer: &[u8] = match article.as_str() {
            "book" => b"12\n",
            "riddle" => b"what?\n",
            "silence" => continue,
            "bye" => break,
            _ => b"none\n",
        };
        answers.write_all(answer).await?;
    }
    Ok(())
}
