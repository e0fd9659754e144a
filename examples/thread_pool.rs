//! Blocking work in async code: a computation on the thread pool, while the event loop keeps running.
//!
//! `cargo run --example thread_pool`

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use steadfast::{offload, offload_blocking, try_gather};
use tokio::time::interval;

static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Written as a blocking function, called as an async one. At most two run at a time: more would only compete for processors.
#[offload_blocking(limit = 2)]
fn cpu_intensive_task(rounds: u64) -> u64 {
    MOST.fetch_max(RUNNING.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    let start = Instant::now();
    let mut hash = blake3::Hasher::new();
    while start.elapsed() < Duration::from_millis(40) {
        hash.update(&rounds.to_le_bytes());
    }
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    (0..rounds).map(|i| i * i).sum()
}

/// Blocking I/O works the same way, errors included.
#[offload_blocking]
fn size(path: PathBuf) -> io::Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}

#[tokio::main(flavor = "current_thread")] // one thread: blocking it stops everything
async fn main() -> io::Result<()> {
    // A heartbeat, to see whether the event loop is alive.
    let beats = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&beats);
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });

    let start = Instant::now();
    let sums = try_gather((0..6).map(async |n| Ok::<_, io::Error>(cpu_intensive_task(1_000 + n).await))).await?;
    let beats = beats.load(Ordering::Relaxed);
    println!(
        "{} computations in {:?}, {} at once, {beats} heartbeats meanwhile",
        sums.len(),
        start.elapsed(),
        MOST.load(Ordering::Relaxed)
    );
    assert_eq!(sums[0], (0..1_000).map(|i| i * i).sum());
    assert_eq!(MOST.load(Ordering::Relaxed), 2);
    assert!(beats > 5, "the event loop was blocked");

    let size = size("Cargo.toml".into()).await?;
    println!("Cargo.toml has {size} bytes");
    assert!(size > 0);

    // A closure instead of a function.
    let path = PathBuf::from("Cargo.toml");
    let text = offload(move || std::fs::read_to_string(path)).await?;
    assert_eq!(u64::try_from(text.len()), Ok(size));

    // A panic on the pool propagates to the caller, as from any function.
    let panicked = tokio::spawn(offload(|| -> u32 { panic!("a bug in the computation") })).await;
    assert!(panicked.unwrap_err().is_panic());
    Ok(())
}
