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
//! | `steadfast_cache_loads_total` | counter | `function`, `result` = `ok`, `error` | bodies that came to an end, for a miss or a refresh |
//! | `steadfast_cache_removals_total` | counter | `function`, `cause` = `size`, `expired` | entries that left by themselves |
//! | `steadfast_cache_entries` | gauge | `function` | entries kept |
//! | `steadfast_concurrency` | gauge | `function`, `state` = `running`, `waiting`, `limit` | calls under a concurrency limit |
//! | `steadfast_circuit_state` | gauge | `function` | 0 closed, 1 half-open, 2 open, 3 isolated |
//!
//! `function` is the name of the function as it is written; functions of the same name share a series, in which their figures are added up
//! (of circuits: that of the worst). The values of labels are bounded by the program's text. Arguments never
//! become labels. Refusals, retries, hedges, fallbacks, waits for a limit and transitions are recorded as they happen; the rest is counted by the library itself and handed over by
//! [`publish`], so that a call costs no more than two counters. With the feature `metrics`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use metrics::{Label, counter, gauge, histogram};

use crate::clock;
use crate::registry::{CacheHandle, Function, registry};
use crate::{CircuitBreaker, CircuitState, ConcurrencyLimiter};

/// Whether somebody reads the figures: before that, no call looks at a clock.
static READ: AtomicBool = AtomicBool::new(false);

/// Hands the figures of all functions over to the recorder: to be called before each scrape, or by [`publish_every`].
pub fn publish() {
    READ.store(true, Relaxed);
    let mut figures = Figures::default();
    registry().functions().for_each(|function| figures.add(function));
    figures.hand_over();
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

/// What is counted by the library itself. Functions of one name share their series.
#[derive(Default)]
struct Figures {
    counters: BTreeMap<Series, u64>,
    gauges: BTreeMap<Series, f64>,
}

/// A name, a function, and another label.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: &'static str,
    function: &'static str,
    label: Option<(&'static str, &'static str)>,
}

impl Series {
    fn labels(self) -> Vec<Label> {
        let function = [("function", self.function)].into_iter().chain(self.label);
        function.map(|(key, value)| Label::from_static_parts(key, value)).collect()
    }
}

impl Figures {
    fn add(&mut self, function: &'static Function) {
        let (name, calls) = (function.name(), function.calls());
        let outcomes = [("ok", calls.ok), ("error", calls.failed), ("cancelled", calls.cancelled), ("panic", calls.panicked)];
        for (outcome, count) in outcomes {
            self.count("steadfast_calls_total", name, ("outcome", outcome), count);
        }
        self.level("steadfast_calls_running", name, None, calls.running());
        function.caches().for_each(|cache| self.add_cache(name, cache));
        function.circuit_breakers().for_each(|breaker| self.add_circuit(name, breaker));
        function.concurrency_limiters().for_each(|limiter| self.add_limiter(name, limiter));
    }

    fn add_cache(&mut self, function: &'static str, cache: &dyn CacheHandle) {
        let stats = cache.stats();
        for (result, count) in [("hit", stats.hits), ("miss", stats.misses)] {
            self.count("steadfast_cache_requests_total", function, ("result", result), count);
        }
        for (result, count) in [("ok", stats.loaded), ("error", stats.load_errors)] {
            self.count("steadfast_cache_loads_total", function, ("result", result), count);
        }
        for (cause, count) in [("size", stats.evictions), ("expired", stats.expirations)] {
            self.count("steadfast_cache_removals_total", function, ("cause", cause), count);
        }
        self.level("steadfast_cache_entries", function, None, cache.len() as u64);
    }

    fn add_circuit(&mut self, function: &'static str, breaker: &CircuitBreaker) {
        let state = match breaker.state() {
            CircuitState::Closed => 0.0,
            CircuitState::HalfOpen => 1.0,
            CircuitState::Open => 2.0,
            CircuitState::Isolated => 3.0,
        };
        // Of several, the one that is worst off.
        let worst = self.gauges.entry(Series { name: "steadfast_circuit_state", function, label: None }).or_insert(state);
        *worst = worst.max(state);
    }

    fn add_limiter(&mut self, function: &'static str, limiter: &ConcurrencyLimiter) {
        for (state, count) in [("running", limiter.running()), ("waiting", limiter.waiting()), ("limit", limiter.limit())] {
            self.level("steadfast_concurrency", function, Some(("state", state)), count as u64);
        }
    }

    fn count(&mut self, name: &'static str, function: &'static str, label: (&'static str, &'static str), count: u64) {
        *self.counters.entry(Series { name, function, label: Some(label) }).or_default() += count;
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and exact up to 2^53")]
    fn level(&mut self, name: &'static str, function: &'static str, label: Option<(&'static str, &'static str)>, count: u64) {
        *self.gauges.entry(Series { name, function, label }).or_default() += count as f64;
    }

    fn hand_over(self) {
        for (series, count) in self.counters {
            counter!(series.name, series.labels()).absolute(count);
        }
        for (series, level) in self.gauges {
            gauge!(series.name, series.labels()).set(level);
        }
    }
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
