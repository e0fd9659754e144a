//! `#[rate_limit]`: so many calls in a time.

mod gcra;
mod keys;
mod limiter;
mod line;

use std::time::Duration;

use crate::{Error, ErrorKind};

pub(crate) use gcra::{Rate, Turns};
pub use limiter::RateLimiter;
pub use line::Waiting;

/// So many keys have a limit of their own at once, at most.
const MOST_KEYS: usize = 65_536;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::rate_limit;

/// There is no turn in time.
#[derive(Debug)]
pub struct RateLimited {
    rate: (u32, Duration),
    wait: Duration,
}

impl RateLimited {
    fn of(rate: &Rate, wait: u64) -> Self {
        Self { rate: rate.get(), wait: Duration::from_nanos(wait) }
    }

    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        let (count, period) = self.rate;
        Error::new(ErrorKind::RateLimited, function).with_count(count).with_limit(period).with_retry_after(Some(self.wait))
    }
}

/// How a call is received.
pub enum Enter<'a> {
    /// It runs.
    Now,
    /// It waits.
    Wait(Waiting<'a>),
    /// It is refused.
    Refused(RateLimited),
}

#[doc(hidden)]
pub mod private {
    use crate::events::Origin;
    use std::hash::Hash;

    use super::keys::LineOfKey;
    use super::line;
    use super::{Duration, Rate, RateLimiter};
    pub use super::{Enter, RateLimited, Waiting};
    use crate::cache::Key;

    crate::refuse::refusals! {
        "`#[rate_limit]` can fail, and `{Self}` has no place for its error",
        "`#[rate_limit]` can fail, and `{Self}` cannot be made of its error"
    }

    /// Receives a call.
    #[inline]
    pub fn enter<'a>(limiter: &'a RateLimiter, max_wait: Duration, origin: &'static Origin) -> Enter<'a> {
        let limiter = limiter.live();
        line::enter(&limiter.rate, &limiter.line, max_wait, origin)
    }

    /// Receives a call that does not wait.
    ///
    /// # Errors
    ///
    /// Where there is no turn now.
    #[inline]
    pub fn check(limiter: &RateLimiter) -> Result<(), RateLimited> {
        let limiter = limiter.live();
        limiter.line.take(&limiter.rate).map_err(|wait| RateLimited::of(&limiter.rate, wait))
    }

    /// Receives a call of a key that does not wait.
    ///
    /// # Errors
    ///
    /// Where there is no turn now.
    #[inline]
    pub fn check_keyed(Keyed { rate, line }: Keyed<'_>) -> Result<(), RateLimited> {
        line.take(rate).map_err(|wait| RateLimited::of(rate, wait))
    }

    /// The line of a key, and the rate at which it moves.
    pub struct Keyed<'a> {
        rate: &'a Rate,
        line: LineOfKey,
    }

    /// Finds the line of a key.
    #[inline]
    pub fn keyed<'a, K, Q>(limiter: &'a RateLimiter, query: &Q, own: impl FnOnce() -> K) -> Keyed<'a>
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        let limiter = limiter.live();
        Keyed { rate: &limiter.rate, line: limiter.keyed(query, own) }
    }

    /// Receives a call of a key.
    #[inline]
    pub fn enter_keyed<'a>(Keyed { rate, line }: Keyed<'a>, max_wait: Duration, origin: &'static Origin) -> Enter<'a> {
        line::enter(rate, line, max_wait, origin)
    }
}
