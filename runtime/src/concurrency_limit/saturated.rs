//! The rejection of a concurrency limiter.

use super::limiter::ConcurrencyLimiter;
use crate::error::{Error, ErrorKind};

/// No permit is free, or none became free in time.
#[derive(Debug)]
pub struct Saturated {
    pub(super) limit: usize,
}

impl Saturated {
    pub(super) fn of(limiter: &ConcurrencyLimiter) -> Self {
        Self { limit: limiter.limit() }
    }

    /// The error for the attributed `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Saturated, function).with_count(u32::try_from(self.limit).unwrap_or(u32::MAX))
    }
}
