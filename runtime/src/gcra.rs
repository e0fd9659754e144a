//! The generic cell rate algorithm (ITU-T I.371), which stores one number per limiter: the theoretical arrival time of the next
//! call.
//!
//! Each permit occupies one emission interval (`period / count`). A call conforms if it is no earlier than the theoretical arrival
//! time minus the burst tolerance (`interval * (burst - 1)`), and moves that time one interval ahead. A call with a cost of `n` is `n`
//! calls at once: the last of them must conform.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::nanos;

/// `count` calls per `period`, up to `burst` of them at once. The rate may change while calls wait.
#[derive(Debug)]
pub(crate) struct AtomicQuota {
    initial: Quota,
    /// The rate that replaced `made`, if any.
    changed: Mutex<Option<Quota>>,
    /// A sequence lock over `interval` and `tolerance`, for lock-free readers, which must not combine an old value with a new one.
    /// Odd while a change is in progress.
    version: AtomicU64,
    emission_interval: AtomicU64,
    burst_tolerance: AtomicU64,
}

/// A rate as configured.
#[derive(Debug, Clone, Copy)]
struct Quota {
    count: u32,
    period: u64,
    /// `None`: equal to `count`.
    burst: Option<u32>,
}

/// The GCRA parameters derived from a rate, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GcraParams {
    /// The emission interval: the time that one call occupies.
    pub(crate) emission_interval: u64,
    /// The burst tolerance: how far ahead of its theoretical arrival time a call may come.
    burst_tolerance: u64,
}

impl GcraParams {
    /// `count` calls per `period`, up to `burst` at once; `None`: as many as `count`.
    pub(crate) const fn new(count: u32, period: Duration, burst: Option<u32>) -> Self {
        Quota { count, period: nanos(period), burst }.params()
    }

    /// How many permits there are at once.
    pub(crate) fn burst(self) -> u32 {
        u32::try_from(self.burst_tolerance / self.emission_interval + 1).unwrap_or(u32::MAX)
    }

    /// Whether the burst is at least `cost`, so that a call of that cost can be admitted at all.
    #[inline]
    pub(crate) fn admits(self, cost: u32) -> bool {
        self.more_than_one(cost) <= self.burst_tolerance
    }

    /// The time that the permits after the first one occupy.
    #[inline]
    fn more_than_one(self, cost: u32) -> u64 {
        self.emission_interval.saturating_mul(u64::from(cost.saturating_sub(1)))
    }

    /// When `cost` permits are available together, if the theoretical arrival time is `tat`.
    #[inline]
    pub(crate) fn due(self, tat: u64, cost: u32) -> u64 {
        tat.saturating_add(self.more_than_one(cost)).saturating_sub(self.burst_tolerance)
    }

    /// When they are if `ahead` others are taken before.
    pub(crate) fn due_behind(self, tat: u64, ahead: u64, cost: u32) -> u64 {
        self.due(tat.saturating_add(self.emission_interval.saturating_mul(ahead)), cost)
    }

    /// The theoretical arrival time after `cost` permits have been taken by a call that came at `since`.
    #[inline]
    pub(crate) fn charged(self, tat: u64, since: u64, cost: u32) -> u64 {
        tat.max(since).saturating_add(self.emission_interval.saturating_mul(u64::from(cost)))
    }

    /// The theoretical arrival time after `cost` permits have been given back.
    pub(crate) fn refunded(self, tat: u64, cost: u32) -> u64 {
        tat.saturating_sub(self.emission_interval.saturating_mul(u64::from(cost)))
    }

    /// Limits a theoretical arrival time to the one that a full burst right now would cause. It can exceed that if a permit was
    /// taken at another rate just as the rate changed, or before a clock was set back.
    #[inline]
    pub(crate) fn bounded(self, tat: u64, now: u64) -> u64 {
        tat.min(now.saturating_add(self.burst_duration()))
    }

    /// The time that a full burst occupies.
    #[inline]
    fn burst_duration(self) -> u64 {
        self.burst_tolerance.saturating_add(self.emission_interval)
    }
}

impl Quota {
    /// The interval is rounded up, so that no window ever admits more calls than the rate allows.
    const fn params(self) -> GcraParams {
        assert!(self.count > 0, "rate count must be at least 1");
        assert!(self.period > 0, "rate period must be greater than zero");
        let emission_interval = self.period.div_ceil(self.count as u64);
        let burst = match self.burst {
            Some(burst) => burst,
            None => self.count,
        };
        assert!(burst > 0, "`burst` must be at least 1");
        GcraParams { emission_interval, burst_tolerance: emission_interval.saturating_mul(burst as u64 - 1) }
    }
}

impl AtomicQuota {
    pub(crate) const fn new(count: u32, period: Duration) -> Self {
        Self::of(Quota { count, period: nanos(period), burst: None })
    }

    /// A new rate with the original settings.
    pub(crate) fn as_built(&self) -> Self {
        Self::of(self.initial)
    }

    /// A new rate whose burst is set as that of this one.
    pub(crate) fn with_rate(&self, count: u32, period: Duration) -> Self {
        Self::of(Quota { count, period: nanos(period), ..self.initial })
    }

    const fn of(initial: Quota) -> Self {
        let GcraParams { emission_interval, burst_tolerance } = initial.params();
        Self {
            initial,
            changed: Mutex::new(None),
            version: AtomicU64::new(0),
            emission_interval: AtomicU64::new(emission_interval),
            burst_tolerance: AtomicU64::new(burst_tolerance),
        }
    }

    pub(crate) const fn set_burst(&mut self, calls: u32) {
        self.initial.burst = Some(calls);
        self.burst_tolerance = AtomicU64::new(self.initial.params().burst_tolerance);
    }

    /// Changes the rate and calls `taken` with the old parameters and the new ones.
    pub(crate) fn set(&self, count: u32, period: Duration, taken: impl FnOnce(GcraParams, GcraParams)) {
        let mut changed = self.lock();
        let setting = Quota { count, period: nanos(period), ..self.initial };
        let (before, params) = (changed.unwrap_or(self.initial).params(), setting.params());
        *changed = Some(setting);
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.emission_interval.store(params.emission_interval, Ordering::Relaxed);
        self.burst_tolerance.store(params.burst_tolerance, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
        taken(before, params);
        drop(changed);
    }

    pub(crate) fn get(&self) -> (u32, Duration) {
        let Quota { count, period, .. } = self.lock().unwrap_or(self.initial);
        (count, Duration::from_nanos(period))
    }

    #[inline]
    pub(crate) fn params(&self) -> GcraParams {
        let version = self.version.load(Ordering::Acquire);
        let (emission_interval, burst_tolerance) =
            (self.emission_interval.load(Ordering::Relaxed), self.burst_tolerance.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
            return GcraParams { emission_interval, burst_tolerance };
        }
        self.params_locked()
    }

    #[cold]
    fn params_locked(&self) -> GcraParams {
        self.lock().unwrap_or(self.initial).params()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Quota>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of one bucket.
#[derive(Debug, Default)]
pub(crate) struct Gcra {
    /// The theoretical arrival time (TAT) of the next call.
    tat: AtomicU64,
    /// Until this time, an arriving call is treated as if it had come earlier, because a late timer delayed the call before it.
    late_until: AtomicU64,
    /// When the bucket was last reset, or its rate last changed.
    since: AtomicU64,
}

/// The longest timer delay that a waiting call makes up for. A process that was suspended for longer has lost that time.
const MAX_CATCH_UP: u64 = nanos(Duration::from_millis(100));

/// Timers have a resolution of one millisecond, so a call right after one that waited is up to this much later than it would have
/// been.
const TIMER_RESOLUTION: u64 = nanos(Duration::from_millis(2));

impl Gcra {
    pub(crate) const fn new() -> Self {
        Self { tat: AtomicU64::new(0), late_until: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    /// Takes `cost` permits now, or returns the time until they are available. It must not exceed the burst.
    #[inline]
    pub(crate) fn try_acquire(&self, params: GcraParams, cost: u32, now: u64) -> Result<(), u64> {
        self.try_acquire_from(params, cost, now, self.arrival(now))
    }

    /// When a call that comes now is treated as having come.
    #[inline]
    pub(crate) fn arrival(&self, now: u64) -> u64 {
        let late = now < self.late_until.load(Ordering::Relaxed);
        if late { now.saturating_sub(TIMER_RESOLUTION) } else { now }
    }

    /// The same for a call that has been waiting since `since`.
    pub(crate) fn arrival_of_waiter(&self, since: u64, now: u64) -> u64 {
        since.max(now.saturating_sub(MAX_CATCH_UP)).max(self.since.load(Ordering::Relaxed)).min(now)
    }

    #[inline]
    pub(crate) fn try_acquire_from(&self, params: GcraParams, cost: u32, now: u64, since: u64) -> Result<(), u64> {
        let mut stored = self.tat.load(Ordering::Relaxed);
        loop {
            let tat = params.bounded(stored, now);
            let earliest = params.due(tat, cost);
            if now < earliest {
                if tat < stored {
                    // Stores the bounded time, which would otherwise move on with the clock. If another thread has changed it, that
                    // value is bounded as well.
                    let _ = self.tat.compare_exchange(stored, tat, Ordering::Relaxed, Ordering::Relaxed);
                }
                return Err(earliest - now);
            }
            let next = params.charged(tat, since, cost);
            match self.tat.compare_exchange_weak(stored, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => stored = changed,
            }
        }
    }

    /// Records that a call which waited was admitted now, although its permit was due at `due`.
    pub(crate) fn was_late(&self, now: u64, tat: u64) {
        self.late_until.store(now.saturating_add(now.saturating_sub(tat).min(TIMER_RESOLUTION)), Ordering::Relaxed);
    }

    /// Returns permits.
    pub(crate) fn refund(&self, params: GcraParams, cost: u32) {
        let _ = self.tat.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tat| Some(params.refunded(tat, cost)));
    }

    /// Sets the theoretical arrival time, for a caller that is the only one to change it.
    pub(crate) fn set_tat(&self, tat: u64) {
        self.tat.store(tat, Ordering::Relaxed);
    }

    /// The theoretical arrival time. A bucket whose time is in the past is at full allowance.
    pub(crate) fn tat(&self) -> u64 {
        self.tat.load(Ordering::Relaxed)
    }

    /// Restores the full allowance.
    pub(crate) fn reset(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        self.tat.store(0, Ordering::Relaxed);
    }

    /// Switches to another rate. As many permits remain available as before (including a fraction of one), up to the new burst.
    pub(crate) fn change_params(&self, before: GcraParams, params: GcraParams, now: u64) {
        let rescaled = |tat: u64| {
            let ahead = tat.checked_sub(now)?;
            let free = u128::from(before.burst_duration().saturating_sub(ahead)) * u128::from(params.emission_interval)
                / u128::from(before.emission_interval);
            let free = u64::try_from(free).unwrap_or(u64::MAX);
            Some(now.saturating_add(params.burst_duration().saturating_sub(free)))
        };
        self.since.store(now, Ordering::Relaxed);
        // A time in the past means full allowance at any rate.
        let _ = self.tat.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rescaled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn with_burst(count: u32, period: Duration, burst: u32) -> AtomicQuota {
        let mut rate = AtomicQuota::new(count, period);
        rate.set_burst(burst);
        rate
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn agrees_with_governor_on_the_same_arrival_times() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            // Whole intervals only: governor rounds down where this implementation rounds up.
            let count = [1, 2, 4, 5, 8, 10, 100, 1_000][random.usize(..8)];
            let burst = random.u32(1..20);
            let quota = governor::Quota::per_second(NonZeroU32::new(count).unwrap()).allow_burst(NonZeroU32::new(burst).unwrap());
            let clock = governor::clock::FakeRelativeClock::default();
            let theirs = governor::RateLimiter::direct_with_clock(quota, clock.clone());
            let (rate, ours, mut now) = (with_burst(count, SECOND, burst), Gcra::new(), 0);
            for _ in 0..500 {
                let step = random.u64(..3_000_000_000 / u64::from(count));
                clock.advance(Duration::from_nanos(step));
                now += step;
                assert_eq!(
                    ours.try_acquire(rate.params(), 1, now).is_ok(),
                    theirs.check().is_ok(),
                    "{count}/s, {burst} at once, at {now}"
                );
            }
        }
    }

    #[test]
    fn agrees_with_governor_on_costs() {
        let mut random = fastrand::Rng::with_seed(17);
        let (mut admitted, mut rejected, mut never) = (0, 0, 0);
        for _ in 0..400 {
            let count = [1, 2, 4, 5, 8, 10, 100, 1_000][random.usize(..8)];
            let burst = random.u32(1..40);
            let quota = governor::Quota::per_second(NonZeroU32::new(count).unwrap()).allow_burst(NonZeroU32::new(burst).unwrap());
            let clock = governor::clock::FakeRelativeClock::default();
            let theirs = governor::RateLimiter::direct_with_clock(quota, clock.clone());
            let (rate, ours, mut now) = (with_burst(count, SECOND, burst), Gcra::new(), 0);
            for _ in 0..500 {
                let step = random.u64(..5_000_000_000 / u64::from(count));
                clock.advance(Duration::from_nanos(step));
                now += step;
                let cost = random.u32(1..=burst + 2);
                let params = rate.params();
                match theirs.check_n(NonZeroU32::new(cost).unwrap()) {
                    Ok(Ok(())) => {
                        assert_eq!(ours.try_acquire(params, cost, now), Ok(()), "{count}/s, {burst} at once, {cost} at {now}");
                        admitted += 1;
                    }
                    Ok(Err(until)) => {
                        let wait = until.wait_time_from(governor::clock::Clock::now(&clock));
                        assert_eq!(ours.try_acquire(params, cost, now), Err(nanos(wait)), "{count}/s, {burst}, {cost} at {now}");
                        rejected += 1;
                    }
                    Err(_) => {
                        assert!(!params.admits(cost), "{cost} of {burst}");
                        never += 1;
                    }
                }
                assert_eq!((params.burst(), params.admits(cost)), (burst, cost <= burst));
            }
        }
        assert!(admitted > 10_000 && rejected > 10_000 && never > 1_000, "{admitted} {rejected} {never}");
    }

    #[test]
    fn never_more_than_the_rate_and_the_burst() {
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..200 {
            let (count, burst, period) = (random.u32(1..50), random.u32(1..50), Duration::from_nanos(random.u64(1_000..10_000)));
            let (rate, gcra, mut now, mut taken) = (with_burst(count, period, burst), Gcra::new(), 0, Vec::new());
            for _ in 0..500 {
                now += random.u64(0..nanos(period));
                for _ in 0..random.u32(..4) {
                    if gcra.try_acquire(rate.params(), 1, now).is_ok() {
                        taken.push(now);
                    }
                }
            }
            for (index, from) in taken.iter().enumerate() {
                for (more, to) in taken[index..].iter().enumerate() {
                    let window = u128::from(to - from);
                    let most = window * u128::from(count) / period.as_nanos() + u128::from(burst);
                    assert!((more as u128) < most, "{more} in {window} ns, of {count} in {period:?} with {burst} at once");
                }
            }
        }
    }

    #[test]
    fn time_that_jumps_does_not_overflow() {
        let (rate, gcra) = (AtomicQuota::new(1, Duration::MAX), Gcra::new());
        for now in [0, 5, u64::MAX / 2, 7, u64::MAX, u64::MAX, 0] {
            let _ = gcra.try_acquire(rate.params(), 1, now);
        }
        let params = rate.params();
        assert_eq!(params.due(params.bounded(gcra.tat(), u64::MAX), 1), u64::MAX);
        let fast = with_burst(u32::MAX, Duration::from_nanos(1), u32::MAX);
        assert_eq!((fast.params().emission_interval, Gcra::new().try_acquire(fast.params(), 1, 3)), (1, Ok(())));
        gcra.change_params(rate.params(), fast.params(), 0);
        gcra.change_params(fast.params(), rate.params(), u64::MAX);
    }

    #[test]
    fn as_many_turns_stay_free_at_another_pace_as_it_has() {
        const MS: u64 = 1_000_000;
        let (rate, gcra) = (AtomicQuota::new(4, Duration::from_secs(4 * 3_600)), Gcra::new());
        let to = |count, period, now| rate.set(count, period, |before, params| gcra.change_params(before, params, now));
        let free = |now| (0..100).filter(|_| gcra.try_acquire(rate.params(), 1, now).is_ok()).count();
        for _ in 0..3 {
            gcra.try_acquire(rate.params(), 1, 0).unwrap();
        }
        // One of four is available, hence one of ten.
        to(10, SECOND, 0);
        assert_eq!((free(0), gcra.try_acquire(rate.params(), 1, 0)), (1, Err(100 * MS)));
        // Half of the time to the next permit has passed, at either rate.
        to(1, SECOND, 50 * MS);
        assert_eq!(gcra.try_acquire(rate.params(), 1, 50 * MS), Err(500 * MS));
        // Seven are available again; the new burst keeps three.
        to(10, SECOND, 550 * MS);
        to(3, SECOND, 1_200 * MS);
        assert_eq!(free(1_200 * MS), 3);
        // Full allowance is full allowance at any rate.
        to(5, SECOND, 10_000 * MS);
        assert_eq!(free(10_000 * MS), 5);
    }

    /// A caller that has read the old rate takes a permit when the new one is already in effect.
    #[test]
    fn a_turn_at_another_pace_shuts_nobody_out() {
        let (slow, fast) = (AtomicQuota::new(1, Duration::from_secs(3_600)), AtomicQuota::new(100, SECOND));
        let gcra = Gcra::new();
        gcra.try_acquire(slow.params(), 1, 0).unwrap();
        assert_eq!(gcra.try_acquire(fast.params(), 1, 0), Err(10_000_000));
        assert_eq!(gcra.try_acquire(fast.params(), 1, 10_000_000), Ok(()));
    }

    #[test]
    fn a_rate_that_makes_no_sense_changes_nothing() {
        let (rate, gcra) = (AtomicQuota::new(2, SECOND), Gcra::new());
        for (count, period) in [(0, SECOND), (5, Duration::ZERO)] {
            let set = std::panic::AssertUnwindSafe(|| rate.set(count, period, |_, _| unreachable!()));
            assert!(std::panic::catch_unwind(set).is_err());
        }
        assert_eq!(rate.get(), (2, SECOND));
        assert_eq!((0..10).filter(|_| gcra.try_acquire(rate.params(), 1, 0).is_ok()).count(), 2);
    }

    #[test]
    fn nobody_sees_half_of_a_change() {
        let (rate, done) = (AtomicQuota::new(1_000, SECOND), std::sync::atomic::AtomicBool::new(false));
        let (fast, slow) = (rate.params(), AtomicQuota::new(1, Duration::from_secs(3_600)).params());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    rate.set(1, Duration::from_secs(3_600), |_, _| {});
                    rate.set(1_000, SECOND, |_, _| {});
                }
                done.store(true, Ordering::Relaxed);
            });
            while !done.load(Ordering::Relaxed) {
                let params = rate.params();
                assert!(params == fast || params == slow, "{params:?}");
            }
        });
    }
}
