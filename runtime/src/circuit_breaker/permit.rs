//! A call that was let through.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::breaker::CircuitBreaker;
use super::open::Open;
use crate::body::Polled;
use crate::events::EventSource;

/// A call at a breaker: outside until it has [entered](Self::enter), and again once it is [settled](Self::record_outcome). One that goes away
/// inside counts as nothing, unless it panics.
///
/// It is entered in its place, and not made by the breaker, since what is moved there field by field stalls whoever reads it.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    /// The word under which it was let through.
    state_word: u64,
    started: u64,
    function: EventSource,
    /// How far the call is.
    pub polled: Polled,
}

/// No word of a breaker: the generations do not come that far.
const OUTSIDE: u64 = u64::MAX;

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn outside(breaker: &'a CircuitBreaker, function: EventSource) -> Self {
        Self { breaker: breaker.live(), state_word: OUTSIDE, started: 0, function, polled: Polled::Runs }
    }

    /// Goes in, if it is let through.
    ///
    /// # Errors
    ///
    /// While the circuit is open.
    #[inline]
    pub fn enter(&mut self) -> Result<(), Open> {
        let entered = self.breaker.enter(self.function)?;
        (self.state_word, self.started) = (entered.state_word, entered.started);
        Ok(())
    }

    /// Counts the outcome.
    #[inline]
    pub fn settle(&mut self, failed: bool) {
        self.breaker.record_outcome(self.state_word, self.started, failed, self.function);
        self.state_word = OUTSIDE;
    }

    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        if self.polled.panics() {
            // A panic of a listener on top of the one that is under way would abort the process.
            drop(catch_unwind(AssertUnwindSafe(|| self.settle(true))));
        } else {
            self.breaker.release_probe(self.state_word, self.started);
        }
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.state_word != OUTSIDE {
            self.abandon();
        }
    }
}
