//! The generic cell rate algorithm (ITU-T I.371): one number says how far ahead of its rate a line of calls is.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::nanos;

/// So many calls in a time, of which so many at once. It may change while calls wait.
#[derive(Debug)]
pub(crate) struct Rate {
    count: AtomicU32,
    period: AtomicU64,
    /// 0: as many as `count`.
    burst: AtomicU32,
    /// The time that a call takes up.
    interval: AtomicU64,
    pub(crate) changed: Notify,
}

impl Rate {
    pub(crate) const fn new(count: u32, period: Duration) -> Self {
        let period = nanos(period);
        Self {
            count: AtomicU32::new(count),
            period: AtomicU64::new(period),
            burst: AtomicU32::new(0),
            interval: AtomicU64::new(interval(count, period)),
            changed: Notify::const_new(),
        }
    }

    pub(crate) const fn set_burst(&mut self, burst: u32) {
        self.burst = AtomicU32::new(burst);
    }

    pub(crate) fn set(&self, count: u32, period: Duration) {
        let period = nanos(period);
        self.count.store(count, Ordering::Relaxed);
        self.period.store(period, Ordering::Relaxed);
        self.interval.store(interval(count, period), Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    pub(crate) fn get(&self) -> (u32, Duration) {
        (self.count.load(Ordering::Relaxed), Duration::from_nanos(self.period.load(Ordering::Relaxed)))
    }

    #[inline]
    pub(crate) fn interval(&self) -> u64 {
        self.interval.load(Ordering::Relaxed)
    }

    /// How far ahead of its time a call may come.
    #[inline]
    fn tolerance(&self) -> u64 {
        let burst = match self.burst.load(Ordering::Relaxed) {
            0 => self.count.load(Ordering::Relaxed),
            burst => burst,
        };
        self.interval().saturating_mul(u64::from(burst - 1))
    }
}

/// Rounded up: over no time is a call more let through than the rate says.
const fn interval(count: u32, period: u64) -> u64 {
    assert!(count > 0, "a rate of no calls would let nothing through");
    assert!(period > 0, "a rate needs a time: in no time there is room for no call");
    period.div_ceil(count as u64)
}

/// The turns of one line of calls.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// When the next call would be due if calls came evenly: the theoretical arrival time.
    due: AtomicU64,
}

impl Turns {
    pub(crate) const fn new() -> Self {
        Self { due: AtomicU64::new(0) }
    }

    /// Takes the turn of now, or says how long it is to the next.
    #[inline]
    pub(crate) fn take(&self, rate: &Rate, now: u64) -> Result<(), u64> {
        let (interval, tolerance) = (rate.interval(), rate.tolerance());
        let mut due = self.due.load(Ordering::Relaxed);
        loop {
            let earliest = due.saturating_sub(tolerance);
            if now < earliest {
                return Err(earliest - now);
            }
            let next = due.max(now).saturating_add(interval);
            match self.due.compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => due = changed,
            }
        }
    }

    /// How long it is to the next turn.
    pub(crate) fn wait(&self, rate: &Rate, now: u64) -> u64 {
        self.due().saturating_sub(rate.tolerance()).saturating_sub(now)
    }

    /// A line that is due in the past is as good as new.
    pub(crate) fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn with_burst(count: u32, period: Duration, burst: u32) -> Rate {
        let mut rate = Rate::new(count, period);
        rate.set_burst(burst);
        rate
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn agrees_with_governor_on_the_same_arrival_times() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            // Intervals that are whole: governor rounds down where we round up.
            let count = [1, 2, 4, 5, 8, 10, 100, 1_000][random.usize(..8)];
            let burst = random.u32(1..20);
            let quota = governor::Quota::per_second(NonZeroU32::new(count).unwrap()).allow_burst(NonZeroU32::new(burst).unwrap());
            let clock = governor::clock::FakeRelativeClock::default();
            let theirs = governor::RateLimiter::direct_with_clock(quota, clock.clone());
            let (rate, ours, mut now) = (with_burst(count, SECOND, burst), Turns::new(), 0);
            for _ in 0..500 {
                let step = random.u64(..3_000_000_000 / u64::from(count));
                clock.advance(Duration::from_nanos(step));
                now += step;
                assert_eq!(ours.take(&rate, now).is_ok(), theirs.check().is_ok(), "{count}/s, {burst} at once, at {now}");
            }
        }
    }

    #[test]
    fn never_more_than_the_rate_and_the_burst() {
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..200 {
            let (count, burst, period) = (random.u32(1..50), random.u32(1..50), Duration::from_nanos(random.u64(1_000..10_000)));
            let (rate, turns, mut now, mut taken) = (with_burst(count, period, burst), Turns::new(), 0, Vec::new());
            for _ in 0..500 {
                now += random.u64(0..nanos(period));
                for _ in 0..random.u32(..4) {
                    if turns.take(&rate, now).is_ok() {
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
        let (rate, turns) = (Rate::new(1, Duration::MAX), Turns::new());
        for now in [0, 5, u64::MAX / 2, 7, u64::MAX, u64::MAX, 0] {
            let _ = turns.take(&rate, now);
        }
        assert_eq!(turns.wait(&rate, 0), u64::MAX);
        let fast = with_burst(u32::MAX, Duration::from_nanos(1), u32::MAX);
        assert_eq!((fast.interval(), Turns::new().take(&fast, 3)), (1, Ok(())));
    }
}
