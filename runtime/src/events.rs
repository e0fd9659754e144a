//! What is told while it happens, to `tracing` and `metrics` where those features are on. Everything here is off the path of success.

use std::time::Duration;

use crate::circuit_breaker::CircuitState;
use crate::error::{Error, ErrorKind};

/// The function of which something is told: a constant of its expansion.
#[derive(Debug)]
pub struct Origin {
    /// Its name, as it is written.
    pub function: &'static str,
    /// The path of its module. Two functions of one name are two series.
    pub module: &'static str,
}

/// Who is told of. It takes no room where nobody is told anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventSource {
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    origin: &'static Origin,
}

impl EventSource {
    /// Something that a function did.
    #[inline]
    pub(crate) fn by(origin: &'static Origin) -> Self {
        let _ = origin;
        Self {
            #[cfg(any(feature = "tracing", feature = "metrics"))]
            origin,
        }
    }

    /// Something that no function did, but the program by hand.
    #[inline]
    pub(crate) fn none() -> Self {
        Self::by(&Origin { function: "", module: "" })
    }
}

/// A policy rejected a call, or cut it short. `again`: another attempt of the same call may follow.
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

/// Lines about rejected calls. A policy that rejects does so thousands of times a second: one line for each would bury all others, and
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

    /// How many calls no line was written about since the last one, where it is time for another.
    fn due(key: (&'static str, &'static str, &'static str)) -> Option<u64> {
        let now = clock::now();
        let mut lines = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = lines.get_mut(&key) else {
            lines.insert(key, Last { at: now, suppressed: 0 });
            return Some(0);
        };
        // A paused clock may stand behind that of another test.
        if now >= last.at && now - last.at < PAUSE {
            last.suppressed += 1;
            return None;
        }
        last.at = now;
        Some(std::mem::take(&mut last.suppressed))
    }

    /// The same for each line of a kind, so that lines group: figures are fields.
    fn text(kind: ErrorKind) -> &'static str {
        match kind {
            ErrorKind::Timeout => "a call timed out",
            ErrorKind::Recursion => "a call asked for the key that it is computing",
            ErrorKind::Shutdown => "a call did not run: its thread pool or runtime has shut down",
            ErrorKind::Cancelled => "a call was cancelled",
            ErrorKind::CircuitOpen => "a call was rejected: the circuit is open",
            ErrorKind::RateLimited => "a call was rejected: the rate limit is reached",
            ErrorKind::Saturated => "a call was rejected: the concurrency limit is reached",
            ErrorKind::Batch => "a call got no answer from its batch",
            ErrorKind::Injected => "a call failed: a test injected it",
        }
    }
}

/// An attempt failed, and another begins now, after a wait of `delay`.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn retrying(origin: &'static Origin, attempt: u32, delay: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "steadfast", function = origin.function, module = origin.module, attempt, ?delay, "an attempt failed, and another follows"
    );
    #[cfg(feature = "metrics")]
    {
        counter("steadfast_retries_total", origin, None).increment(1);
        let labels = crate::metrics::series::labels(origin.function, origin.module, None);
        metrics::histogram!("steadfast_retry_wait_seconds", labels).record(delay);
    }
    let _ = (origin, attempt, delay);
}

/// A circuit is in another state.
#[cold]
pub(crate) fn circuit(told: EventSource, to: CircuitState) {
    #[cfg(feature = "tracing")]
    {
        let Origin { function, module } = *told.origin;
        match to {
            CircuitState::Open => tracing::warn!(target: "steadfast", function, module, "the circuit opens"),
            CircuitState::Isolated => tracing::warn!(target: "steadfast", "a circuit is forced open"),
            CircuitState::HalfOpen => tracing::debug!(target: "steadfast", function, module, "the circuit is tried"),
            CircuitState::Closed if function.is_empty() => tracing::warn!(target: "steadfast", "a circuit is reset"),
            CircuitState::Closed => tracing::warn!(target: "steadfast", function, module, "the circuit is closed again"),
        }
    }
    #[cfg(feature = "metrics")]
    counter("steadfast_circuit_transitions_total", told.origin, Some(("to", state(to)))).increment(1);
    let _ = (told, to);
}

/// A call that waits for a limit. It takes no room where nobody measures.
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
    /// It begins to wait.
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

    /// It was let through, or refused.
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

/// Another attempt runs beside those that take too long.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn hedged(told: EventSource) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function = told.origin.function, module = told.origin.module, "another attempt runs beside the first");
    #[cfg(feature = "metrics")]
    counter("steadfast_hedges_total", told.origin, None).increment(1);
    let _ = told;
}

/// A value stands in for a failure.
#[cfg_attr(any(feature = "tracing", feature = "metrics"), cold)]
#[cfg_attr(not(any(feature = "tracing", feature = "metrics")), inline)]
pub(crate) fn fell_back(origin: &'static Origin) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "steadfast", function = origin.function, module = origin.module, "a fallback stands in for a failure");
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
