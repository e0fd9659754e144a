//! `#[timeout]`: a deadline that is armed only once the body is seen to wait.

mod deadlines;
mod lane;
mod seats;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use deadlines::{Deadlines, Start, Ticket};

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
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `duration`, first and without a name | | the time until the deadline |
/// | `or_else = \|error\| value` | none | what to return at the deadline; required where the return type cannot carry the error |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// A duration, here and in all attributes, is a literal with a unit (`500ms`, `5s`, `2.5s`, `1h`, `1_000us`, `ns`, `min`, `d`), or any
/// expression of type [`Duration`]. In an expression such literals may stand anywhere: `if vip { 60s } else { 5s }`, `2 * 1s`. A suffix that
/// Rust has itself (`1u8`) keeps its meaning.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | the duration |
/// | at each timeout | `or_else` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call. Below a limit that lets calls wait, the
/// duration is evaluated [before the wait](crate::guide::order#when-options-are-evaluated).
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
/// millisecond late. The calls of a function share one for each thread that they run on (16 at most, which further threads share too), as
/// long as their deadlines come in the order in which they began to wait; a shorter duration than that of calls which wait already takes a
/// timer of its own, and an allocation for it.
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

/// A deadline for everything that is awaited [`within`] it.
#[derive(Debug)]
pub struct Deadline {
    deadlines: &'static Deadlines,
    timer: Timer,
}

#[derive(Debug)]
enum Timer {
    /// Nothing within it was yet seen to wait.
    Idle { limit: Duration },
    /// In the line of those of this function.
    Shared { at: u64, ticket: Ticket },
    /// With a timer of its own: it comes before others of the function that are in line already, or runs in another runtime.
    Alone(Pin<Box<Sleep>>),
    /// So far away that the clock cannot express it.
    Never,
}

impl Deadline {
    /// A deadline `limit` after the first thing [`within`] it is seen to wait, one of `deadlines`.
    #[inline]
    #[must_use]
    pub fn new(limit: Duration, deadlines: &'static Deadlines) -> Self {
        Self { deadlines, timer: Timer::Idle { limit } }
    }

    /// Whether a wait that begins now can end before the deadline.
    #[cold]
    #[must_use]
    pub fn leaves_room(&self, delay: Duration) -> bool {
        self.limits().left().is_none_or(|left| delay < left)
    }

    /// What is within this deadline, and nothing else.
    #[inline]
    fn limits(&self) -> Limits {
        match &self.timer {
            Timer::Idle { limit } => Limits { at: NEVER, unstarted: clock::nanos(*limit) },
            Timer::Shared { at, .. } => Limits { at: *at, unstarted: NEVER },
            Timer::Alone(sleep) => Limits { at: clock::at(sleep.deadline()), unstarted: NEVER },
            Timer::Never => Limits { at: NEVER, unstarted: NEVER },
        }
    }

    /// Ready when the deadline has passed. Starts the time at the first call.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        match &mut self.timer {
            Timer::Idle { limit } => {
                let limit = *limit;
                self.start(limit, cx)
            }
            Timer::Shared { ticket, .. } => self.deadlines.poll(*ticket, cx).map(|()| Expired),
            // Unconstrained: a body that used up its task's budget must not keep its deadline from firing.
            Timer::Alone(sleep) => pin!(coop::unconstrained(sleep.as_mut())).poll(cx).map(|()| Expired),
            Timer::Never => Poll::Pending,
        }
    }

    // Out of line, so that a call which never waits pays one comparison.
    #[inline(never)]
    fn stop(&mut self) {
        if let Timer::Shared { ticket, .. } = self.timer {
            self.deadlines.leave(ticket);
        }
    }

    fn start(&mut self, limit: Duration, cx: &mut Context<'_>) -> Poll<Expired> {
        let timer = &mut self.timer;
        let started = self.deadlines.join(clock::nanos(limit), cx, |ticket, at| *timer = Timer::Shared { at, ticket });
        match started {
            Start::Waits => Poll::Pending,
            // The timer was set for this one, and may have fired at once.
            Start::WaitsFirst => self.poll_expired(cx),
            Start::Refused => {
                self.timer = match Instant::now().checked_add(limit) {
                    Some(deadline) => Timer::Alone(Box::pin(sleep_until(deadline))),
                    None => Timer::Never,
                };
                self.poll_expired(cx)
            }
        }
    }
}

impl Drop for Deadline {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.timer, Timer::Idle { .. }) {
            self.stop();
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
        deadline: &'a mut Deadline,
        #[pin]
        future: F,
    }
}

/// Awaits `future` until the deadline passes. Cancel safe where `future` is.
#[inline]
pub fn within<F: Future>(deadline: &mut Deadline, future: F) -> Within<'_, F> {
    Within { deadline, future }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Result<F::Output, Expired>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let scope = Scope::enter(this.deadline.limits());
        let polled = this.future.poll(cx);
        drop(scope);
        match polled {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => this.deadline.poll_expired(cx).map(Err),
        }
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::deadlines::Deadlines;
    pub use super::{Deadline, Expired, Within, within};

    crate::refuse::refusals! {
        "`#[timeout]` can fail, and `{Self}` has no place for its error",
        "`#[timeout]` can fail, and `{Self}` cannot be made of its error"
    }
}

#[cfg(test)]
mod tests;
