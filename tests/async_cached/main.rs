//! `#[async_cached]`: keys, flights, freshness, handles.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::future::{join_all, poll_immediate};
use futures::{FutureExt, join, pin_mut};
use steadfast::{Cache, async_cached, offload_blocking};
use tokio::sync::Semaphore;
use tokio::time::{advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Counts the runs of a body.
struct Runs(AtomicUsize);

impl Runs {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn add(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }

    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

mod background;
mod bounds;
mod counts;
mod evaluation;
mod flights;
mod freshness;
mod histories;
mod instances;
mod invalidation;
mod keys;
mod loading;
mod model;
mod recursion;
mod stacked;
mod staleness;
mod tags;
mod times;
mod user_code;
mod weights;

#[tokio::test]
async fn over_a_blocking_function() {
    static THREADS: std::sync::Mutex<Vec<std::thread::ThreadId>> = std::sync::Mutex::new(Vec::new());
    #[async_cached]
    #[offload_blocking]
    fn digest(text: String) -> usize {
        THREADS.lock().unwrap().push(std::thread::current().id());
        text.len()
    }
    assert_eq!((digest("abc".to_owned()).await, digest("abc".to_owned()).await), (3, 3));
    let threads: HashSet<_> = THREADS.lock().unwrap().iter().copied().collect();
    assert_eq!(threads.len(), 1);
    assert!(!threads.contains(&std::thread::current().id()));
}

#[tokio::test]
async fn peeking_changes_no_stats() {
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        id
    }
    load(1).await;
    let before = loads().stats();
    assert_eq!((loads().get(&1), loads().get(&2), loads().contains(&1)), (Some(1), None, true));
    assert_eq!(loads().stats(), before);
}
