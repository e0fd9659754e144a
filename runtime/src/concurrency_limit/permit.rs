//! The place of a call that runs.

use super::limiter::ConcurrencyLimiter;

/// A place of a [`ConcurrencyLimiter`], given back when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    limiter: &'a ConcurrencyLimiter,
}

impl<'a> Permit<'a> {
    /// That which `limiter` has just handed out.
    #[inline]
    pub(super) fn new(limiter: &'a ConcurrencyLimiter) -> Self {
        Self { limiter }
    }

    /// Tells how the call went, and gives the place back.
    #[inline]
    pub fn settle(self, failed: bool) {
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
    /// Takes a permit if one is free and nobody waits for it. It is given back when it is dropped.
    #[inline]
    #[must_use]
    pub(crate) fn try_acquire(&self) -> Option<Permit<'_>> {
        let this = self.live();
        if this.acquire_now() { Some(Permit::new(this)) } else { None }
    }

    /// Takes a permit for which only such calls wait as are not polled. That is a part of the way of those who find none.
    #[cold]
    pub(crate) fn try_overtake(&self) -> Option<Permit<'_>> {
        let this = self.live();
        if this.overtake() { Some(Permit::new(this)) } else { None }
    }
}
