//! Counts the attempts of a call, and provides the arguments that every attempt consumes.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use crate::attempt::{Call, Current, InAttempt};
use crate::bounds::bounds;

/// The attempts of one call.
#[derive(Debug)]
pub struct Attempts {
    limit: u32,
    made: u32,
    call: Call,
}

impl Attempts {
    /// Allows up to `limit` attempts. A limit of 0 counts as 1.
    #[inline]
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self::of(Call::new(), limit)
    }

    /// The same, of the call of a layer above that makes attempts as well.
    #[inline]
    #[must_use]
    pub fn of(call: Call, limit: u32) -> Self {
        Self { limit: if limit == 0 { 1 } else { limit }, made: 0, call }
    }

    /// Records the start of an attempt. Returns whether it is the last one allowed.
    #[inline]
    pub fn begin(&mut self) -> bool {
        self.made += 1;
        self.made == self.limit
    }

    /// The number of attempts started.
    #[inline]
    #[must_use]
    pub fn made(&self) -> u32 {
        self.made
    }

    /// Whether another attempt is allowed.
    #[inline]
    #[must_use]
    pub fn left(&self) -> bool {
        self.made < self.limit
    }

    #[inline]
    fn current(&self) -> Current {
        Current::of(self.call, self.made, self.limit.wrapping_sub(self.made))
    }

    /// Makes `future` part of the attempt.
    #[inline]
    pub fn within<F>(&self, future: F) -> InAttempt<F> {
        self.current().within(future)
    }

    /// Evaluates an option as part of the attempt.
    #[inline]
    pub fn during<T>(&self, option: impl FnOnce() -> T) -> T {
        let _scope = self.current().enter();
        option()
    }

    /// The delay before the next attempt, after a failure.
    #[cold]
    #[must_use]
    pub fn wait(&self, backoff: &Backoff) -> Duration {
        backoff.wait(self.made)
    }

    /// Whether a delay that begins now ends within `limit` after `started`.
    #[must_use]
    pub fn ends_in_time(started: Instant, limit: Duration, delay: Duration) -> bool {
        started.elapsed().checked_add(delay).is_some_and(|end| end <= limit)
    }

    /// The start time of the call, for `max_elapsed`.
    #[must_use]
    pub fn clock() -> Instant {
        Instant::now()
    }
}

/// An argument that every attempt consumes: cloned for each attempt but the last, which receives the original.
#[derive(Debug)]
pub struct Repeat<T>(Option<T>);

impl<T> Repeat<T> {
    /// Stores the original.
    #[inline]
    pub fn new(original: T) -> Self {
        Self(Some(original))
    }

    /// The value for an attempt.
    ///
    /// # Panics
    ///
    /// If the last attempt has already taken the original.
    #[inline]
    pub fn next(&mut self, last: bool) -> T
    where
        T: Clone,
    {
        let value = if last { self.0.take() } else { self.0.clone() };
        value.expect("the last attempt has taken the argument")
    }
}

bounds! {
    /// Bound check: an argument that can be passed to every attempt. A trait of its own for its error message.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be reused across attempts",
        label = "not `Clone`",
        note = "each attempt but the last receives a clone: derive `Clone`, or take it in an `Arc<..>`"
    )]
    trait Repeated: [Clone] {
        /// Checks that `T` can be passed to every attempt.
        fn assert_repeat[T: Repeated<M>](_: &T);
    }
}
