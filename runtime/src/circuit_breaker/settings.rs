//! The settings of a breaker: when the circuit opens, and for how long.

use std::time::Duration;

/// The settings, fixed when the breaker is created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) failures: u32,
    pub(super) failure_rate: Option<f64>,
    pub(super) min_calls: u32,
    pub(super) window_calls: u32,
    pub(super) window: Option<Duration>,
    pub(super) open_for: Duration,
    pub(super) open_for_max: Option<Duration>,
    pub(super) probes: u32,
    /// `None`: equal to `open_for`.
    pub(super) probe_timeout: Option<Duration>,
    pub(super) slow_call: Option<Duration>,
    /// `None`: a slow call is a failure.
    pub(super) slow_rate: Option<f64>,
    pub(super) open_jitter: f64,
}

/// The rule that opens the circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TripRule {
    /// This many consecutive failures.
    InARow(u32),
    /// This many failures within a duration.
    Within(u32, Duration),
    /// A fraction of the last `calls` calls.
    OfCalls { rate: f64, min_calls: u32, calls: u32 },
    /// A fraction of the calls within a duration.
    OfTime { rate: f64, min_calls: u32, window: Duration },
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        failures: 5,
        failure_rate: None,
        min_calls: 20,
        window_calls: 100,
        window: None,
        open_for: Duration::from_secs(30),
        open_for_max: None,
        probes: 1,
        probe_timeout: None,
        slow_call: None,
        slow_rate: None,
        open_jitter: 0.0,
    };

    pub(super) fn trip_rule(&self) -> TripRule {
        let (failures, calls) = (self.failures.max(1), self.window_calls.max(1));
        match (self.failure_rate, self.window) {
            (None, None) => TripRule::InARow(failures),
            (None, Some(window)) => TripRule::Within(failures, window),
            // The window never holds more than `calls` calls.
            (Some(rate), None) => TripRule::OfCalls { rate, min_calls: self.min_calls.min(calls), calls },
            (Some(rate), Some(window)) => TripRule::OfTime { rate, min_calls: self.min_calls, window },
        }
    }

    /// The rule by which slow calls open the circuit, if they are counted apart from failures. The window is that of the failures.
    pub(super) fn slow_rule(&self) -> Option<TripRule> {
        let (rate, calls) = (self.slow_rate?, self.window_calls.max(1));
        Some(match self.window {
            None => TripRule::OfCalls { rate, min_calls: self.min_calls.min(calls), calls },
            Some(window) => TripRule::OfTime { rate, min_calls: self.min_calls, window },
        })
    }

    /// The longest time for which the circuit stays open after this many consecutive reopenings.
    pub(super) fn longest(&self, reopenings: u32) -> Duration {
        self.jittered(reopenings, 1.0)
    }

    /// The same with a share of the jitter, from 0 to 1.
    pub(super) fn jittered(&self, reopenings: u32, share: f64) -> Duration {
        let open_for = self.open_for(reopenings);
        let more = Duration::try_from_secs_f64(open_for.as_secs_f64() * self.open_jitter * share);
        open_for.saturating_add(more.unwrap_or(Duration::ZERO))
    }

    /// How long the circuit stays open after this many consecutive reopenings.
    pub(super) fn open_for(&self, reopenings: u32) -> Duration {
        match self.open_for_max {
            None => self.open_for,
            Some(most) => {
                self.open_for.saturating_mul(1_u32.checked_shl(reopenings).unwrap_or(u32::MAX)).min(most.max(self.open_for))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_opens_the_circuit() {
        let settings = Settings::DEFAULT;
        assert_eq!(settings.trip_rule(), TripRule::InARow(5));
        let minute = Duration::from_secs(60);
        assert_eq!(Settings { window: Some(minute), ..settings }.trip_rule(), TripRule::Within(5, minute));
        let rate = Settings { failure_rate: Some(0.5), window_calls: 10, ..settings };
        assert_eq!(rate.trip_rule(), TripRule::OfCalls { rate: 0.5, min_calls: 10, calls: 10 });
        assert_eq!(
            Settings { window: Some(minute), ..rate }.trip_rule(),
            TripRule::OfTime { rate: 0.5, min_calls: 20, window: minute }
        );
    }

    #[test]
    fn grows_with_each_reopening() {
        let second = Duration::from_secs(1);
        let settings = Settings { open_for: second, open_for_max: Some(5 * second), ..Settings::DEFAULT };
        let times: Vec<u64> = [0, 1, 2, 3, 40].map(|reopenings| settings.open_for(reopenings).as_secs()).into();
        assert_eq!(times, [1, 2, 4, 5, 5]);
        assert_eq!(Settings { open_for_max: None, ..settings }.open_for(7), second);
    }
}
