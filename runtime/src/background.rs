//! What runs on when its caller has gone: started here, tracked here, waited for by [`drain`], its failures reported once.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::report::{Report, ReportKind};

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
/// The future ends with `()` or with a `Result` whose error is `Display`; a value is dropped. [`drain`] waits for it.
///
/// Without a runtime, or where the runtime shuts down before the future has ended, it is dropped, and that is reported too: a call
/// never panics.
pub fn spawn_logged<F>(name: &'static str, future: F)
where
    F: Future<Output: Logged + Send> + Send + 'static,
{
    drop(spawn(name, future, Logged::error));
}

/// What a future may end with whose failures are reported: `()`, or a `Result` with an error that is `Display`.
#[diagnostic::on_unimplemented(
    message = "the failures of a future that ends with `{Self}` cannot be reported",
    label = "neither `()` nor a `Result` whose error is `Display`",
    note = "end the future with `()`, or map its error to one that implements `std::fmt::Display`"
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
        self.as_ref().err().map(ToString::to_string)
    }
}

/// Waits up to `within` for everything that the library has started and whose caller may have gone: releases of
/// [`with_resource`](crate::with_resource), cleanups of [`finally`](macro@crate::finally), calls that are [shielded](macro@crate::shield), what
/// [`async_cached`](macro@crate::async_cached) computes in the background, batches of [`batched`](macro@crate::batched), tasks of
/// [`spawn_logged`]. Jobs of [`offload_blocking`](macro@crate::offload_blocking) are not waited for. The last line of a graceful shutdown.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
///
/// let drained = steadfast::drain(Duration::from_secs(10)).await;
/// if !drained.is_complete() {
///     eprintln!("given up: {:?}", drained.running);
/// }
/// # }
/// ```
///
/// It covers the whole process, that is all of its runtimes, and what is started while it waits. Nothing is stopped, neither before
/// nor at the deadline, and it may be called again. Returns at once where nothing is running.
///
/// # Cancel safety
///
/// Dropping it stops the waiting, nothing else.
///
/// # Panics
///
/// Where something is running: outside of a tokio runtime, or in one whose timers are not enabled.
pub async fn drain(within: Duration) -> Drained {
    let before = BACKGROUND.finished.load(Ordering::Acquire);
    if !BACKGROUND.tracker.is_empty() {
        // Whether it is over or the time is up shows in what is still running.
        drop(tokio::time::timeout(within, BACKGROUND.tracker.wait()).await);
    }
    let finished = BACKGROUND.finished.load(Ordering::Acquire) - before;
    Drained { finished, running: BACKGROUND.running() }
}

/// What [`drain`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// How many tasks ended while it waited.
    pub finished: usize,
    /// The names of those that are still running, in alphabetical order: once for each task.
    pub running: Vec<&'static str>,
}

impl Drained {
    /// Whether nothing is left running.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.running.is_empty()
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
        drop(future);
        Task { name, describe, outcome: None }
    }
}

/// As [`spawn`], on a runtime that was remembered. One that has shut down drops the future, which is reported.
pub(crate) fn spawn_on<F>(runtime: &Handle, name: &'static str, future: F, describe: Describe<F::Output>) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let running = Running::new(name);
    let tracked = async move {
        let mut running = running;
        let outcome = AssertUnwindSafe(future).catch_unwind().await;
        running.ended = true;
        if let Err(unread) = sender.send(outcome) {
            report(name, describe, &unread);
        }
    };
    drop(BACKGROUND.tracker.spawn_on(tracked, runtime));
    Task { name, describe, outcome: Some(receiver) }
}

/// Finds the error in an output.
pub(crate) type Describe<T> = fn(&T) -> Option<String>;

/// A task in the background. Dropping it stops nothing; it hands the duty to tell about a failure to the report.
pub(crate) struct Task<T> {
    name: &'static str,
    describe: Describe<T>,
    outcome: Option<oneshot::Receiver<thread::Result<T>>>,
}

/// Why a task in the background has no output.
pub(crate) enum Failure {
    /// It panicked, with this payload.
    Panicked(Box<dyn Any + Send>),
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
                report(self.name, self.describe, &outcome);
            }
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(receiver) = self.outcome.as_mut() else { return Poll::Ready(Err(Failure::Abandoned)) };
        let received = std::task::ready!(receiver.poll_unpin(cx));
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
                report(self.name, self.describe, &unread);
            }
        }
    }
}

fn report<T>(name: &'static str, describe: Describe<T>, outcome: &thread::Result<T>) {
    match outcome {
        Ok(output) => {
            if let Some(error) = describe(output) {
                Report::new(name, ReportKind::Error, error).send();
            }
        }
        Err(payload) => Report::panic(name, &**payload).send(),
    }
}

static BACKGROUND: LazyLock<Background> = LazyLock::new(|| {
    let tracker = TaskTracker::new();
    // A closed tracker takes tasks all the same; only a closed one tells when it is empty.
    tracker.close();
    Background { tracker, names: Mutex::default(), finished: AtomicUsize::new(0) }
});

struct Background {
    tracker: TaskTracker,
    /// How many tasks of each name are running.
    names: Mutex<HashMap<&'static str, usize>>,
    finished: AtomicUsize,
}

impl Background {
    fn names(&self) -> MutexGuard<'_, HashMap<&'static str, usize>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> Vec<&'static str> {
        let mut running: Vec<_> = self.names().iter().flat_map(|(&name, &times)| std::iter::repeat_n(name, times)).collect();
        running.sort_unstable();
        running
    }
}

/// Counts a task for as long as it exists, and tells if it is dropped before its end.
struct Running {
    name: &'static str,
    ended: bool,
}

impl Running {
    fn new(name: &'static str) -> Self {
        *BACKGROUND.names().entry(name).or_default() += 1;
        Self { name, ended: false }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            Report::new(self.name, ReportKind::Abandoned, "did not end: its runtime has shut down").send();
        }
        let mut names = BACKGROUND.names();
        if let Some(times) = names.get_mut(self.name) {
            *times -= 1;
            if *times == 0 {
                names.remove(self.name);
            }
        }
        drop(names);
        BACKGROUND.finished.fetch_add(1, Ordering::Release);
    }
}
