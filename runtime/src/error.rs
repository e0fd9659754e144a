//! The library's error type.

use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::iter::successors;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::rounded::rounded;

/// An error reported by the library itself: a deadline passed, a limit was reached, a circuit is open, a pool has shut down.
///
/// It never wraps a function's own errors: it is created only when an attribute rejects or ends a call, and is converted into the
/// function's return type immediately (see the [crate documentation](crate#errors)).
///
/// ```
/// use steadfast::timeout;
///
/// #[derive(Debug)]
/// enum AppError {
///     Policy(steadfast::Error), // with `thiserror`: `#[from] steadfast::Error`
/// }
/// # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Policy(e) } }
///
/// #[timeout(20ms)]
/// async fn stuck() -> Result<(), AppError> {
///     std::future::pending().await
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let AppError::Policy(error) = stuck().await.unwrap_err();
/// assert!(error.is_timeout());
/// assert_eq!(error.function(), "stuck");
/// assert_eq!(error.to_string(), "`stuck` timed out after 20ms");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    function: &'static str,
    limit: Option<Duration>,
    count: Option<u32>,
    /// What a call costs that a rate limit never admits.
    cost: Option<NonZeroU32>,
    retry_after: Option<RetryAfter>,
}

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The deadline of a `#[timeout]` passed.
    Timeout,
    /// A cached function called itself with the key it was already computing, and would have waited for itself forever.
    Recursion,
    /// The thread pool or the runtime shut down before the work could run.
    Shutdown,
    /// A `CancellationToken` was cancelled.
    Cancelled,
    /// A `#[circuit_breaker]` rejected the call.
    CircuitOpen,
    /// A `#[rate_limit]` rejected the call.
    RateLimited,
    /// A `#[concurrency_limit]` had no free permit, or none in time.
    Saturated,
    /// The batch of a `#[batched]` panicked, or did not return one result per key.
    Batch,
    /// Injected by a test (feature `chaos`).
    Injected,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, function: &'static str) -> Self {
        Self { kind, function, limit: None, count: None, cost: None, retry_after: None }
    }

    pub(crate) fn with_limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    pub(crate) fn with_count(self, count: u32) -> Self {
        Self { count: Some(count), ..self }
    }

    /// For a call that costs more than the `count` permits that there are at once.
    pub(crate) fn with_cost(self, cost: u32) -> Self {
        Self { cost: NonZeroU32::new(cost), ..self }
    }

    pub(crate) fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after: retry_after.map(RetryAfter), ..self }
    }

    /// The kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == ErrorKind::Timeout
    }

    /// Whether a cached function would have waited for itself.
    #[must_use]
    pub fn is_recursion(&self) -> bool {
        self.kind == ErrorKind::Recursion
    }

    /// Whether the pool or the runtime has shut down.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        self.kind == ErrorKind::Shutdown
    }

    /// Whether a `CancellationToken` was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.kind == ErrorKind::Cancelled
    }

    /// Whether a circuit breaker rejected the call.
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        self.kind == ErrorKind::CircuitOpen
    }

    /// Whether a rate limit rejected the call.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.kind == ErrorKind::RateLimited
    }

    /// Whether a concurrency limit rejected the call.
    #[must_use]
    pub fn is_saturated(&self) -> bool {
        self.kind == ErrorKind::Saturated
    }

    /// Whether a test injected the error (feature `chaos`).
    #[must_use]
    pub fn is_injected(&self) -> bool {
        self.kind == ErrorKind::Injected
    }

    /// Whether the call's batch failed.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        self.kind == ErrorKind::Batch
    }

    /// The name of the attributed function, as written in the source.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The limit, if it is a duration: that of a timeout, or the period of a rate.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The limit, if it is a count.
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only events report it"))]
    pub(crate) fn count(&self) -> Option<u32> {
        self.count
    }

    /// How long to wait before retrying, if known: for a rate limit unless the call costs more than the burst, and so is never
    /// admitted, and for a circuit breaker unless it was [forced
    /// open](crate::CircuitBreaker::force_open). For a breaker this is the time for which it stays open or, while probes are
    /// running, the time by which they must have ended.
    ///
    /// A `#[retry]` above waits at least this long without further code.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after.map(|RetryAfter(delay)| delay)
    }
}

impl Error {
    fn write_retry(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.retry_after().map_or(Ok(()), |wait| write!(f, "; retry in {:?}", rounded(wait)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = self.function;
        match self.kind {
            ErrorKind::Timeout => {
                write!(f, "`{function}` timed out")?;
                self.limit.map_or(Ok(()), |limit| write!(f, " after {limit:?}"))
            }
            ErrorKind::Recursion => write!(f, "`{function}` called itself recursively with the key it is already computing"),
            ErrorKind::Shutdown => write!(f, "`{function}` did not run: its thread pool has shut down"),
            ErrorKind::Cancelled => write!(f, "`{function}` was cancelled"),
            ErrorKind::Injected => write!(f, "`{function}` failed: injected by a test"),
            ErrorKind::Batch => match self.count {
                None => write!(f, "`{function}` returned no result: its batch panicked"),
                Some(1) => write!(f, "`{function}` returned no result: its batch returned 1 result instead of one per key"),
                Some(results) => {
                    write!(f, "`{function}` returned no result: its batch returned {results} results instead of one per key")
                }
            },
            ErrorKind::CircuitOpen => {
                write!(f, "`{function}` was rejected: circuit breaker is open")?;
                self.write_retry(f)
            }
            ErrorKind::RateLimited => {
                if let (Some(cost), Some(burst)) = (self.cost, self.count) {
                    return write!(f, "`{function}` was rejected: a cost of {cost} exceeds the burst of {burst} of the rate limit");
                }
                write!(f, "`{function}` was rejected: rate limit")?;
                if let (Some(count), Some(period)) = (self.count, self.limit) {
                    write!(f, " of {count} per {period:?}")?;
                }
                write!(f, " exceeded")?;
                self.write_retry(f)
            }
            ErrorKind::Saturated => {
                write!(f, "`{function}` was rejected: concurrency limit")?;
                self.count.map_or(Ok(()), |count| write!(f, " of {count}"))?;
                write!(f, " reached")
            }
        }
    }
}

impl StdError for Error {
    /// `None`: no other error caused it. Only while a `#[retry]` searches for the delay that an error requests, the
    /// source is that delay, so that it is found even if the error is wrapped in one that exposes the source of this error instead of
    /// the error itself (thiserror's `#[error(transparent)]`).
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.retry_after.as_ref().filter(|_| IS_SEARCHED.get()).map(|delay| delay as &(dyn StdError + 'static))
    }
}

thread_local! {
    /// Whether a `#[retry]` is walking the sources of an error on this thread.
    static IS_SEARCHED: Cell<bool> = const { Cell::new(false) };
}

/// The delay before a retry, which is the source of an [`Error`] during a search only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(Duration);

impl RetryAfter {
    /// The delay requested by the rejection that is `error` or is among its sources.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Duration> {
        /// Restores the flag on drop, even if a user's `source` panics.
        struct Search(bool);

        impl Drop for Search {
            fn drop(&mut self) {
                IS_SEARCHED.set(self.0);
            }
        }

        let _search = Search(IS_SEARCHED.replace(true));
        let mut errors = successors(Some(error), |&error| error.source());
        errors.find_map(|error| error.downcast_ref()).map(|Self(delay)| *delay)
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry after {:?}", rounded(self.0))
    }
}

impl StdError for RetryAfter {}

/// `TimedOut` for a timeout, `Deadlock` for a recursion, `BrokenPipe` for a pool that has shut down, `ConnectionAborted` for a
/// cancellation, `ConnectionRefused` for an open circuit, `QuotaExceeded` for a rate limit, `ResourceBusy` for a concurrency limit,
/// `Other` for a failed batch and for an injected error. [`io::Error::get_ref`] returns the [`Error`].
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Recursion => io::ErrorKind::Deadlock,
            ErrorKind::Shutdown => io::ErrorKind::BrokenPipe,
            // Not `Interrupted`, which readers and writers treat as a request to try again.
            ErrorKind::Cancelled => io::ErrorKind::ConnectionAborted,
            ErrorKind::CircuitOpen => io::ErrorKind::ConnectionRefused,
            ErrorKind::RateLimited => io::ErrorKind::QuotaExceeded,
            ErrorKind::Saturated => io::ErrorKind::ResourceBusy,
            ErrorKind::Batch | ErrorKind::Injected => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cause_is_invented() {
        let error = || Error::new(ErrorKind::RateLimited, "f").with_retry_after(Some(Duration::from_secs(3)));
        assert_eq!(RetryAfter::find(&error()), Some(Duration::from_secs(3)));
        assert!(error().source().is_none());
        assert!(io::Error::from(error()).source().is_none());
        assert_eq!(format!("{:#}", anyhow::Error::new(error())), error().to_string());
    }
}
