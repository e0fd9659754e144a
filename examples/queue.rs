//! Producer and consumer: a bounded queue, a fixed worker pool and a clean shutdown.
//!
//! `cargo run --example queue`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steadfast::{SubmitError, WorkerPool, on_report};
use tokio::time::{sleep, timeout};

static REPORTS: AtomicUsize = AtomicUsize::new(0);

async fn process(item: u32) -> Result<(), String> {
    sleep(Duration::from_millis(10)).await;
    match item {
        3 => Err("item 3 is spoilt".to_owned()),
        5 => panic!("a bug that item 5 triggers"),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() {
    on_report(|report| {
        println!("reported: {report}");
        REPORTS.fetch_add(1, Ordering::Relaxed);
    });

    // Two consumers and a queue of four.
    let pool = WorkerPool::named("items", 2, 4, process);

    // The producer waits while the queue is full, so that memory stays bounded.
    let mut most = 0;
    for item in 0..10 {
        pool.submit(item).await.expect("the pool is open");
        most = most.max(pool.queued());
    }
    println!("at most {most} queued");
    assert!(most <= 4);

    // Completes although two jobs failed.
    timeout(Duration::from_secs(5), pool.join()).await.expect("`join` does not hang");
    assert_eq!(REPORTS.load(Ordering::Relaxed), 2, "the error and the panic, once each");

    // Drains the queue for up to a second, and reports the outcome of every job.
    let report = pool.shutdown(Duration::from_secs(1)).await;
    println!("{report:?}");
    assert_eq!((report.done, report.failed, report.panicked), (8, 1, 1));

    // A job that is submitted too late is returned.
    let refused = pool.submit(11).await.unwrap_err();
    assert!(matches!(refused, SubmitError::ShutDown(11)));
}
