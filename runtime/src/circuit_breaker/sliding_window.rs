//! What is remembered of the calls so far.

use std::collections::VecDeque;

use super::settings::Trip;
use crate::clock::nanos;

/// The outcomes that the decision to open depends on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Failures in a row.
    streak: u32,
    /// The last calls, by whether they failed.
    calls: VecDeque<bool>,
    /// The calls of a time, those of one instant together.
    moments: VecDeque<Moment>,
    total: Moment,
}

#[derive(Debug, Default, Clone, Copy)]
struct Moment {
    at: u64,
    calls: u64,
    failed: u64,
}

/// So many moments are kept apart; further ones are a two-thousandth of the window long each, so that the memory of a busy function is
/// bounded.
const MOMENTS: usize = 2_048;

impl Tally {
    pub(super) const fn new() -> Self {
        Self { streak: 0, calls: VecDeque::new(), moments: VecDeque::new(), total: Moment { at: 0, calls: 0, failed: 0 } }
    }

    /// Notes an outcome. Whether the circuit opens.
    pub(super) fn note(&mut self, trip: Trip, failed: bool, now: u64) -> bool {
        match trip {
            Trip::InARow(failures) => {
                self.streak = if failed { self.streak.saturating_add(1) } else { 0 };
                self.streak >= failures
            }
            Trip::Within(failures, window) => {
                if failed {
                    self.at(now, nanos(window), true);
                }
                failed && self.total.failed >= u64::from(failures)
            }
            Trip::OfCalls { rate, min_calls, calls } => {
                if self.calls.len() >= calls as usize {
                    let forgotten = self.calls.pop_front();
                    self.total.failed -= u64::from(forgotten == Some(true));
                }
                self.calls.push_back(failed);
                self.total.failed += u64::from(failed);
                reaches(rate, min_calls, self.calls.len() as u64, self.total.failed)
            }
            Trip::OfTime { rate, min_calls, window } => {
                self.at(now, nanos(window), failed);
                reaches(rate, min_calls, self.total.calls, self.total.failed)
            }
        }
    }

    /// Notes an outcome and forgets those that have left the window. One that is exactly as old as the window is long has left it.
    fn at(&mut self, now: u64, window: u64, failed: bool) {
        // Noted by another clock, which is ahead of this one (of a test that has advanced it).
        if self.moments.back().is_some_and(|last| last.at > now.saturating_add(window)) {
            self.forget();
        }
        while let Some(&oldest) = self.moments.front().filter(|oldest| now.saturating_sub(oldest.at) >= window) {
            self.moments.pop_front();
            self.total.calls -= oldest.calls;
            self.total.failed -= oldest.failed;
        }
        let together = if self.moments.len() < MOMENTS { 0 } else { window / MOMENTS as u64 };
        if self.moments.back().is_none_or(|last| now > last.at.saturating_add(together)) {
            self.moments.push_back(Moment { at: now, calls: 0, failed: 0 });
        }
        for moment in self.moments.back_mut().into_iter().chain([&mut self.total]) {
            moment.calls += 1;
            moment.failed += u64::from(failed);
        }
    }

    pub(super) fn forget(&mut self) {
        self.streak = 0;
        self.calls.clear();
        self.moments.clear();
        self.total = Moment::default();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn reaches(rate: f64, min_calls: u32, calls: u64, failed: u64) -> bool {
    // No failure is no reason to open, whatever the rate.
    failed > 0 && calls >= u64::from(min_calls) && failed as f64 >= rate * calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Everything that ever happened, and the definition of each rule, literally.
    fn opens(history: &[(u64, bool)], trip: Trip) -> bool {
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
            Trip::InARow(failures) => history.iter().rev().take_while(|(_, failed)| *failed).count() >= failures as usize,
            Trip::Within(failures, window) => {
                last_failed && within(window).iter().filter(|(_, failed)| *failed).count() >= failures as usize
            }
            Trip::OfCalls { rate, min_calls, calls } => {
                share(&history[history.len().saturating_sub(calls as usize)..], rate, min_calls)
            }
            Trip::OfTime { rate, min_calls, window } => share(&within(window), rate, min_calls),
        }
    }

    #[test]
    fn agrees_with_the_naive_model_over_random_histories() {
        let mut random = fastrand::Rng::with_seed(5);
        for history in 0..10_000_u32 {
            let window = Duration::from_millis(random.u64(1..200));
            let (rate, min_calls) = (random.f64(), random.u32(0..30));
            let trip = match history % 4 {
                0 => Trip::InARow(random.u32(1..9)),
                1 => Trip::Within(random.u32(1..9), window),
                2 => Trip::OfCalls { rate, min_calls, calls: random.u32(1..40) },
                _ => Trip::OfTime { rate, min_calls, window },
            };
            let (mut tally, mut now, mut past) = (Tally::new(), random.u64(..1 << 40), Vec::new());
            let (pace, badness) = (random.u64(1..20_000_000), random.f64());
            for _ in 0..60 {
                now += random.u64(0..pace);
                let failed = random.f64() < badness;
                past.push((now, failed));
                let opened = tally.note(trip, failed, now);
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
        let (mut tally, window) = (Tally::new(), Duration::from_secs(1));
        let trip = Trip::OfTime { rate: 1.0, min_calls: u32::MAX, window };
        for now in (0..3_000_000_000).step_by(10_000) {
            tally.note(trip, false, now);
        }
        assert!(tally.moments.len() <= 2 * MOMENTS + 1, "{}", tally.moments.len());
        assert!(tally.total.calls.abs_diff(100_000) <= 100, "{}", tally.total.calls);
    }
}
