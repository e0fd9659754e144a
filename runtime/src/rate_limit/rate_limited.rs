//! The rejection of a rate limiter.

use std::time::Duration;

use super::windows::{Rates, Windows};
use crate::clock;
use crate::error::{Error, ErrorKind};

/// Too few permits are available in time.
#[derive(Debug)]
pub enum RateLimited {
    /// Enough permits arrive later.
    Later {
        /// The rate that is exceeded.
        rate: (u32, Duration),
        /// The time until then.
        wait: Duration,
    },
    /// The call costs more than the burst.
    Never {
        /// How many permits the call needs.
        cost: u32,
        /// How many there are at once.
        burst: u32,
    },
}

impl RateLimited {
    pub(super) fn of(rates: Rates<'_>, windows: &Windows, cost: u32, wait: u64) -> Self {
        if let Some(burst) = rates.exceeded_burst(cost) {
            return Self::Never { cost, burst };
        }
        let rate = windows.binding_rate(rates, cost, clock::now());
        Self::Later { rate, wait: Duration::from_nanos(wait) }
    }

    /// The error for the attributed `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        let error = Error::new(ErrorKind::RateLimited, function);
        match self {
            Self::Later { rate: (count, period), wait } => error.with_count(count).with_limit(period).with_retry_after(Some(wait)),
            Self::Never { cost, burst } => error.with_count(burst).with_cost(cost),
        }
    }
}
