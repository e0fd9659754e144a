//! The one error type of the library.

use std::fmt;
use std::io;
use std::time::Duration;

/// What the library itself reports: a deadline that passed, a limit that was met, a circuit that is open, a pool that is gone.
///
/// A function's own errors are never wrapped in it: it is made only where an attribute refuses to go on, and converted at once
/// into the function's return type (see the [crate documentation](crate#errors)).
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
    retry_after: Option<RetryAfter>,
}

/// Which policy spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The deadline of a `#[timeout]` passed.
    Timeout,
    /// A cached function called itself with the key that it is computing, and would wait for itself for ever.
    Recursion,
    /// The thread pool or the runtime went away before the work could run.
    Shutdown,
    /// A `CancellationToken` was cancelled.
    Cancelled,
    /// A `#[circuit_breaker]` lets no call through.
    CircuitOpen,
    /// A `#[rate_limit]` has no turn left in time.
    RateLimited,
    /// A `#[concurrency_limit]` has no place left, or none in time.
    Saturated,
    /// The batch of a `#[batched]` panicked, or did not answer each key.
    Batch,
    /// A test asked for it (feature `chaos`).
    Injected,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, function: &'static str) -> Self {
        Self { kind, function, limit: None, count: None, retry_after: None }
    }

    pub(crate) fn with_limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    pub(crate) fn with_count(self, count: u32) -> Self {
        Self { count: Some(count), ..self }
    }

    pub(crate) fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after: retry_after.map(RetryAfter), ..self }
    }

    /// Which policy spoke.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == ErrorKind::Timeout
    }

    /// Whether a cached function waited for itself.
    #[must_use]
    pub fn is_recursion(&self) -> bool {
        self.kind == ErrorKind::Recursion
    }

    /// Whether the pool or the runtime was gone.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        self.kind == ErrorKind::Shutdown
    }

    /// Whether a `CancellationToken` was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.kind == ErrorKind::Cancelled
    }

    /// Whether a circuit breaker let nothing through.
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        self.kind == ErrorKind::CircuitOpen
    }

    /// Whether there were too many calls in a time.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.kind == ErrorKind::RateLimited
    }

    /// Whether too many calls were running or waiting.
    #[must_use]
    pub fn is_saturated(&self) -> bool {
        self.kind == ErrorKind::Saturated
    }

    /// Whether a test asked for it (feature `chaos`).
    #[must_use]
    pub fn is_injected(&self) -> bool {
        self.kind == ErrorKind::Injected
    }

    /// Whether the batch that a call was part of came to nothing.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        self.kind == ErrorKind::Batch
    }

    /// The name of the annotated function, as it is written in the source.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The limit that was met, where it is a time: the duration of a timeout, the period of a rate.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The limit that was met, where it is a count.
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "nobody is told"))]
    pub(crate) fn count(&self) -> Option<u32> {
        self.count
    }

    /// How long to wait before another call has a chance, where the policy knows: a rate limit always does, and a circuit
    /// breaker unless it was [forced open](crate::CircuitBreaker::force_open): the time for which it stays open or, while probes are under
    /// way, the time by which they must have ended.
    ///
    /// A `#[retry]` above waits at least that long without being told.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after.map(|RetryAfter(wait)| wait)
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
            ErrorKind::Recursion => write!(f, "`{function}` called itself with the key that it is computing"),
            ErrorKind::Shutdown => write!(f, "`{function}` did not run: its thread pool has shut down"),
            ErrorKind::Cancelled => write!(f, "`{function}` was cancelled"),
            ErrorKind::Injected => write!(f, "`{function}` failed: a test injected it"),
            ErrorKind::Batch => match self.count {
                None => write!(f, "`{function}` gave no answer: its batch panicked"),
                Some(answers) => {
                    write!(f, "`{function}` gave no answer: its batch came to {answers} of them, and not to one for each key")
                }
            },
            ErrorKind::CircuitOpen => {
                write!(f, "`{function}` was not called: its circuit is open")?;
                self.retry_after().map_or(Ok(()), |wait| write!(f, " for another {wait:?}"))
            }
            ErrorKind::RateLimited => {
                write!(f, "`{function}` was not called: it is limited")?;
                if let (Some(count), Some(period)) = (self.count, self.limit) {
                    write!(f, " to {} in {period:?}", Calls(count))?;
                }
                self.retry_after().map_or(Ok(()), |wait| write!(f, ", and the next turn is in {wait:?}"))
            }
            ErrorKind::Saturated => {
                write!(f, "`{function}` was not called: it is saturated")?;
                self.count.map_or(Ok(()), |count| write!(f, ", with {} at once", Calls(count)))
            }
        }
    }
}

/// `1 call`, `2 calls`.
struct Calls(u32);

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count) = self;
        write!(f, "{count} {}", if *count == 1 { "call" } else { "calls" })
    }
}

impl std::error::Error for Error {
    /// The [wait](Error::retry_after) that is asked for, so that `#[retry]` finds it also where the error is wrapped in one that shows
    /// the source of this one instead of itself (thiserror's `#[error(transparent)]`).
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.retry_after.as_ref().map(|wait| wait as &(dyn std::error::Error + 'static))
    }
}

/// How long to wait before another call, as the source of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) Duration);

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another call has a chance in {:?}", self.0)
    }
}

impl std::error::Error for RetryAfter {}

/// `TimedOut` for a deadline, `Deadlock` for a recursion, `BrokenPipe` for a pool that is gone, `ConnectionAborted` for a cancellation,
/// `ConnectionRefused` for an open circuit, `QuotaExceeded` for a rate, `ResourceBusy` for a saturated function; the [`Error`] is what
/// [`io::Error::get_ref`] returns.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Recursion => io::ErrorKind::Deadlock,
            ErrorKind::Shutdown => io::ErrorKind::BrokenPipe,
            // Not `Interrupted`: readers and writers take that as an invitation to go on.
            ErrorKind::Cancelled => io::ErrorKind::ConnectionAborted,
            ErrorKind::CircuitOpen => io::ErrorKind::ConnectionRefused,
            ErrorKind::RateLimited => io::ErrorKind::QuotaExceeded,
            ErrorKind::Saturated => io::ErrorKind::ResourceBusy,
            ErrorKind::Batch | ErrorKind::Injected => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
