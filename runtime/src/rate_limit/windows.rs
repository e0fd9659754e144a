//! The rates of a limiter, and what a bucket has been charged by each of them. A call is charged by all or by none.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::gcra::{AtomicQuota, Gcra, GcraParams};

/// The maximum number of rates of a limiter besides the first.
const MOST: usize = 3;

/// A rate besides the first. It does not change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    count: u32,
    period: Duration,
    params: GcraParams,
}

impl Window {
    const fn new(count: u32, period: Duration, burst: Option<u32>) -> Self {
        Self { count, period, params: GcraParams::new(count, period, burst) }
    }
}

/// The rates besides the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Further {
    windows: [Window; MOST],
    len: usize,
}

impl Further {
    pub(super) const fn none() -> Self {
        Self { windows: [Window::new(1, Duration::from_secs(1), None); MOST], len: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) const fn add(&mut self, count: u32, period: Duration) {
        assert!(self.len < MOST, "a rate limiter has at most 4 rates");
        self.windows[self.len] = Window::new(count, period, None);
        self.len += 1;
    }

    /// Sets the burst of the rate added last. Returns whether there is one.
    pub(super) const fn set_burst(&mut self, burst: u32) -> bool {
        if self.len == 0 {
            return false;
        }
        let Window { count, period, .. } = self.windows[self.len - 1];
        self.windows[self.len - 1] = Window::new(count, period, Some(burst));
        true
    }
}

/// The rates that a bucket is charged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates<'a> {
    pub(super) first: &'a AtomicQuota,
    pub(super) further: &'a Further,
}

impl<'a> Rates<'a> {
    pub(super) fn is_one(self) -> bool {
        self.further.is_empty()
    }

    fn further(self) -> &'a [Window] {
        &self.further.windows[..self.further.len]
    }

    /// The smallest burst, if the cost is above it, so that no such call is ever admitted.
    pub(super) fn exceeded_burst(self, cost: u32) -> Option<u32> {
        let further = self.further().iter().map(|window| window.params);
        let least = further.map(GcraParams::burst).fold(self.first.params().burst(), u32::min);
        (cost > least).then_some(least)
    }
}

/// What a bucket has been charged. With one rate it is one atomic number.
#[derive(Debug)]
pub(super) struct Windows {
    first: Gcra,
    /// The theoretical arrival times of the other rates. With several rates, the lock is held for every change of `first` too.
    further: OnceLock<Box<Mutex<[u64; MOST]>>>,
}

/// The result for a call whose cost is above the burst.
const NEVER: u64 = u64::MAX;

impl Windows {
    pub(super) const fn new() -> Self {
        Self { first: Gcra::new(), further: OnceLock::new() }
    }

    /// Takes a permit of a bucket with one rate now, or returns the time until it is available.
    #[inline]
    pub(super) fn take_one(&self, rates: Rates<'_>, now: u64) -> Result<(), u64> {
        self.first.try_acquire(rates.first.params(), 1, now)
    }

    /// Takes `cost` permits of each rate now, or of none and returns the time until they are available.
    pub(super) fn take(&self, rates: Rates<'_>, cost: u32, now: u64) -> Result<(), u64> {
        let params = rates.first.params();
        if rates.is_one() {
            return if cost == 1 || params.admits(cost) { self.first.try_acquire(params, cost, now) } else { Err(NEVER) };
        }
        self.take_of_all(rates, params, cost, now, self.first.arrival(now)).map(|_| ())
    }

    /// Takes permits for a call that has been waiting for them since `since`, and returns when they were due.
    pub(super) fn take_for_waiter(&self, rates: Rates<'_>, cost: u32, now: u64, since: u64) -> Result<u64, u64> {
        let (params, since) = (rates.first.params(), self.first.arrival_of_waiter(since, now));
        if !rates.is_one() {
            return self.take_of_all(rates, params, cost, now, since);
        }
        if !params.admits(cost) {
            return Err(NEVER);
        }
        let due = params.due(params.bounded(self.first.tat(), now), cost).max(since);
        self.first.try_acquire_from(params, cost, now, since).map(|()| due)
    }

    /// Either charges all rates or none. Returns when the permits were due, or the time until they are.
    fn take_of_all(&self, rates: Rates<'_>, params: GcraParams, cost: u32, now: u64, since: u64) -> Result<u64, u64> {
        let further = rates.further();
        if !params.admits(cost) || further.iter().any(|window| !window.params.admits(cost)) {
            return Err(NEVER);
        }
        let mut tats = self.locked();
        let first = params.bounded(self.first.tat(), now);
        let mut due = params.due(first, cost);
        for (tat, window) in tats.iter_mut().zip(further) {
            *tat = window.params.bounded(*tat, now);
            due = due.max(window.params.due(*tat, cost));
        }
        if now < due {
            self.first.set_tat(first);
            return Err(due - now);
        }
        self.first.set_tat(params.charged(first, since, cost));
        for (tat, window) in tats.iter_mut().zip(further) {
            *tat = window.params.charged(*tat, since, cost);
        }
        Ok(due.max(since))
    }

    /// Returns permits.
    pub(super) fn refund(&self, rates: Rates<'_>, cost: u32) {
        let params = rates.first.params();
        if rates.is_one() {
            return self.first.refund(params, cost);
        }
        let mut tats = self.locked();
        self.first.refund(params, cost);
        for (tat, window) in tats.iter_mut().zip(rates.further()) {
            *tat = window.params.refunded(*tat, cost);
        }
    }

    /// When `cost` permits of each rate are available, or became available if that is in the past, after `ahead` others have been
    /// taken, the first of them by a call with a cost of `next`.
    pub(super) fn due_behind(&self, rates: Rates<'_>, ahead: u64, next: u32, cost: u32, now: u64) -> u64 {
        self.latest(rates, next, now, |params, tat, start| params.due_behind(tat.max(start), ahead, cost)).0
    }

    /// The rate whose permits are available last: its calls and its period.
    pub(super) fn binding_rate(&self, rates: Rates<'_>, cost: u32, now: u64) -> (u32, Duration) {
        let (_, index) = self.latest(rates, cost, now, |params, tat, _| params.due(tat, cost));
        index.map_or_else(|| rates.first.get(), |index| (rates.further()[index].count, rates.further()[index].period))
    }

    /// The latest of the times that `when` gives for each rate, and which of the further ones has it, if the first has not. `when`
    /// receives the parameters, the theoretical arrival time, and when the next call can start, which has a cost of `next`: a rate
    /// that is at full allowance until then is not charged earlier.
    fn latest(&self, rates: Rates<'_>, next: u32, now: u64, when: impl Fn(GcraParams, u64, u64) -> u64) -> (u64, Option<usize>) {
        let params = rates.first.params();
        let first = params.bounded(self.first.tat(), now);
        if rates.is_one() {
            return (when(params, first, 0), None);
        }
        let tats = *self.locked();
        let each = || tats.iter().zip(rates.further()).map(|(tat, window)| (window.params, window.params.bounded(*tat, now)));
        let start = each().map(|(params, tat)| params.due(tat, next)).fold(params.due(first, next).max(now), u64::max);
        let further = each().enumerate().map(|(index, (params, tat))| (when(params, tat, start), Some(index)));
        further.fold((when(params, first, start), None), |latest, other| if other.0 > latest.0 { other } else { latest })
    }

    /// Records that a call which waited was admitted now, although its permits were due at `due`.
    pub(super) fn was_late(&self, now: u64, due: u64) {
        self.first.was_late(now, due);
    }

    /// When the bucket is at full allowance.
    pub(super) fn full_at(&self) -> u64 {
        let first = self.first.tat();
        self.further.get().map_or(first, |tats| lock(tats).iter().copied().fold(first, u64::max))
    }

    /// Restores the full allowance.
    pub(super) fn reset(&self, now: u64) {
        let further = self.further.get().map(|tats| lock(tats));
        self.first.reset(now);
        if let Some(mut tats) = further {
            tats.fill(0);
        }
    }

    /// Switches the first rate to another. As many of its permits remain available as before, up to the new burst.
    pub(super) fn change_params(&self, before: GcraParams, params: GcraParams, now: u64) {
        let further = self.further.get().map(|tats| lock(tats));
        self.first.change_params(before, params, now);
        drop(further);
    }

    fn locked(&self) -> MutexGuard<'_, [u64; MOST]> {
        lock(self.further.get_or_init(Box::default))
    }
}

fn lock(tats: &Mutex<[u64; MOST]>) -> MutexGuard<'_, [u64; MOST]> {
    tats.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a limiter with these rates has admitted: when, and at which cost. All that follows is computed from that, so that a
    /// rejection cannot leave a trace.
    struct Model {
        /// Calls, period in nanoseconds, burst.
        rates: Vec<(u64, u64, u64)>,
        admitted: Vec<(u64, u64)>,
    }

    impl Model {
        /// When `cost` permits are available.
        fn due(&self, cost: u64) -> u64 {
            let due = |&(count, period, burst): &(u64, u64, u64)| {
                let interval = period.div_ceil(count);
                let tat = self.admitted.iter().fold(0, |tat, &(at, cost)| at.max(tat) + interval * cost);
                (tat + interval * cost).saturating_sub(interval * burst)
            };
            self.rates.iter().map(due).max().unwrap()
        }

        fn least_burst(&self) -> u64 {
            self.rates.iter().map(|(.., burst)| *burst).min().unwrap()
        }

        /// Fails if more was admitted in any time than the rate allows.
        fn check(&self) {
            for &(count, period, burst) in &self.rates {
                for (index, (from, _)) in self.admitted.iter().enumerate() {
                    let mut sum = 0;
                    for (to, cost) in &self.admitted[index..] {
                        sum += cost;
                        let most = (to - from) * count / period + burst;
                        assert!(sum <= most, "{sum} in {} ns, of {count} in {period} and {burst} at once", to - from);
                    }
                }
            }
        }
    }

    /// Random rates and bursts, and a model of them.
    fn random_rates(random: &mut fastrand::Rng) -> (AtomicQuota, Further, Model) {
        let rate = |random: &mut fastrand::Rng| (random.u32(1..20), random.u64(1..2_000), random.bool().then(|| random.u32(1..20)));
        let (count, period, burst) = rate(random);
        let mut first = AtomicQuota::new(count, Duration::from_nanos(period));
        let mut further = Further::none();
        let model_of = |count: u32, period, burst: Option<u32>| (u64::from(count), period, u64::from(burst.unwrap_or(count)));
        let mut rates = vec![model_of(count, period, burst)];
        if let Some(burst) = burst {
            first.set_burst(burst);
        }
        for _ in 0..random.usize(1..=MOST) {
            let (count, period, burst) = rate(random);
            further.add(count, Duration::from_nanos(period));
            if let Some(burst) = burst {
                assert!(further.set_burst(burst));
            }
            rates.push(model_of(count, period, burst));
        }
        (first, further, Model { rates, admitted: Vec::new() })
    }

    #[test]
    fn all_rates_are_charged_or_none() {
        let mut random = fastrand::Rng::with_seed(21);
        let (mut admitted, mut rejected) = (0, 0);
        for _ in 0..10_000 {
            let (first, further, mut model) = random_rates(&mut random);
            let (windows, rates, mut now) = (Windows::new(), Rates { first: &first, further: &further }, 0);
            for _ in 0..40 {
                now += random.u64(..300);
                let cost = random.u32(1..6);
                let result = windows.take(rates, cost, now);
                if u64::from(cost) > model.least_burst() {
                    assert_eq!((result, rates.exceeded_burst(cost).is_some()), (Err(NEVER), true));
                    continue;
                }
                let due = model.due(u64::from(cost));
                if due <= now {
                    assert_eq!(result, Ok(()));
                    model.admitted.push((now, u64::from(cost)));
                    admitted += 1;
                } else {
                    assert_eq!(result, Err(due - now), "{:?} {:?}", model.rates, model.admitted);
                    rejected += 1;
                }
            }
            model.check();
        }
        assert!(admitted > 50_000 && rejected > 50_000, "{admitted} {rejected}");
    }

    /// Calls of equal cost that wait in a queue: the time that is computed for the last of them is that at which it is admitted.
    #[test]
    fn the_wait_behind_others_is_that_of_the_latest_rate() {
        let mut random = fastrand::Rng::with_seed(22);
        for _ in 0..2_000 {
            let (first, further, model) = random_rates(&mut random);
            let (windows, rates, now) = (Windows::new(), Rates { first: &first, further: &further }, 1_000_000);
            let cost = random.u32(1..=u32::try_from(model.least_burst()).unwrap());
            while windows.take(rates, cost, now).is_ok() {}
            let ahead = random.u64(0..20);
            let computed = windows.due_behind(rates, ahead * u64::from(cost), cost, cost, now);
            let mut at = now;
            for _ in 0..=ahead {
                while let Err(wait) = windows.take(rates, cost, at) {
                    at += wait;
                }
            }
            assert!(computed <= at, "not later than it is");
            // A rate with the larger burst and the lower pace takes over in the meantime.
            let slowest = model.rates.iter().map(|(count, period, burst)| period.div_ceil(*count) * burst).max().unwrap();
            assert!(at - computed <= slowest, "{computed} {at}");
        }
    }

    #[test]
    fn permits_that_are_given_back_are_those_of_all_rates() {
        let first = AtomicQuota::new(5, Duration::from_nanos(50));
        let mut further = Further::none();
        further.add(7, Duration::from_nanos(700));
        let (windows, rates) = (Windows::new(), Rates { first: &first, further: &further });
        windows.take(rates, 3, 1_000).unwrap();
        windows.refund(rates, 3);
        assert_eq!(windows.take(rates, 5, 1_000), Ok(()));
        assert_eq!(windows.take(rates, 2, 1_020), Ok(()));
        assert_eq!(windows.take(rates, 1, 1_020), Err(80));
        assert_eq!(windows.binding_rate(rates, 1, 1_020), (7, Duration::from_nanos(700)));
        windows.reset(1_020);
        assert_eq!(windows.take(rates, 5, 1_020), Ok(()));
    }

    /// Several threads, which take from two rates: neither admits more than it may, and what is left can be taken.
    #[test]
    fn threads_charge_all_rates_or_none() {
        let first = AtomicQuota::new(1_000, Duration::from_secs(3_600));
        let mut further = Further::none();
        further.add(700, Duration::from_secs(3_600));
        let (windows, rates) = (Windows::new(), Rates { first: &first, further: &further });
        let taken = std::sync::atomic::AtomicU64::new(0);
        std::thread::scope(|scope| {
            for cost in [1, 2, 3, 5] {
                let (windows, taken) = (&windows, &taken);
                scope.spawn(move || {
                    while windows.take(rates, cost, 1_000).is_ok() {
                        taken.fetch_add(u64::from(cost), std::sync::atomic::Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(taken.into_inner(), 700);
        // The first rate alone has 300 left.
        let alone = Further::none();
        assert_eq!(windows.take(Rates { first: &first, further: &alone }, 300, 1_000), Ok(()));
        assert!(windows.take(Rates { first: &first, further: &alone }, 1, 1_000).is_err());
    }
}
