//! The delay before an attempt.

use std::time::Duration;

/// How a delay is randomized, so that callers that failed together do not retry together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Jitter {
    /// Uniformly distributed in `0..=wait`.
    #[default]
    Full,
    /// Uniformly distributed in `wait / 2..=wait`.
    Equal,
    /// Exactly `wait`.
    None,
}

/// An exponential backoff: `delay * factor ^ (failures - 1)`, capped at `max_delay`, with jitter. `#[retry]` uses it; it can also be used in a
/// hand-written loop.
///
/// ```
/// use std::time::Duration;
/// use steadfast::retry::{Backoff, Jitter};
///
/// let backoff = Backoff {
///     delay: Duration::from_millis(100),
///     factor: 2.0,
///     max_delay: Duration::from_secs(5),
///     jitter: Jitter::None,
/// };
/// assert_eq!(backoff.wait(3), Duration::from_millis(400));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The delay after the first failure.
    pub delay: Duration,
    /// The factor by which each further delay grows. Values below 1 and NaN count as 1: delays do not shrink.
    pub factor: f64,
    /// The maximum delay, before jitter.
    pub max_delay: Duration,
    /// How the delay is randomized.
    pub jitter: Jitter,
}

impl Backoff {
    /// The delay after this many failures. Zero counts as 1.
    #[must_use]
    pub fn wait(&self, failures: u32) -> Duration {
        let longest = self.longest(failures);
        match self.jitter {
            Jitter::None => longest,
            Jitter::Full => longest.mul_f64(fastrand::f64()),
            Jitter::Equal => longest / 2 + (longest / 2).mul_f64(fastrand::f64()),
        }
    }

    fn longest(&self, failures: u32) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        // `max` returns 1 for NaN.
        let seconds = self.delay.as_secs_f64() * self.factor.max(1.0).powi(exponent);
        // Too large for a `Duration`, infinite, or 0 * infinity: the cap applies, except that a zero delay stays zero.
        match Duration::try_from_secs_f64(seconds) {
            Ok(wait) => wait.min(self.max_delay),
            Err(_) if self.delay.is_zero() => Duration::ZERO,
            Err(_) => self.max_delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(delay: Duration, factor: f64, jitter: Jitter) -> Backoff {
        Backoff { delay, factor, max_delay: Duration::from_secs(30), jitter }
    }

    #[test]
    fn grows_by_the_factor_up_to_the_cap() {
        let backoff = backoff(Duration::from_millis(100), 2.0, Jitter::None);
        let waits: Vec<u128> = [1, 2, 3, 9, 10].into_iter().map(|n| backoff.wait(n).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 25_600, 30_000]);
    }

    #[test]
    fn never_shrinks() {
        for factor in [0.5, 0.0, -1.0, f64::NEG_INFINITY, f64::NAN] {
            let backoff = backoff(Duration::from_millis(100), factor, Jitter::None);
            assert_eq!([1, 2, 3, 100].map(|n| backoff.wait(n).as_millis()), [100; 4], "{factor}");
        }
    }

    #[test]
    fn saturates_instead_of_overflowing() {
        let cap = Duration::from_secs(30);
        assert_eq!(backoff(Duration::MAX, 2.0, Jitter::None).wait(u32::MAX), cap);
        assert_eq!(backoff(Duration::from_secs(1), f64::MAX, Jitter::None).wait(3), cap);
        assert_eq!(backoff(Duration::ZERO, f64::MAX, Jitter::None).wait(u32::MAX), Duration::ZERO);
        let unbounded = Backoff { max_delay: Duration::MAX, ..backoff(Duration::MAX, 1.0, Jitter::Full) };
        assert!(unbounded.wait(1) <= Duration::MAX);
    }

    #[test]
    fn jitter_stays_in_its_range_and_spreads() {
        let wait = Duration::from_secs(1);
        for (jitter, floor) in [(Jitter::Full, Duration::ZERO), (Jitter::Equal, wait / 2)] {
            let waits: Vec<Duration> = (0..1_000).map(|_| backoff(wait, 1.0, jitter).wait(1)).collect();
            assert!(waits.iter().all(|w| (floor..=wait).contains(w)));
            let spread = waits.iter().max().unwrap().abs_diff(*waits.iter().min().unwrap());
            assert!(spread * 2 > wait.abs_diff(floor), "{jitter:?} spreads over {spread:?} only");
        }
    }
}
