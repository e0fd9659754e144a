//! `#[cancellable]`: what a token cancels, when, and in which order.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use futures::future::{join, poll_immediate};
use steadfast::testing::cancel_at_every_await;
use steadfast::{Error, ErrorKind, ReportKind, cancellable, concurrency_limit, on_report, retry, timeout};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    fn say(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }

    fn guard(&self, what: &'static str) -> Guard {
        Guard(self.clone(), what)
    }

    async fn clean(&self) {
        self.say("cleanup");
        yield_now().await;
        self.say("clean");
    }

    fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

struct Guard(Log, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

#[cancellable(token = token, cleanup = log.clean())]
async fn work(log: &Log, token: &CancellationToken, time: Duration) -> Result<u8, Error> {
    log.say("begun");
    let _local = log.guard("dropped");
    sleep(time).await;
    assert!(!token.is_cancelled(), "it is looked at after the body");
    Ok(7)
}

const SECOND: Duration = Duration::from_secs(1);

async fn cancel_after(token: &CancellationToken, time: Duration) {
    sleep(time).await;
    token.cancel();
}

#[tokio::test(start_paused = true)]
async fn without_a_cancellation_nothing_changes() {
    let log = Log::default();
    assert_eq!(work(&log, &CancellationToken::new(), SECOND).await, Ok(7));
    assert_eq!(log.take(), ["begun", "dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_during_the_call() {
    let (log, token) = (Log::default(), CancellationToken::new());
    let started = Instant::now();
    let (result, ()) = join(work(&log, &token, SECOND), cancel_after(&token, SECOND / 2)).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.function()), (ErrorKind::Cancelled, "work"));
    assert_eq!(error.to_string(), "`work` was cancelled");
    assert_eq!(started.elapsed(), SECOND / 2);
    assert_eq!(log.take(), ["begun", "dropped", "cleanup", "clean"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_before_the_call() {
    let (log, token) = (Log::default(), CancellationToken::new());
    token.cancel();
    assert!(work(&log, &token, SECOND).await.unwrap_err().is_cancelled());
    assert_eq!(log.take(), ["cleanup", "clean"]);
}

/// The call is only polled; its token is cancelled between the call and the first poll.
#[tokio::test(start_paused = true)]
async fn a_token_before_the_first_poll() {
    let (log, token) = (Log::default(), CancellationToken::new());
    let call = work(&log, &token, SECOND);
    token.cancel();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(log.take(), ["cleanup", "clean"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_at_the_same_poll_as_the_end() {
    #[cancellable(token = token)]
    async fn receives(receiver: tokio::sync::oneshot::Receiver<u8>, token: CancellationToken) -> Result<u8, Error> {
        Ok(receiver.await.unwrap_or(u8::from(token.is_cancelled())))
    }
    #[cancellable(token = token, cleanup = log.clean())]
    async fn cancels_itself(log: &Log, token: &CancellationToken) -> Option<u8> {
        yield_now().await;
        token.cancel();
        Some(7)
    }
    let (log, token) = (Log::default(), CancellationToken::new());
    assert_eq!(cancels_itself(&log, &token).await, Some(7));
    assert_eq!(log.take(), [""; 0]);

    // Both have happened when the call is polled again.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let token = CancellationToken::new();
    let mut call = Box::pin(receives(receiver, token.clone()));
    assert!(poll_immediate(&mut call).await.is_none());
    token.cancel();
    sender.send(3).unwrap();
    assert_eq!(call.await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_child_ends_with_its_parent_and_not_the_other_way_round() {
    #[cancellable(token = parent.child_token())]
    async fn of_a_child(parent: &CancellationToken) -> Option<u8> {
        sleep(SECOND).await;
        Some(u8::from(parent.is_cancelled()))
    }
    let parent = CancellationToken::new();
    let child = parent.child_token();
    let log = Log::default();
    let ends = async { child.cancel() };
    let (of_child, of_parent, ()) = futures::join!(work(&log, &child, SECOND), work(&log, &parent, SECOND), ends);
    assert!(of_child.is_err() && of_parent.is_ok());
    assert_eq!(join(of_a_child(&parent), async { parent.cancel() }).await.0, None);
    assert!(work(&log, &parent.child_token(), SECOND).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn every_way_to_say_the_token() {
    static SHUTDOWN: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);
    struct Server {
        token: Arc<CancellationToken>,
    }
    impl Server {
        #[cancellable(token = self.token)]
        async fn serve(&self) -> io::Result<()> {
            pending().await
        }
        #[cancellable(token = self.token, cleanup = self.close())]
        async fn change(&mut self) -> io::Result<()> {
            pending().await
        }
        async fn close(&mut self) {
            yield_now().await;
        }
    }
    #[cancellable(token = SHUTDOWN)]
    async fn of_a_static() -> anyhow::Result<()> {
        pending().await
    }
    #[cancellable(token = token, or_else = |error| format!("{name}: {error}"))]
    async fn by_value(name: String, token: CancellationToken) -> String {
        pending::<()>().await;
        format!("{name}, {}", token.is_cancelled())
    }
    let token = CancellationToken::new();
    let mut server = Server { token: Arc::new(token.clone()) };
    SHUTDOWN.cancel();
    token.cancel();
    assert_eq!(server.serve().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    server.change().await.unwrap_err();
    assert!(of_a_static().await.unwrap_err().downcast::<Error>().unwrap().is_cancelled());
    assert_eq!(by_value("x".to_owned(), token).await, "x: `by_value` was cancelled");
}

#[tokio::test(start_paused = true)]
async fn or_else_runs_after_the_cleanup() {
    #[cancellable(token = token, cleanup = log.clean(), or_else = |_| log.say("or_else"))]
    async fn plain(log: &Log, token: &CancellationToken) {
        let _local = log.guard("dropped");
        token.cancelled().await;
        pending::<()>().await;
    }
    let (log, token) = (Log::default(), CancellationToken::new());
    join(plain(&log, &token), cancel_after(&token, SECOND)).await;
    assert_eq!(log.take(), ["dropped", "cleanup", "clean", "or_else"]);
}

#[tokio::test(start_paused = true)]
async fn an_argument_of_the_body_is_there_for_the_cleanup() {
    async fn roll_back(rows: &mut Vec<u32>) {
        yield_now().await;
        rows.clear();
    }
    #[cancellable(token = token, cleanup = roll_back(rows))]
    async fn insert(rows: &mut Vec<u32>, token: &CancellationToken) -> Option<()> {
        for row in 0.. {
            rows.push(row);
            sleep(SECOND).await;
        }
        token.is_cancelled().then_some(())
    }
    let (mut rows, token) = (vec![9], CancellationToken::new());
    let (result, ()) = join(insert(&mut rows, &token), cancel_after(&token, 10 * SECOND)).await;
    assert_eq!((result, rows), (None, vec![]));
}

/// Between attempts nothing of the body is there, and the wait ends all the same.
#[tokio::test(start_paused = true)]
async fn it_ends_what_other_attributes_wait_for() {
    #[cancellable(token = token)]
    #[retry(attempts = 2, delay = 1h, jitter = none)]
    async fn fails(token: &CancellationToken) -> io::Result<()> {
        Err(io::Error::other(format!("again: {}", token.is_cancelled())))
    }
    #[cancellable(token = token, cleanup = log.clean())]
    #[concurrency_limit(1)]
    async fn alone(log: Log, token: &CancellationToken) -> Result<bool, Error> {
        let _local = log.guard("dropped");
        sleep(3_600 * SECOND).await;
        Ok(token.is_cancelled())
    }
    #[concurrency_limit(1)]
    #[cancellable(token = token, cleanup = log.clean())]
    async fn above(log: &Log, token: &CancellationToken) -> Result<bool, Error> {
        let _local = log.guard("dropped");
        sleep(3_600 * SECOND).await;
        Ok(token.is_cancelled())
    }
    let (log, token) = (Log::default(), CancellationToken::new());
    let started = Instant::now();
    let (result, ()) = join(fails(&token), cancel_after(&token, SECOND)).await;
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);

    let token = CancellationToken::new();
    let both = join(alone(log.clone(), &token), alone(log.clone(), &token));
    let ((first, second), ()) = join(both, cancel_after(&token, SECOND)).await;
    assert!(first.unwrap_err().is_cancelled() && second.unwrap_err().is_cancelled());
    let mut events = log.take();
    events.sort_unstable();
    assert_eq!(events, ["clean", "clean", "cleanup", "cleanup", "dropped"]);

    let token = CancellationToken::new();
    let (result, ()) = join(above(&log, &token), cancel_after(&token, SECOND)).await;
    assert!(result.unwrap_err().is_cancelled());
    assert_eq!(log.take(), ["dropped", "cleanup", "clean"]);
    // The place was given back, and the body is not begun.
    assert!(above(&log, &token).await.unwrap_err().is_cancelled());
    assert_eq!(log.take(), ["cleanup", "clean"]);
    assert_eq!(started.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_above_limits_the_cleanup_too() {
    #[timeout(3s)]
    #[cancellable(token = token, cleanup = pending::<()>())]
    async fn never_clean(token: &CancellationToken) -> Result<(), Error> {
        token.cancelled().await;
        pending().await
    }
    let token = CancellationToken::new();
    token.cancel();
    let started = Instant::now();
    assert!(never_clean(&token).await.unwrap_err().is_timeout());
    assert_eq!(started.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_that_fails_is_reported() {
    static REPORTS: Mutex<Vec<(ReportKind, String)>> = Mutex::new(Vec::new());
    #[cancellable(token = token, cleanup = async { Err::<(), _>(io::Error::other("no way back")) })]
    async fn fails(token: CancellationToken) -> Option<()> {
        token.cancelled().await;
        None
    }
    on_report(|report| REPORTS.lock().unwrap().push((report.kind(), format!("{}: {}", report.name(), report.message()))));
    let token = CancellationToken::new();
    token.cancel();
    assert_eq!(fails(token).await, None);
    let expected = (ReportKind::Error, "fails: cleanup after cancellation failed: no way back".to_owned());
    assert_eq!(*REPORTS.lock().unwrap(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_uses_up_its_budget_still_ends() {
    #[cancellable(token = token)]
    async fn busy(token: CancellationToken) -> Option<()> {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for round in 0.. {
            if round == 1_000 {
                token.cancel();
            }
            sender.send(()).ok()?;
            receiver.recv().await?;
        }
        Some(())
    }
    assert_eq!(busy(CancellationToken::new()).await, None);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "with this payload")]
async fn a_panic_reaches_the_caller() {
    #[cancellable(token = CancellationToken::new())]
    async fn panics() -> Option<()> {
        yield_now().await;
        panic!("with this payload")
    }
    panics().await;
}

/// Dropping the call drops the body and runs no cleanup.
#[tokio::test(start_paused = true)]
async fn a_cut_is_a_cut_of_the_body() {
    let awaits = cancel_at_every_await(
        async || (Log::default(), CancellationToken::new()),
        async |(log, token)| {
            assert!(join(work(log, token, SECOND), cancel_after(token, SECOND / 2)).await.0.is_err());
        },
        async |(log, _): &(Log, CancellationToken)| {
            let events = log.take();
            let whole = ["begun", "dropped", "cleanup", "clean"];
            assert!(whole.starts_with(&events), "{events:?}");
            assert!(events.len() != 1, "the body is still there");
        },
    )
    .await;
    assert!(awaits >= 2);
}
