//! The permit of a call.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::breaker::CircuitBreaker;
use super::open::Open;
use crate::body::CallState;
use crate::events::EventSource;

/// The permit of a call at a breaker. It is held from a successful [`acquire`](Self::acquire) until
/// [`record_outcome`](Self::record_outcome). Dropping a held permit counts as neither success nor failure, or as a failure if the
/// call panicked.
///
/// Constructed in place and then acquired, because returning a fresh permit from the breaker moves it field by field, which causes a
/// store-forwarding stall for the next reader.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    /// The state word under which the call was admitted.
    state_word: u64,
    started: u64,
    function: EventSource,
    /// What the call is doing.
    pub state: CallState,
}

/// Not a valid state word: generations never get this high.
const OUTSIDE: u64 = u64::MAX;

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn outside(breaker: &'a CircuitBreaker, function: EventSource) -> Self {
        Self { breaker: breaker.live(), state_word: OUTSIDE, started: 0, function, state: CallState::Running }
    }

    /// The permit of a call that this does not run, so that no panic is one of the call.
    pub(super) fn by_hand(breaker: &'a CircuitBreaker) -> Self {
        let mut permit = Self::outside(breaker, EventSource::none());
        permit.state = CallState::Suspended;
        permit
    }

    /// Acquires the permit.
    ///
    /// # Errors
    ///
    /// If the circuit is open.
    #[inline]
    pub fn acquire(&mut self) -> Result<(), Open> {
        let entered = self.breaker.acquire(self.function)?;
        (self.state_word, self.started) = (entered.state_word, entered.started);
        Ok(())
    }

    /// Records the outcome and releases the permit.
    #[inline]
    pub fn record_outcome(&mut self, failed: bool) {
        self.breaker.record_outcome(self.state_word, self.started, failed, self.function);
        self.state_word = OUTSIDE;
    }

    /// Releases the permit of a call whose outcome counts as nothing.
    #[cold]
    #[inline(never)]
    pub fn ignore_outcome(&mut self) {
        self.breaker.release_probe(self.state_word, self.started);
        self.state_word = OUTSIDE;
    }

    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        if self.state.panics() {
            // A panic in a listener during unwinding would abort the process.
            drop(catch_unwind(AssertUnwindSafe(|| self.record_outcome(true))));
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
