//! What runs on when its caller has gone: started here, waited for by [`drain`](crate::drain), its failures reported once.

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

/// Starts `future` on the runtime and reports its error or its panic, once, as a [`Report`] under `name`, instead of losing it with
/// the handle that nobody keeps.
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
/// The future ends with `()` or with a `Result` whose error is `Display`; a value is dropped. A panic of the future's destructor, or of
/// that value's, is reported as its own would be. [`drain`](crate::drain) waits for it.
///
/// Without a runtime, or where the runtime shuts down before the future has ended, it is dropped, and that is reported too: a call
/// never panics.
///
/// It runs on a task of its own, so that neither `tokio::task_local!` values nor the current `tracing` span of the caller are there.
/// Enter them in the future: `LOCAL.scope(value, future)`, `future.instrument(Span::current())`.
pub fn spawn_logged<F>(name: &'static str, future: F)
where
    F: Future<Output: Logged + Send> + Send + 'static,
{
    drop(spawn(name, future, Logged::error));
}

/// What a future may end with whose failures are reported: `()`, or a `Result` with an error that is `Display`.
#[diagnostic::on_unimplemented(
    message = "the future must return `()` or a `Result`, found `{Self}`",
    label = "neither `()` nor a `Result` whose error is `Display`",
    note = "return `()`, or map the error to one that implements `std::fmt::Display`"
)]
pub trait Logged {
    /// The text of the failure, where it is one.
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
/// The [`Task`] yields what became of it. Where the task is dropped, the failure is reported: a panic, or what `describe` finds in the
/// output. One of the two happens, never both, however closely the end and the drop meet.
pub(crate) fn spawn<F>(name: &'static str, future: F, describe: Describe<F::Output>) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    if let Ok(runtime) = Handle::try_current() {
        spawn_on(&runtime, name, future, describe)
    } else {
        Report::new(name, ReportKind::Abandoned, "did not run: there is no runtime here").send();
        if let Err(payload) = drop_caught(future) {
            report::panicked(name, payload);
        }
        Task { name, describe, outcome: None }
    }
}

/// As [`spawn`], on a runtime that was remembered. One that has shut down drops the future, which is reported.
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

/// An output, or the panic in its place.
type Outcome<T> = Result<T, Payload>;

pin_project! {
    /// What runs in the task.
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
            // Here only where the runtime drops it; elsewhere it is gone by now.
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

/// A task in the background. Dropping it stops nothing; it hands the duty to tell about a failure to the report.
pub(crate) struct Task<T> {
    name: &'static str,
    describe: Describe<T>,
    outcome: Option<oneshot::Receiver<Outcome<T>>>,
}

/// Why a task in the background has no output.
pub(crate) enum Failure {
    /// It panicked, with this payload.
    Panicked(Payload),
    /// The runtime dropped it, which is reported.
    Abandoned,
}

impl<T> Task<T> {
    /// Waits for the end, and reports a failure: the caller has something else to return.
    pub(crate) async fn reported(mut self) {
        if let Some(receiver) = self.outcome.as_mut() {
            let received = receiver.await;
            self.outcome = None;
            // A task that its runtime dropped has told so itself.
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

/// Reports the failure in an outcome that nobody takes, and drops it. Never panics: both run user code, in the caller's destructor even.
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
