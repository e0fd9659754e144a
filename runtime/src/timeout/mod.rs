//! `#[timeout]`: a deadline that is armed only once the body is seen to wait.

mod deadline_list;
mod shared_timers;
mod timer_queue;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use shared_timers::{Deadlines, Started, TimerKey};

use crate::clock;
use crate::deadline::{Limits, NEVER, Scope};
use crate::error::{Error, ErrorKind};

// Documented where it is defined, in `macros/src/lib.rs`.
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
    Shared { at: u64, key: TimerKey },
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
            Timer::Shared { key, .. } => self.deadlines.poll(*key, cx).map(|()| Expired),
            // Unconstrained: a body that used up its task's budget must not keep its deadline from firing.
            Timer::Alone(sleep) => pin!(coop::unconstrained(sleep.as_mut())).poll(cx).map(|()| Expired),
            Timer::Never => Poll::Pending,
        }
    }

    // Out of line, so that a call which never waits pays one comparison.
    #[inline(never)]
    fn stop(&mut self) {
        if let Timer::Shared { key, .. } = self.timer {
            self.deadlines.remove(key);
        }
    }

    fn start(&mut self, limit: Duration, cx: &mut Context<'_>) -> Poll<Expired> {
        let timer = &mut self.timer;
        let started = self.deadlines.insert(clock::nanos(limit), cx, |key, at| *timer = Timer::Shared { at, key });
        match started {
            Started::Queued => Poll::Pending,
            // The timer was set for this one, and may have fired at once.
            Started::QueuedFirst => self.poll_expired(cx),
            Started::Rejected => {
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
    pub use super::shared_timers::Deadlines;
    pub use super::{Deadline, Expired, Within, within};

    crate::rejection::refusals! {
        "`#[timeout]` can fail, but `{Self}` cannot represent its error",
        "`#[timeout]` can fail, but `{Self}` cannot be created from its error"
    }
}

#[cfg(test)]
mod tests;
