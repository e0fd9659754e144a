//! The count of a call's attempts, and arguments that more than one attempt consumes.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use crate::bounds::{Met, Nothing, Unmet};

/// The attempts of one call.
#[derive(Debug)]
pub struct Attempts {
    limit: u32,
    made: u32,
}

impl Attempts {
    /// At most `limit` attempts; none at all makes no sense and counts as one.
    #[inline]
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self { limit: if limit == 0 { 1 } else { limit }, made: 0 }
    }

    /// Counts an attempt that begins. Whether it is the last one that the count allows.
    #[inline]
    pub fn begin(&mut self) -> bool {
        self.made += 1;
        self.made == self.limit
    }

    /// How many attempts have begun.
    #[inline]
    #[must_use]
    pub fn made(&self) -> u32 {
        self.made
    }

    /// Whether the count allows another attempt.
    #[inline]
    #[must_use]
    pub fn left(&self) -> bool {
        self.made < self.limit
    }

    /// How long to wait before the next attempt, after a failure.
    #[cold]
    #[must_use]
    pub fn wait(&self, backoff: &Backoff) -> Duration {
        backoff.wait(self.made)
    }

    /// Whether a wait of `delay` ends within `limit` of `started`.
    #[must_use]
    pub fn ends_in_time(started: Instant, limit: Duration, delay: Duration) -> bool {
        started.elapsed().checked_add(delay).is_some_and(|end| end <= limit)
    }

    /// When the call began, for `max_elapsed`.
    #[must_use]
    pub fn clock() -> Instant {
        Instant::now()
    }
}

/// An argument that every attempt consumes: cloned for each attempt but the last, which gets the original.
#[derive(Debug)]
pub struct Repeat<T>(Option<T>);

impl<T> Repeat<T> {
    /// Keeps the original.
    #[inline]
    pub fn new(original: T) -> Self {
        Self(Some(original))
    }

    /// The value for an attempt.
    ///
    /// # Panics
    ///
    /// After the last attempt has taken the original.
    #[inline]
    pub fn next(&mut self, last: bool) -> T
    where
        T: Clone,
    {
        let value = if last { self.0.take() } else { self.0.clone() };
        value.expect("no attempt follows the last")
    }
}

/// An argument that can be given to each attempt. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given to more than one attempt",
    label = "not `Clone`",
    note = "each attempt but the last gets a clone: derive `Clone`, or take it in an `Arc<..>`"
)]
pub trait Repeated<M> {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Repeated<Met> for T {}

#[diagnostic::do_not_recommend]
impl<T: Nothing> Repeated<Unmet> for T {}

/// Asks whether a `T` can be given to each attempt.
#[inline]
pub fn ask_repeat<T: Repeated<M>, M: Default>(_: &T) -> M {
    M::default()
}
