//! One blocking job: started once, dropped at once if nobody waits for it any more, its panic handed back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;

use pin_project_lite::pin_project;
use tokio::sync::oneshot;

use super::clock::Hold;
use super::pool::Handle;
use super::private::Gone;
use crate::ask::{Met, Nothing, Unmet};
use crate::contain::{contain, discard};

/// Where bodies run.
pub trait Executor {
    /// Starts a job.
    fn execute<J, R>(&self, job: J) -> Handed<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static;
}

/// Runs `body` on `executor` once `entering` has yielded a permit, which the job keeps until the body has ended.
#[inline]
pub fn run<X, P, B, R>(executor: X, entering: P, body: B) -> Offloaded<X, P, B, R>
where
    X: Executor,
    P: Future<Output: Send + 'static>,
    B: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Offloaded { executor, entering, body: Some(body), running: None }
}

/// A type that can go to another thread. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot go to the thread on which the body runs, or come back from it",
    label = "not `Send + 'static`",
    note = "take and return what is `Send + 'static`: an `Arc<..>` instead of an `Rc<..>`; of a type parameter, ask for it"
)]
pub trait Sent<M> {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Sent<Met> for T {}

#[diagnostic::do_not_recommend]
impl<T: Nothing> Sent<Unmet> for T {}

/// Asks whether a `T` can go to another thread.
#[inline]
pub fn ask_send<T: Sent<M>, M: Default>() -> M {
    M::default()
}

/// The same, of a type that cannot be named.
#[inline]
pub fn ask_send_of<T: Sent<M>, M: Default>(_: &T) -> M {
    M::default()
}

pin_project! {
    /// A call of an offloaded function.
    pub struct Offloaded<X, P, B, R> {
        executor: X,
        #[pin]
        entering: P,
        body: Option<B>,
        running: Option<Handed<R>>,
    }
}

impl<X, P, B, R> Future for Offloaded<X, P, B, R>
where
    X: Executor,
    P: Future<Output: Send + 'static>,
    B: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    type Output = Result<R, Gone>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.body.is_some() {
            let permit = ready!(this.entering.poll(cx));
            if let Some(body) = this.body.take() {
                let job = move || {
                    let _permit = permit;
                    body()
                };
                *this.running = Some(this.executor.execute(job));
            }
        }
        let running = this.running.as_mut().expect("it is started as soon as the body is taken");
        Pin::new(running).poll(cx)
    }
}

/// A job that has not started, shared by the pool and the caller: whichever takes it out decides what becomes of it. `H` is what is
/// dropped once the job is over and its caller has been told.
type Unstarted<J, H> = Mutex<Option<(J, H)>>;

/// Takes a job out, to be run or dropped without the lock.
fn take<T>(unstarted: &Mutex<Option<T>>) -> Option<T> {
    unstarted.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// What a pool is given. Dropped without having been run, it tells the caller that there is no pool any more.
pub(crate) struct Task<J, R, H> {
    unstarted: Arc<Unstarted<J, H>>,
    reply: Option<oneshot::Sender<thread::Result<R>>>,
}

impl<J: FnOnce() -> R, R, H> Task<J, R, H> {
    /// Runs the job, unless its caller has gone. Never panics: a pool would lose the thread, and rayon would end the process.
    pub(crate) fn run(mut self) {
        contain(|| {
            if let (Some((job, until_over)), Some(reply)) = (take(&self.unstarted), self.reply.take()) {
                // The panic is resumed in the caller, who sees whatever it left behind, as with a plain call. Where the caller has gone,
                // the outcome is dropped here.
                drop(reply.send(catch_unwind(AssertUnwindSafe(job))));
                drop(until_over);
            }
        });
    }
}

impl<J, R, H> Task<J, R, H> {
    /// Whether its caller has gone, and the job with it.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

impl<J, R, H> Drop for Task<J, R, H> {
    fn drop(&mut self) {
        // Whoever drops a pool has nothing to do with the arguments of a job.
        discard(take(&self.unstarted));
    }
}

/// The result of a job. Dropped before the job has started, it keeps the job from running, and drops it.
pub struct Handed<R> {
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

/// A job in two parts: for the pool, and for the caller.
pub(crate) fn hand_over<J, R, H>(job: J, until_over: H) -> (Task<J, R, H>, Handed<R>)
where
    J: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
    H: Send + 'static,
{
    let (reply, outcome) = oneshot::channel();
    let unstarted = Arc::new(Mutex::new(Some((job, until_over))));
    (Task { unstarted: Arc::clone(&unstarted), reply: Some(reply) }, Handed { outcome, unstarted })
}

impl<R> Future for Handed<R> {
    type Output = Result<R, Gone>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.outcome).poll(cx).map(|outcome| match outcome {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(payload)) => resume_unwind(payload),
            Err(_closed) => Err(Gone),
        })
    }
}

impl<R> Drop for Handed<R> {
    fn drop(&mut self) {
        self.unstarted.abandon();
    }
}

/// Tokio's blocking pool.
#[derive(Debug)]
pub struct Tokio;

impl Executor for Tokio {
    fn execute<J, R>(&self, job: J) -> Handed<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        // A paused clock waits for tokio's own blocking tasks.
        let (task, handed) = hand_over(job, ());
        drop(tokio::task::spawn_blocking(|| task.run()));
        handed
    }
}

impl Executor for Handle {
    fn execute<J, R>(&self, job: J) -> Handed<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (task, handed) = hand_over(job, Hold::new());
        self.submit(Box::new(task));
        handed
    }
}

/// Rayon's global pool.
#[cfg(feature = "rayon")]
#[derive(Debug)]
pub struct Rayon;

#[cfg(feature = "rayon")]
impl Executor for Rayon {
    fn execute<J, R>(&self, job: J) -> Handed<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (task, handed) = hand_over(job, Hold::new());
        rayon::spawn(|| task.run());
        handed
    }
}
