//! The permit of a running call.

use super::limiter::ConcurrencyLimiter;

/// A permit of a [`ConcurrencyLimiter`], released on drop.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    limiter: &'a ConcurrencyLimiter,
}

impl<'a> Permit<'a> {
    /// Wraps a permit that `limiter` has just granted.
    #[inline]
    pub(super) fn new(limiter: &'a ConcurrencyLimiter) -> Self {
        Self { limiter }
    }

    /// Reports the outcome of the call and releases the permit.
    #[inline]
    pub fn record_outcome(self, failed: bool) {
        self.limiter.record(failed);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.limiter.release();
    }
}

impl ConcurrencyLimiter {
    /// Takes a permit if one is free and no call is waiting. It is released on drop.
    #[inline]
    #[must_use]
    pub(crate) fn permit_now(&self) -> Option<Permit<'_>> {
        let this = self.live();
        if this.acquire_now() { Some(Permit::new(this)) } else { None }
    }

    /// Takes a permit if none of the waiting calls is being polled. For calls that found no free permit.
    #[cold]
    pub(crate) fn try_overtake(&self) -> Option<Permit<'_>> {
        let this = self.live();
        if this.overtake() { Some(Permit::new(this)) } else { None }
    }
}
