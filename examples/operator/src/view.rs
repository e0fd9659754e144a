//! The registry as JSON.

use serde::Serialize;
use steadfast::registry::{Calls, Function, Handle};
use steadfast::{CircuitState, registry};

/// A function that carries attributes, and has run.
#[derive(Debug, Serialize)]
pub struct FunctionView {
    /// Its module and name, which methods of several types may share.
    path: String,
    /// The source file and the line, by which [actions](crate::actions) name it.
    place: String,
    /// Outermost first.
    policies: Vec<PolicyView>,
    calls: CallsView,
    /// Actions name them by their index.
    handles: Vec<HandleView>,
}

/// An attribute, in its source form.
#[derive(Debug, Serialize)]
struct PolicyView {
    attribute: &'static str,
    settings: &'static str,
}

#[derive(Debug, Serialize)]
struct CallsView {
    started: u64,
    running: u64,
    ok: u64,
    failed: u64,
    cancelled: u64,
    panicked: u64,
}

/// What a handle shows at present.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum HandleView {
    Cache { entries: usize, hits: u64, misses: u64, loads: u64, coalesced: u64, evictions: u64, expirations: u64 },
    CircuitBreaker { state: &'static str },
    RateLimiter { count: u32, period_ms: u64, keys: usize },
    ConcurrencyLimiter { limit: usize, running: usize, waiting: usize },
    Other,
}

/// All functions, in the order of their first calls.
pub fn functions() -> Vec<FunctionView> {
    registry().functions().map(FunctionView::of).collect()
}

impl FunctionView {
    fn of(function: &'static Function) -> Self {
        Self {
            path: format!("{}::{}", function.module(), function.name()),
            place: format!("{}:{}", function.file(), function.line()),
            policies: function
                .policies()
                .iter()
                .map(|policy| PolicyView { attribute: policy.attribute, settings: policy.settings })
                .collect(),
            calls: CallsView::of(function.calls()),
            handles: function.handles().map(HandleView::of).collect(),
        }
    }
}

impl CallsView {
    fn of(calls: Calls) -> Self {
        let Calls { started, ok, failed, cancelled, panicked, .. } = calls;
        Self { started, running: calls.running(), ok, failed, cancelled, panicked }
    }
}

impl HandleView {
    fn of(handle: Handle) -> Self {
        match handle {
            Handle::Cache(cache) => {
                let stats = cache.stats();
                Self::Cache {
                    entries: cache.len(),
                    hits: stats.hits,
                    misses: stats.misses,
                    loads: stats.loads,
                    coalesced: stats.coalesced,
                    evictions: stats.evictions,
                    expirations: stats.expirations,
                }
            }
            Handle::CircuitBreaker(breaker) => Self::CircuitBreaker { state: state(breaker.state()) },
            Handle::RateLimiter(limiter) => {
                let (count, period) = limiter.rate();
                Self::RateLimiter { count, period_ms: u64::try_from(period.as_millis()).unwrap_or(u64::MAX), keys: limiter.keys() }
            }
            Handle::ConcurrencyLimiter(limiter) => {
                Self::ConcurrencyLimiter { limit: limiter.limit(), running: limiter.running(), waiting: limiter.waiting() }
            }
            _ => Self::Other,
        }
    }
}

fn state(state: CircuitState) -> &'static str {
    match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half-open",
        CircuitState::Isolated => "isolated",
        _ => "other",
    }
}
