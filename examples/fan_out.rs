//! Running many futures concurrently without losing errors.
//!
//! `cargo run --example fan_out`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use steadfast::{gather, try_gather, try_gather_local};
use tokio::time::sleep;

/// The number of items being processed, now and at most.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Running;

impl Running {
    fn start() -> Self {
        let now = RUNNING.fetch_add(1, Ordering::Relaxed) + 1;
        MOST.fetch_max(now, Ordering::Relaxed);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn process_item(item: u32) -> Result<String, String> {
    let _running = Running::start();
    sleep(Duration::from_millis(50)).await; // a request
    if item == 13 { Err(format!("item {item} is unlucky")) } else { Ok(format!("Processed {item}")) }
}

#[tokio::main]
async fn main() -> Result<(), String> {
    // All or nothing. The results are in the order of the items, however the tasks finish.
    let start = Instant::now();
    let results = try_gather((1..=5).map(process_item)).await?;
    println!("{results:?} after {:?}", start.elapsed());
    assert_eq!(results.first().map(String::as_str), Some("Processed 1"));
    assert_eq!(results.len(), 5);
    assert_eq!(MOST.load(Ordering::Relaxed), 5, "all at once");

    // No more than three at once, so that a thousand items do not become a thousand connections.
    MOST.store(0, Ordering::Relaxed);
    try_gather((1..=12).map(process_item)).limit(3).await?;
    println!("12 items, {} at once", MOST.load(Ordering::Relaxed));
    assert_eq!(MOST.load(Ordering::Relaxed), 3);

    // The first error is returned once the other tasks have been stopped.
    let error = try_gather((10..).map(process_item)).limit(4).await.unwrap_err();
    println!("the first error: {error}");
    assert_eq!(error, "item 13 is unlucky");
    assert_eq!(RUNNING.load(Ordering::Relaxed), 0);

    // Every outcome, errors included.
    let outcomes = gather((12..=14).map(process_item)).await;
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        println!("failed: {error}");
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    assert!(outcomes[1].is_err());

    // Futures that borrow stay within this task.
    let names = ["Ada".to_owned(), "Grace".to_owned()];
    let lengths = try_gather_local(names.iter().map(async |name| Ok::<_, String>(name.len()))).await?;
    assert_eq!(lengths, [3, 5]);
    Ok(())
}
