//! The limiter without an attribute, and permits of one key, or several at once.

use std::borrow::ToOwned;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use super::bucket::{self, Account, Admission, Bucket};
use super::keyed_buckets::KeyedBucket;
use super::limiter::RateLimiter;
use super::windows::Rates;
use crate::error::Error;
use crate::events::Origin;
use crate::key::Key;

/// What errors call a limiter without a name.
const KIND: &str = "rate_limit";

/// Where calls wait that are not of a function.
static BY_HAND: Origin = Origin { function: KIND, module: "" };

/// A request for permits of a [`RateLimiter`], for one [key](RateLimiter::key) or for [several permits](RateLimiter::cost) at once.
///
/// ```
/// use std::time::Duration;
/// use steadfast::RateLimiter;
///
/// static QUOTA: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), steadfast::Error> {
/// let tenant = String::from("acme");
/// QUOTA.key(&tenant).cost(8).try_acquire()?;
/// assert!(QUOTA.key("acme").cost(3).try_acquire().is_err());
/// QUOTA.key("acme").cost(3).acquire_within(Duration::from_millis(100)).await?;
/// QUOTA.key("other").acquire().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "it takes nothing by itself: call `acquire`, `try_acquire` or `acquire_within`"]
pub struct RateRequest<'a> {
    limiter: &'a RateLimiter,
    name: Option<&'static str>,
    /// `None`: the limiter's own bucket.
    bucket: Option<KeyedBucket>,
    pub(super) cost: u32,
}

impl Account for RateRequest<'_> {
    #[inline]
    fn bucket(&self) -> &Bucket {
        self.bucket.as_ref().map_or(self.limiter.own_bucket(), |bucket| bucket)
    }

    #[inline]
    fn rates(&self) -> Rates<'_> {
        let shared = self.limiter.rates();
        let first = self.bucket.as_ref().map_or(shared.first, |bucket| bucket.rate(shared.first));
        Rates { first, ..shared }
    }
}

impl RateLimiter {
    /// Requests permits of one key: each key has a bucket of its own, with the rates of the limiter.
    ///
    /// The key is looked up by reference, and stored owned if it is new (`&str` as `String`): a known key allocates nothing. It is the
    /// same key as that of an attribute with `key` that names this limiter. Up to [`max_keys`](Self::max_keys) are kept.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(1));
    /// assert!(limiter.key("a").try_acquire().is_ok());
    /// assert!(limiter.key("b").try_acquire().is_ok());
    /// assert!(limiter.key("a").try_acquire().unwrap_err().is_rate_limited());
    /// ```
    pub fn key<Q>(&self, key: &Q) -> RateRequest<'_>
    where
        Q: ToOwned<Owned: Key<Q> + Hash + Eq + Send + Sync + 'static> + Hash + ?Sized,
    {
        self.request().key(key)
    }

    /// Requests `permits` at once. A number that no burst allows for is an error, since they are never available.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1));
    /// assert!(limiter.cost(7).try_acquire().is_ok());
    /// assert!(limiter.cost(7).try_acquire().is_err());
    /// assert!(limiter.cost(3).try_acquire().is_ok());
    /// let rejected = limiter.cost(11).try_acquire().unwrap_err();
    /// assert_eq!(rejected.to_string(), "`rate_limit` was rejected: a cost of 11 exceeds the burst of 10 of the rate limit");
    /// assert_eq!(rejected.retry_after(), None);
    /// ```
    pub fn cost(&self, permits: impl TryInto<u32>) -> RateRequest<'_> {
        self.request().cost(permits)
    }

    /// Waits for a permit, in FIFO order with the calls of the attribute.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped while it waits passes its permit to the next waiter. One that is kept but not polled loses its permit
    /// after 100 ms to the next waiter that is polled, and is first in the queue again when it is polled.
    ///
    /// # Panics
    ///
    /// A wait panics outside of a tokio runtime with timers.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(1);
    /// let started = tokio::time::Instant::now();
    /// limiter.acquire().await;
    /// limiter.acquire().await;
    /// assert_eq!(started.elapsed(), Duration::from_millis(100));
    /// # }
    /// ```
    pub async fn acquire(&self) {
        self.request().acquire().await;
    }

    /// Takes a permit without waiting. Waiting calls take precedence. [`check`](Self::check) is the same with a plain duration as its error.
    ///
    /// # Errors
    ///
    /// If no permit is available now. [`retry_after`](Error::retry_after) is the time until the next one, and [`Error::function`] the
    /// [`name`](Self::name) of the limiter, or `"rate_limit"`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// static SEARCH: RateLimiter = RateLimiter::new(1, Duration::from_secs(1)).name("search");
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert!(SEARCH.try_acquire().is_ok());
    /// let rejected = SEARCH.try_acquire().unwrap_err();
    /// assert_eq!((rejected.function(), rejected.retry_after()), ("search", Some(Duration::from_secs(1))));
    /// # }
    /// ```
    pub fn try_acquire(&self) -> Result<(), Error> {
        let this = self.live();
        bucket::try_acquire(&this, 1).map_err(|limited| limited.error(self.given_name().unwrap_or(KIND)))
    }

    /// Waits for a permit for up to `max_wait`, in FIFO order with the calls of the attribute. Cancel safe, as [`acquire`](Self::acquire)
    /// is.
    ///
    /// # Errors
    ///
    /// At once, if no permit will be available within `max_wait`. [`Error::function`] is the [`name`](Self::name) of the limiter, or
    /// `"rate_limit"`.
    ///
    /// # Panics
    ///
    /// A wait panics outside of a tokio runtime with timers.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(1);
    /// limiter.acquire().await;
    /// assert!(limiter.acquire_within(Duration::from_millis(99)).await.is_err());
    /// assert!(limiter.acquire_within(Duration::from_millis(100)).await.is_ok());
    /// # }
    /// ```
    pub async fn acquire_within(&self, max_wait: Duration) -> Result<(), Error> {
        self.request().acquire_within(max_wait).await
    }

    /// A request for one permit, without a key.
    #[inline]
    pub(super) fn request(&self) -> RateRequest<'_> {
        RateRequest { limiter: self.live(), name: self.given_name(), bucket: None, cost: 1 }
    }
}

impl<'a> RateRequest<'a> {
    /// The same for one key. See [`RateLimiter::key`].
    pub fn key<Q>(self, key: &Q) -> Self
    where
        Q: ToOwned<Owned: Key<Q> + Hash + Eq + Send + Sync + 'static> + Hash + ?Sized,
    {
        self.keyed(key, || key.to_owned())
    }

    /// The same for `permits` at once. A request for none is granted at once. See [`RateLimiter::cost`].
    pub fn cost(self, permits: impl TryInto<u32>) -> Self {
        Self { cost: permits.try_into().unwrap_or(u32::MAX), ..self }
    }

    /// Waits for the permits, in FIFO order with the calls of the attribute: a request for many is not overtaken by those behind it.
    /// Cancel safe, as [`RateLimiter::acquire`] is.
    ///
    /// # Panics
    ///
    /// If the [`cost`](Self::cost) exceeds the burst, so that the permits are never available; also if that is the case later on,
    /// because the rate was lowered. [`acquire_within`](Self::acquire_within) returns an error. A wait panics outside of a tokio runtime
    /// with timers.
    pub async fn acquire(self) {
        if let Err(error) = self.acquire_within(Duration::MAX).await {
            panic!("{error}");
        }
    }

    /// Takes the permits without waiting. See [`RateLimiter::try_acquire`].
    ///
    /// # Errors
    ///
    /// If they are not available now, or never: then [`retry_after`](Error::retry_after) is `None`.
    pub fn try_acquire(self) -> Result<(), Error> {
        if self.cost == 0 {
            return Ok(());
        }
        bucket::try_acquire(&self, self.cost).map_err(|limited| limited.error(self.name.unwrap_or(KIND)))
    }

    /// Waits for the permits for up to `max_wait`. Cancel safe, as [`RateLimiter::acquire`] is.
    ///
    /// # Errors
    ///
    /// At once, if they will not be available within `max_wait`, or never: then [`retry_after`](Error::retry_after) is `None`.
    ///
    /// # Panics
    ///
    /// A wait panics outside of a tokio runtime with timers.
    pub async fn acquire_within(self, max_wait: Duration) -> Result<(), Error> {
        let name = self.name.unwrap_or(KIND);
        let limited = match self.admission(max_wait, &BY_HAND) {
            Admission::Now => return Ok(()),
            Admission::Wait(waiting) => waiting.await.err(),
            Admission::Rejected(limited) => Some(limited),
        };
        limited.map_or(Ok(()), |limited| Err(limited.error(name)))
    }

    /// The permits now, or a wait for them.
    #[inline]
    pub(super) fn admission(self, max_wait: Duration, origin: &'static Origin) -> Admission<'a> {
        let cost = self.cost;
        if cost == 0 { Admission::Now } else { bucket::acquire(self, cost, max_wait, origin) }
    }

    /// The same for one key, which `own` makes if it is new.
    #[inline]
    pub(super) fn keyed<K, Q>(self, query: &Q, own: impl FnOnce() -> K) -> Self
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        Self { bucket: Some(self.limiter.keyed(query, own)), ..self }
    }

    /// Gives the key a rate of its own.
    pub(super) fn set_rate(&self, count: u32, period: Duration) {
        if let Some(bucket) = &self.bucket {
            bucket.set_rate(&self.limiter.rate, count, period);
        }
    }
}

impl fmt::Debug for RateRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateRequest").field("limiter", self.limiter).field("cost", &self.cost).finish_non_exhaustive()
    }
}
