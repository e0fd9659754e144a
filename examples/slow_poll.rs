//! Blocking the event loop: detection at runtime.
//!
//! `cargo run --example slow_poll`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use steadfast::{ReportKind, Watchdog, offload, on_report};

static BARKS: AtomicUsize = AtomicUsize::new(0);

const LONG: Duration = Duration::from_secs(1);

/// Blocks a worker thread, so that no other task runs on it. Clippy finds it too: see the lint block in the README.
async fn bad_example() -> &'static str {
    tokio::task::yield_now().await;
    thread::sleep(LONG);
    "done"
}

/// Waits without blocking a thread.
async fn good_example() -> &'static str {
    tokio::time::sleep(LONG).await;
    "done"
}

/// Blocks a thread of the blocking pool.
async fn good_blocking() -> &'static str {
    offload(|| thread::sleep(LONG)).await;
    "done"
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), tokio::task::JoinError> {
    on_report(|report| {
        println!("{report}");
        if report.kind() == ReportKind::Blocked {
            BARKS.fetch_add(1, Ordering::Relaxed);
        }
    });
    let _watchdog = Watchdog::builder().threshold(LONG / 4).start();

    // On workers of the runtime, as the tasks of a server are.
    tokio::try_join!(tokio::spawn(good_example()), tokio::spawn(good_blocking()))?;
    println!("no blocked worker so far");
    assert_eq!(BARKS.load(Ordering::Relaxed), 0);

    tokio::spawn(bad_example()).await?;
    assert_eq!(BARKS.load(Ordering::Relaxed), 1);
    Ok(())
}
