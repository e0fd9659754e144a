//! The generic cell rate algorithm (ITU-T I.371): one number says how far ahead of its rate a line of calls is.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::nanos;

/// So many calls in a time, of which so many at once. It may change while calls wait.
#[derive(Debug)]
pub(crate) struct Rate {
    made: Setting,
    /// What it was changed to.
    changed_to: Mutex<Option<Setting>>,
    /// The pace that the setting comes to, for those who take no lock: two numbers, of which nobody may see one old and one new. The
    /// version is odd while they change (a sequence lock).
    version: AtomicU64,
    interval: AtomicU64,
    tolerance: AtomicU64,
}

/// A rate as it was said.
#[derive(Debug, Clone, Copy)]
struct Setting {
    count: u32,
    period: u64,
    /// `None`: as many as `count`.
    burst: Option<u32>,
}

/// What a rate comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The time that a call takes up.
    pub(crate) interval: u64,
    /// How far ahead of its time a call may come.
    tolerance: u64,
}

impl Pace {
    /// When the next call is due: no later than if the whole burst had been taken just now. A turn that was taken at another pace, just when
    /// that changed, or before a clock was set back, would be further away.
    #[inline]
    fn bounded(self, due: u64, now: u64) -> u64 {
        due.min(now.saturating_add(self.at_once()))
    }

    /// The time that the whole burst takes up.
    #[inline]
    fn at_once(self) -> u64 {
        self.tolerance.saturating_add(self.interval)
    }
}

impl Setting {
    /// Rounded up: over no time is a call more let through than the rate says.
    const fn pace(self) -> Pace {
        assert!(self.count > 0, "a rate of no calls would let nothing through");
        assert!(self.period > 0, "a rate needs a time: in no time there is room for no call");
        let interval = self.period.div_ceil(self.count as u64);
        let burst = match self.burst {
            Some(burst) => burst,
            None => self.count,
        };
        assert!(burst > 0, "a burst of no calls would let nothing through");
        Pace { interval, tolerance: interval.saturating_mul(burst as u64 - 1) }
    }
}

impl Rate {
    pub(crate) const fn new(count: u32, period: Duration) -> Self {
        let made = Setting { count, period: nanos(period), burst: None };
        let Pace { interval, tolerance } = made.pace();
        Self {
            made,
            changed_to: Mutex::new(None),
            version: AtomicU64::new(0),
            interval: AtomicU64::new(interval),
            tolerance: AtomicU64::new(tolerance),
        }
    }

    /// Another one, as this was made.
    pub(crate) fn as_made(&self) -> Self {
        let made = self.made;
        let Pace { interval, tolerance } = made.pace();
        Self {
            made,
            changed_to: Mutex::new(None),
            version: AtomicU64::new(0),
            interval: AtomicU64::new(interval),
            tolerance: AtomicU64::new(tolerance),
        }
    }

    pub(crate) const fn set_burst(&mut self, calls: u32) {
        self.made.burst = Some(calls);
        self.tolerance = AtomicU64::new(self.made.pace().tolerance);
    }

    /// Changes the rate. `taken` is told of the old pace and the new one.
    pub(crate) fn set(&self, count: u32, period: Duration, taken: impl FnOnce(Pace, Pace)) {
        let mut changed_to = self.lock();
        let setting = Setting { count, period: nanos(period), ..self.made };
        let (before, pace) = (changed_to.unwrap_or(self.made).pace(), setting.pace());
        *changed_to = Some(setting);
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.interval.store(pace.interval, Ordering::Relaxed);
        self.tolerance.store(pace.tolerance, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
        taken(before, pace);
        drop(changed_to);
    }

    pub(crate) fn get(&self) -> (u32, Duration) {
        let Setting { count, period, .. } = self.lock().unwrap_or(self.made);
        (count, Duration::from_nanos(period))
    }

    #[inline]
    pub(crate) fn pace(&self) -> Pace {
        let version = self.version.load(Ordering::Acquire);
        let (interval, tolerance) = (self.interval.load(Ordering::Relaxed), self.tolerance.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
            return Pace { interval, tolerance };
        }
        self.pace_as_set()
    }

    #[cold]
    fn pace_as_set(&self) -> Pace {
        self.lock().unwrap_or(self.made).pace()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Setting>> {
        self.changed_to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turns of one line of calls.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// When the next call would be due if calls came evenly: the theoretical arrival time.
    due: AtomicU64,
    /// Until then a call is taken for one that would have come earlier, if a timer had not been late.
    late_until: AtomicU64,
    /// When it began anew, or at another pace.
    since: AtomicU64,
}

/// For so long a call that waited makes up for the lateness of its timer. Whatever stands still for longer has lost the time.
const MADE_UP: u64 = nanos(Duration::from_millis(100));

/// Timers have a resolution of a millisecond: a call that comes right after one that waited would have come so much earlier.
const TIMER: u64 = nanos(Duration::from_millis(2));

impl Turns {
    pub(crate) const fn new() -> Self {
        Self { due: AtomicU64::new(0), late_until: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    /// Takes the turn of now, or says how long it is to the next.
    #[inline]
    pub(crate) fn take(&self, rate: &Rate, now: u64) -> Result<(), u64> {
        let late = now < self.late_until.load(Ordering::Relaxed);
        let since = if late { now.saturating_sub(TIMER) } else { now };
        self.take_from(rate.pace(), now, since)
    }

    /// Takes a turn for a call that has waited for it `since` then. When the turn was due.
    pub(crate) fn take_since(&self, rate: &Rate, now: u64, since: u64) -> Result<u64, u64> {
        let since = since.max(now.saturating_sub(MADE_UP)).max(self.since.load(Ordering::Relaxed)).min(now);
        let pace = rate.pace();
        let due = self.next(rate, now).max(since);
        self.take_from(pace, now, since).map(|()| due)
    }

    #[inline]
    fn take_from(&self, pace: Pace, now: u64, since: u64) -> Result<(), u64> {
        let mut noted = self.due.load(Ordering::Relaxed);
        loop {
            let due = pace.bounded(noted, now);
            let earliest = due.saturating_sub(pace.tolerance);
            if now < earliest {
                if due < noted {
                    // Or the bound would move on with the time. Somebody else's change is as good.
                    let _ = self.due.compare_exchange(noted, due, Ordering::Relaxed, Ordering::Relaxed);
                }
                return Err(earliest - now);
            }
            let next = due.max(since).saturating_add(pace.interval);
            match self.due.compare_exchange_weak(noted, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => noted = changed,
            }
        }
    }

    /// A call that waited was let through now, and would have been when its turn was due.
    pub(crate) fn was_late(&self, now: u64, due: u64) {
        self.late_until.store(now.saturating_add(now.saturating_sub(due).min(TIMER)), Ordering::Relaxed);
    }

    /// Gives a turn back that was taken.
    pub(crate) fn give_back(&self, rate: &Rate) {
        let interval = rate.pace().interval;
        let _ = self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| Some(due.saturating_sub(interval)));
    }

    /// When the next turn is, or has been for the taking since.
    pub(crate) fn next(&self, rate: &Rate, now: u64) -> u64 {
        let pace = rate.pace();
        pace.bounded(self.due(), now).saturating_sub(pace.tolerance)
    }

    /// A line that is due in the past is as good as new.
    pub(crate) fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }

    /// Begins anew.
    pub(crate) fn reset(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        self.due.store(0, Ordering::Relaxed);
    }

    /// Goes on at another pace. As many turns are free as were, a part of one included, as far as the new pace has so many at once.
    pub(crate) fn change_pace(&self, before: Pace, pace: Pace, now: u64) {
        let rescaled = |due: u64| {
            let ahead = due.checked_sub(now)?;
            let free = u128::from(before.at_once().saturating_sub(ahead)) * u128::from(pace.interval) / u128::from(before.interval);
            let free = u64::try_from(free).unwrap_or(u64::MAX);
            Some(now.saturating_add(pace.at_once().saturating_sub(free)))
        };
        self.since.store(now, Ordering::Relaxed);
        // One that is due in the past stays as it is.
        let _ = self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rescaled);
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
        assert_eq!(turns.next(&rate, u64::MAX), u64::MAX);
        let fast = with_burst(u32::MAX, Duration::from_nanos(1), u32::MAX);
        assert_eq!((fast.pace().interval, Turns::new().take(&fast, 3)), (1, Ok(())));
        turns.change_pace(rate.pace(), fast.pace(), 0);
        turns.change_pace(fast.pace(), rate.pace(), u64::MAX);
    }

    #[test]
    fn as_many_turns_stay_free_at_another_pace_as_it_has() {
        const MS: u64 = 1_000_000;
        let (rate, turns) = (Rate::new(4, Duration::from_secs(4 * 3_600)), Turns::new());
        let to = |count, period, now| rate.set(count, period, |before, pace| turns.change_pace(before, pace, now));
        let free = |now| (0..100).filter(|_| turns.take(&rate, now).is_ok()).count();
        for _ in 0..3 {
            turns.take(&rate, 0).unwrap();
        }
        // One of four is free, and one of ten.
        to(10, SECOND, 0);
        assert_eq!((free(0), turns.take(&rate, 0)), (1, Err(100 * MS)));
        // Half of the time to the next has passed, and has still.
        to(1, SECOND, 50 * MS);
        assert_eq!(turns.take(&rate, 50 * MS), Err(500 * MS));
        // Of seven that are free again, three.
        to(10, SECOND, 550 * MS);
        to(3, SECOND, 1_200 * MS);
        assert_eq!(free(1_200 * MS), 3);
        // A rest is one at any pace.
        to(5, SECOND, 10_000 * MS);
        assert_eq!(free(10_000 * MS), 5);
    }

    /// One who had read the old pace takes a turn when the new one is there already.
    #[test]
    fn a_turn_at_another_pace_shuts_nobody_out() {
        let (slow, fast) = (Rate::new(1, Duration::from_secs(3_600)), Rate::new(100, SECOND));
        let turns = Turns::new();
        turns.take(&slow, 0).unwrap();
        assert_eq!(turns.take(&fast, 0), Err(10_000_000));
        assert_eq!(turns.take(&fast, 10_000_000), Ok(()));
    }

    #[test]
    fn a_rate_that_makes_no_sense_changes_nothing() {
        let (rate, turns) = (Rate::new(2, SECOND), Turns::new());
        for (count, period) in [(0, SECOND), (5, Duration::ZERO)] {
            let set = std::panic::AssertUnwindSafe(|| rate.set(count, period, |_, _| unreachable!()));
            assert!(std::panic::catch_unwind(set).is_err());
        }
        assert_eq!(rate.get(), (2, SECOND));
        assert_eq!((0..10).filter(|_| turns.take(&rate, 0).is_ok()).count(), 2);
    }

    #[test]
    fn nobody_sees_half_of_a_change() {
        let (rate, done) = (Rate::new(1_000, SECOND), std::sync::atomic::AtomicBool::new(false));
        let (fast, slow) = (rate.pace(), Rate::new(1, Duration::from_secs(3_600)).pace());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    rate.set(1, Duration::from_secs(3_600), |_, _| {});
                    rate.set(1_000, SECOND, |_, _| {});
                }
                done.store(true, Ordering::Relaxed);
            });
            while !done.load(Ordering::Relaxed) {
                let pace = rate.pace();
                assert!(pace == fast || pace == slow, "{pace:?}");
            }
        });
    }
}
