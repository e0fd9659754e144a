//! One blocking job: started once, abandoned if nobody waits, its panic handed back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use pin_project_lite::pin_project;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::pool::Handle;
use super::private::Gone;
use crate::ask::{Met, Nothing, Unmet};

/// Where bodies run.
pub trait Executor {
    /// The result of a job. Dropped before the job has started, it keeps the job from running.
    type Running<R: Send + 'static>: Future<Output = Result<R, Gone>>;

    /// Starts a job.
    fn execute<J, R>(&self, job: J) -> Self::Running<R>
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
    pub struct Offloaded<X: Executor, P, B, R>
    where
        R: Send,
        R: 'static,
    {
        executor: X,
        #[pin]
        entering: P,
        body: Option<B>,
        #[pin]
        running: Option<X::Running<R>>,
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
        let mut this = self.project();
        if this.body.is_some() {
            let permit = ready!(this.entering.poll(cx));
            if let Some(body) = this.body.take() {
                let job = move || {
                    let _permit = permit;
                    body()
                };
                this.running.set(Some(this.executor.execute(job)));
            }
        }
        this.running.as_pin_mut().expect("it is started as soon as the body is taken").poll(cx)
    }
}

/// Tokio's blocking pool.
#[derive(Debug)]
pub struct Tokio;

impl Executor for Tokio {
    type Running<R: Send + 'static> = AbortOnDrop<R>;

    #[inline]
    fn execute<J, R>(&self, job: J) -> AbortOnDrop<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        AbortOnDrop(tokio::task::spawn_blocking(job))
    }
}

/// A blocking task that is taken out of the queue when nobody waits for it any more.
pub struct AbortOnDrop<R>(JoinHandle<R>);

impl<R> Future for AbortOnDrop<R> {
    type Output = Result<R, Gone>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| match joined {
            Ok(result) => Ok(result),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(_cancelled) => Err(Gone),
            },
        })
    }
}

impl<R> Drop for AbortOnDrop<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A job on a pool that takes plain closures.
pub struct Handed<R>(oneshot::Receiver<thread::Result<R>>);

fn hand_over<J, R>(submit: impl FnOnce(Box<dyn FnOnce() + Send>), job: J) -> Handed<R>
where
    J: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (reply, outcome) = oneshot::channel();
    submit(Box::new(move || {
        if !reply.is_closed() {
            // The panic is resumed in the caller, who sees whatever it left behind, as with a plain call. Nobody is there to read a
            // reply that cannot be sent.
            drop(reply.send(catch_unwind(AssertUnwindSafe(job))));
        }
    }));
    Handed(outcome)
}

impl<R> Future for Handed<R> {
    type Output = Result<R, Gone>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|outcome| match outcome {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(payload)) => resume_unwind(payload),
            Err(_closed) => Err(Gone),
        })
    }
}

impl Executor for Handle {
    type Running<R: Send + 'static> = Handed<R>;

    fn execute<J, R>(&self, job: J) -> Handed<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        hand_over(|task| self.submit(task), job)
    }
}

/// Rayon's global pool.
#[cfg(feature = "rayon")]
#[derive(Debug)]
pub struct Rayon;

#[cfg(feature = "rayon")]
impl Executor for Rayon {
    type Running<R: Send + 'static> = Handed<R>;

    fn execute<J, R>(&self, job: J) -> Handed<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        hand_over(rayon::spawn, job)
    }
}
