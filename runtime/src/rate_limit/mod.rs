//! `#[rate_limit]`: limits the calls per period.

mod bucket;
mod keyed_buckets;
mod limiter;
mod rate_limited;
mod request;
mod windows;

pub use limiter::RateLimiter;
pub use request::RateRequest;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::rate_limit;

#[doc(hidden)]
pub mod private {
    use std::hash::Hash;
    use std::time::Duration;

    use super::bucket;
    pub use super::bucket::{Admission, Waiting};
    use super::limiter::RateLimiter;
    pub use super::rate_limited::RateLimited;
    use super::request::RateRequest;
    use crate::events::Origin;
    use crate::key::Key;

    crate::rejection::rejections! {
        "`#[rate_limit]` can fail, but `{Self}` cannot represent its error",
        "`#[rate_limit]` can fail, but `{Self}` cannot be created from its error"
    }

    /// Acquires a permit, or begins to wait for one.
    #[inline]
    pub fn acquire<'a>(limiter: &'a RateLimiter, max_wait: Duration, origin: &'static Origin) -> Admission<'a> {
        bucket::acquire(limiter.live(), 1, max_wait, origin)
    }

    /// Acquires a permit without waiting.
    ///
    /// # Errors
    ///
    /// If no permit is available now.
    #[inline]
    pub fn try_acquire(limiter: &RateLimiter) -> Result<(), RateLimited> {
        bucket::try_acquire(&limiter.live(), 1)
    }

    /// Acquires the permits of a request without waiting.
    ///
    /// # Errors
    ///
    /// If they are not available now.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "the bucket of a key is not in use while the body runs")]
    pub fn try_acquire_requested(request: RateRequest<'_>) -> Result<(), RateLimited> {
        if request.cost == 0 { Ok(()) } else { bucket::try_acquire(&request, request.cost) }
    }

    /// Acquires the permits of a request, or begins to wait for them.
    #[inline]
    pub fn acquire_requested<'a>(request: RateRequest<'a>, max_wait: Duration, origin: &'static Origin) -> Admission<'a> {
        request.admission(max_wait, origin)
    }

    /// A request for a permit of the limiter.
    #[inline]
    pub fn request(limiter: &RateLimiter) -> RateRequest<'_> {
        limiter.request()
    }

    /// A request for a permit of a key.
    #[inline]
    pub fn keyed<'a, K, Q>(limiter: &'a RateLimiter, query: &Q, own: impl FnOnce() -> K) -> RateRequest<'a>
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        limiter.request().keyed(query, own)
    }

    /// The same for several permits.
    #[inline]
    pub fn costing(mut request: RateRequest<'_>, cost: u32) -> RateRequest<'_> {
        request.cost = cost;
        request
    }

    /// The same after the key has been given a rate of its own.
    pub fn at_rate(request: RateRequest<'_>, rate: impl Rate) -> RateRequest<'_> {
        let (count, period) = rate.rate();
        request.set_rate(count, period);
        request
    }

    /// What the `rate` of a key may be.
    #[diagnostic::on_unimplemented(
        message = "`rate` takes a number of calls and a period, found `{Self}`",
        label = "not a rate",
        note = "write a rate, as in `rate = calls / 1s`, or an expression of type `(u32, Duration)`"
    )]
    pub trait Rate {
        /// The calls, and the period.
        fn rate(self) -> (u32, Duration);
    }

    #[diagnostic::do_not_recommend]
    impl<C: crate::outcome::Count<u32>> Rate for (C, Duration) {
        fn rate(self) -> (u32, Duration) {
            (crate::outcome::count(self.0), self.1)
        }
    }
}
