//! Work that continues without its caller: spawned here, awaited by [`drain`](crate::drain), its failures reported once.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::contain::{Caught, Payload, catch, drop_caught};
use crate::drain::Running;
use crate::report::{self, Report, ReportKind};

/// Spawns `future` and reports its error or panic once, as a [`Report`] under `name`, instead of losing it with a dropped handle.
///
/// ```
/// # async fn send_receipt(_: u64) -> std::io::Result<()> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let order = 7;
/// steadfast::spawn_logged("receipt", async move { send_receipt(order).await });
///
/// // At the end of the program:
/// steadfast::drain(std::time::Duration::from_secs(5)).await;
/// # }
/// ```
///
/// The future returns `()` or a `Result` whose error is `Display`; its value is dropped. A panic of the destructor of the future or of the value
/// is reported like its own. [`drain`](crate::drain) waits for it.
///
/// Without a runtime, or if the runtime shuts down first, the future is dropped, and that is reported too: the call never panics.
///
/// The future runs on a task of its own, where neither `tokio::task_local!` values nor the current `tracing` span of the caller are set.
/// Enter them in the future: `LOCAL.scope(value, future)`, `future.instrument(Span::current())`.
pub fn spawn_logged<F>(name: &'static str, future: F)
where
    F: Future<Output: Logged + Send> + Send + 'static,
{
    drop(spawn(name, future, Logged::error));
}

/// The output of a future whose failures are reported: `()`, or a `Result` with an error that is `Display`.
#[diagnostic::on_unimplemented(
    message = "the future must return `()` or a `Result`, found `{Self}`",
    label = "neither `()` nor a `Result` whose error is `Display`",
    note = "return `()`, or map the error to one that implements `std::fmt::Display`"
)]
pub trait Logged {
    /// The text of the failure, if it is one.
    fn error(&self) -> Option<String>;
}

impl Logged for () {
    fn error(&self) -> Option<String> {
        None
    }
}

impl<T, E: Display> Logged for Result<T, E> {
    fn error(&self) -> Option<String> {
        self.as_ref().err().map(report::text)
    }
}

/// Spawns `future` as work that outlives its caller.
///
/// The [`Task`] yields its outcome. If the task is dropped, a failure is reported: a panic, or the error that `describe` finds in the output.
/// Exactly one of the two happens, even if the end and the drop race.
pub(crate) fn spawn<F>(name: &'static str, future: F, describe: Describe<F::Output>) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    if let Ok(runtime) = Handle::try_current() {
        spawn_on(&runtime, name, future, describe)
    } else {
        Report::new(name, ReportKind::Abandoned, "was not started: no Tokio runtime").send();
        if let Err(payload) = drop_caught(future) {
            report::panicked(name, payload);
        }
        Task { name, describe, outcome: None }
    }
}

/// Like [`spawn`], on a given runtime. A runtime that has shut down drops the future, which is reported.
pub(crate) fn spawn_on<F>(runtime: &Handle, name: &'static str, future: F, describe: Describe<F::Output>) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let running = Running::new(runtime.id(), name);
    drop(runtime.spawn(Tracked { work: Caught::new(future), sender: Some(sender), describe, running }));
    Task { name, describe, outcome: Some(receiver) }
}

/// Finds the error in an output.
pub(crate) type Describe<T> = fn(&T) -> Option<String>;

/// An output, or a panic.
type Outcome<T> = Result<T, Payload>;

pin_project! {
    /// The future of the task.
    struct Tracked<F: Future> {
        #[pin]
        work: Caught<F>,
        sender: Option<oneshot::Sender<Outcome<F::Output>>>,
        describe: Describe<F::Output>,
        // The last field, so that the task counts as running until the future has been dropped.
        running: Running,
    }

    impl<F: Future> PinnedDrop for Tracked<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Still here only if the runtime drops it.
            if let Err(payload) = this.work.clear() {
                report::panicked(this.running.name(), payload);
            }
        }
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let entered = this.running.enter();
        let outcome = ready!(this.work.poll(cx));
        drop(entered);
        this.running.end();
        if let Some(sender) = this.sender.take()
            && let Err(unread) = sender.send(outcome)
        {
            report(this.running.name(), *this.describe, unread);
        }
        Poll::Ready(())
    }
}

/// A background task. Dropping it does not stop the work; a failure is then reported.
pub(crate) struct Task<T> {
    name: &'static str,
    describe: Describe<T>,
    outcome: Option<oneshot::Receiver<Outcome<T>>>,
}

/// Why a background task has no output.
pub(crate) enum Failure {
    /// It panicked, with this payload.
    Panicked(Payload),
    /// The runtime dropped it, which is reported.
    Abandoned,
}

impl<T> Task<T> {
    /// Waits for the end and reports a failure, if the caller returns something else.
    pub(crate) async fn reported(mut self) {
        if let Some(receiver) = self.outcome.as_mut() {
            let received = receiver.await;
            self.outcome = None;
            // A task that its runtime dropped has been reported already.
            if let Ok(outcome) = received {
                report(self.name, self.describe, outcome);
            }
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(receiver) = self.outcome.as_mut() else { return Poll::Ready(Err(Failure::Abandoned)) };
        let received = ready!(receiver.poll_unpin(cx));
        self.outcome = None;
        Poll::Ready(match received {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(payload)) => Err(Failure::Panicked(payload)),
            Err(_dropped) => Err(Failure::Abandoned),
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(mut receiver) = self.outcome.take() {
            receiver.close();
            if let Ok(unread) = receiver.try_recv() {
                report(self.name, self.describe, unread);
            }
        }
    }
}

/// Reports the failure in an outcome that no caller receives, and drops it. Never panics, although both run user code, possibly in the
/// destructor of the caller.
fn report<T>(name: &'static str, describe: Describe<T>, outcome: Outcome<T>) {
    match outcome {
        Ok(output) => {
            match catch(|| describe(&output)) {
                Ok(Some(error)) => Report::new(name, ReportKind::Error, error).send(),
                Ok(None) => {}
                Err(payload) => report::panicked(name, payload),
            }
            if let Err(payload) = drop_caught(output) {
                report::panicked(name, payload);
            }
        }
        Err(payload) => report::panicked(name, payload),
    }
}
