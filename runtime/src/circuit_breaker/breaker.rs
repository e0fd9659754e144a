//! The breaker: its state machine and its public interface.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::metrics::{CircuitMetrics, share};
use super::open::Open;
use super::settings::{Settings, TripRule};
use super::sliding_window::{Counts, SlidingWindow};
use super::state::CircuitState;
use crate::clock;
use crate::events::{self, EventSource};
use crate::keyed::Retain;
use crate::name::Name;

/// A circuit breaker: rejects calls to a failing dependency and periodically probes it.
///
/// While closed, it admits every call and records the outcomes. When too many calls have failed it opens: calls are rejected at
/// once. After a while it is half-open: it admits a few probes, and closes again when they succeed (Michael Nygard, "Release It!").
///
/// Put a breaker into a `static` to share it among the functions that use one dependency, or access a function's own breaker
/// through its `handle`.
///
/// ```
/// use std::time::Duration;
/// use steadfast::{CircuitBreaker, CircuitState, circuit_breaker};
///
/// static PAYMENTS: CircuitBreaker =
///     CircuitBreaker::new().failures(2).open_for(Duration::from_secs(10));
///
/// #[circuit_breaker(PAYMENTS)]
/// async fn charge(cents: u64) -> Result<u64, std::io::Error> {
///     if cents == 0 { Err(std::io::Error::other("nothing to pay")) } else { Ok(cents) }
/// }
///
/// #[circuit_breaker(PAYMENTS)]
/// async fn refund(cents: u64) -> Option<u64> {
///     Some(cents)
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let mut transitions = PAYMENTS.subscribe();
/// for _ in 0..2 {
///     assert!(charge(0).await.is_err());
/// }
/// assert_eq!(*transitions.borrow_and_update(), CircuitState::Open);
/// assert_eq!(refund(5).await, None);
///
/// tokio::time::advance(Duration::from_secs(10)).await;
/// assert_eq!(refund(5).await, Some(5)); // the probe
/// assert_eq!(PAYMENTS.state(), CircuitState::Closed);
/// # }
/// ```
pub struct CircuitBreaker {
    settings: Settings,
    /// The state word: the phase, a flag, and a generation that every transition increments.
    ///
    /// | bits | constant | meaning |
    /// | --- | --- | --- |
    /// | 0, 1 | `PHASE` | the `CircuitState`: 0 closed, 1 open, 2 half-open, 3 isolated |
    /// | 2 | `EACH` | every outcome must be counted or timed (`failure_rate`, `slow_call`); 0: while closed, only failures and the success that ends a streak matter |
    /// | 3 to 63 | `GENERATION` | the number of transitions so far |
    ///
    /// | from | to | when |
    /// | --- | --- | --- |
    /// | closed | open | the `TripRule` is met |
    /// | open | half-open | a call arrives after `open_for`; it is the first probe |
    /// | half-open | closed | `probes` probes have succeeded |
    /// | half-open | open | a probe fails or exceeds `probe_timeout` |
    /// | any | isolated | `force_open` |
    /// | any | closed | `reset` |
    ///
    /// A call carries the word under which it was admitted, and its outcome counts only while the word is unchanged: results from
    /// before a transition are ignored. The word is written only under the lock of `inner` and read without it.
    state_word: AtomicU64,
    /// Whether the last recorded outcome was a failure, so that the next success ends the streak. A success that follows a success
    /// changes nothing and skips the lock.
    in_a_row: AtomicBool,
    inner: Mutex<Inner>,
    transitions: OnceLock<watch::Sender<CircuitState>>,
    name: Name<Self>,
}

/// The admission of a call.
#[derive(Clone, Copy)]
pub(super) struct Acquired {
    /// The state word at admission.
    pub(super) state_word: u64,
    /// When the call was admitted; set for probes, and if slow calls count as failures.
    pub(super) started: u64,
}

/// A running probe.
struct Probe {
    started: u64,
    function: EventSource,
}

/// Transitions to announce once the lock is released. Listeners are user code: they may use the breaker, or panic.
#[derive(Default)]
#[must_use]
struct Transitions {
    /// A probe has exceeded its timeout.
    expired: Option<EventSource>,
    /// The transition caused by a call, `force_open` or `reset`.
    changed: Option<(EventSource, CircuitState)>,
}

/// How a call ended.
#[derive(Clone, Copy)]
struct Ended {
    failed: bool,
    slow: bool,
}

struct Inner {
    window: SlidingWindow,
    /// The slow calls, if they are counted apart from failures.
    slow: SlidingWindow,
    /// When the circuit stops being open.
    until: u64,
    /// How many times in a row a probe has reopened the circuit.
    reopenings: u32,
    /// Running probes, oldest first.
    probes: VecDeque<Probe>,
    /// Probes that have succeeded since the circuit became half-open.
    succeeded: u32,
}

const PHASES: [CircuitState; 4] = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen, CircuitState::Isolated];

const PHASE: u64 = 3;

/// Set if the settings require every outcome to be counted (`failure_rate`) or timed (`slow_call`).
const EACH: u64 = 4;

const GENERATION: u64 = 8;

fn phase(state_word: u64) -> CircuitState {
    PHASES[(state_word & PHASE) as usize]
}

/// Whether a call needs no bookkeeping and its success changes nothing: the circuit is closed, and only failures count.
#[inline]
fn is_plain(state_word: u64) -> bool {
    state_word & (PHASE | EACH) == CircuitState::Closed as u64
}

impl CircuitBreaker {
    /// A breaker that opens after 5 consecutive failures, stays open for 30 seconds, and then admits one probe at a time.
    #[must_use]
    pub const fn new() -> Self {
        let inner = Inner {
            window: SlidingWindow::new(),
            slow: SlidingWindow::new(),
            until: 0,
            reopenings: 0,
            probes: VecDeque::new(),
            succeeded: 0,
        };
        Self {
            settings: Settings::DEFAULT,
            state_word: AtomicU64::new(0),
            in_a_row: AtomicBool::new(false),
            inner: Mutex::new(inner),
            transitions: OnceLock::new(),
            name: Name::none(),
        }
    }

    /// Sets the name under which the [registry](crate#features) lists the breaker and metrics export it while it exists, whether it
    /// is a `static` or a field. With the `registry` feature, the state of a named breaker is allocated on the heap at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    pub(super) fn given_name(&self) -> Option<&'static str> {
        self.name.get()
    }

    /// The value that holds the state.
    #[inline]
    pub(super) fn live(&self) -> &Self {
        self.name.state(self, || Self {
            settings: self.settings,
            state_word: AtomicU64::new(self.state_word.load(Ordering::Relaxed)),
            ..Self::new()
        })
    }

    /// Sets how many failures open the circuit: consecutive ones, or within the [`window`](Self::window) if one is set. Default: 5.
    /// Zero counts as 1.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        self.settings.failures = failures;
        self
    }

    /// Opens the circuit when this fraction of the calls in the window fails. The window is [`window`](Self::window) if set,
    /// otherwise [`window_calls`](Self::window_calls). Replaces [`failures`](Self::failures).
    ///
    /// # Panics
    ///
    /// If `share` is not greater than 0 and at most 1, or is NaN: the circuit would never open, or open at every failure. In a
    /// `static` this is a compile error.
    #[must_use]
    pub const fn failure_rate(mut self, share: f64) -> Self {
        assert!(share > 0.0 && share <= 1.0, "`failure_rate` must be greater than 0 and at most 1");
        self.settings.failure_rate = Some(share);
        self.counting_each()
    }

    /// Sets how many calls the window must contain before the failure rate applies. Default: 20. Values above the number of
    /// [`window_calls`](Self::window_calls) count as that number.
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.settings.min_calls = calls;
        self
    }

    /// Sets the size of the window in calls, for [`failure_rate`](Self::failure_rate). Default: 100. Zero counts as 1.
    #[must_use]
    pub const fn window_calls(mut self, calls: u32) -> Self {
        self.settings.window_calls = calls;
        self
    }

    /// Sets the size of the window as a duration, for [`failures`](Self::failures) or [`failure_rate`](Self::failure_rate).
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.settings.window = Some(window);
        self
    }

    /// Sets how long the circuit stays open. Default: 30 seconds.
    #[must_use]
    pub const fn open_for(mut self, duration: Duration) -> Self {
        self.settings.open_for = duration;
        self
    }

    /// Doubles the time the circuit stays open each time a probe fails, up to this maximum. Closing the circuit resets it.
    #[must_use]
    pub const fn open_for_max(mut self, duration: Duration) -> Self {
        self.settings.open_for_max = Some(duration);
        self
    }

    /// Sets how many probes run concurrently while the circuit is half-open, and how many must succeed to close it. Default: 1. Zero
    /// counts as 1.
    #[must_use]
    pub const fn probes(mut self, probes: u32) -> Self {
        self.settings.probes = probes;
        self
    }

    /// Sets how long a half-open probe may take. Default: [`open_for`](Self::open_for). A probe that takes longer counts as failed:
    /// the circuit opens again and the probe's permit is released. The probe itself keeps running; its outcome is ignored. Zero
    /// means no limit: a probe that hangs keeps the circuit half-open.
    ///
    /// This runs no timer. The timeout takes effect when the breaker is next used, by a call or [`state`](Self::state), and the
    /// result is the same as with a timer; [subscribers](Self::subscribe) are notified at that moment.
    #[must_use]
    pub const fn probe_timeout(mut self, duration: Duration) -> Self {
        self.settings.probe_timeout = Some(duration);
        self
    }

    /// Counts a call that takes at least this long as a failure, whatever it returns.
    #[must_use]
    pub const fn slow_call(mut self, duration: Duration) -> Self {
        self.settings.slow_call = Some(duration);
        self.counting_each()
    }

    /// Opens the circuit when this fraction of the calls in the window is slow, that is, takes at least [`slow_call`](Self::slow_call),
    /// which must be set as well. Slow calls are then no longer failures: the two fractions, or the [`failures`](Self::failures) and this
    /// fraction, are separate rules, and the circuit opens by whichever is met first. The window and [`min_calls`](Self::min_calls) are the
    /// same for both. A probe that is slow has failed.
    ///
    /// # Panics
    ///
    /// If `share` is not greater than 0 and at most 1, or is NaN. In a `static` this is a compile error.
    #[must_use]
    pub const fn slow_rate(mut self, share: f64) -> Self {
        assert!(share > 0.0 && share <= 1.0, "`slow_rate` must be greater than 0 and at most 1");
        self.settings.slow_rate = Some(share);
        self.counting_each()
    }

    /// Keeps the circuit open for longer than [`open_for`](Self::open_for) by a random part of this fraction of it, drawn each time it
    /// opens: with `0.2`, 30 to 36 seconds. So the replicas of a service do not probe a dependency all at the same moment. Default: 0.
    ///
    /// # Panics
    ///
    /// If `share` is not between 0 and 1, or is NaN. In a `static` this is a compile error.
    #[must_use]
    pub const fn open_jitter(mut self, share: f64) -> Self {
        assert!(share >= 0.0 && share <= 1.0, "`open_jitter` must be between 0 and 1");
        self.settings.open_jitter = share;
        self
    }

    const fn counting_each(mut self) -> Self {
        self.state_word = AtomicU64::new(EACH);
        self
    }

    /// The state that the next call would find. Does not count as a call.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.live().own_state()
    }

    fn own_state(&self) -> CircuitState {
        let state = phase(self.state_word.load(Ordering::Acquire));
        if !matches!(state, CircuitState::Open | CircuitState::HalfOpen) {
            return state;
        }
        let now = clock::now();
        let mut inner = self.lock();
        self.bound(&mut inner, now);
        let expired = self.expire(&mut inner, now.saturating_add(1));
        let state = match phase(self.state_word.load(Ordering::Relaxed)) {
            CircuitState::Open if now >= inner.until => CircuitState::HalfOpen,
            other => other,
        };
        drop(inner);
        self.notify(Transitions { expired, changed: None });
        state
    }

    /// What the breaker has counted and decided, at one moment. Does not count as a call.
    #[must_use]
    pub fn metrics(&self) -> CircuitMetrics {
        let this = self.live();
        let (state, now) = (this.own_state(), clock::now());
        let mut inner = this.lock();
        let (rule, slow_rule) = (this.settings.trip_rule(), this.settings.slow_rule());
        let slow = slow_rule.map(|rule| inner.slow.counts(rule, now));
        let Counts { calls, failed } = inner.window.counts(rule, now);
        CircuitMetrics {
            state,
            calls: slow.map_or(calls, |slow| slow.calls),
            failures: failed,
            slow_calls: slow.map_or(0, |slow| slow.failed),
            failure_rate: matches!(rule, TripRule::OfCalls { .. } | TripRule::OfTime { .. }).then(|| share(failed, calls)),
            slow_rate: slow.map(|slow| share(slow.failed, slow.calls)),
            half_open_in: (state == CircuitState::Open).then(|| Duration::from_nanos(inner.until.saturating_sub(now))),
        }
    }

    /// Rejects every call until [`reset`](Self::reset). Running calls continue, and their outcomes are ignored.
    pub fn force_open(&self) {
        let this = self.live();
        this.change(&mut this.lock(), CircuitState::Isolated);
        this.notify(Transitions { changed: Some((EventSource::none(), CircuitState::Isolated)), ..Transitions::default() });
    }

    /// Closes the circuit and clears all recorded outcomes. The outcomes of running calls are ignored.
    pub fn reset(&self) {
        let this = self.live();
        let mut inner = this.lock();
        inner.reopenings = 0;
        this.change(&mut inner, CircuitState::Closed);
        drop(inner);
        this.notify(Transitions { changed: Some((EventSource::none(), CircuitState::Closed)), ..Transitions::default() });
    }

    /// Subscribes to the state. The receiver has the current state at once and the latest one after each transition.
    ///
    /// An open circuit becomes half-open when a call arrives, not when its time is over. A half-open circuit that exceeds its
    /// [`probe_timeout`](Self::probe_timeout) opens when the breaker is next used, by a call or [`state`](Self::state).
    ///
    /// ```
    /// use steadfast::{CircuitBreaker, CircuitState};
    ///
    /// static SEARCH: CircuitBreaker = CircuitBreaker::new();
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut states = SEARCH.subscribe();
    /// assert_eq!(*states.borrow_and_update(), CircuitState::Closed);
    /// SEARCH.force_open();
    /// states.changed().await.unwrap();
    /// assert_eq!(*states.borrow_and_update(), CircuitState::Isolated);
    /// # }
    /// ```
    pub fn subscribe(&self) -> watch::Receiver<CircuitState> {
        let this = self.live();
        // A probe may have exceeded its timeout.
        let _ = this.own_state();
        let _inner = this.lock();
        let transitions = this.transitions.get_or_init(|| watch::Sender::new(phase(this.state_word.load(Ordering::Relaxed))));
        transitions.subscribe()
    }

    /// Admits or rejects a call of `function`.
    #[inline]
    pub(super) fn acquire(&self, function: EventSource) -> Result<Acquired, Open> {
        let state_word = self.state_word.load(Ordering::Acquire);
        if is_plain(state_word) { Ok(Acquired { state_word, started: 0 }) } else { self.acquire_carefully(state_word, function) }
    }

    #[inline(never)]
    fn acquire_carefully(&self, state_word: u64, function: EventSource) -> Result<Acquired, Open> {
        if phase(state_word) != CircuitState::Closed {
            return self.acquire_half_open(function);
        }
        // The clock is read only if the start time is needed.
        let started = if self.settings.slow_call.is_some() { clock::now() } else { 0 };
        Ok(Acquired { state_word, started })
    }

    #[cold]
    fn acquire_half_open(&self, function: EventSource) -> Result<Acquired, Open> {
        let now = clock::now();
        let mut inner = self.lock();
        self.bound(&mut inner, now);
        let expired = self.expire(&mut inner, now.saturating_add(1));
        let acquired = self.admit(&mut inner, function, now);
        drop(inner);
        let (acquired, changed) = match acquired {
            Ok((acquired, became_half_open)) => (Ok(acquired), became_half_open.then_some((function, CircuitState::HalfOpen))),
            Err(open) => (Err(open), None),
        };
        // A listener that panics must not leak the permit of a probe that never starts.
        let guard = ProbeGuard { breaker: self, acquired: acquired.as_ref().ok().copied() };
        self.notify(Transitions { expired, changed });
        std::mem::forget(guard);
        acquired
    }

    /// Admits or rejects a call that did not find the circuit closed, or finds it closed after all. Returns whether the circuit
    /// became half-open.
    fn admit(&self, inner: &mut Inner, function: EventSource, now: u64) -> Result<(Acquired, bool), Open> {
        let before = phase(self.state_word.load(Ordering::Relaxed));
        let refuse = |at: Option<u64>| Err(Open { retry_after: at.map(|at| Duration::from_nanos(at.saturating_sub(now))) });
        match before {
            CircuitState::Isolated => return refuse(None),
            CircuitState::Open if now < inner.until => return refuse(Some(inner.until)),
            CircuitState::Open => self.change(inner, CircuitState::HalfOpen),
            // The outcome of the running probes is known by then at the latest.
            CircuitState::HalfOpen if inner.probes.len() >= self.settings.probes.max(1) as usize => {
                return refuse(self.deadline(inner));
            }
            CircuitState::Closed | CircuitState::HalfOpen => {}
        }
        let state_word = self.state_word.load(Ordering::Relaxed);
        if phase(state_word) == CircuitState::HalfOpen {
            inner.probes.push_back(Probe { started: now, function });
        }
        Ok((Acquired { state_word, started: now }, before == CircuitState::Open))
    }

    /// Limits the open time to what it would be if the circuit had opened just now. It can be longer only if another clock opened
    /// it that is ahead of this one (a test that has advanced its clock).
    fn bound(&self, inner: &mut Inner, now: u64) {
        inner.until = inner.until.min(now.saturating_add(clock::nanos(self.settings.longest(inner.reopenings))));
    }

    /// When the oldest probe times out.
    fn deadline(&self, inner: &Inner) -> Option<u64> {
        let timeout = self.settings.probe_timeout.unwrap_or(self.settings.open_for);
        let oldest = inner.probes.front().filter(|_| !timeout.is_zero())?;
        Some(oldest.started.saturating_add(clock::nanos(timeout)))
    }

    /// Reopens the circuit if a probe should have ended before `now`, as of the time it should have ended, as if a timer had run.
    /// Returns the function whose probe timed out.
    fn expire(&self, inner: &mut Inner, now: u64) -> Option<EventSource> {
        let deadline = self.deadline(inner).filter(|deadline| *deadline < now)?;
        let function = inner.probes.front()?.function;
        inner.reopenings = inner.reopenings.saturating_add(1);
        self.open(inner, deadline);
        Some(function)
    }

    /// Records the outcome of a call that was admitted under `state_word`.
    #[inline]
    pub(super) fn record_outcome(&self, state_word: u64, started: u64, failed: bool, function: EventSource) {
        if failed || !is_plain(state_word) || self.in_a_row.load(Ordering::Relaxed) {
            self.count(state_word, started, failed, function);
        }
    }

    #[inline(never)]
    fn count(&self, state_word: u64, started: u64, failed: bool, function: EventSource) {
        let now = clock::now();
        let slow = self.settings.slow_call.is_some_and(|slow| now.saturating_sub(started) >= clock::nanos(slow));
        let mut inner = self.lock();
        let expired = self.expire(&mut inner, now);
        let to = self.record(&mut inner, Acquired { state_word, started }, Ended { failed, slow }, now);
        drop(inner);
        self.notify(Transitions { expired, changed: to.map(|to| (function, to)) });
    }

    /// Records an outcome and returns the state it leads to.
    fn record(
        &self,
        inner: &mut Inner,
        Acquired { state_word, started }: Acquired,
        Ended { failed, slow }: Ended,
        now: u64,
    ) -> Option<CircuitState> {
        if self.state_word.load(Ordering::Relaxed) != state_word {
            return None;
        }
        if phase(state_word) == CircuitState::HalfOpen {
            return self.record_probe(inner, started, failed || slow, now);
        }
        let slow_rule = self.settings.slow_rule();
        let failed = failed || (slow && slow_rule.is_none());
        let too_slow = slow_rule.is_some_and(|rule| inner.slow.record(rule, slow, now));
        if inner.window.record(self.settings.trip_rule(), failed, now) || too_slow {
            self.open(inner, now);
            return Some(CircuitState::Open);
        }
        self.in_a_row.store(failed, Ordering::Relaxed);
        None
    }

    fn record_probe(&self, inner: &mut Inner, started: u64, failed: bool, now: u64) -> Option<CircuitState> {
        inner.remove_probe(started);
        if failed {
            inner.reopenings = inner.reopenings.saturating_add(1);
            self.open(inner, now);
            return Some(CircuitState::Open);
        }
        inner.succeeded += 1;
        if inner.succeeded < self.settings.probes {
            return None;
        }
        inner.reopenings = 0;
        self.change(inner, CircuitState::Closed);
        Some(CircuitState::Closed)
    }

    /// Releases the permit of a call that was dropped without an outcome.
    #[cold]
    pub(super) fn release_probe(&self, state_word: u64, started: u64) {
        if phase(state_word) != CircuitState::HalfOpen {
            return;
        }
        let now = clock::now();
        let mut inner = self.lock();
        // It may already have timed out.
        let expired = self.expire(&mut inner, now);
        if self.state_word.load(Ordering::Relaxed) == state_word {
            inner.remove_probe(started);
        }
        drop(inner);
        self.notify(Transitions { expired, changed: None });
    }

    fn open(&self, inner: &mut Inner, now: u64) {
        let share = if self.settings.open_jitter > 0.0 { fastrand::f64() } else { 0.0 };
        inner.until = now.saturating_add(clock::nanos(self.settings.jittered(inner.reopenings, share)));
        self.change(inner, CircuitState::Open);
    }

    /// Starts a new generation. The caller [announces](Self::notify) the transition once the lock is released.
    fn change(&self, inner: &mut Inner, to: CircuitState) {
        inner.window.forget();
        inner.slow.forget();
        inner.probes.clear();
        inner.succeeded = 0;
        self.in_a_row.store(false, Ordering::Relaxed);
        let before = self.state_word.load(Ordering::Relaxed);
        self.state_word.store((before & !PHASE | to as u64) + GENERATION, Ordering::Release);
    }

    /// Notifies subscribers and reports events. Must be called without the lock.
    fn notify(&self, Transitions { expired, changed }: Transitions) {
        if expired.is_none() && changed.is_none() {
            return;
        }
        if let Some(transitions) = self.transitions.get() {
            // The current state, not the one in the transition: when two threads announce transitions, the later one may come
            // first.
            transitions.send_modify(|state| *state = phase(self.state_word.load(Ordering::Acquire)));
        }
        if let Some(function) = expired {
            events::circuit(function, CircuitState::Open);
        }
        if let Some((function, to)) = changed {
            events::circuit(function, to);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Removes a probe that has ended. Probes with the same start time are interchangeable.
    fn remove_probe(&mut self, started: u64) {
        if let Some(position) = self.probes.iter().position(|probe| probe.started == started) {
            self.probes.remove(position);
        }
    }
}

/// The permit of a call that has been admitted but has not started.
struct ProbeGuard<'a> {
    breaker: &'a CircuitBreaker,
    acquired: Option<Acquired>,
}

impl Drop for ProbeGuard<'_> {
    fn drop(&mut self) {
        if let Some(Acquired { state_word, started }) = self.acquired {
            self.breaker.release_probe(state_word, started);
        }
    }
}

impl Retain for CircuitBreaker {
    fn retention(&self, now: u64) -> Option<u64> {
        let this = self.live();
        let inner = this.lock();
        let counts = |inner: &Inner| !inner.window.is_empty() || !inner.slow.is_empty() || inner.reopenings > 0;
        match phase(this.state_word.load(Ordering::Relaxed)) {
            CircuitState::Closed => Some(u64::from(counts(&inner))),
            CircuitState::Open => (now >= inner.until).then_some(1),
            // A probe that its timeout has made room for is no longer waited for.
            CircuitState::HalfOpen => {
                (inner.probes.is_empty() || this.deadline(&inner).is_some_and(|deadline| deadline < now)).then_some(1)
            }
            CircuitState::Isolated => None,
        }
    }
}

// A panic cannot leave an outcome half recorded.
impl UnwindSafe for CircuitBreaker {}
impl RefUnwindSafe for CircuitBreaker {}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name.get())
            .field("state", &self.state())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::permit::Permit;
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn acquire(breaker: &CircuitBreaker) -> Result<Permit<'_>, Open> {
        let mut permit = Permit::outside(breaker, EventSource::none());
        permit.acquire().map(|()| permit)
    }

    fn call(breaker: &CircuitBreaker, failed: bool) -> bool {
        acquire(breaker).map(|mut permit| permit.record_outcome(failed)).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn opens_at_exactly_the_threshold() {
        let breaker = CircuitBreaker::new().failures(3);
        for failed in [true, true, false, true, true] {
            assert!(call(&breaker, failed));
            assert_eq!(breaker.state(), CircuitState::Closed);
        }
        assert!(call(&breaker, true));
        assert_eq!(breaker.state(), CircuitState::Open);
        assert_eq!(acquire(&breaker).unwrap_err().retry_after, Some(30 * S));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_result_from_before_the_opening_counts_no_more() {
        let breaker = CircuitBreaker::new().failures(1).open_for(S);
        let late = [acquire(&breaker).unwrap(), acquire(&breaker).unwrap(), acquire(&breaker).unwrap()];
        assert!(call(&breaker, true));
        let [mut first, mut second, mut third] = late;
        first.record_outcome(false);
        assert_eq!(breaker.state(), CircuitState::Open);
        tokio::time::advance(S).await;
        let mut probe = acquire(&breaker).unwrap();
        second.record_outcome(false);
        third.record_outcome(true);
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        assert!(acquire(&breaker).is_err());
        probe.record_outcome(false);
        assert_eq!(breaker.state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn several_probes_must_succeed_and_one_that_fails_opens_for_longer() {
        let breaker = CircuitBreaker::new().failures(1).open_for(S).open_for_max(3 * S).probes(2);
        call(&breaker, true);
        for open_for in [2, 3, 3] {
            tokio::time::advance(3 * S).await;
            let [mut one, mut two] = [acquire(&breaker).unwrap(), acquire(&breaker).unwrap()];
            assert!(acquire(&breaker).is_err());
            one.record_outcome(false);
            two.record_outcome(true);
            assert_eq!(acquire(&breaker).unwrap_err().retry_after, Some(open_for * S));
        }
        tokio::time::advance(3 * S).await;
        drop(acquire(&breaker).unwrap());
        assert!(call(&breaker, false) && call(&breaker, false));
        assert_eq!(breaker.state(), CircuitState::Closed);
        call(&breaker, true);
        assert_eq!(acquire(&breaker).unwrap_err().retry_after, Some(S));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_calls_fail() {
        let breaker = CircuitBreaker::new().failures(2).slow_call(S);
        let [mut slow, mut quick] = [acquire(&breaker).unwrap(), acquire(&breaker).unwrap()];
        quick.record_outcome(true);
        tokio::time::advance(S).await;
        slow.record_outcome(false);
        assert_eq!(breaker.state(), CircuitState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn isolated_until_reset() {
        let breaker = CircuitBreaker::new();
        let mut running = acquire(&breaker).unwrap();
        breaker.force_open();
        running.record_outcome(false);
        tokio::time::advance(100 * S).await;
        assert_eq!((breaker.state(), acquire(&breaker).unwrap_err().retry_after), (CircuitState::Isolated, None));
        breaker.reset();
        assert!(call(&breaker, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_failure_and_a_cancelled_call_is_nothing() {
        let breaker = CircuitBreaker::new().failures(1).open_for(S);
        drop(acquire(&breaker).unwrap());
        assert_eq!(breaker.state(), CircuitState::Closed);
        let panicked = std::panic::catch_unwind(|| {
            let _permit = acquire(&breaker).unwrap();
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(panicked.is_err());
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}
