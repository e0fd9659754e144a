//! `task_group`: structured concurrency; no child outlives the group.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::mem;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use pin_project_lite::pin_project;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::contain::{Payload, catch, contain, discard, drop_caught};
use crate::inherit::inherit;
use crate::signal::Signal;

/// Runs `body`, which may spawn tasks in the group, and returns its value once all of them have ended, or the first error.
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
///         let user = g.spawn(load_user(id)); // both start here
///         let cart = g.spawn(load_cart(id));
///         g.spawn(count_visit(id)); // awaited by the group only
///         Ok(format!("{} has {} items", user.await, cart.await.len()))
///     })
///     .await
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(page(1).await.unwrap(), "Ada has 2 items");
/// # }
/// ```
///
/// The first error, of a child or of the body, ends the group: the body is dropped, the children are aborted and awaited, and then the error is
/// returned. Therefore, awaiting a [`Child`] yields its value, never its error.
///
/// To spawn further children in a child, pass it a clone of the group. For a known list of futures, see [`try_gather`](crate::try_gather).
///
/// # Errors
///
/// The first error in time. If the body fails because of a child (its receiver was dropped, for instance), that is the error of the child.
///
/// # Cancel safety
///
/// Dropping it drops the body and aborts the children; they are dropped at their next yield, for which a destructor cannot wait.
///
/// # Panics
///
/// A panic, of a child or of the body, ends the group like an error; it is resumed when all children have been dropped, and takes precedence over an
/// error. A panic of the destructor of the body's locals, or of a discarded value or error, counts as well. Spawning outside of a Tokio runtime
/// panics.
pub async fn task_group<T, E, B, F>(body: B) -> Result<T, E>
where
    E: Send + 'static,
    B: FnOnce(TaskGroup<E>) -> F,
    F: Future<Output = Result<T, E>>,
{
    let group = TaskGroup::new();
    let scope = Scope { group: group.clone(), children: FuturesUnordered::new() };
    // Within a block, so that a panic of the call itself is one of the body.
    let body = async { body(group).await };
    Running { body: Some(body), value: None, ending: None, scope }.await
}

/// The handle to spawn children, passed to the body of a [`task_group`]. Clones refer to the same group.
pub struct TaskGroup<E>(Arc<Shared<E>>);

struct Shared<E> {
    state: Mutex<State<E>>,
    /// Wakes the group for a child that was not spawned by the body.
    started: Signal,
    /// The number of failures of children and body, to number their errors.
    failures: AtomicUsize,
    /// The number of polls of the body.
    body_polls: AtomicUsize,
}

struct State<E> {
    /// Children that the group has not seen yet.
    started: Vec<Spawned<E>>,
    /// The number of children that are being spawned at this moment.
    starting: usize,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Open,
    /// Children are being aborted: no more are spawned.
    Stopped,
    /// All have ended.
    Ended,
    /// The caller was dropped.
    Dropped,
}

type Spawned<E> = JoinHandle<Result<(), Failed<E>>>;

type Ended<E> = Result<Result<(), Failed<E>>, JoinError>;

/// An error and its time.
struct Failed<E> {
    error: E,
    /// The number of earlier errors.
    number: usize,
    /// The poll that returned it, if it is the body's; else the poll of the body during or after which the child was polled.
    body_poll: usize,
}

impl<E> Failed<E> {
    /// Whether this error of a child comes before that of the body.
    ///
    /// A child closes its channels before it returns, possibly on another thread and before the body is woken by that and fails in turn. If it was
    /// being polled when the body's last poll began, its error is the cause, and the body's the consequence.
    fn of_child_is_before(&self, body: &Self) -> bool {
        self.number < body.number || self.body_poll < body.body_poll
    }
}

impl<E: Send + 'static> TaskGroup<E> {
    fn new() -> Self {
        let state = Mutex::new(State { started: Vec::new(), starting: 0, phase: Phase::Open });
        Self(Arc::new(Shared { state, started: Signal::default(), failures: AtomicUsize::new(0), body_polls: AtomicUsize::new(0) }))
    }

    /// Spawns a child. It runs even if the [`Child`] is dropped.
    ///
    /// In a group that is being stopped, which a child on another thread may notice late, the future is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime, and after the group has ended.
    pub fn spawn<T, F>(&self, future: F) -> Child<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (sender, value) = oneshot::channel();
        let child = Child { value, group: PhantomData };
        let mut state = self.lock();
        match state.phase {
            Phase::Open => state.starting += 1,
            Phase::Stopped | Phase::Dropped => return child,
            Phase::Ended => {
                drop(state);
                panic!("task spawned in a task group that has already finished");
            }
        }
        drop(state);
        // Without the lock: a runtime that shuts down drops the future, and may have hooks.
        let start = Start { group: self, handle: None };
        let future = inherit(self.numbered(future));
        start.started(tokio::spawn(async move {
            // If the `Child` was dropped, so is the value.
            drop(sender.send(future.await?));
            Ok(())
        }));
        child
    }
}

impl<E> TaskGroup<E> {
    fn failed(&self, error: E, body_poll: usize) -> Failed<E> {
        Failed { error, number: self.0.failures.fetch_add(1, Ordering::Relaxed), body_poll }
    }

    /// Numbers the error of `future` immediately, before anything else can fail because of it.
    fn numbered<T, F>(&self, future: F) -> impl Future<Output = Result<T, Failed<E>>> + use<T, E, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        let group = self.clone();
        async move {
            let mut future = pin!(future);
            poll_fn(|cx| {
                let body_poll = group.0.body_polls.load(Ordering::Relaxed);
                future.as_mut().poll(cx).map(|outcome| outcome.map_err(|error| group.failed(error, body_poll)))
            })
            .await
        }
    }
}

/// A child that is being spawned. The group does not end meanwhile.
struct Start<'g, E> {
    group: &'g TaskGroup<E>,
    handle: Option<Spawned<E>>,
}

impl<E> Start<'_, E> {
    fn started(mut self, handle: Spawned<E>) {
        self.handle = Some(handle);
    }
}

impl<E> Drop for Start<'_, E> {
    fn drop(&mut self) {
        let mut state = self.group.lock();
        state.starting -= 1;
        let phase = state.phase;
        let mut orphan = None;
        match self.handle.take() {
            Some(handle) if phase == Phase::Dropped => orphan = Some(handle),
            Some(handle) => {
                if phase == Phase::Stopped {
                    handle.abort();
                }
                state.started.push(handle);
            }
            // The runtime has panicked.
            None => {}
        }
        drop(state);
        if let Some(handle) = orphan {
            handle.abort();
        }
        contain(|| self.group.0.started.wake());
    }
}

impl<E> TaskGroup<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The value of a child of a [`task_group`], to be awaited within the group. Dropping it does not stop the child.
///
/// If the child fails, awaiting it does not return: the group drops the waiting body.
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

/// The children and their group. Dropping it drops them.
struct Scope<E> {
    group: TaskGroup<E>,
    children: FuturesUnordered<Spawned<E>>,
}

impl<E> Scope<E> {
    /// Collects the children that have been spawned; returns whether there are any.
    fn take_started(&mut self) -> bool {
        let started = mem::take(&mut self.group.lock().started);
        let any = !started.is_empty();
        self.children.extend(started);
        any
    }

    /// The next child that ends.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<E>>> {
        self.take_started();
        self.children.poll_next_unpin(cx)
    }

    /// Closes the group for new children, unless there is one that has not been collected.
    fn end(&mut self) -> bool {
        let mut state = self.group.lock();
        let is_last = state.started.is_empty() && state.starting == 0;
        if is_last {
            state.phase = Phase::Ended;
        }
        is_last
    }

    fn stop(&mut self) {
        self.leave(Phase::Stopped);
    }

    fn leave(&mut self, phase: Phase) {
        let mut state = self.group.lock();
        if state.phase != Phase::Ended {
            state.phase = phase;
        }
        drop(state);
        self.take_started();
        for child in &self.children {
            child.abort();
        }
    }
}

impl<E> Drop for Scope<E> {
    fn drop(&mut self) {
        self.leave(Phase::Dropped);
    }
}

/// What ends a group early.
enum Ending<E> {
    BodyFailed(Failed<E>),
    ChildFailed(Failed<E>),
    Panicked(Payload),
}

impl<E> Ending<E> {
    /// The first panic takes precedence over everything, the first error over the others.
    fn wins_over(&self, known: &Self) -> bool {
        match (self, known) {
            (_, Self::Panicked(_)) => false,
            (Self::Panicked(_), _) => true,
            (Self::ChildFailed(child), Self::BodyFailed(body)) => child.of_child_is_before(body),
            (Self::BodyFailed(body), Self::ChildFailed(child)) => !child.of_child_is_before(body),
            (Self::BodyFailed(this) | Self::ChildFailed(this), Self::BodyFailed(other) | Self::ChildFailed(other)) => {
                this.number < other.number
            }
        }
    }
}

pin_project! {
    /// A running group.
    struct Running<F, T, E> {
        // Dropped as soon as it has ended or must end.
        #[pin]
        body: Option<F>,
        value: Option<T>,
        ending: Option<Ending<E>>,
        scope: Scope<E>,
    }
}

impl<F, T, E> Running<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    fn poll_body(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.as_mut().project();
        let Some(body) = this.body.as_pin_mut() else { return };
        let body_poll = this.scope.group.0.body_polls.fetch_add(1, Ordering::Relaxed) + 1;
        // Caught, so that the children are awaited before the panic is resumed.
        let polled = catch(|| body.poll(cx));
        let this = self.as_mut().project();
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(Ok(value))) => {
                *this.value = Some(value);
                self.drop_body();
            }
            Ok(Poll::Ready(Err(error))) => {
                let failed = this.scope.group.failed(error, body_poll);
                self.stop(Ending::BodyFailed(failed));
            }
            Err(payload) => self.stop(Ending::Panicked(payload)),
        }
    }

    /// Drops the body. A panic of its locals' destructors is one of the body.
    fn drop_body(mut self: Pin<&mut Self>) {
        let mut body = self.as_mut().project().body;
        if let Err(payload) = catch(|| body.set(None)) {
            self.stop(Ending::Panicked(payload));
        }
    }

    fn note_ended(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(ended) = ready!(self.as_mut().project().scope.poll_ended(cx)) {
            self.as_mut().note(ended);
        }
        Poll::Ready(())
    }

    fn note(self: Pin<&mut Self>, ended: Ended<E>) {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(failed)) => self.stop(Ending::ChildFailed(failed)),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => self.stop(Ending::Panicked(payload)),
                Err(_aborted) => assert!(self.ending.is_some(), "the runtime of the task group has shut down"),
            },
        }
    }

    /// Ends the group.
    fn stop(mut self: Pin<&mut Self>, ending: Ending<E>) {
        let this = self.as_mut().project();
        this.scope.stop();
        let loser = if this.ending.as_ref().is_none_or(|known| ending.wins_over(known)) {
            this.ending.replace(ending)
        } else {
            Some(ending)
        };
        match loser {
            None => {}
            Some(Ending::Panicked(payload)) => discard(payload),
            Some(Ending::BodyFailed(failed) | Ending::ChildFailed(failed)) => {
                if let Err(payload) = drop_caught(failed) {
                    self.as_mut().stop(Ending::Panicked(payload));
                }
            }
        }
        self.drop_body();
    }
}

impl<F, T, E> Future for Running<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Before the spawned children are collected, so that none is missed.
        self.scope.group.0.started.register(cx.waker());
        // Children first: if the body is about to fail because of one, that one's error is the first.
        let _ = self.as_mut().note_ended(cx);
        self.as_mut().poll_body(cx);
        loop {
            // And those that the body has spawned, or that have ended meanwhile.
            let ended = self.as_mut().note_ended(cx);
            if ended.is_pending() || self.body.is_some() {
                return Poll::Pending;
            }
            let this = self.as_mut().project();
            if this.scope.end() {
                break;
            }
            if !this.scope.take_started() {
                // One is being spawned on another thread, which wakes the group.
                return Poll::Pending;
            }
        }
        let this = self.project();
        let Some(ending) = this.ending.take() else {
            return Poll::Ready(Ok(this.value.take().expect("a body that ended without an error left a value")));
        };
        // Here, and not while a panic unwinds.
        let dropped = drop_caught(this.value.take());
        match (ending, dropped) {
            (Ending::BodyFailed(failed) | Ending::ChildFailed(failed), Ok(())) => Poll::Ready(Err(failed.error)),
            (Ending::BodyFailed(failed) | Ending::ChildFailed(failed), Err(payload)) => {
                discard(failed);
                resume_unwind(payload)
            }
            (Ending::Panicked(payload), dropped) => {
                dropped.unwrap_or_else(discard);
                resume_unwind(payload)
            }
        }
    }
}
