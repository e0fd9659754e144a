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

/// Lets so many calls of the function through in a time; the others wait, first come first served, or are refused.
///
/// ```
/// use steadfast::rate_limit;
///
/// // 100 at once, then one every 10 ms; a call waits for its turn if that comes within half a second.
/// #[rate_limit(100 / 1s, max_wait = 500ms, handle = quota)]
/// async fn search(words: &str) -> std::io::Result<usize> {
///     Ok(words.len())
/// }
///
/// // 5 a minute for each user, no two at once.
/// #[rate_limit(5 / 1min, burst = 1, key = user)]
/// async fn reset_password(user: u64) -> Result<(), steadfast::Error> {
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> std::io::Result<()> {
/// assert_eq!(search("a").await?, 1);
/// quota().set_rate(10, std::time::Duration::from_secs(1)); // while the program runs
///
/// assert!(reset_password(1).await.is_ok());
/// assert!(reset_password(2).await.is_ok());
/// let refused = reset_password(1).await.unwrap_err();
/// assert!(refused.is_rate_limited());
/// assert_eq!(refused.retry_after(), Some(std::time::Duration::from_secs(12)));
/// assert_eq!(refused.to_string(), "`reset_password` was not called: it is limited to 5 calls in 60s, and the next turn is in 12s");
/// # Ok(()) }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `n / duration`, first and without a name | | so many calls in a time; or a [`RateLimiter`] that is made elsewhere, a static or a field of `self` |
/// | `burst = n` | the count of the rate | how many are let through at once after a rest |
/// | `max_wait = duration` | `0s` | how long a call waits for its turn; one whose turn comes later is refused at once |
/// | `key = expr` | none | a limit for each key instead of one for all |
/// | `or_else = \|error\| value` | none | what a refused call returns; required where the return type cannot carry the error |
/// | `handle = name` | none | a function beside this one that returns the `&'static` [`RateLimiter`]; `handle = Self::name` in an `impl` |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// The calls are spread evenly, after the burst (the generic cell rate algorithm, ITU-T I.371): over any time `t` it is never more than
/// `rate * t + burst`. A call takes its turn when it is let through, and does not give it back when it fails or is dropped.
///
/// Timers fire up to a millisecond late. Calls that wait make up for that, so that the whole rate comes through, whether one call waits at a
/// time or a hundred thousand: each is charged for the time at which its turn came, as long as the timer is not more than 100 ms late.
/// Calls that come then may be so much closer together. Time in which nobody waits is worth a burst and no more.
///
/// A limiter that is made elsewhere has its own rate and burst. It is named by an expression that is evaluated at each call and may depend on
/// the arguments: `#[rate_limit(limiter_of(tenant))]`.
///
/// A function has one limit (with `key`, one for each key) for all of its callers, for all instances of a type, and for all instantiations of
/// a generic function. The rate and `burst` are read once, at the first call, so they cannot depend on an argument, on `self`, or on a type
/// or const parameter: that is an error. In an `impl` with parameters of its own, a rate such as `Self::RATE / 1s` is that of the type that
/// is called first. To have one limit for each instance, put a limiter into a field: `#[rate_limit(self.quota)]`.
///
/// By default a call that finds no turn is refused at once, while [`concurrency_limit`](macro@crate::concurrency_limit) lets calls wait for
/// as long as it takes.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | once, at the first call | the rate, `burst` |
/// | at each call | `max_wait`, `key`, a limiter that is made elsewhere |
/// | at each refusal | `or_else` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # Keys
///
/// A key is what it is in [`async_cached`](crate::async_cached): `Hash + Eq + Clone + Send + Sync + 'static`, or a reference such as
/// `&str`, of which a copy is made when the key is new. Several parts are a tuple. A key that is as good as new is forgotten; if more
/// than 65,536 are not, those that come nearest are.
///
/// # Errors
///
/// An [`Error`] for which [`is_rate_limited`](Error::is_rate_limited) holds, in the function's own error type. Its
/// [`retry_after`](Error::retry_after) is the time to the next turn that nobody waits for.
///
/// # Cancel safety
///
/// A call that is dropped while it waits gives its turn to the next in the line. One that is kept and not polled (a branch of a `select!`
/// that lost) loses its turn 100 ms after it came to the next that is polled, and is the first in the line again when it is polled. A rate that
/// is lowered meanwhile refuses those who will now have to wait for longer than they said, one after the other from the first on.
///
/// # Panics
///
/// A wait panics outside of a tokio runtime with timers. A rate of no calls, of no time or with no burst panics at the first call, where it is no
/// literal.
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
