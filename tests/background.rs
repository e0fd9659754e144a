//! `spawn_logged`, `drain`, `on_report`: no failure is lost with its caller.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::fmt;
use std::future::{Future, pending, ready};
use std::io;
use std::pin::Pin;
use std::sync::{LazyLock, Mutex, Once};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::poll_immediate;
use steadfast::{Report, ReportKind, drain, drain_all, on_report, shield, spawn_logged};
use tokio::sync::{MutexGuard, oneshot};
use tokio::time::{Instant, sleep};

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

/// `drain_all` and the reports are the whole process's, so that the tests take turns.
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
    assert_eq!(reports_of("nowhere"), [(ReportKind::Abandoned, "was not started: no Tokio runtime".to_owned())]);
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
    assert_eq!(reports_of("cut"), [(ReportKind::Abandoned, "was aborted: its runtime shut down".to_owned())]);
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

/// An error whose text cannot be made.
struct BadDisplay;

impl fmt::Display for BadDisplay {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

/// A value, an error and a future whose destructor panics.
struct PanicsWhenDropped(&'static str);

impl fmt::Display for PanicsWhenDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an error with {}", self.0)
    }
}

impl Future for PanicsWhenDropped {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::panic_any(self.0);
    }
}

#[tokio::test]
async fn an_error_without_a_text_is_reported() {
    let _turn = turn().await;
    spawn_logged("no text", ready(Err::<(), _>(BadDisplay)));
    drain(Duration::from_secs(5)).await;
    assert_eq!(reports_of("no text"), [(ReportKind::Error, "an error whose `Display` fails".to_owned())]);

    #[shield]
    async fn without_text() -> Result<(), BadDisplay> {
        tokio::task::yield_now().await;
        Err(BadDisplay)
    }
    assert!(poll_immediate(without_text()).await.is_none());
    drain(Duration::from_secs(5)).await;
    assert_eq!(reports_of("without_text").len(), 1);
}

#[tokio::test]
async fn a_panic_of_a_destructor_is_reported() {
    let _turn = turn().await;
    spawn_logged("value", ready(Ok::<_, BadDisplay>(PanicsWhenDropped("a value"))));
    spawn_logged("error", ready(Err::<(), _>(PanicsWhenDropped("a fuse"))));
    spawn_logged("future", PanicsWhenDropped("a future"));
    assert_eq!(drain(Duration::from_secs(5)).await.finished, 3);
    assert_eq!(reports_of("value"), [(ReportKind::Panic, "a value".to_owned())]);
    let both = [(ReportKind::Error, "an error with a fuse".to_owned()), (ReportKind::Panic, "a fuse".to_owned())];
    assert_eq!(reports_of("error"), both);
    assert_eq!(reports_of("future"), [(ReportKind::Panic, "a future".to_owned())]);
}

#[tokio::test]
async fn a_panic_of_a_destructor_is_reported_where_the_caller_left_the_value_unread() {
    #[shield]
    async fn unread() -> Option<PanicsWhenDropped> {
        tokio::task::yield_now().await;
        Some(PanicsWhenDropped("unread"))
    }
    let _turn = turn().await;
    let mut call = Box::pin(unread());
    assert!(poll_immediate(&mut call).await.is_none());
    drain(Duration::from_secs(5)).await;
    drop(call);
    assert_eq!(reports_of("unread"), [(ReportKind::Panic, "unread".to_owned())]);
}

#[test]
fn a_call_without_a_runtime_does_not_panic_where_the_future_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let turn = runtime.block_on(turn());
    spawn_logged("nowhere to go", PanicsWhenDropped("a future"));
    let kinds: Vec<_> = reports_of("nowhere to go").into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [ReportKind::Abandoned, ReportKind::Panic]);
    drop(turn);
}

#[test]
fn a_future_that_panics_while_its_runtime_drops_it_is_reported() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let turn = runtime.block_on(turn());
    runtime.block_on(async {
        spawn_logged("cut with a bang", async {
            let _bomb = PanicsWhenDropped("a local");
            pending::<()>().await;
        });
        tokio::task::yield_now().await;
    });
    drop(runtime);
    let kinds: Vec<_> = reports_of("cut with a bang").into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [ReportKind::Panic, ReportKind::Abandoned]);
    drop(turn);
}

/// Another runtime, on which a task runs until the sender is dropped.
fn elsewhere(name: &'static str) -> (tokio::runtime::Runtime, oneshot::Sender<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (end, ended) = oneshot::channel();
    runtime.block_on(async {
        spawn_logged(name, async {
            let _ = ended.await;
        });
    });
    (runtime, end)
}

#[test]
fn drain_is_of_the_current_runtime_and_drain_all_of_the_process() {
    let (other, end) = elsewhere("another runtime's");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let _turn = turn().await;
        let start = Instant::now();
        spawn_logged("this runtime's", sleep(Duration::from_secs(1)));
        let drained = drain(Duration::from_secs(60)).await;
        assert_eq!((drained.finished, drained.is_complete(), start.elapsed().as_secs()), (1, true, 1));
        assert_eq!(drain_all(Duration::from_secs(1)).await.running, ["another runtime's"]);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let _turn = turn().await;
        let all = tokio::spawn(drain_all(Duration::from_secs(60)));
        tokio::task::yield_now().await;
        drop(end);
        let drained = all.await.unwrap();
        assert_eq!((drained.finished, drained.is_complete()), (1, true));
    });
    drop(other);
}

#[test]
fn drain_outside_of_a_runtime_says_so() {
    let payload = std::panic::catch_unwind(|| futures::executor::block_on(drain(Duration::from_secs(1)))).unwrap_err();
    assert!(payload.downcast_ref::<&str>().unwrap().contains("use `drain_all`"));
}

#[tokio::test(start_paused = true)]
async fn a_task_in_the_background_does_not_wait_for_itself() {
    let _turn = turn().await;
    let start = Instant::now();
    let (send, seen) = oneshot::channel();
    spawn_logged("drains", async {
        drop(send.send(drain(Duration::from_secs(60)).await));
    });
    spawn_logged("works", sleep(Duration::from_secs(1)));
    let seen = seen.await.unwrap();
    assert_eq!((seen.finished, seen.running, start.elapsed().as_secs()), (1, vec![], 1));

    // Nor do two of them wait for each other, and whoever is none of them waits for both.
    for _ in 0..2 {
        spawn_logged("drains", async {
            assert!(drain(Duration::from_secs(60)).await.is_complete());
            sleep(Duration::from_secs(1)).await;
        });
    }
    assert_eq!(drain(Duration::from_secs(60)).await.finished, 2);
    assert_eq!(start.elapsed().as_secs(), 3, "the one waits for what the other does when it has drained");
    assert_eq!(reports_of("drains"), []);
}

#[tokio::test]
async fn a_waker_that_panics_keeps_no_other_drain_waiting() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            std::panic::panic_any("in the waker");
        }
    }
    let _turn = turn().await;
    let (end, ended) = oneshot::channel::<()>();
    spawn_logged("waited for", async {
        let _ = ended.await;
    });
    let waker = std::task::Waker::from(std::sync::Arc::new(Panics));
    let mut first = Box::pin(drain(Duration::from_secs(60)));
    assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let second = tokio::spawn(drain(Duration::from_secs(60)));
    tokio::task::yield_now().await;
    drop(end);
    assert!(second.await.unwrap().is_complete());
    assert!(first.await.is_complete());
}
