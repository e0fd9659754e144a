//! The place of a call that runs.

use super::ConcurrencyLimiter;

/// A place of a [`ConcurrencyLimiter`], given back when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Place<'a> {
    limiter: &'a ConcurrencyLimiter,
}

impl<'a> Place<'a> {
    #[inline]
    pub(super) fn new(limiter: &'a ConcurrencyLimiter) -> Self {
        Self { limiter }
    }

    /// Tells how the call went, and gives the place back.
    #[inline]
    pub fn settle(self, failed: bool) {
        self.limiter.learn(failed);
    }
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        self.limiter.leave();
    }
}
