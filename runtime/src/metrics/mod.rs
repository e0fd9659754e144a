//! Metrics for the `metrics` facade, and any recorder that the program installs (Prometheus, for instance).
//!
//! ```no_run
//! # async fn start() {
//! // Once, after the recorder has been installed:
//! tokio::spawn(steadfast::metrics::publish_every(std::time::Duration::from_secs(10)));
//! # }
//! ```
//!
//! | name | kind | labels | what |
//! | --- | --- | --- | --- |
//! | `steadfast_calls_total` | counter | `function`, `module`, `outcome` = `ok`, `error`, `cancelled`, `panic` | calls that ended |
//! | `steadfast_calls_running` | gauge | `function`, `module` | calls in progress |
//! | `steadfast_call_duration_seconds` | histogram | `function`, `module` | calls that returned, from the first [`publish`] on |
//! | `steadfast_rejections_total` | counter | `function`, `module`, `kind` = `timeout`, `circuit_open`, `rate_limited`, `saturated`, `cancelled`, `recursion`, `shutdown`, `batch`, `injected` | calls that a policy rejected or ended early |
//! | `steadfast_retries_total` | counter | `function`, `module` | attempts after the first |
//! | `steadfast_retry_wait_seconds` | histogram | `function`, `module` | backoff before them |
//! | `steadfast_hedges_total` | counter | `function`, `module` | hedged attempts |
//! | `steadfast_fallbacks_total` | counter | `function`, `module` | failures that a fallback replaced |
//! | `steadfast_limit_wait_seconds` | histogram | `function`, `module`, `limit` = `rate`, `concurrency` | completed waits for a permit; by hand, the function is `rate_limit` or `concurrency_limit` |
//! | `steadfast_circuit_transitions_total` | counter | `function`, `module`, `to` = `closed`, `open`, `half_open`, `isolated` | state transitions, by the function whose call caused them; `function` is empty for manual ones |
//! | `steadfast_cache_requests_total` | counter | `function`, `module`, `name`, `result` = `hit`, `miss` | lookups by cached calls |
//! | `steadfast_cache_loads_total` | counter | `function`, `module`, `name`, `result` = `ok`, `error` | completed loads, for a miss or a refresh |
//! | `steadfast_cache_removals_total` | counter | `function`, `module`, `name`, `cause` = `size`, `expired` | entries that were evicted or expired |
//! | `steadfast_cache_entries` | gauge | `function`, `module`, `name` | current entries |
//! | `steadfast_concurrency` | gauge | `function`, `module`, `name`, `state` = `running`, `waiting`, `limit` | calls under a concurrency limit |
//! | `steadfast_circuit_state` | gauge | `function`, `module`, `name` | 0 closed, 1 half-open, 2 open, 3 isolated |
//! | `steadfast_circuits` | gauge | `function`, `module`, `name`, `state` = `closed`, `open`, `half_open`, `isolated` | circuits of a breaker with a `key`, by their state; the key is no label |
//!
//! `function` is the name of the function in the source, and `module` the path of its module. Methods of the same name in one module share a
//! series with the sum of their values (for circuits: the worst state).
//!
//! A cache or a concurrency limit that several functions share is counted once, for the function that ran first; the state of a circuit is
//! exported for each of its functions. An object with a name ([`CircuitBreaker::name`], [`CacheBuilder::name`](crate::CacheBuilder::name),
//! [`ConcurrencyLimiter::name`]), in a static or a field, is exported under the label `name`, without a function; live objects of the same name
//! are summed. Of a generic function, only the first instantiation's cache is counted.
//!
//! The number of label values is bounded by the program's source. Arguments never become labels. Rejections, retries, hedges, fallbacks, waits
//! for a permit and transitions are recorded as they happen; everything else is counted by the library itself and published by [`publish`], so
//! that a call costs no more than two counters. Requires the feature `metrics`.

pub(crate) mod durations;
pub(crate) mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics::{counter, gauge};
use series::{Extra, Owner, Series};

use crate::circuit_breaker::{CircuitBreaker, CircuitState};
use crate::concurrency_limit::ConcurrencyLimiter;
use crate::registry::{CacheHandle, Function, Named, Object, PoliciesByKey, registry};

/// Publishes the metrics of all functions to the recorder. Call it before each scrape, or use [`publish_every`].
pub fn publish() {
    durations::read();
    let mut figures = Figures::default();
    let registry = registry();
    registry.functions().for_each(|function| figures.add(function));
    registry.named().for_each(|named| figures.add_named(&named));
    figures.hand_over();
}

/// Publishes the metrics now, and then again after each `interval`, forever.
///
/// # Cancel safety
///
/// Dropping it stops the publishing.
pub async fn publish_every(interval: Duration) {
    loop {
        publish();
        tokio::time::sleep(interval).await;
    }
}

/// The metrics that the library counts itself. Functions of the same name and module share their series.
#[derive(Default)]
struct Figures {
    counters: BTreeMap<Series, u64>,
    gauges: BTreeMap<Series, f64>,
    /// The addresses of the caches and limits that have been counted.
    counted: BTreeSet<usize>,
}

impl Figures {
    fn add(&mut self, function: &'static Function) {
        let (owner, calls) = (Owner { function: function.name(), module: function.module(), name: None }, function.calls());
        let outcomes = [("ok", calls.ok), ("error", calls.failed), ("cancelled", calls.cancelled), ("panic", calls.panicked)];
        for (outcome, count) in outcomes {
            self.count("steadfast_calls_total", owner, ("outcome", outcome), count);
        }
        self.level("steadfast_calls_running", owner, None, calls.running());
        let owner = Owner { name: Some(""), ..owner };
        for cache in function.caches() {
            if cache.name().is_none() && self.is_first(cache) {
                self.add_cache(owner, cache);
            }
        }
        function.circuit_breakers().for_each(|breaker| self.add_circuit(owner, breaker));
        function.circuit_breakers_by_key().for_each(|breakers| self.add_circuits(owner, breakers));
        for limiters in function.concurrency_limiters_by_key() {
            if self.is_first(limiters) {
                limiters.for_each_policy(&mut |limiter| self.add_limiter(owner, limiter));
            }
        }
        for limiter in function.concurrency_limiters() {
            if limiter.given_name().is_none() && self.is_first(limiter) {
                self.add_limiter(owner, limiter);
            }
        }
    }

    /// An object with a name is exported under that, and not under the functions that use it.
    fn add_named(&mut self, named: &Named) {
        let owner = Owner { function: "", module: "", name: Some(named.name()) };
        match named.object() {
            Object::Cache(cache) => self.add_cache(owner, &**cache),
            Object::CircuitBreaker(breaker) => self.add_circuit(owner, breaker),
            Object::ConcurrencyLimiter(limiter) => self.add_limiter(owner, limiter),
            Object::RateLimiter(_) | Object::RetryBudget(_) => {}
        }
    }

    /// Whether an object that several functions may share has not been counted yet.
    fn is_first<T: ?Sized>(&mut self, shared: &'static T) -> bool {
        self.counted.insert(std::ptr::from_ref(shared).cast::<()>().addr())
    }

    fn add_cache(&mut self, owner: Owner, cache: &dyn CacheHandle) {
        let stats = cache.stats();
        for (result, count) in [("hit", stats.hits), ("miss", stats.misses)] {
            self.count("steadfast_cache_requests_total", owner, ("result", result), count);
        }
        for (result, count) in [("ok", stats.load_successes), ("error", stats.load_errors)] {
            self.count("steadfast_cache_loads_total", owner, ("result", result), count);
        }
        for (cause, count) in [("size", stats.evictions), ("expired", stats.expirations)] {
            self.count("steadfast_cache_removals_total", owner, ("cause", cause), count);
        }
        self.level("steadfast_cache_entries", owner, None, cache.len() as u64);
    }

    fn add_circuit(&mut self, owner: Owner, breaker: &CircuitBreaker) {
        let state = match breaker.state() {
            CircuitState::Closed => 0.0,
            CircuitState::HalfOpen => 1.0,
            CircuitState::Open => 2.0,
            CircuitState::Isolated => 3.0,
        };
        // Of several, the worst state.
        let worst = self.gauges.entry(Series { figure: "steadfast_circuit_state", owner, label: None }).or_insert(state);
        *worst = worst.max(state);
    }

    fn add_circuits(&mut self, owner: Owner, breakers: &dyn PoliciesByKey<CircuitBreaker>) {
        let mut counts = [("closed", 0), ("half_open", 0), ("open", 0), ("isolated", 0)];
        breakers.for_each_policy(&mut |breaker| {
            let index = match breaker.state() {
                CircuitState::Closed => 0,
                CircuitState::HalfOpen => 1,
                CircuitState::Open => 2,
                CircuitState::Isolated => 3,
            };
            counts[index].1 += 1;
        });
        for (state, count) in counts {
            self.level("steadfast_circuits", owner, Some(("state", state)), count);
        }
    }

    fn add_limiter(&mut self, owner: Owner, limiter: &ConcurrencyLimiter) {
        for (state, count) in [("running", limiter.running()), ("waiting", limiter.waiting()), ("limit", limiter.limit())] {
            self.level("steadfast_concurrency", owner, Some(("state", state)), count as u64);
        }
    }

    fn count(&mut self, figure: &'static str, owner: Owner, label: Extra, count: u64) {
        *self.counters.entry(Series { figure, owner, label: Some(label) }).or_default() += count;
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and exact up to 2^53")]
    fn level(&mut self, figure: &'static str, owner: Owner, label: Option<Extra>, count: u64) {
        *self.gauges.entry(Series { figure, owner, label }).or_default() += count as f64;
    }

    fn hand_over(self) {
        for (series, count) in self.counters {
            counter!(series.figure, series.labels()).absolute(count);
        }
        for (series, level) in self.gauges {
            gauge!(series.figure, series.labels()).set(level);
        }
    }
}
