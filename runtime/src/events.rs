//! What is told while it happens, to `tracing` and `metrics` where those features are on. Everything here is off the path of success.

use std::time::Duration;

use crate::{CircuitState, Error, ErrorKind};

/// The function of which something is told. It takes no room where nobody is told anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    function: &'static &'static str,
}

impl Told {
    /// Something that `function` did. Behind another reference, which is half the size.
    #[inline]
    pub(crate) fn by(function: &'static &'static str) -> Self {
        let _ = function;
        Self {
            #[cfg(any(feature = "tracing", feature = "metrics"))]
            function,
        }
    }

    /// Something that no function did, but the program by hand.
    #[inline]
    pub(crate) fn nobody() -> Self {
        Self::by(&"")
    }
}

/// A policy refused a call, or cut it short.
pub(crate) fn refused(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "steadfast", function = error.function(), kind = kind(error.kind()), "{error}");
    #[cfg(feature = "metrics")]
    metrics::counter!("steadfast_refusals_total", "function" => error.function(), "kind" => kind(error.kind())).increment(1);
    let _ = error;
}

/// An attempt failed, and another begins now, after a wait of `delay`.
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

/// A circuit is in another state.
#[cold]
pub(crate) fn circuit(told: Told, to: CircuitState) {
    #[cfg(feature = "tracing")]
    match to {
        CircuitState::Open => tracing::warn!(target: "steadfast", function = *told.function, "the circuit opens"),
        CircuitState::Isolated => tracing::warn!(target: "steadfast", "a circuit is forced open"),
        CircuitState::HalfOpen => tracing::debug!(target: "steadfast", function = *told.function, "the circuit is tried"),
        CircuitState::Closed if told.function.is_empty() => tracing::warn!(target: "steadfast", "a circuit is reset"),
        CircuitState::Closed => tracing::warn!(target: "steadfast", function = *told.function, "the circuit is closed again"),
    }
    #[cfg(feature = "metrics")]
    metrics::counter!("steadfast_circuit_transitions_total", "function" => *told.function, "to" => state(to)).increment(1);
    let _ = (told, to);
}

/// A call that waits for a limit. It takes no room where nobody measures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    #[cfg(feature = "metrics")]
    function: &'static str,
    #[cfg(feature = "metrics")]
    limit: &'static str,
    #[cfg(feature = "metrics")]
    started: tokio::time::Instant,
}

impl Wait {
    /// It begins to wait.
    #[inline]
    pub(crate) fn begin(function: &'static str, limit: &'static str) -> Self {
        let _ = (function, limit);
        Self {
            #[cfg(feature = "metrics")]
            function,
            #[cfg(feature = "metrics")]
            limit,
            #[cfg(feature = "metrics")]
            started: tokio::time::Instant::now(),
        }
    }

    /// It was let through, or refused.
    #[inline]
    pub(crate) fn end(self) {
        #[cfg(feature = "metrics")]
        metrics::histogram!("steadfast_limit_wait_seconds", "function" => self.function, "limit" => self.limit)
            .record(self.started.elapsed());
        let Self { .. } = self;
    }
}

/// Another attempt runs beside those that take too long.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn hedged(function: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function, "another attempt runs beside the first");
    #[cfg(feature = "metrics")]
    metrics::counter!("steadfast_hedges_total", "function" => function).increment(1);
    let _ = function;
}

/// A value stands in for a failure.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn fell_back(function: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function, "a fallback stands in for a failure");
    #[cfg(feature = "metrics")]
    metrics::counter!("steadfast_fallbacks_total", "function" => function).increment(1);
    let _ = function;
}

/// The label of a state: one word each.
#[cfg(feature = "metrics")]
fn state(state: CircuitState) -> &'static str {
    match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
        CircuitState::Isolated => "isolated",
    }
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
