//! The argument of the callbacks of a retry.

use std::time::Duration;

use crate::outcome::Attempted;

/// An attempt that failed: the argument of `on_retry`, of `gave_up`, and of a `delay` that computes the wait.
///
/// ```
/// use steadfast::retry;
///
/// #[retry(delay = 10ms, on_retry = |event| eprintln!(
///     "attempt {} of `{}` failed ({:?}), next in {:?}",
///     event.attempt(),
///     event.function(),
///     event.error(),
///     event.delay(),
/// ))]
/// async fn fetch() -> Result<(), std::io::Error> {
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct RetryEvent<'a, R> {
    function: &'static str,
    attempt: u32,
    delay: Duration,
    elapsed: Duration,
    outcome: &'a R,
}

impl<'a, R> RetryEvent<'a, R> {
    #[doc(hidden)]
    pub fn new(function: &'static str, attempt: u32, delay: Duration, elapsed: Duration, outcome: &'a R) -> Self {
        Self { function, attempt, delay, elapsed, outcome }
    }

    /// The name of the attributed function.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The number of the attempt that failed, counted from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The delay before the next attempt. In `gave_up` it is zero, since none follows; in `delay = |event| ..`, which computes it, it is
    /// the delay before the attempt that failed, and zero for the first.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// The time since the first attempt began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What the failed attempt returned.
    #[must_use]
    pub fn outcome(&self) -> &'a R {
        self.outcome
    }
}

impl<'a, R: Attempted> RetryEvent<'a, R> {
    /// The error of the failed attempt: `Some` if it is an `Err`, `Some(&())` if it is a `None`.
    #[must_use]
    pub fn error(&self) -> Option<&'a R::Error> {
        self.outcome.failure()
    }
}
