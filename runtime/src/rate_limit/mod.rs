//! `#[rate_limit]`: limits the calls per period.

mod bucket;
mod keyed_buckets;
mod limiter;
mod rate_limited;

pub use limiter::RateLimiter;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::rate_limit;

#[doc(hidden)]
pub mod private {
    use std::hash::Hash;
    use std::time::Duration;

    use super::bucket;
    pub use super::bucket::{Admission, Waiting};
    use super::keyed_buckets::KeyedBucket;
    use super::limiter::RateLimiter;
    pub use super::rate_limited::RateLimited;
    use crate::events::Origin;
    use crate::gcra::AtomicQuota;
    use crate::key::Key;

    crate::rejection::rejections! {
        "`#[rate_limit]` can fail, but `{Self}` cannot represent its error",
        "`#[rate_limit]` can fail, but `{Self}` cannot be created from its error"
    }

    /// Acquires a permit, or begins to wait for one.
    #[inline]
    pub fn acquire<'a>(limiter: &'a RateLimiter, max_wait: Duration, origin: &'static Origin) -> Admission<'a> {
        let limiter = limiter.live();
        bucket::acquire(&limiter.rate, &limiter.bucket, max_wait, origin)
    }

    /// Acquires a permit without waiting.
    ///
    /// # Errors
    ///
    /// If no permit is available now.
    #[inline]
    pub fn try_acquire(limiter: &RateLimiter) -> Result<(), RateLimited> {
        let limiter = limiter.live();
        limiter.bucket.try_acquire(&limiter.rate).map_err(|wait| RateLimited::of(&limiter.rate, wait))
    }

    /// Acquires a permit of a key without waiting.
    ///
    /// # Errors
    ///
    /// If no permit is available now.
    #[inline]
    pub fn try_acquire_keyed(Keyed { rate, bucket }: Keyed<'_>) -> Result<(), RateLimited> {
        bucket.try_acquire(rate).map_err(|wait| RateLimited::of(rate, wait))
    }

    /// The bucket of a key, and its rate.
    pub struct Keyed<'a> {
        rate: &'a AtomicQuota,
        bucket: KeyedBucket,
    }

    /// Finds the bucket of a key.
    #[inline]
    pub fn keyed<'a, K, Q>(limiter: &'a RateLimiter, query: &Q, own: impl FnOnce() -> K) -> Keyed<'a>
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        let limiter = limiter.live();
        Keyed { rate: &limiter.rate, bucket: limiter.keyed(query, own) }
    }

    /// Acquires a permit of a key, or begins to wait for one.
    #[inline]
    pub fn acquire_keyed<'a>(Keyed { rate, bucket }: Keyed<'a>, max_wait: Duration, origin: &'static Origin) -> Admission<'a> {
        bucket::acquire(rate, bucket, max_wait, origin)
    }
}
