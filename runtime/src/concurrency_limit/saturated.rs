//! What a limiter without a free permit answers.

use super::limiter::ConcurrencyLimiter;
use crate::error::{Error, ErrorKind};

/// There is no place, or none came in time.
#[derive(Debug)]
pub struct Saturated {
    pub(super) limit: usize,
}

impl Saturated {
    pub(super) fn of(limiter: &ConcurrencyLimiter) -> Self {
        Self { limit: limiter.limit() }
    }

    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Saturated, function).with_count(u32::try_from(self.limit).unwrap_or(u32::MAX))
    }
}
