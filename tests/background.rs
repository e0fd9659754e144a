//! `spawn_logged`, `drain`, `on_report`: nothing is lost with the caller.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::future::{pending, ready};
use std::io;
use std::sync::{LazyLock, Mutex, Once};
use std::time::Duration;

use steadfast::{Report, ReportKind, drain, on_report, spawn_logged};
use tokio::sync::{MutexGuard, oneshot};
use tokio::time::{Instant, sleep};

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

/// `drain` waits for the whole process, so that its tests take turns.
static TURN: LazyLock<tokio::sync::Mutex<()>> = LazyLock::new(tokio::sync::Mutex::default);

async fn turn() -> MutexGuard<'static, ()> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| on_report(|report| REPORTS.lock().unwrap().push(report.clone())));
    TURN.lock().await
}

fn reports_of(name: &str) -> Vec<(ReportKind, String)> {
    let reports = REPORTS.lock().unwrap();
    reports.iter().filter(|report| report.name() == name).map(|report| (report.kind(), report.message().to_owned())).collect()
}

#[tokio::test]
async fn an_error_is_reported_once_under_its_name() {
    let _turn = turn().await;
    spawn_logged("fails", ready(Err::<(), _>(io::Error::other("disk full"))));
    assert!(drain(Duration::from_secs(5)).await.is_complete());
    assert_eq!(reports_of("fails"), [(ReportKind::Error, "disk full".to_owned())]);
}

#[tokio::test]
async fn a_panic_is_reported_once_with_its_message() {
    let _turn = turn().await;
    spawn_logged("panics", async {
        assert_eq!(1 + 1, 3, "arithmetic");
    });
    drain(Duration::from_secs(5)).await;
    assert_eq!(
        reports_of("panics"),
        [(ReportKind::Panic, "assertion `left == right` failed: arithmetic\n  left: 2\n right: 3".to_owned())]
    );
}

#[tokio::test]
async fn a_success_is_not_reported() {
    let _turn = turn().await;
    spawn_logged("succeeds", ready(Ok::<_, io::Error>(5)));
    spawn_logged("ends", ready(()));
    drain(Duration::from_secs(5)).await;
    assert_eq!(reports_of("succeeds"), []);
    assert_eq!(reports_of("ends"), []);
}

#[test]
fn without_a_runtime_the_future_is_dropped_and_reported() {
    let (dropped, mut was_dropped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    drop(runtime.block_on(turn()));
    spawn_logged("nowhere", async move {
        let _kept = dropped;
        pending::<()>().await;
    });
    assert_eq!(was_dropped.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    assert_eq!(reports_of("nowhere"), [(ReportKind::Abandoned, "did not run: there is no runtime here".to_owned())]);
}

#[test]
fn a_task_that_its_runtime_drops_is_reported() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let turn = runtime.block_on(turn());
    runtime.block_on(async {
        spawn_logged("cut", pending::<()>());
        tokio::task::yield_now().await;
    });
    drop(runtime);
    assert_eq!(reports_of("cut"), [(ReportKind::Abandoned, "did not end: its runtime has shut down".to_owned())]);
    drop(turn);
}

#[test]
fn a_task_that_is_spawned_while_its_runtime_shuts_down_does_not_panic() {
    struct SpawnsWhenDropped;
    impl Drop for SpawnsWhenDropped {
        fn drop(&mut self) {
            spawn_logged("too late", pending::<()>());
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let turn = runtime.block_on(turn());
    runtime.spawn(async {
        let _spawns = SpawnsWhenDropped;
        pending::<()>().await;
    });
    runtime.block_on(async { tokio::spawn(async {}).await.unwrap() });
    drop(runtime);
    assert_eq!(reports_of("too late").len(), 1);
    drop(turn);
}

#[tokio::test(start_paused = true)]
async fn drain_waits_and_says_how_many_ended() {
    let _turn = turn().await;
    for seconds in 1..=3 {
        spawn_logged("sleeper", sleep(Duration::from_secs(seconds)));
    }
    let start = Instant::now();
    let drained = drain(Duration::from_secs(60)).await;
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!((drained.finished, drained.is_complete()), (3, true));
}

#[tokio::test(start_paused = true)]
async fn drain_gives_up_at_its_deadline_and_may_be_called_again() {
    let _turn = turn().await;
    spawn_logged("slow", sleep(Duration::from_secs(10)));
    spawn_logged("slow", sleep(Duration::from_secs(11)));
    spawn_logged("quick", sleep(Duration::from_secs(1)));
    let first = drain(Duration::from_secs(5)).await;
    assert_eq!((first.finished, first.running), (1, vec!["slow", "slow"]));
    let second = drain(Duration::from_secs(60)).await;
    assert_eq!((second.finished, second.running), (2, vec![]));
    assert_eq!(drain(Duration::from_secs(60)).await.finished, 0);
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_what_is_started_while_it_waits() {
    let _turn = turn().await;
    let start = Instant::now();
    spawn_logged("parent", async {
        sleep(Duration::from_secs(1)).await;
        spawn_logged("child", sleep(Duration::from_secs(1)));
    });
    assert_eq!(drain(Duration::from_secs(60)).await.finished, 2);
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[test]
fn drain_with_nothing_to_wait_for_needs_no_timers() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let _turn = turn().await;
        assert!(drain(Duration::MAX).await.is_complete());
    });
}

#[tokio::test]
async fn the_text_of_a_report_names_what_failed() {
    let _turn = turn().await;
    spawn_logged("named", ready(Err::<(), _>("no route")));
    drain(Duration::from_secs(5)).await;
    let reports = REPORTS.lock().unwrap();
    let report = reports.iter().find(|report| report.name() == "named").unwrap();
    assert_eq!(report.to_string(), "`named` failed in the background: no route");
}
