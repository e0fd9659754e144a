//! The rejection of a rate limiter.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::gcra::AtomicQuota;

/// No permit is available in time.
#[derive(Debug)]
pub struct RateLimited {
    rate: (u32, Duration),
    wait: Duration,
}

impl RateLimited {
    pub(super) fn of(rate: &AtomicQuota, wait: u64) -> Self {
        Self { rate: rate.get(), wait: Duration::from_nanos(wait) }
    }

    /// The error for the attributed `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        let (count, period) = self.rate;
        Error::new(ErrorKind::RateLimited, function).with_count(count).with_limit(period).with_retry_after(Some(self.wait))
    }
}
