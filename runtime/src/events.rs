//! Events for `tracing` and `metrics`, if those features are on. Nothing here runs on the success path.

use std::time::Duration;

use crate::circuit_breaker::CircuitState;
use crate::error::{Error, ErrorKind};

/// The function that an event is about: a constant of its expansion.
#[derive(Debug)]
pub struct Origin {
    /// Its name in the source.
    pub function: &'static str,
    /// The path of its module, which tells functions of the same name apart.
    pub module: &'static str,
}

/// The function an event is about. Zero-sized without the features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventSource {
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    origin: &'static Origin,
}

impl EventSource {
    /// An event of a function.
    #[inline]
    pub(crate) fn by(origin: &'static Origin) -> Self {
        let _ = origin;
        Self {
            #[cfg(any(feature = "tracing", feature = "metrics"))]
            origin,
        }
    }

    /// An event that was caused manually, without a function.
    #[inline]
    pub(crate) fn none() -> Self {
        Self::by(&Origin { function: "", module: "" })
    }
}

/// A policy rejected a call or ended it early. `again`: another attempt of the same call may follow.
#[cold]
pub fn rejected(origin: &'static Origin, error: Error, again: bool) -> Error {
    #[cfg(feature = "tracing")]
    lines::rejected(origin, &error, again);
    #[cfg(feature = "metrics")]
    counter("steadfast_rejections_total", origin, Some(("kind", kind(error.kind())))).increment(1);
    let _ = (origin, again);
    error
}

/// A counter of a function.
#[cfg(feature = "metrics")]
fn counter(name: &'static str, origin: &Origin, label: Option<(&'static str, &'static str)>) -> metrics::Counter {
    metrics::counter!(name, crate::metrics::series::labels(origin.function, origin.module, label))
}

/// Log lines about rejected calls. A policy that rejects may do so thousands of times per second: a line for each would bury all others, and
/// cost more than the rejection.
#[cfg(feature = "tracing")]
mod lines {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    use tracing::Level;

    use super::{Origin, kind};
    use crate::clock;
    use crate::error::{Error, ErrorKind};

    /// Nanoseconds between two lines of the same function and kind.
    const PAUSE: u64 = 1_000_000_000;

    /// The last line of a function and kind.
    struct Last {
        at: u64,
        /// Calls since then.
        suppressed: u64,
    }

    /// By module, function and kind: their number is bounded by the program's text.
    static LAST: Mutex<BTreeMap<(&str, &str, &str), Last>> = Mutex::new(BTreeMap::new());

    pub(super) fn rejected(origin: &Origin, error: &Error, again: bool) {
        let Origin { function, module } = *origin;
        let (kind, text) = (kind(error.kind()), text(error.kind()));
        let limit = error.limit().map(tracing::field::debug);
        let retry_after = error.retry_after().map(tracing::field::debug);
        if again {
            tracing::debug!(target: "steadfast", function, module, kind, limit, count = error.count(), retry_after, "{text}");
        } else if tracing::enabled!(target: "steadfast", Level::WARN)
            && let Some(suppressed) = due((module, function, kind))
        {
            tracing::warn!(target: "steadfast", function, module, kind, limit, count = error.count(), retry_after, suppressed, "{text}");
        }
    }

    /// The number of calls since the last line that got none, if another line is due.
    fn due(key: (&'static str, &'static str, &'static str)) -> Option<u64> {
        let now = clock::now();
        let mut lines = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = lines.get_mut(&key) else {
            lines.insert(key, Last { at: now, suppressed: 0 });
            return Some(0);
        };
        // A paused clock may be behind that of another test.
        if now >= last.at && now - last.at < PAUSE {
            last.suppressed += 1;
            return None;
        }
        last.at = now;
        Some(std::mem::take(&mut last.suppressed))
    }

    /// Constant for each kind, so that lines group: values are fields.
    fn text(kind: ErrorKind) -> &'static str {
        match kind {
            ErrorKind::Timeout => "a call timed out",
            ErrorKind::Recursion => "a call requested the key it is computing",
            ErrorKind::Shutdown => "a call did not run: its thread pool or runtime shut down",
            ErrorKind::Cancelled => "a call was cancelled",
            ErrorKind::CircuitOpen => "a call was rejected: the circuit is open",
            ErrorKind::RateLimited => "a call was rejected: the rate limit is reached",
            ErrorKind::Saturated => "a call was rejected: the concurrency limit is reached",
            ErrorKind::Batch => "a call received no result from its batch",
            ErrorKind::Injected => "a call failed: injected by a test",
        }
    }
}

/// An attempt failed, and the next begins now, after a backoff of `delay`.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn retrying(origin: &'static Origin, attempt: u32, delay: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "steadfast", function = origin.function, module = origin.module, attempt, ?delay, "attempt failed; retrying"
    );
    #[cfg(feature = "metrics")]
    {
        counter("steadfast_retries_total", origin, None).increment(1);
        let labels = crate::metrics::series::labels(origin.function, origin.module, None);
        metrics::histogram!("steadfast_retry_wait_seconds", labels).record(delay);
    }
    let _ = (origin, attempt, delay);
}

/// A circuit has changed its state.
#[cold]
pub(crate) fn circuit(told: EventSource, to: CircuitState) {
    #[cfg(feature = "tracing")]
    {
        let Origin { function, module } = *told.origin;
        match to {
            CircuitState::Open => tracing::warn!(target: "steadfast", function, module, "circuit opened"),
            CircuitState::Isolated => tracing::warn!(target: "steadfast", "circuit forced open"),
            CircuitState::HalfOpen => tracing::debug!(target: "steadfast", function, module, "circuit half-open: probing"),
            CircuitState::Closed if function.is_empty() => tracing::warn!(target: "steadfast", "circuit reset"),
            CircuitState::Closed => tracing::warn!(target: "steadfast", function, module, "circuit closed"),
        }
    }
    #[cfg(feature = "metrics")]
    counter("steadfast_circuit_transitions_total", told.origin, Some(("to", state(to)))).increment(1);
    let _ = (told, to);
}

/// A call that waits for a limit. Zero-sized without the feature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    #[cfg(feature = "metrics")]
    origin: &'static Origin,
    #[cfg(feature = "metrics")]
    limit: &'static str,
    #[cfg(feature = "metrics")]
    started: tokio::time::Instant,
}

impl Wait {
    /// Starts to measure.
    #[inline]
    pub(crate) fn begin(origin: &'static Origin, limit: &'static str) -> Self {
        let _ = (origin, limit);
        Self {
            #[cfg(feature = "metrics")]
            origin,
            #[cfg(feature = "metrics")]
            limit,
            #[cfg(feature = "metrics")]
            started: tokio::time::Instant::now(),
        }
    }

    /// The call was admitted or rejected.
    #[inline]
    pub(crate) fn end(self) {
        #[cfg(feature = "metrics")]
        {
            let labels = crate::metrics::series::labels(self.origin.function, self.origin.module, Some(("limit", self.limit)));
            metrics::histogram!("steadfast_limit_wait_seconds", labels).record(self.started.elapsed());
        }
        let Self { .. } = self;
    }
}

/// Another attempt was started concurrently.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn hedged(told: EventSource) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function = told.origin.function, module = told.origin.module, "hedged attempt started");
    #[cfg(feature = "metrics")]
    counter("steadfast_hedges_total", told.origin, None).increment(1);
    let _ = told;
}

/// A value replaced a failure.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn fell_back(origin: &'static Origin) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function = origin.function, module = origin.module, "fallback used");
    #[cfg(feature = "metrics")]
    counter("steadfast_fallbacks_total", origin, None).increment(1);
    let _ = origin;
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
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), expect(dead_code, reason = "without a feature that reports it"))]
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
