//! `#[retry]`: the attempts of one call, and the delays between them.

mod attempts;
mod backoff;
mod budget;
mod event;
mod hint;

pub use backoff::{Backoff, Jitter};
#[doc(alias("token bucket", "backoff"))]
pub use budget::RetryBudget;
pub use event::RetryEvent;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::retry;

#[doc(hidden)]
pub mod private {
    pub use super::attempts::{Attempts, Repeat, assert_repeat};
    pub use super::hint::{Hint, late_hint};
    pub use super::{Backoff, Jitter, RetryEvent};
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Context, Poll};
    use std::time::Duration;
    use tokio::time::Sleep;

    /// The delay requested by a rejection below a retry. One per attempt, shared with layers below that run on other tasks.
    #[derive(Debug, Default)]
    pub struct RequestedDelay(AtomicU64);

    impl RequestedDelay {
        /// No delay requested.
        #[inline]
        #[must_use]
        pub fn new() -> Self {
            Self::default()
        }

        /// One that can be shared with another task.
        #[must_use]
        pub fn shared() -> Arc<Self> {
            Arc::default()
        }

        /// A handle for another task.
        #[must_use]
        pub fn share(self: &Arc<Self>) -> Arc<Self> {
            Arc::clone(self)
        }

        /// Records the delay that a rejection requests.
        pub fn note(&self, rejection: &crate::error::Error) {
            self.0.store(rejection.retry_after().map_or(0, crate::clock::nanos), Ordering::Relaxed);
        }

        /// The delay in nanoseconds; 0 if none was requested.
        #[inline]
        #[must_use]
        pub fn nanos(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// The delay after a failure: the backoff, but no less than what a rejection below [requested](RequestedDelay::note) or the
    /// error requests.
    #[inline]
    pub fn at_least(delay: Duration, noted: u64, hint: Option<Duration>) -> Duration {
        // The common case: no delay was requested.
        if noted == 0 && hint.is_none() {
            return delay;
        }
        delay.max(Duration::from_nanos(noted)).max(hint.unwrap_or_default())
    }

    /// Whether a delay ends before the caller's deadline.
    #[inline]
    pub fn is_in_time(delay: Duration) -> bool {
        crate::deadline::is_in_time(delay)
    }

    /// Applies `when`. A function, so that the type of the closure's argument is inferred.
    #[inline]
    pub fn when<E>(failure: Option<&E>, when: impl FnOnce(&E) -> bool) -> bool {
        failure.is_some_and(when)
    }

    /// What counts as failed by default.
    #[inline]
    pub fn failed<E>(failure: Option<&E>) -> bool {
        failure.is_some()
    }

    /// Applies `failure`.
    #[inline]
    pub fn failure<R>(outcome: &R, failure: impl FnOnce(&R) -> bool) -> bool {
        failure(outcome)
    }

    /// Applies `retry_after`.
    pub fn retry_after<E>(failure: Option<&E>, after: impl FnOnce(&E) -> Option<Duration>) -> Option<Duration> {
        failure.and_then(after)
    }

    /// Emits the event that another attempt follows.
    #[inline]
    pub fn retrying(origin: &'static crate::events::Origin, attempt: u32, delay: Duration) {
        crate::events::retrying(origin, attempt, delay);
    }

    /// Applies a `delay` that computes the wait.
    pub fn delay<R>(event: &RetryEvent<'_, R>, delay: impl FnOnce(&RetryEvent<'_, R>) -> Duration) -> Duration {
        delay(event)
    }

    /// Applies `on_retry` or `gave_up`.
    pub fn notify<R>(event: &RetryEvent<'_, R>, listener: impl FnOnce(&RetryEvent<'_, R>)) {
        listener(event);
    }

    /// Awaits an async `on_retry` or `gave_up`. A function, so that what the block returns is nothing.
    #[inline]
    pub fn listening<F: Future<Output = ()>>(listener: F) -> F {
        listener
    }

    /// Waits before the next attempt. A zero delay does not use a timer.
    ///
    /// The timer is boxed, so that the future of a call has no room for one: most calls succeed at the first attempt.
    pub fn wait(delay: Duration) -> Wait {
        Wait((!delay.is_zero()).then(|| Box::pin(tokio::time::sleep(delay))))
    }

    /// See [`wait`].
    #[derive(Debug)]
    pub struct Wait(Option<Pin<Box<Sleep>>>);

    impl Future for Wait {
        type Output = ();

        #[inline]
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            self.0.as_mut().map_or(Poll::Ready(()), |sleep| sleep.as_mut().poll(cx))
        }
    }
}
