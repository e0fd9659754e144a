//! One blocking job: started once, dropped at once if its caller was dropped, its panic returned.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use tokio::sync::oneshot;

use crate::contain::{contain, discard};
use crate::shutdown::RuntimeShutDown;

/// A job that has not started, shared by the pool and the caller: the one that takes it out runs or drops it. `H` is dropped once the job has
/// ended and its caller has been notified.
type Unstarted<J, H> = Mutex<Option<(J, H)>>;

/// Takes a job out, to run or drop it without the lock.
fn take<T>(unstarted: &Mutex<Option<T>>) -> Option<T> {
    unstarted.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The half of a job that a pool receives. Dropped without having run, it notifies the caller that the pool has shut down.
pub(crate) struct Task<J, R, H> {
    unstarted: Arc<Unstarted<J, H>>,
    reply: Option<oneshot::Sender<thread::Result<R>>>,
}

impl<J: FnOnce() -> R, R, H> Task<J, R, H> {
    /// Runs the job, unless its caller was dropped. Never panics: a pool would lose the thread, and rayon would abort the process.
    pub(crate) fn run(mut self) {
        contain(|| {
            if let (Some((job, until_over)), Some(reply)) = (take(&self.unstarted), self.reply.take()) {
                // The panic is resumed in the caller, which sees the state it left behind, as with a plain call. If the caller was dropped,
                // the outcome is dropped here.
                drop(reply.send(catch_unwind(AssertUnwindSafe(job))));
                drop(until_over);
            }
        });
    }
}

impl<J, R, H> Task<J, R, H> {
    /// Whether its caller was dropped, and the job with it.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

impl<J, R, H> Drop for Task<J, R, H> {
    fn drop(&mut self) {
        // A panic of the arguments of a job must not reach the code that drops the pool.
        discard(take(&self.unstarted));
    }
}

/// The result of a job. Dropped before the job has started, it drops the job, which never runs.
pub struct Submitted<R> {
    outcome: oneshot::Receiver<thread::Result<R>>,
    unstarted: Arc<dyn Abandon + Send + Sync>,
}

trait Abandon {
    /// Drops the job, if it has not started.
    fn abandon(&self);
}

impl<J, H> Abandon for Unstarted<J, H> {
    fn abandon(&self) {
        drop(take(self));
    }
}

/// The two halves of a job: for the pool, and for the caller.
pub(crate) fn submit_job<J, R, H>(job: J, until_over: H) -> (Task<J, R, H>, Submitted<R>)
where
    J: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
    H: Send + 'static,
{
    let (reply, outcome) = oneshot::channel();
    let unstarted = Arc::new(Mutex::new(Some((job, until_over))));
    (Task { unstarted: Arc::clone(&unstarted), reply: Some(reply) }, Submitted { outcome, unstarted })
}

impl<R> Future for Submitted<R> {
    type Output = Result<R, RuntimeShutDown>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.outcome).poll(cx).map(|outcome| match outcome {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(payload)) => resume_unwind(payload),
            Err(_closed) => Err(RuntimeShutDown),
        })
    }
}

impl<R> Drop for Submitted<R> {
    fn drop(&mut self) {
        self.unstarted.abandon();
    }
}
