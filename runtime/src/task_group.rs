//! `task_group`: children that are started as the work unfolds, none of which outlives the group.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use futures_util::FutureExt;
use pin_project_lite::pin_project;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

use crate::cache::inherited;

/// Runs `body`, which may start tasks in the group as it goes, and returns its value when all of them have ended, or the first error.
///
/// ```
/// use steadfast::task_group;
/// # #[derive(Debug)] pub struct AppError;
/// # async fn load_user(_: u64) -> Result<String, AppError> { Ok("Ada".into()) }
/// # async fn load_cart(_: u64) -> Result<Vec<u32>, AppError> { Ok(vec![7, 8]) }
/// # async fn count_visit(_: u64) -> Result<(), AppError> { Ok(()) }
///
/// async fn page(id: u64) -> Result<String, AppError> {
///     task_group(async |g| {
///         let user = g.spawn(load_user(id)); // both run from here on
///         let cart = g.spawn(load_cart(id));
///         g.spawn(count_visit(id)); // awaited by nobody but the group
///         Ok(format!("{} has {} items", user.await, cart.await.len()))
///     })
///     .await
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(page(1).await.unwrap(), "Ada has 2 items");
/// # }
/// ```
///
/// The first error, of a child or of the body, ends the group: the body is dropped, the children are aborted and awaited, and then the
/// error is returned. So whoever awaits a [`Child`] meets its value, never its error.
///
/// A child that is to start further children takes a clone of the group. For a known list of futures, see
/// [`try_gather`](crate::try_gather).
///
/// # Errors
///
/// The first, in time.
///
/// # Cancel safety
///
/// Dropping it drops the body and aborts the children; they are dropped where they next yield, which tokio cannot wait for in a `drop`.
///
/// # Panics
///
/// A panic, of a child or of the body, ends the group as an error does; it is resumed when all children have been dropped, and wins over
/// an error. Starting a child outside of a tokio runtime panics.
pub async fn task_group<T, E, B, F>(body: B) -> Result<T, E>
where
    E: Send + 'static,
    B: FnOnce(TaskGroup<E>) -> F,
    F: Future<Output = Result<T, E>>,
{
    let scope = Scope(TaskGroup::new());
    let group = scope.0.clone();
    // Within a block, so that a panic of the call itself is one of the body.
    let body = async { body(group).await };
    Running { body: Some(body), value: None, ending: None, scope }.await
}

/// Where children are started: what the body of a [`task_group`] gets. Clones are the same group.
pub struct TaskGroup<E>(Arc<Mutex<State<E>>>);

struct State<E> {
    children: JoinSet<Result<(), E>>,
    phase: Phase,
    /// Wakes the group for a child that was started by somebody else than the body.
    waker: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Phase {
    Open,
    /// Children are being aborted: no more are started.
    Stopped,
    /// All have ended.
    Ended,
}

impl<E: Send + 'static> TaskGroup<E> {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State { children: JoinSet::new(), phase: Phase::Open, waker: None })))
    }

    /// Starts a child. It runs at once, also if the [`Child`] is dropped.
    ///
    /// In a group that is being stopped, which a child on another thread may be late to notice, the future is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, and where the group has ended: its clones are of no use any more.
    pub fn spawn<T, F>(&self, future: F) -> Child<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (sender, value) = oneshot::channel();
        let future = inherited(future);
        let child = async move {
            // Where nobody waits for the value, it is dropped.
            drop(sender.send(future.await?));
            Ok(())
        };
        let mut state = self.lock();
        match state.phase {
            Phase::Open => {
                state.children.spawn(child);
                let waker = state.waker.take();
                drop(state);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Phase::Stopped => drop(state),
            Phase::Ended => {
                drop(state);
                panic!("a child was started in a task group that has ended");
            }
        }
        Child { value, group: PhantomData }
    }
}

impl<E> TaskGroup<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup").finish_non_exhaustive()
    }
}

/// The value of a child of a [`task_group`], to be awaited within the group. Dropping it stops nothing.
///
/// Where the child fails, the wait does not end: the group drops the body that waits.
#[derive(Debug)]
pub struct Child<'g, T> {
    value: oneshot::Receiver<T>,
    group: PhantomData<&'g ()>,
}

impl<T> Future for Child<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(self.value.poll_unpin(cx)) {
            Ok(value) => Poll::Ready(value),
            Err(_failed) => Poll::Pending,
        }
    }
}

/// The group's own hold of itself: with it the children go.
struct Scope<E>(TaskGroup<E>);

impl<E: 'static> Scope<E> {
    /// The next child that ends; `None` if there is none, after which, `at_last`, no more can be started.
    fn poll_ended(&self, at_last: bool, cx: &mut Context<'_>) -> Poll<Option<Result<Result<(), E>, JoinError>>> {
        let mut state = self.0.lock();
        let ended = ready!(state.children.poll_join_next(cx));
        if ended.is_none() {
            if at_last {
                state.phase = Phase::Ended;
            } else {
                state.waker = Some(cx.waker().clone());
            }
        }
        Poll::Ready(ended)
    }

    fn stop(&self) {
        let mut state = self.0.lock();
        state.phase = Phase::Stopped;
        state.children.abort_all();
    }
}

impl<E> Drop for Scope<E> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let Phase::Open = state.phase {
            state.phase = Phase::Stopped;
        }
        // A child that holds a clone of the group would else keep the set, and the set the child.
        let children = std::mem::take(&mut state.children);
        drop(state);
        drop(children);
    }
}

/// What ends a group before its time.
enum Ending<E> {
    Failed(E),
    Panicked(Box<dyn Any + Send>),
}

pin_project! {
    /// A group at work.
    struct Running<F, T, E> {
        // Dropped as soon as it has ended, or is to end.
        #[pin]
        body: Option<F>,
        value: Option<T>,
        ending: Option<Ending<E>>,
        scope: Scope<E>,
    }
}

impl<F, T, E: 'static> Running<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else { return };
        // Caught, so that the children are awaited before the panic goes on.
        let ending = match catch_unwind(AssertUnwindSafe(|| body.poll(cx))) {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(Ok(value))) => {
                *this.value = Some(value);
                this.body.set(None);
                return;
            }
            Ok(Poll::Ready(Err(error))) => Ending::Failed(error),
            Err(payload) => Ending::Panicked(payload),
        };
        *this.ending = Some(ending);
        this.body.set(None);
        this.scope.stop();
    }

    fn note(self: Pin<&mut Self>, ended: Result<Result<(), E>, JoinError>) {
        let mut this = self.project();
        let ending = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => Ending::Failed(error),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => Ending::Panicked(payload),
                Err(_aborted) => {
                    assert!(this.ending.is_some(), "the runtime of the task group has shut down");
                    return;
                }
            },
        };
        match (&this.ending, &ending) {
            // The first panic wins over everything, the first error over the others.
            (Some(Ending::Panicked(_)), _) | (Some(Ending::Failed(_)), Ending::Failed(_)) => {}
            _ => *this.ending = Some(ending),
        }
        this.body.set(None);
        this.scope.stop();
    }
}

impl<F, T, E: 'static> Future for Running<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // First, so that the children that it starts are seen below.
        self.as_mut().poll_body(cx);
        loop {
            let at_last = self.body.is_none();
            match ready!(self.scope.poll_ended(at_last, cx)) {
                Some(ended) => self.as_mut().note(ended),
                None if at_last => break,
                None => return Poll::Pending,
            }
        }
        let this = self.project();
        Poll::Ready(match this.ending.take() {
            None => Ok(this.value.take().expect("a body that ended without an error left a value")),
            Some(Ending::Failed(error)) => Err(error),
            Some(Ending::Panicked(payload)) => resume_unwind(payload),
        })
    }
}
