//! Executors of bodies, and a call that waits for its body.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::clock_hold::Hold;
use super::job::{Submitted, submit_job};
use super::pool::Handle;
use crate::attempt::Current;
use crate::bounds::bounds;
use crate::shutdown::RuntimeShutDown;

/// An executor of bodies.
pub trait Executor {
    /// Starts a job.
    fn execute<J, R>(&self, job: J) -> Submitted<R>
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

bounds! {
    /// A type that can be sent to another thread. A trait of its own for the message.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be sent to or returned from the blocking thread",
        label = "not `Send + 'static`",
        note = "use `Send + 'static` types, such as an `Arc<..>` instead of an `Rc<..>`; for a type parameter, add the bounds"
    )]
    trait Sent: [Send + 'static] {
        /// Asserts that a `T` can be sent to another thread.
        fn assert_send[T: Sent<M>]();
        /// The same, for a type that cannot be named.
        fn assert_send_of[T: Sent<M>](_: &T);
    }
}

pin_project! {
    /// A call of an offloaded function.
    pub struct Offloaded<X, P, B, R> {
        executor: X,
        #[pin]
        entering: P,
        body: Option<B>,
        running: Option<Submitted<R>>,
    }
}

impl<X, P, B, R> Future for Offloaded<X, P, B, R>
where
    X: Executor,
    P: Future<Output: Send + 'static>,
    B: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    type Output = Result<R, RuntimeShutDown>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.body.is_some() {
            let permit = ready!(this.entering.poll(cx));
            if let Some(body) = this.body.take() {
                let attempt = Current::get();
                let job = move || {
                    let _scope = attempt.enter();
                    let _permit = permit;
                    body()
                };
                *this.running = Some(this.executor.execute(job));
            }
        }
        let running = this.running.as_mut().expect("it is submitted when the body is taken");
        Pin::new(running).poll(cx)
    }
}

/// Tokio's blocking pool.
#[derive(Debug)]
pub struct Tokio;

impl Executor for Tokio {
    fn execute<J, R>(&self, job: J) -> Submitted<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        // A paused clock waits for Tokio's own blocking tasks.
        let (task, handed) = submit_job(job, ());
        drop(tokio::task::spawn_blocking(|| task.run()));
        handed
    }
}

impl Executor for Handle {
    fn execute<J, R>(&self, job: J) -> Submitted<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (task, handed) = submit_job(job, Hold::new());
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
    fn execute<J, R>(&self, job: J) -> Submitted<R>
    where
        J: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (task, handed) = submit_job(job, Hold::new());
        rayon::spawn(|| task.run());
        handed
    }
}
