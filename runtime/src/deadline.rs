//! Deadline propagation: code within a deadline can ask for the remaining time.
//!
//! A deadline is set on the thread while what is within it is polled, and reset afterwards: there is no task-local, and no lookup unless the
//! remaining time is requested.

use std::cell::Cell;
use std::time::Duration;

use crate::clock;

/// The deadlines within which something is being polled on this thread, in nanoseconds of the clock: the nearest of those that have started, and
/// the shortest of those that have not, because nothing within them has waited yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) at: u64,
    pub(crate) unstarted: u64,
}

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

thread_local! {
    static LIMITS: Cell<Limits> = const { Cell::new(Limits { at: NEVER, unstarted: NEVER }) };
}

/// The time remaining until the nearest enclosing `#[timeout]` deadline, in whatever function that is. `None` without one.
///
/// Until something in the function has waited, the clock of its deadline has not started, and its whole duration remains. A spawned task and a
/// job on another thread have no deadline of their own.
///
/// Pass it on when the work is done by another service: the example `deadlines` sends the header `grpc-timeout`, and answers rejections with
/// `Retry-After`.
///
/// ```
/// use steadfast::timeout;
/// use std::time::Duration;
///
/// /// Sends the remaining time to the server.
/// async fn request() -> Option<String> {
///     tokio::time::sleep(Duration::from_millis(20)).await;
///     steadfast::remaining().map(|left| format!("grpc-timeout: {}m", left.as_millis()))
/// }
///
/// #[timeout(100ms)]
/// async fn call() -> Option<String> {
///     request().await
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// assert_eq!(call().await.as_deref(), Some("grpc-timeout: 80m"));
/// assert_eq!(steadfast::remaining(), None);
/// # }
/// ```
#[must_use]
pub fn remaining() -> Option<Duration> {
    LIMITS.get().left()
}

/// Whether a wait can end before the deadline, if there is one.
#[inline]
pub(crate) fn is_in_time(delay: Duration) -> bool {
    remaining().is_none_or(|left| delay < left)
}

impl Limits {
    pub(crate) fn left(self) -> Option<Duration> {
        let Self { at, unstarted } = self;
        let left = if at == NEVER { NEVER } else { at.saturating_sub(clock::now()) };
        Some(left.min(unstarted)).filter(|&left| left != NEVER).map(Duration::from_nanos)
    }
}

/// While it lives, what is polled on this thread is within a deadline.
#[derive(Debug)]
pub(crate) struct Scope {
    outer: Limits,
}

impl Scope {
    #[inline]
    pub(crate) fn enter(inner: Limits) -> Self {
        let outer = LIMITS.get();
        LIMITS.set(Limits { at: outer.at.min(inner.at), unstarted: outer.unstarted.min(inner.unstarted) });
        Self { outer }
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        LIMITS.set(self.outer);
    }
}
