//! Iterators and generators: rows from pages that are fetched on demand.
//!
//! `cargo run --example generator`

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_stream::try_stream;
use futures::{Stream, StreamExt, TryStreamExt};
use steadfast::{retry, timeout};
use tokio::time::sleep;

/// A source that returns its rows page by page, and is not always available.
#[derive(Default)]
struct Source {
    requests: AtomicUsize,
}

#[derive(Debug, thiserror::Error)]
enum SourceError {
    #[error("the source is busy")]
    Busy,
    #[error(transparent)]
    Deadline(#[from] steadfast::Error),
}

impl Source {
    const PAGES: u32 = 5;
    const PAGE: u32 = 20;

    /// The attributes are on the function that fetches a page: a function that yields cannot have any.
    #[retry(attempts = 3, delay = 5ms)]
    #[timeout(200ms)]
    async fn fetch_page(&self, page: u32) -> Result<Vec<u32>, SourceError> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(2)).await;
        if request % 4 == 1 {
            return Err(SourceError::Busy);
        }
        let first = page * Self::PAGE;
        Ok(if page < Self::PAGES { (first..first + Self::PAGE).collect() } else { vec![] })
    }

    /// The generator: `yield` as in Python; `?` ends it with the error.
    fn rows(&self) -> impl Stream<Item = Result<u32, SourceError>> {
        try_stream! {
            let mut page = 0;
            loop {
                let rows = self.fetch_page(page).await?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    yield row;
                }
                page += 1;
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), SourceError> {
    let source = Source::default();

    // `async for row in source.rows(): ...`
    let mut rows = pin!(source.rows());
    let mut sum = 0;
    while let Some(row) = rows.try_next().await? {
        sum += row;
    }
    println!("100 rows, sum {sum}, in {} requests", source.requests.load(Ordering::Relaxed));
    assert_eq!(sum, (0..100).sum());
    assert!(source.requests.load(Ordering::Relaxed) > 6, "some were retried");

    // Combinators, as on iterators. Stopping early fetches no further page.
    let source = Source::default();
    let first: Vec<u32> = source.rows().try_filter(|row| std::future::ready(row % 7 == 0)).take(3).try_collect().await?;
    println!("the first multiples of 7 are {first:?}, in {} request", source.requests.load(Ordering::Relaxed));
    assert_eq!(first, [0, 7, 14]);
    assert_eq!(source.requests.load(Ordering::Relaxed), 1);
    Ok(())
}
