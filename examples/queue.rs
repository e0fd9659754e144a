//! Producer and consumer: a bounded queue that outlives the failure of a job.
//!
//! `cargo run --example queue`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steadfast::{Refused, WorkerPool, on_report};
use tokio::time::{sleep, timeout};

static REPORTS: AtomicUsize = AtomicUsize::new(0);

async fn process(item: u32) -> Result<(), String> {
    sleep(Duration::from_millis(10)).await;
    match item {
        3 => Err("item 3 is spoilt".to_owned()),
        5 => panic!("a bug that item 5 brings to light"),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() {
    on_report(|report| {
        println!("reported: {report}");
        REPORTS.fetch_add(1, Ordering::Relaxed);
    });

    // Two consumers behind a queue with four places.
    let pool = WorkerPool::named("items", 2, 4, process);

    // The producer waits while the queue is full, so that memory stays bounded.
    let mut most = 0;
    for item in 0..10 {
        pool.submit(item).await.expect("the pool is open");
        most = most.max(pool.queued());
    }
    println!("never more than {most} waiting");
    assert!(most <= 4);

    // Ends although two jobs went wrong.
    timeout(Duration::from_secs(5), pool.join()).await.expect("`join` does not hang");
    assert_eq!(REPORTS.load(Ordering::Relaxed), 2, "the error and the panic, once each");

    // Lets the queue run empty for up to a second; tells what became of every job.
    let report = pool.shutdown(Duration::from_secs(1)).await;
    println!("{report:?}");
    assert_eq!((report.done, report.failed, report.panicked), (8, 1, 1));

    // A late job comes back to its owner.
    let refused = pool.submit(11).await.unwrap_err();
    assert!(matches!(refused, Refused::ShutDown(11)));
}
