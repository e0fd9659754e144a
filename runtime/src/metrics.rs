//! Figures for the `metrics` facade: whatever recorder (Prometheus, for instance) the program installs.
//!
//! ```no_run
//! # async fn main() {
//! // Once, after the recorder has been installed:
//! tokio::spawn(steadfast::metrics::publish_every(std::time::Duration::from_secs(10)));
//! # }
//! ```
//!
//! | name | kind | labels | what |
//! | --- | --- | --- | --- |
//! | `steadfast_calls_total` | counter | `function`, `outcome` = `ok`, `error`, `cancelled`, `panic` | calls that ended |
//! | `steadfast_calls_running` | gauge | `function` | calls under way |
//! | `steadfast_call_duration_seconds` | histogram | `function` | calls that returned, from the first [`publish`] on |
//! | `steadfast_refusals_total` | counter | `function`, `kind` = `timeout`, `circuit_open`, `rate_limited`, `saturated`, `cancelled`, `recursion`, `shutdown`, `batch`, `injected` | what a policy refused or cut short |
//! | `steadfast_retries_total` | counter | `function` | attempts after the first |
//! | `steadfast_retry_wait_seconds` | histogram | `function` | waits before them |
//! | `steadfast_hedges_total` | counter | `function` | attempts that were started beside others |
//! | `steadfast_fallbacks_total` | counter | `function` | failures that a fallback stood in for |
//! | `steadfast_limit_wait_seconds` | histogram | `function`, `limit` = `rate`, `concurrency` | waits for a limit that came to an end |
//! | `steadfast_circuit_transitions_total` | counter | `function`, `to` = `closed`, `open`, `half_open`, `isolated` | changes of a circuit's state, by the function whose call caused them; of those by hand `function` is empty |
//! | `steadfast_cache_requests_total` | counter | `function`, `result` = `hit`, `miss` | look-ups of cached calls |
//! | `steadfast_cache_loads_total` | counter | `function`, `result` = `ok`, `error` | bodies that ran for a miss or a refresh |
//! | `steadfast_cache_removals_total` | counter | `function`, `cause` = `size`, `expired` | entries that left by themselves |
//! | `steadfast_cache_entries` | gauge | `function` | entries kept |
//! | `steadfast_concurrency` | gauge | `function`, `state` = `running`, `waiting`, `limit` | calls under a concurrency limit |
//! | `steadfast_circuit_state` | gauge | `function` | 0 closed, 1 half-open, 2 open, 3 isolated |
//!
//! `function` is the name of the function as it is written; the values of labels are bounded by the program's text. Arguments never
//! become labels. Refusals, retries, hedges, fallbacks, waits for a limit and transitions are recorded as they happen; the rest is counted by the library itself and handed over by
//! [`publish`], so that a call costs no more than two counters. With the feature `metrics`.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::clock;
use crate::registry::{CacheHandle, Function, registry};
use crate::{CircuitBreaker, CircuitState, ConcurrencyLimiter};

/// Whether somebody reads the figures: before that, no call looks at a clock.
static READ: AtomicBool = AtomicBool::new(false);

/// Hands the figures of all functions over to the recorder: to be called before each scrape, or by [`publish_every`].
pub fn publish() {
    READ.store(true, Relaxed);
    for function in registry().functions() {
        calls(function);
        function.caches().for_each(|cache| caches(function.name(), cache));
        function.circuit_breakers().for_each(|breaker| circuit(function.name(), breaker));
        function.concurrency_limiters().for_each(|limiter| concurrency(function.name(), limiter));
    }
}

/// Publishes the figures now, and then again after each `interval`, for ever.
///
/// # Cancel safety
///
/// Dropping it ends the publishing.
pub async fn publish_every(interval: Duration) {
    loop {
        publish();
        tokio::time::sleep(interval).await;
    }
}

fn calls(function: &'static Function) {
    let (name, calls) = (function.name(), function.calls());
    let outcomes = [("ok", calls.ok), ("error", calls.failed), ("cancelled", calls.cancelled), ("panic", calls.panicked)];
    for (outcome, count) in outcomes {
        counter!("steadfast_calls_total", "function" => name, "outcome" => outcome).absolute(count);
    }
    gauge!("steadfast_calls_running", "function" => name).set(of_count(calls.running()));
}

fn caches(function: &'static str, cache: &dyn CacheHandle) {
    let stats = cache.stats();
    for (result, count) in [("hit", stats.hits), ("miss", stats.misses)] {
        counter!("steadfast_cache_requests_total", "function" => function, "result" => result).absolute(count);
    }
    let ended = stats.loads + stats.refreshes - stats.load_errors;
    for (result, count) in [("ok", ended), ("error", stats.load_errors)] {
        counter!("steadfast_cache_loads_total", "function" => function, "result" => result).absolute(count);
    }
    for (cause, count) in [("size", stats.evictions), ("expired", stats.expirations)] {
        counter!("steadfast_cache_removals_total", "function" => function, "cause" => cause).absolute(count);
    }
    gauge!("steadfast_cache_entries", "function" => function).set(of_count(cache.len() as u64));
}

fn circuit(function: &'static str, breaker: &CircuitBreaker) {
    let state = match breaker.state() {
        CircuitState::Closed => 0.0,
        CircuitState::HalfOpen => 1.0,
        CircuitState::Open => 2.0,
        CircuitState::Isolated => 3.0,
    };
    gauge!("steadfast_circuit_state", "function" => function).set(state);
}

fn concurrency(function: &'static str, limiter: &ConcurrencyLimiter) {
    for (state, count) in [("running", limiter.running()), ("waiting", limiter.waiting()), ("limit", limiter.limit())] {
        gauge!("steadfast_concurrency", "function" => function, "state" => state).set(of_count(count as u64));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and exact up to 2^53")]
fn of_count(count: u64) -> f64 {
    count as f64
}

/// The beginning of a call, where somebody wants to know; 0 where nobody does.
#[inline]
pub(crate) fn start() -> u64 {
    if READ.load(Relaxed) { clock::now() } else { 0 }
}

/// The end of a call.
#[inline]
pub(crate) fn end(function: &'static Function, started: u64) {
    if started != 0 {
        record(function, started);
    }
}

#[inline(never)]
fn record(function: &'static Function, started: u64) {
    let durations = function.durations.get_or_init(|| histogram!("steadfast_call_duration_seconds", "function" => function.name()));
    durations.record(Duration::from_nanos(clock::now().saturating_sub(started)));
}
