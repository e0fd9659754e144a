//! `drain`, `drain_all`: waiting for background work.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use foldhash::fast::RandomState;
use tokio::runtime::{Handle, Id};

use crate::contain::contain;
use crate::report::{Report, ReportKind};
use crate::signal::Signal;

/// Waits up to `within` for the background work that the library has started on the current runtime. Call it at the end of a graceful shutdown.
///
/// Background work is what continues without its caller: releases of [`with_resource`](crate::with_resource), cleanups of
/// [`finally`](macro@crate::finally), [shielded](macro@crate::shield) calls, background computations of
/// [`async_cached`](macro@crate::async_cached), batches of [`batched`](macro@crate::batched), and tasks of
/// [`spawn_logged`](crate::spawn_logged). Jobs of [`offload_blocking`](macro@crate::offload_blocking) are not included.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
///
/// let drained = steadfast::drain(Duration::from_secs(10)).await;
/// if !drained.is_complete() {
///     eprintln!("still running: {:?}", drained.running);
/// }
/// # }
/// ```
///
/// It covers only the runtime on which it is first polled, so that a test does not wait for the work of another test. For all runtimes of the
/// process, see [`drain_all`]. It also waits for work that starts in the meantime. Nothing is stopped, neither before nor at the deadline, and it
/// may be called again. It returns at once if nothing is running.
///
/// A background task may call it: it then waits neither for itself nor for other tasks that are draining. It cannot detect who awaits the task: for a
/// background task that awaits a shielded call that drains, it waits until `within` is over.
///
/// # Cancel safety
///
/// Dropping it only stops the waiting.
///
/// # Panics
///
/// Outside of a Tokio runtime; and, if something is running, in a runtime whose timers are not enabled.
pub async fn drain(within: Duration) -> Drained {
    let Ok(runtime) = Handle::try_current() else {
        panic!("`drain` requires a Tokio runtime: call it within one, or use `drain_all`");
    };
    wait(Some(runtime.id()), within).await
}

/// [`drain`] for all runtimes of the process, if a program has several.
///
/// ```
/// use std::time::Duration;
/// use tokio::runtime::Builder;
///
/// let requests = Builder::new_multi_thread().build().unwrap();
/// let jobs = Builder::new_multi_thread().enable_all().build().unwrap();
/// let (send, receive) = tokio::sync::oneshot::channel();
/// requests.block_on(async {
///     steadfast::spawn_logged("audit", async { send.send("written").unwrap() });
/// });
///
/// let drained = jobs.block_on(steadfast::drain_all(Duration::from_secs(10)));
/// assert!(drained.is_complete());
/// assert_eq!(receive.blocking_recv(), Ok("written"));
/// ```
///
/// # Cancel safety
///
/// Dropping it only stops the waiting.
///
/// # Panics
///
/// If something is running: outside of a Tokio runtime, or in one whose timers are not enabled.
pub async fn drain_all(within: Duration) -> Drained {
    wait(None, within).await
}

/// The result of [`drain`] or [`drain_all`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// The number of tasks that ended while it waited.
    pub finished: usize,
    /// The names of the tasks that are still running, in alphabetical order, once for each task.
    pub running: Vec<&'static str>,
}

impl Drained {
    /// Whether nothing is left running.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.running.is_empty()
    }
}

async fn wait(runtime: Option<Id>, within: Duration) -> Drained {
    let drain = Waiting::begin(runtime);
    if drain.running() > 0 {
        let nothing_runs = poll_fn(|cx| {
            drain.0.signal.register(cx.waker());
            if drain.running() == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        // What is still running shows whether it completed or timed out.
        drop(tokio::time::timeout(within, nothing_runs).await);
    }
    let background = background();
    Drained { finished: drain.0.finished.load(Ordering::Relaxed), running: background.names(&drain.0) }
}

static BACKGROUND: LazyLock<Mutex<Background>> = LazyLock::new(Mutex::default);

fn background() -> MutexGuard<'static, Background> {
    BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The background tasks, and the drains that wait for them. Entries of a runtime are removed with its last task.
#[derive(Default)]
struct Background {
    /// The number of tasks of each name, by runtime.
    tasks: HashMap<(Id, &'static str), usize, RandomState>,
    drains: Vec<Arc<Drain>>,
    started: u64,
}

/// The identity of a background task.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    runtime: Id,
    name: &'static str,
    number: u64,
}

/// A `drain` that waits.
struct Drain {
    /// The runtime whose tasks it waits for; `None`: all.
    runtime: Option<Id>,
    /// The task that waits, if it is a background task itself.
    caller: Option<Identity>,
    finished: AtomicUsize,
    signal: Signal,
}

impl Drain {
    fn covers(&self, runtime: Id) -> bool {
        self.runtime.is_none_or(|own| own == runtime)
    }
}

impl Background {
    /// The number of tasks that `drain` still waits for.
    fn running(&self, drain: &Drain) -> usize {
        let tasks = self.tasks.iter().filter(|((runtime, _), _)| drain.covers(*runtime));
        tasks.map(|(_, times)| times).sum::<usize>().saturating_sub(self.left_out(drain).len())
    }

    fn names(&self, drain: &Drain) -> Vec<&'static str> {
        let tasks = self.tasks.iter().filter(|((runtime, _), _)| drain.covers(*runtime));
        let mut names: Vec<_> = tasks.flat_map(|(&(_, name), &times)| std::iter::repeat_n(name, times)).collect();
        for task in self.left_out(drain) {
            if let Some(at) = names.iter().position(|&name| name == task.name) {
                names.swap_remove(at);
            }
        }
        names.sort_unstable();
        names
    }

    /// The tasks that a background task does not wait for: itself, and those that are draining too.
    fn left_out(&self, drain: &Drain) -> Vec<Identity> {
        let mut left_out: Vec<Identity> = Vec::new();
        if drain.caller.is_some() {
            for task in self.drains.iter().filter_map(|drain| drain.caller) {
                if drain.covers(task.runtime) && !left_out.contains(&task) {
                    left_out.push(task);
                }
            }
        }
        left_out
    }

    /// The drains that have nothing left to wait for, to be woken without the lock.
    fn complete(&self) -> Vec<Arc<Drain>> {
        self.drains.iter().filter(|drain| self.running(drain) == 0).cloned().collect()
    }
}

fn wake(complete: Vec<Arc<Drain>>) {
    for drain in complete {
        // A panicking waker must not keep the others waiting.
        contain(|| drain.signal.wake());
    }
}

/// A registered `drain`.
struct Waiting(Arc<Drain>);

impl Waiting {
    fn begin(runtime: Option<Id>) -> Self {
        let drain = Arc::new(Drain { runtime, caller: CURRENT.get(), finished: AtomicUsize::new(0), signal: Signal::default() });
        let mut background = background();
        background.drains.push(Arc::clone(&drain));
        // Other tasks that drain do not wait for this one any more.
        let complete = if drain.caller.is_some() { background.complete() } else { Vec::new() };
        drop(background);
        wake(complete);
        Self(drain)
    }

    fn running(&self) -> usize {
        background().running(&self.0)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The waker goes with `self`, without the lock.
        background().drains.retain(|drain| !Arc::ptr_eq(drain, &self.0));
    }
}

thread_local! {
    /// The background task that is being polled on this thread.
    static CURRENT: Cell<Option<Identity>> = const { Cell::new(None) };
}

/// Counts a task while it exists, and reports it if it is dropped before its end.
pub(crate) struct Running {
    identity: Identity,
    ended: bool,
}

impl Running {
    pub(crate) fn new(runtime: Id, name: &'static str) -> Self {
        let mut background = background();
        *background.tasks.entry((runtime, name)).or_default() += 1;
        background.started += 1;
        Self { identity: Identity { runtime, name, number: background.started }, ended: false }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.identity.name
    }

    /// The task is being polled until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        Entered { outer: CURRENT.replace(Some(self.identity)) }
    }

    /// Its future has ended by itself.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }
}

/// See [`Running::enter`].
pub(crate) struct Entered {
    outer: Option<Identity>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Identity { runtime, name, .. } = self.identity;
        if !self.ended {
            Report::new(name, ReportKind::Abandoned, "was aborted: its runtime shut down").send();
        }
        let mut background = background();
        if let Some(times) = background.tasks.get_mut(&(runtime, name)) {
            *times -= 1;
            if *times == 0 {
                background.tasks.remove(&(runtime, name));
            }
        }
        for drain in background.drains.iter().filter(|drain| drain.covers(runtime)) {
            drain.finished.fetch_add(1, Ordering::Relaxed);
        }
        let complete = background.complete();
        drop(background);
        wake(complete);
    }
}
