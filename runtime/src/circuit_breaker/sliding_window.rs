//! The sliding window: the outcomes that decide whether the circuit opens.

use std::collections::VecDeque;

use super::settings::TripRule;
use crate::clock::nanos;

/// The outcomes that decide whether the circuit opens. Each rule uses the part it needs.
#[derive(Debug, Default)]
pub(super) struct SlidingWindow {
    /// Consecutive failures.
    streak: u32,
    /// The last calls; `true` for a failure.
    calls: VecDeque<bool>,
    /// The calls within the window, in buckets of equal time stamps.
    buckets: VecDeque<Bucket>,
    total: Bucket,
}

/// The calls that a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failed: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Bucket {
    at: u64,
    calls: u64,
    failed: u64,
}

/// Up to this many buckets hold a single instant each; further ones span 1/2048 of the window, which bounds the memory of a busy
/// function.
const MAX_BUCKETS: usize = 2_048;

impl SlidingWindow {
    pub(super) const fn new() -> Self {
        Self { streak: 0, calls: VecDeque::new(), buckets: VecDeque::new(), total: Bucket { at: 0, calls: 0, failed: 0 } }
    }

    /// Records an outcome. Returns whether the circuit opens.
    pub(super) fn record(&mut self, trip: TripRule, failed: bool, now: u64) -> bool {
        match trip {
            TripRule::InARow(failures) => {
                self.streak = if failed { self.streak.saturating_add(1) } else { 0 };
                self.streak >= failures
            }
            TripRule::Within(failures, window) => {
                if failed {
                    self.record_at(now, nanos(window), true);
                }
                failed && self.total.failed >= u64::from(failures)
            }
            TripRule::OfCalls { rate, min_calls, calls } => {
                if self.calls.len() >= calls as usize {
                    let forgotten = self.calls.pop_front();
                    self.total.failed -= u64::from(forgotten == Some(true));
                }
                self.calls.push_back(failed);
                self.total.failed += u64::from(failed);
                reaches(rate, min_calls, self.calls.len() as u64, self.total.failed)
            }
            TripRule::OfTime { rate, min_calls, window } => {
                self.record_at(now, nanos(window), failed);
                reaches(rate, min_calls, self.total.calls, self.total.failed)
            }
        }
    }

    /// What the rule looks at, now.
    pub(super) fn counts(&mut self, trip: TripRule, now: u64) -> Counts {
        match trip {
            TripRule::InARow(_) => Counts { calls: self.streak.into(), failed: self.streak.into() },
            TripRule::OfCalls { .. } => Counts { calls: self.calls.len() as u64, failed: self.total.failed },
            TripRule::Within(_, window) | TripRule::OfTime { window, .. } => {
                self.remove_older(now, nanos(window));
                Counts { calls: self.total.calls, failed: self.total.failed }
            }
        }
    }

    /// Removes the buckets that have left the window. A bucket exactly as old as the window has left it.
    fn remove_older(&mut self, now: u64, window: u64) {
        while let Some(&oldest) = self.buckets.front().filter(|oldest| now.saturating_sub(oldest.at) >= window) {
            self.buckets.pop_front();
            self.total.calls -= oldest.calls;
            self.total.failed -= oldest.failed;
        }
    }

    /// Records an outcome in the window of time.
    fn record_at(&mut self, now: u64, window: u64, failed: bool) {
        // Recorded by another clock that is ahead of this one (a test that has advanced its clock).
        if self.buckets.back().is_some_and(|last| last.at > now.saturating_add(window)) {
            self.forget();
        }
        self.remove_older(now, window);
        let together = if self.buckets.len() < MAX_BUCKETS { 0 } else { window / MAX_BUCKETS as u64 };
        if self.buckets.back().is_none_or(|last| now > last.at.saturating_add(together)) {
            self.buckets.push_back(Bucket { at: now, calls: 0, failed: 0 });
        }
        for bucket in self.buckets.back_mut().into_iter().chain([&mut self.total]) {
            bucket.calls += 1;
            bucket.failed += u64::from(failed);
        }
    }

    /// Whether nothing was recorded since the last transition that a new window would not have.
    pub(super) fn is_empty(&self) -> bool {
        self.streak == 0 && self.calls.is_empty() && self.buckets.is_empty()
    }

    pub(super) fn forget(&mut self) {
        self.streak = 0;
        self.calls.clear();
        self.buckets.clear();
        self.total = Bucket::default();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn reaches(rate: f64, min_calls: u32, calls: u64, failed: u64) -> bool {
    // Without a failure the circuit does not open, whatever the rate.
    failed > 0 && calls >= u64::from(min_calls) && failed as f64 >= rate * calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The definition of each rule, applied literally to the whole history.
    fn opens(history: &[(u64, bool)], trip: TripRule) -> bool {
        let (now, last_failed) = *history.last().unwrap();
        let share = |of: &[(u64, bool)], rate: f64, min_calls: u32| {
            let failed = of.iter().filter(|(_, failed)| *failed).count();
            let (count, failed) = (u32::try_from(of.len()).unwrap(), u32::try_from(failed).unwrap());
            failed > 0 && count >= min_calls && f64::from(failed) >= rate * f64::from(count)
        };
        let within = |window: Duration| -> Vec<(u64, bool)> {
            history.iter().copied().filter(|(at, _)| u128::from(now - at) < window.as_nanos()).collect()
        };
        match trip {
            TripRule::InARow(failures) => history.iter().rev().take_while(|(_, failed)| *failed).count() >= failures as usize,
            TripRule::Within(failures, window) => {
                last_failed && within(window).iter().filter(|(_, failed)| *failed).count() >= failures as usize
            }
            TripRule::OfCalls { rate, min_calls, calls } => {
                share(&history[history.len().saturating_sub(calls as usize)..], rate, min_calls)
            }
            TripRule::OfTime { rate, min_calls, window } => share(&within(window), rate, min_calls),
        }
    }

    #[test]
    fn agrees_with_the_naive_model_over_random_histories() {
        let mut random = fastrand::Rng::with_seed(5);
        for history in 0..10_000_u32 {
            let window = Duration::from_millis(random.u64(1..200));
            let (rate, min_calls) = (random.f64(), random.u32(0..30));
            let trip = match history % 4 {
                0 => TripRule::InARow(random.u32(1..9)),
                1 => TripRule::Within(random.u32(1..9), window),
                2 => TripRule::OfCalls { rate, min_calls, calls: random.u32(1..40) },
                _ => TripRule::OfTime { rate, min_calls, window },
            };
            let (mut tally, mut now, mut past) = (SlidingWindow::new(), random.u64(..1 << 40), Vec::new());
            let (pace, badness) = (random.u64(1..20_000_000), random.f64());
            for _ in 0..60 {
                now += random.u64(0..pace);
                let failed = random.f64() < badness;
                past.push((now, failed));
                let opened = tally.record(trip, failed, now);
                assert_eq!(opened, opens(&past, trip), "{trip:?} {past:?}");
                if opened {
                    tally.forget();
                    past.clear();
                }
            }
        }
    }

    #[test]
    fn the_memory_of_a_window_is_bounded() {
        let (mut tally, window) = (SlidingWindow::new(), Duration::from_secs(1));
        let trip = TripRule::OfTime { rate: 1.0, min_calls: u32::MAX, window };
        for now in (0..3_000_000_000).step_by(10_000) {
            tally.record(trip, false, now);
        }
        assert!(tally.buckets.len() <= 2 * MAX_BUCKETS + 1, "{}", tally.buckets.len());
        assert!(tally.total.calls.abs_diff(100_000) <= 100, "{}", tally.total.calls);
    }
}
