//! `#[timeout]`: a deadline that is armed only once the body is seen to wait.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::clock;
use crate::deadline::{Limits, NEVER, Scope};
use crate::{Error, ErrorKind};

/// Drops the function's future at a deadline and returns the timeout as the function's own error.
///
/// ```
/// use steadfast::timeout;
/// # async fn connect(_: &str) -> std::io::Result<String> { Ok(String::new()) }
///
/// #[timeout(500ms)]
/// async fn greeting(host: &str) -> std::io::Result<String> {
///     connect(host).await
/// }
///
/// // Where the return type cannot carry an error, `or_else` says what to return.
/// #[timeout(2.5s, or_else = |_| 0)]
/// async fn queue_length() -> usize {
///     std::future::pending().await
/// }
///
/// // Any expression of type `Duration` will do; it may name the arguments.
/// #[timeout(patience * 2)]
/// async fn poke(patience: std::time::Duration) -> Option<()> {
///     std::future::pending().await
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// assert_eq!(queue_length().await, 0);
/// assert_eq!(poke(std::time::Duration::from_millis(5)).await, None);
/// # }
/// ```
///
/// # Arguments
///
/// - the duration, first and without a name: a literal with a unit (`500ms`, `5s`, `2.5s`, `1h`, `1_000us`, `ns`, `min`, `d`), or any
///   expression of type [`Duration`], evaluated at each call (or at each attempt, below a `retry`);
/// - `or_else = |error| value`: what to return at the deadline; required where the return type cannot carry the error;
/// - `crate = path`: where `steadfast` is found, for renamed or re-exported use.
///
/// # Errors
///
/// An [`Error`] for which [`is_timeout`](Error::is_timeout) holds, in the function's own error type.
///
/// # What it does not do
///
/// A future is stopped only where it awaits. Code that blocks its thread runs on past the deadline: put it behind
/// [`offload_blocking`](crate::offload_blocking). The body is polled before the clock is looked at: the time starts to run when the
/// body first waits, and a body that never waits costs no timer and cannot time out. Timers are tokio's: they fire up to one
/// millisecond late.
///
/// Whatever runs within the deadline can ask how much time is [left](crate::remaining).
///
/// # Cancel safety
///
/// Dropping the call drops the body, as without the attribute. At the deadline the body is dropped before `or_else` runs.
///
/// # Panics
///
/// Where the body waits outside of a tokio runtime, or in one whose timers are not enabled.
pub use steadfast_macros::timeout;

pin_project! {
    /// A deadline for everything that is awaited [`within`] it.
    pub struct Deadline {
        #[pin]
        timer: Timer,
    }
}

pin_project! {
    #[project = TimerProjection]
    #[project_ref = TimerRef]
    enum Timer {
        // The limit takes no room of its own: once the timer runs, it has the deadline.
        Idle { limit: Duration },
        Armed { #[pin] sleep: Sleep },
        // The deadline is so far away that the clock cannot express it.
        Never,
    }
}

impl Deadline {
    /// A deadline `limit` after the first thing [`within`] it is seen to wait.
    #[inline]
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { timer: Timer::Idle { limit } }
    }

    /// Whether a wait that begins now can end before the deadline.
    #[cold]
    #[must_use]
    pub fn leaves_room(self: Pin<&Self>, delay: Duration) -> bool {
        self.limits().left().is_none_or(|left| delay < left)
    }

    /// What is within this deadline, and nothing else.
    #[inline]
    fn limits(self: Pin<&Self>) -> Limits {
        match self.project_ref().timer.project_ref() {
            TimerRef::Idle { limit } => Limits { at: NEVER, unstarted: clock::nanos(*limit) },
            TimerRef::Armed { sleep } => Limits { at: clock::at(sleep.deadline()), unstarted: NEVER },
            TimerRef::Never => Limits { at: NEVER, unstarted: NEVER },
        }
    }

    /// Ready when the deadline has passed. Arms the timer at the first call.
    fn poll_expired(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Expired> {
        let mut timer = self.project().timer;
        if let Timer::Idle { limit } = *timer {
            timer.set(Timer::arm(limit));
        }
        match timer.project() {
            TimerProjection::Idle { .. } | TimerProjection::Never => Poll::Pending,
            TimerProjection::Armed { sleep } => {
                // Unconstrained: a body that used up its task's budget must not keep its deadline from firing.
                ready!(pin!(coop::unconstrained(sleep)).poll(cx));
                Poll::Ready(Expired)
            }
        }
    }
}

impl Timer {
    #[cold]
    fn arm(limit: Duration) -> Self {
        match Instant::now().checked_add(limit) {
            Some(deadline) => Self::Armed { sleep: sleep_until(deadline) },
            None => Self::Never,
        }
    }
}

/// A deadline has passed.
#[derive(Debug)]
pub struct Expired;

impl Expired {
    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str, limit: Duration) -> Error {
        Error::new(ErrorKind::Timeout, function).with_limit(limit)
    }
}

pin_project! {
    /// A future with a deadline around it, which other futures may share.
    pub struct Within<'a, F> {
        deadline: Pin<&'a mut Deadline>,
        #[pin]
        future: F,
    }
}

/// Awaits `future` until the deadline passes. Cancel safe where `future` is.
#[inline]
pub fn within<F: Future>(deadline: Pin<&mut Deadline>, future: F) -> Within<'_, F> {
    Within { deadline, future }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Result<F::Output, Expired>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let scope = Scope::enter(this.deadline.as_ref().limits());
        let polled = this.future.poll(cx);
        drop(scope);
        match polled {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => this.deadline.as_mut().poll_expired(cx).map(Err),
        }
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::{Deadline, Expired, Within, within};
}
