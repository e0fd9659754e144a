//! `with_resource`: releases exactly once, however the body ends, and passes on how it ended.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::any::type_name;
use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, Once};
use std::time::Duration;

use futures::FutureExt;
use futures::future::poll_immediate;
use steadfast::{Exit, Report, ReportKind, drain, on_report, with_resource};
use tokio::sync::{MutexGuard, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

/// Reports are those of the whole process, so that the tests take turns.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: LazyLock<tokio::sync::Mutex<()>> = LazyLock::new(tokio::sync::Mutex::default);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| on_report(|report| REPORTS.lock().unwrap().push(report.clone())));
    TURN.lock().await
}

fn reports_of<R>() -> Vec<(ReportKind, String)> {
    let reports = REPORTS.lock().unwrap();
    let of_type = reports.iter().filter(|report| report.name() == type_name::<R>());
    of_type.map(|report| (report.kind(), report.message().to_owned())).collect()
}

/// What happened, in order.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Acquires itself.
    fn acquire(&self) -> impl Future<Output = Result<Self, String>> + use<> {
        self.add("acquired");
        ready(Ok(self.clone()))
    }
}

/// Writes when it is dropped.
struct Dropped(Log, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

async fn release(log: Log, exit: Exit) {
    log.add(format!("released {exit:?}"));
}

async fn never(_: Log, _: Exit) {
    unreachable!("nothing was acquired")
}

fn panic_in_release() {
    panic!("release")
}

async fn slow_release(log: Log, exit: Exit) {
    log.add(format!("releasing {exit:?}"));
    sleep(Duration::from_secs(5)).await;
    log.add("released");
}

#[tokio::test]
async fn a_success_is_released_once() {
    let _turn = turn().await;
    let log = Log::default();
    let result: Result<u32, String> = with_resource(log.acquire(), async |_| Ok(5), release).await;
    assert_eq!(result, Ok(5));
    assert_eq!(log.lines(), ["acquired", "released Ok"]);
}

#[tokio::test]
async fn an_error_is_released_once_and_returned() {
    let _turn = turn().await;
    let log = Log::default();
    let result = with_resource(log.acquire(), async |_| Err::<(), _>("no".to_owned()), release).await;
    assert_eq!(result, Err("no".to_owned()));
    assert_eq!(log.lines(), ["acquired", "released Err"]);
}

#[tokio::test]
async fn a_panic_is_released_once_and_resumed_afterwards() {
    let _turn = turn().await;
    let log = Log::default();
    let body = async |log: &mut Log| {
        let _local = Dropped(log.clone(), "local dropped");
        assert!(log.lines().is_empty(), "not empty");
        Ok::<(), String>(())
    };
    let payload = AssertUnwindSafe(with_resource(log.acquire(), body, release)).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "not empty");
    assert_eq!(log.lines(), ["acquired", "local dropped", "released Panicked"]);
}

#[tokio::test]
async fn a_failed_acquire_releases_nothing() {
    let _turn = turn().await;
    let result = with_resource(ready(Err::<Log, _>(3)), async |_| Ok(()), never).await;
    assert_eq!(result, Err(3));
}

#[tokio::test]
async fn a_dropped_body_is_gone_before_the_release_runs_in_the_background() {
    let _turn = turn().await;
    let log = Log::default();
    let body = async |log: &mut Log| {
        let _local = Dropped(log.clone(), "local dropped");
        pending::<Result<(), String>>().await
    };
    {
        let mut call = pin!(with_resource(log.acquire(), body, release));
        assert!(poll_immediate(&mut call).await.is_none());
    }
    assert!(drain(Duration::from_secs(5)).await.is_complete());
    assert_eq!(log.lines(), ["acquired", "local dropped", "released Cancelled"]);
}

#[tokio::test]
async fn dropped_while_it_acquires_it_releases_nothing() {
    let _turn = turn().await;
    let call = with_resource(pending::<Result<Log, String>>(), async |_| Ok(()), never);
    assert!(poll_immediate(call).await.is_none());
}

#[tokio::test]
async fn dropped_before_it_is_polled_it_does_nothing() {
    let _turn = turn().await;
    let log = Log::default();
    drop(with_resource(async { log.acquire().await }, async |_| Ok(()), release));
    yield_now().await;
    assert_eq!(log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_release_does_not_cut_it_short_and_drain_waits_for_it() {
    let _turn = turn().await;
    let log = Log::default();
    let call = with_resource(log.acquire(), async |_| Ok::<_, String>(()), slow_release);
    assert!(timeout(Duration::from_secs(1), call).await.is_err());
    assert_eq!(log.lines(), ["acquired", "releasing Ok"]);
    assert_eq!(drain(Duration::from_secs(1)).await.running, [type_name::<Log>()]);
    assert_eq!(drain(Duration::from_secs(10)).await.finished, 1);
    assert_eq!(log.lines(), ["acquired", "releasing Ok", "released"]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_body_does_not_cut_the_release_short() {
    let _turn = turn().await;
    let log = Log::default();
    let call = with_resource(log.acquire(), async |_| pending::<Result<(), String>>().await, slow_release);
    assert!(timeout(Duration::from_secs(1), call).await.is_err());
    assert!(drain(Duration::from_secs(10)).await.is_complete());
    assert_eq!(log.lines(), ["acquired", "releasing Cancelled", "released"]);
}

#[tokio::test]
async fn an_error_of_the_release_is_that_of_a_call_whose_body_succeeded() {
    let _turn = turn().await;
    let result: Result<(), String> =
        with_resource(ready(Ok(())), async |()| Ok(()), async |(), _| Err("commit failed".to_owned())).await;
    assert_eq!(result, Err("commit failed".to_owned()));
}

#[tokio::test]
async fn a_question_mark_in_the_release_converts_into_the_error_of_the_body() {
    let _turn = turn().await;
    let result: Result<(), Problem> = with_resource(
        ready(Ok(())),
        async |()| Ok(()),
        async |(), _| {
            Err(std::fmt::Error)?;
            Ok(())
        },
    )
    .await;
    assert!(result.unwrap_err().to_string().contains("formatting"));
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Problem(#[from] std::fmt::Error);

#[tokio::test]
async fn an_error_of_the_release_is_reported_behind_an_error_of_the_body() {
    struct Connection;
    let _turn = turn().await;
    let result = with_resource(
        ready(Ok(Connection)),
        async |_| Err::<(), _>("body".to_owned()),
        async |_, _| Err::<(), _>("release".to_owned()),
    );
    assert_eq!(result.await, Err("body".to_owned()));
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Error, "release".to_owned())]);
}

#[tokio::test]
async fn an_error_of_the_release_is_reported_where_the_caller_has_gone() {
    struct Connection;
    let _turn = turn().await;
    let (go, gone) = oneshot::channel::<()>();
    let call = with_resource(
        ready(Ok(Connection)),
        async |_| Ok(()),
        async move |_, _| {
            gone.await.unwrap();
            Err("too late")
        },
    );
    assert!(poll_immediate(call).await.is_none());
    go.send(()).unwrap();
    drain(Duration::from_secs(5)).await;
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Error, "too late".to_owned())]);
}

#[tokio::test]
async fn an_error_that_the_caller_left_unread_is_reported() {
    struct Connection;
    let _turn = turn().await;
    let mut call = Box::pin(with_resource(ready(Ok(Connection)), async |_| Ok(()), async |_, _| Err("unread")));
    assert!(poll_immediate(&mut call).await.is_none());
    drain(Duration::from_secs(5)).await;
    assert_eq!(reports_of::<Connection>(), []);
    drop(call);
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Error, "unread".to_owned())]);
}

#[tokio::test]
async fn a_panic_of_the_release_is_resumed_where_the_body_succeeded_and_else_reported() {
    struct Connection;
    let _turn = turn().await;
    let panicking = async |_, _| panic_in_release();
    let call = with_resource(ready(Ok::<_, u8>(Connection)), async |_| Ok(()), panicking);
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "release");
    assert_eq!(reports_of::<Connection>(), []);

    let panicking = async |_, _| panic_in_release();
    assert_eq!(with_resource(ready(Ok(Connection)), async |_| Err::<(), _>(1), panicking).await, Err(1));
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Panic, "release".to_owned())]);
}

/// An error whose text cannot be made.
#[derive(Debug, PartialEq)]
struct BadDisplay(&'static str);

impl std::fmt::Display for BadDisplay {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

struct PanicsWhenDropped(&'static str);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::panic_any(self.0);
    }
}

#[tokio::test]
async fn an_error_of_the_body_is_not_replaced_where_that_of_the_release_has_no_text() {
    struct Connection;
    let _turn = turn().await;
    let body = async |_: &mut Connection| Err::<(), _>(BadDisplay("body"));
    let result = with_resource(ready(Ok(Connection)), body, async |_, _| Err(BadDisplay("release"))).await;
    assert_eq!(result, Err(BadDisplay("body")));
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Error, "an error whose `Display` fails".to_owned())]);
}

#[tokio::test]
async fn a_value_whose_destructor_panics_hides_no_failure_of_the_release() {
    struct Connection;
    async fn bomb_of(_: &mut Connection) -> Result<PanicsWhenDropped, ()> {
        Ok(PanicsWhenDropped("value"))
    }
    let _turn = turn().await;
    let bomb = async |_: &mut Connection| Ok(PanicsWhenDropped("value"));
    let call = with_resource(ready(Ok(Connection)), bomb, async |_, _| Err("commit failed"));
    let Err(payload) = AssertUnwindSafe(call).catch_unwind().await else { panic!("the value's panic is lost") };
    assert_eq!(*payload.downcast::<&str>().unwrap(), "value");
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Error, "commit failed".to_owned())]);

    // Two panics: the release's, which was first, goes on.
    let call = with_resource(ready(Ok::<_, ()>(Connection)), bomb_of, async |_, _| panic_in_release());
    let Err(payload) = AssertUnwindSafe(call).catch_unwind().await else { panic!("the release's panic is lost") };
    assert_eq!(*payload.downcast::<&str>().unwrap(), "release");
    assert_eq!(reports_of::<Connection>()[1..], [(ReportKind::Panic, "value".to_owned())]);
}

#[tokio::test]
async fn a_panic_of_the_body_is_reported_where_the_caller_goes_during_the_release() {
    struct Connection;
    let _turn = turn().await;
    let body = async |_: &mut Connection| -> Result<(), ()> { std::panic::panic_any("body") };
    let call = with_resource(ready(Ok(Connection)), body, async |_, _| yield_now().await);
    assert!(poll_immediate(call).await.is_none());
    assert!(drain(Duration::from_secs(5)).await.is_complete());
    assert_eq!(reports_of::<Connection>(), [(ReportKind::Panic, "body".to_owned())]);
}

#[test]
fn a_success_whose_release_is_lost_with_its_runtime_is_no_success() {
    struct Transaction;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let turn = runtime.block_on(turn());
    let (reached, committing) = std::sync::mpsc::channel();
    let handle = runtime.handle().clone();
    let caller = std::thread::spawn(move || {
        let _entered = handle.enter();
        let commit = async move |_, _| {
            reached.send(()).unwrap();
            pending::<Result<(), &str>>().await
        };
        futures::executor::block_on(with_resource(ready(Ok(Transaction)), async |_| Ok(5), commit))
    });
    committing.recv_timeout(Duration::from_secs(60)).unwrap();
    drop(runtime);
    let payload = caller.join().unwrap_err();
    let text = payload.downcast::<String>().unwrap();
    assert!(text.starts_with("the release of `") && text.ends_with("was aborted: its runtime shut down"), "{text}");
    assert_eq!(reports_of::<Transaction>().len(), 1);
    drop(turn);
}

#[tokio::test]
async fn the_body_may_borrow_and_change_the_resource() {
    let _turn = turn().await;
    let suffix = String::from("!");
    let mut calls = 0;
    let result = with_resource(
        async { Ok::<_, Infallible>(vec![1]) },
        async |numbers| {
            calls += 1;
            numbers.push(2);
            yield_now().await;
            Ok(format!("{numbers:?}{suffix}"))
        },
        async |numbers, _| assert_eq!(numbers, [1, 2]),
    )
    .await;
    assert_eq!((result, calls), (Ok("[1, 2]!".to_owned()), 1));
}

#[tokio::test]
async fn the_call_can_be_spawned() {
    let _turn = turn().await;
    let log = Log::default();
    let spawned = tokio::spawn({
        let log = log.clone();
        async move {
            let name = String::from("x");
            with_resource(
                log.acquire(),
                async |log| {
                    yield_now().await;
                    log.add(&name);
                    Ok::<_, String>(())
                },
                release,
            )
            .await
        }
    });
    spawned.await.unwrap().unwrap();
    assert_eq!(log.lines(), ["acquired", "x", "released Ok"]);
}

#[test]
fn a_runtime_that_shuts_down_drops_the_release_and_reports_it_without_a_panic() {
    struct Connection;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let turn = runtime.block_on(turn());
    let (reached, at) = oneshot::channel();
    runtime.spawn(with_resource(
        ready(Ok::<_, u8>(Connection)),
        async move |_| {
            reached.send(()).unwrap();
            pending::<Result<(), u8>>().await
        },
        async |_, _| {},
    ));
    runtime.block_on(at).unwrap();
    drop(runtime);
    let abandoned = (ReportKind::Abandoned, "was aborted: its runtime shut down".to_owned());
    assert_eq!(reports_of::<Connection>(), [abandoned]);
    drop(turn);
}

#[test]
fn a_call_that_is_dropped_outside_of_its_runtime_is_released_on_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let log = Log::default();
    let mut call = Box::pin(with_resource(log.acquire(), async |_| pending::<Result<(), String>>().await, release));
    assert!(runtime.block_on(poll_immediate(&mut call)).is_none());
    drop(call);
    runtime.block_on(yield_now());
    assert_eq!(log.lines(), ["acquired", "released Cancelled"]);
}

#[test]
#[should_panic(expected = "no reactor running")]
fn without_a_runtime_it_panics_before_it_acquires() {
    let acquire = async { unreachable!("never polled") };
    futures::executor::block_on(with_resource(acquire, async |()| Ok::<(), ()>(()), async |(), _| {})).unwrap();
}
