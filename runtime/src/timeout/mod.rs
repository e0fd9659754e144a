//! `#[timeout]`: a deadline whose timer is set only once the body is pending.

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

use shared_timers::{SharedTimers, Started, TimerKey};

use crate::clock;
use crate::deadline::{Limits, NEVER, Scope};
use crate::error::{Error, ErrorKind};

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::timeout;

/// A deadline for everything awaited [`within`] it.
#[derive(Debug)]
pub struct Deadline {
    deadlines: &'static SharedTimers,
    timer: Timer,
}

#[derive(Debug)]
enum Timer {
    /// Nothing within it has been pending yet.
    Idle { limit: Duration },
    /// In the timer queue of the function.
    Shared { at: u64, key: TimerKey },
    /// Has its own timer: it is due before deadlines that are already queued, or belongs to another runtime.
    Alone(Pin<Box<Sleep>>),
    /// Too far away for the clock to express.
    Never,
}

impl Deadline {
    /// A deadline that passes `limit` after a future [`within`] it is first pending. `deadlines` are those of the function.
    #[inline]
    #[must_use]
    pub fn new(limit: Duration, deadlines: &'static SharedTimers) -> Self {
        Self { deadlines, timer: Timer::Idle { limit } }
    }

    /// Whether a wait of `delay` that starts now ends before the deadline.
    #[cold]
    #[must_use]
    pub fn leaves_room(&self, delay: Duration) -> bool {
        self.limits().left().is_none_or(|left| delay < left)
    }

    /// Evaluates an option of a layer below: what it asks of [`remaining`](crate::remaining) is this deadline's.
    #[inline]
    pub fn during<T>(&self, option: impl FnOnce() -> T) -> T {
        let _scope = Scope::enter(self.limits());
        option()
    }

    /// The limits of this deadline alone.
    #[inline]
    fn limits(&self) -> Limits {
        match &self.timer {
            Timer::Idle { limit } => Limits { at: NEVER, unstarted: clock::nanos(*limit) },
            Timer::Shared { at, .. } => Limits { at: *at, unstarted: NEVER },
            Timer::Alone(sleep) => Limits { at: clock::at(sleep.deadline()), unstarted: NEVER },
            Timer::Never => Limits { at: NEVER, unstarted: NEVER },
        }
    }

    /// Ready when the deadline has passed. The first call starts the clock.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        match &mut self.timer {
            Timer::Idle { limit } => {
                let limit = *limit;
                self.start(limit, cx)
            }
            Timer::Shared { key, .. } => self.deadlines.poll(*key, cx).map(|()| Expired),
            // Unconstrained: a body that uses up the task's budget must not delay its deadline.
            Timer::Alone(sleep) => pin!(coop::unconstrained(sleep.as_mut())).poll(cx).map(|()| Expired),
            Timer::Never => Poll::Pending,
        }
    }

    // Out of line, so that a call which is never pending pays for one comparison only.
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
            // The timer was set for this deadline and may have fired already.
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

/// The deadline has passed.
#[derive(Debug)]
pub struct Expired;

impl Expired {
    /// The error for the attributed `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str, limit: Duration) -> Error {
        Error::new(ErrorKind::Timeout, function).with_limit(limit)
    }
}

pin_project! {
    /// A future with a deadline, which other futures may share.
    pub struct Within<'a, F> {
        deadline: &'a mut Deadline,
        #[pin]
        future: F,
    }
}

/// Awaits `future` until the deadline passes. Cancel safe if `future` is.
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
    pub use super::shared_timers::SharedTimers;
    pub use super::{Deadline, Expired, Within, within};

    crate::rejection::rejections! {
        "`#[timeout]` can fail, but `{Self}` cannot represent its error",
        "`#[timeout]` can fail, but `{Self}` cannot be created from its error"
    }
}

#[cfg(test)]
mod tests;
