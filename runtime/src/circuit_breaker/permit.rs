//! A call that was let through, and one that was not.

use std::time::Duration;

use super::CircuitBreaker;
use crate::events::Told;
use crate::stack::Polled;
use crate::{Error, ErrorKind};

/// A call that was let through. One that goes away without an outcome counts as nothing, unless it panics.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    word: u64,
    started: u64,
    function: Told,
    /// How far the call is.
    pub polled: Polled,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn new(breaker: &'a CircuitBreaker, word: u64, started: u64, function: Told) -> Self {
        Self { breaker, word, started, function, polled: Polled::Runs }
    }

    /// Counts the outcome.
    #[inline]
    pub fn settle(self, failed: bool) {
        self.breaker.settle(self.word, self.started, failed, self.function);
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.polled.panics() {
            self.breaker.settle(self.word, self.started, true, self.function);
        } else {
            self.breaker.give_back(self.word);
        }
    }
}

/// The circuit is open.
#[derive(Debug)]
pub struct Open {
    pub(super) retry_after: Option<Duration>,
}

impl Open {
    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::CircuitOpen, function).with_retry_after(self.retry_after)
    }
}
