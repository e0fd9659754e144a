//! What is told while it happens, to `tracing` and `metrics` where those features are on. Everything here is off the path of success.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// A policy refused a call, or cut it short.
pub(crate) fn refused(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "steadfast", function = error.function(), kind = kind(error.kind()), "{error}");
    #[cfg(feature = "metrics")]
    metrics::counter!("steadfast_refusals_total", "function" => error.function(), "kind" => kind(error.kind())).increment(1);
    let _ = error;
}

/// An attempt failed, and another follows after `delay`.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn retrying(function: &'static str, attempt: u32, delay: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function, attempt, ?delay, "an attempt failed, and another follows");
    #[cfg(feature = "metrics")]
    {
        metrics::counter!("steadfast_retries_total", "function" => function).increment(1);
        metrics::histogram!("steadfast_retry_wait_seconds", "function" => function).record(delay);
    }
    let _ = (function, attempt, delay);
}

/// The label of a kind: one word each.
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), expect(dead_code, reason = "nobody is told"))]
fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Timeout => "timeout",
        ErrorKind::Recursion => "recursion",
        ErrorKind::Shutdown => "shutdown",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::CircuitOpen => "circuit_open",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::Saturated => "saturated",
        ErrorKind::Batch => "batch",
        ErrorKind::Injected => "injected",
    }
}
