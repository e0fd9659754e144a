//! `Watchdog`: reports a blocked worker once, and nothing else. It reads the real clock, and so do these tests.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use steadfast::{Report, ReportKind, Watchdog, on_report};
use tokio::runtime::{Builder, Runtime};

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

/// All reports carry the same name: the tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static ONCE: Once = Once::new();
    ONCE.call_once(|| on_report(|report| REPORTS.lock().unwrap().push(report.clone())));
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    REPORTS.lock().unwrap().clear();
    turn
}

fn reports() -> Vec<Report> {
    REPORTS.lock().unwrap().clone()
}

fn wait_for_reports(count: usize) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while reports().len() < count && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    reports().len() == count
}

/// Long enough for a machine that is busy with other things.
const THRESHOLD: Duration = Duration::from_millis(100);

fn two_workers() -> (Runtime, Watchdog) {
    two_workers_within(THRESHOLD)
}

fn two_workers_within(threshold: Duration) -> (Runtime, Watchdog) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let watchdog = Watchdog::builder().threshold(threshold).runtime(runtime.handle()).start();
    (runtime, watchdog)
}

#[test]
fn one_blocked_worker_of_two_is_reported_once() {
    let _turn = turn();
    let (runtime, watchdog) = two_workers();
    runtime.block_on(runtime.spawn(async { thread::sleep(8 * THRESHOLD) })).unwrap();
    assert!(wait_for_reports(1), "{:?}", reports());
    drop(watchdog);
    let report = reports().remove(0);
    assert_eq!((report.name(), report.kind()), ("Watchdog", ReportKind::Blocked));
    let text = report.to_string();
    assert!(text.starts_with("`Watchdog` sees worker ") && text.contains(" of 2 blocked by a task for 100ms"), "{text}");
}

#[test]
fn each_block_is_reported() {
    let _turn = turn();
    let (runtime, _watchdog) = two_workers();
    for block in 1..=2 {
        runtime.block_on(runtime.spawn(async { thread::sleep(4 * THRESHOLD) })).unwrap();
        assert!(wait_for_reports(block), "{:?}", reports());
        thread::sleep(THRESHOLD);
    }
}

#[test]
fn a_blocked_current_thread_runtime_is_reported_once() {
    let _turn = turn();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let watchdog = Watchdog::builder().threshold(THRESHOLD).start();
        tokio::time::sleep(THRESHOLD).await;
        assert_eq!(reports(), []);
        thread::sleep(4 * THRESHOLD);
        tokio::time::sleep(THRESHOLD).await;
        drop(watchdog);
    });
    assert_eq!(reports().len(), 1);
    let text = reports()[0].to_string();
    assert!(text.starts_with("`Watchdog` sees worker 1 of 1 blocked by a task, or overloaded, for 100ms"), "{text}");
}

#[test]
fn idle_and_busy_runtimes_are_not_reported() {
    let _turn = turn();
    // Two workers that compute share the machine with all else that runs on it.
    let threshold = 4 * THRESHOLD;
    let (runtime, watchdog) = two_workers_within(threshold);
    runtime.block_on(async { tokio::time::sleep(2 * threshold).await });
    let busy = (0..4).map(|_| async move {
        let end = Instant::now() + 2 * threshold;
        while Instant::now() < end {
            tokio::task::yield_now().await;
        }
    });
    runtime.block_on(steadfast::gather(busy));
    drop(watchdog);
    assert_eq!(reports(), []);
}

/// Polls of 9 ms, one after another, with no sleep of the worker between them. Tokio's metrics change once in 61 of them.
async fn short_polls(end: Instant) {
    std::future::poll_fn(|cx| {
        thread::sleep(Duration::from_millis(9));
        // Not tokio's yield, which waits for the other tasks of a round.
        cx.waker().wake_by_ref();
        if Instant::now() < end { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

#[test]
fn many_short_polls_are_no_block() {
    let _turn = turn();
    // Side by side: the polls sleep, and leave the machine to each other.
    thread::scope(|scope| {
        for workers in [0, 2] {
            scope.spawn(move || watch_short_polls(workers));
        }
    });
    assert_eq!(reports(), []);
}

fn watch_short_polls(workers: usize) {
    let runtime = match workers {
        0 => Builder::new_current_thread().enable_all().build().unwrap(),
        workers => Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap(),
    };
    // A round and more, in which tokio finds out how long the polls are.
    let watched_from = Instant::now() + Duration::from_secs(1);
    let end = watched_from + Duration::from_millis(1_400);
    let polls = runtime.spawn(async move { steadfast::gather((0..6).map(|_| tokio::spawn(short_polls(end)))).await });
    let handle = runtime.handle().clone();
    let watch = thread::spawn(move || {
        thread::sleep(watched_from.saturating_duration_since(Instant::now()));
        let watchdog = Watchdog::builder().runtime(&handle).start();
        thread::sleep(end.saturating_duration_since(Instant::now()));
        drop(watchdog);
    });
    drop(runtime.block_on(polls).unwrap());
    watch.join().unwrap();
}

#[test]
fn a_runtime_that_has_shut_down_is_not_reported() {
    let _turn = turn();
    let (runtime, _watchdog) = two_workers();
    drop(runtime);
    thread::sleep(4 * THRESHOLD);
    assert_eq!(reports(), []);
}

#[test]
fn a_watchdog_that_was_dropped_does_not_report() {
    let _turn = turn();
    let (runtime, watchdog) = two_workers();
    drop(watchdog);
    runtime.block_on(runtime.spawn(async { thread::sleep(4 * THRESHOLD) })).unwrap();
    assert_eq!(reports(), []);
}

#[test]
#[should_panic(expected = "must be greater than zero")]
fn a_threshold_of_zero_panics() {
    let _never = Watchdog::builder().threshold(Duration::ZERO).start();
}
