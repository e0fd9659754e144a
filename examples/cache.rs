//! Caching: one computation per key for any number of callers, in bounded memory.
//!
//! `cargo run --example cache`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use steadfast::{async_cached, gather};
use tokio::time::sleep;

static COMPUTED: AtomicUsize = AtomicUsize::new(0);

#[async_cached(ttl = 60s, capacity = 100, handle = computations)]
async fn expensive_computation(x: u64, y: u64) -> u64 {
    COMPUTED.fetch_add(1, Ordering::Relaxed);
    sleep(Duration::from_millis(50)).await;
    x * y
}

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Errors are not cached (`error_ttl = 1s` would cache them). The connection is not part of the key.
#[async_cached(ttl = 60s, skip(connection))]
async fn user_name(connection: &Connection, id: u32) -> Result<String, String> {
    connection.query(id).await
}

struct Connection;

impl Connection {
    async fn query(&self, id: u32) -> Result<String, String> {
        sleep(Duration::from_millis(1)).await;
        match ASKED.fetch_add(1, Ordering::Relaxed) {
            0 => Err("the database is starting".to_owned()),
            _ => Ok(format!("user {id}")),
        }
    }
}

#[tokio::main]
async fn main() {
    // A hundred concurrent callers: one computes, the others wait for it.
    let products = gather((0..100).map(|_| expensive_computation(6, 7))).await;
    assert!(products.iter().all(|&product| product == 42));
    println!("100 callers, {} computation", COMPUTED.load(Ordering::Relaxed));
    assert_eq!(COMPUTED.load(Ordering::Relaxed), 1);

    let start = Instant::now();
    assert_eq!(expensive_computation(6, 7).await, 42);
    println!("a hit takes {:?}", start.elapsed());
    assert_eq!(COMPUTED.load(Ordering::Relaxed), 1);

    // Keys are the arguments themselves, not a hash of them, so different calls never share an entry.
    assert_eq!(expensive_computation(7, 6).await, 42);
    assert_eq!(COMPUTED.load(Ordering::Relaxed), 2);

    // Invalidate what has changed.
    computations().invalidate(&(6, 7));
    expensive_computation(6, 7).await;
    assert_eq!(COMPUTED.load(Ordering::Relaxed), 3);

    // After a thousand keys there are still at most a hundred entries.
    gather((0..1_000).map(|n| expensive_computation(n, n))).await;
    let stats = computations().stats();
    println!(
        "{} entries; {} hits, {} loads, {} callers that waited for another's",
        computations().len(),
        stats.hits,
        stats.loads,
        stats.coalesced
    );
    assert!(computations().len() <= 100);
    assert_eq!(stats.hits + stats.misses, 100 + 1 + 1 + 1 + 1_000);

    // An error is returned to the current callers, and not cached for later ones.
    assert!(user_name(&Connection, 7).await.is_err());
    assert_eq!(user_name(&Connection, 7).await.as_deref(), Ok("user 7"));
    assert_eq!(user_name(&Connection, 7).await.as_deref(), Ok("user 7"));
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
}
