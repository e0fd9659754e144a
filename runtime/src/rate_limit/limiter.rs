//! The public limiter type.

use std::fmt;
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;
use std::time::Duration;

use super::bucket::{Account, Bucket};
use super::keyed_buckets::{BucketOfKey, KeyedBucket, KeyedBuckets};
use super::windows::{Further, Rates};
use crate::clock;
use crate::gcra::AtomicQuota;
use crate::key::Key;
use crate::keyed::MAX_KEYS;
use crate::name::Name;

/// A rate limiter (GCRA).
///
/// It allows a burst and then spaces calls evenly: `100 / 1s` admits 100 calls at once and then one every 10 ms (generic cell rate
/// algorithm, ITU-T I.371). Within any time `t` at most `rate * t + burst` calls are admitted. The one exception: when a timer
/// fires late, waiting calls make up for the delay, by up to 100 ms.
///
/// Put a limiter into a `static` to share it among the functions that use one quota, or access a function's own limiter through its
/// `handle`. The rate can be changed at runtime.
///
/// ```
/// use std::time::Duration;
/// use steadfast::{RateLimiter, rate_limit};
///
/// static QUOTA: RateLimiter = RateLimiter::new(2, Duration::from_secs(1));
///
/// #[rate_limit(QUOTA)]
/// async fn search(words: &str) -> Option<usize> {
///     Some(words.len())
/// }
///
/// #[rate_limit(QUOTA, max_wait = 5s)]
/// async fn crawl() -> Option<usize> {
///     Some(0)
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let results = (search("a").await, search("b").await, search("c").await);
/// assert_eq!(results, (Some(1), Some(1), None));
/// assert_eq!(crawl().await, Some(0)); // half a second later
/// QUOTA.set_rate(1_000, Duration::from_secs(1));
/// assert_eq!(search("d").await, None); // the next permit is available in a millisecond
/// assert_eq!(QUOTA.rate(), (1_000, Duration::from_secs(1)));
/// # }
/// ```
pub struct RateLimiter {
    pub(super) rate: AtomicQuota,
    pub(super) further: Further,
    bucket: Bucket,
    keys: OnceLock<Box<KeyedBuckets>>,
    max_keys: usize,
    name: Name<Self>,
}

impl RateLimiter {
    /// Allows `count` calls per `period`, with a burst of `count`.
    ///
    /// # Panics
    ///
    /// If `count` or `period` is zero; in a `static`, at compile time.
    #[must_use]
    pub const fn new(count: u32, period: Duration) -> Self {
        Self {
            rate: AtomicQuota::new(count, period),
            further: Further::none(),
            bucket: Bucket::new(false),
            keys: OnceLock::new(),
            max_keys: MAX_KEYS,
            name: Name::none(),
        }
    }

    /// Adds a rate: a call is admitted if all rates admit it, and is charged by all of them or by none. Up to four in total.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// // 10 per second, and no more than 12 per hour.
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1)).and(12, Duration::from_secs(3_600));
    /// assert_eq!((0..20).filter(|_| limiter.try_acquire().is_ok()).count(), 10);
    /// tokio::time::advance(Duration::from_secs(1)).await;
    /// assert_eq!((0..20).filter(|_| limiter.try_acquire().is_ok()).count(), 2);
    /// let rejected = limiter.try_acquire().unwrap_err();
    /// assert_eq!(rejected.limit(), Some(Duration::from_secs(3_600))); // the rate that it has to wait for
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If `count` or `period` is zero, or the limiter has four rates already; in a `static`, at compile time.
    #[must_use]
    pub const fn and(mut self, count: u32, period: Duration) -> Self {
        self.further.add(count, period);
        self.bucket.has_several_rates();
        self
    }

    /// Sets how many [keys](Self::key) have a bucket of their own. Default: 65,536. Beyond it, the buckets of the keys closest to full
    /// allowance are dropped, which gives those keys their full allowance back. Buckets that calls wait for are never dropped.
    #[must_use]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Sets the name under which the [registry](crate#features) lists the limiter while it exists, whether it is a `static` or a
    /// field. With the `registry` feature, the state of a named limiter is allocated on the heap at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    /// The value that holds the state.
    #[inline]
    pub(super) fn live(&self) -> &Self {
        self.name.state(self, || Self {
            rate: self.rate.as_built(),
            further: self.further,
            bucket: Bucket::new(!self.further.is_empty()),
            keys: OnceLock::new(),
            max_keys: self.max_keys,
            name: Name::none(),
        })
    }

    /// Sets how many calls are admitted at once when the limiter is idle. Default: `count`. Behind [`and`](Self::and) it is the burst of
    /// the rate added there.
    ///
    /// # Panics
    ///
    /// If `calls` is zero; in a `static`, at compile time.
    #[must_use]
    pub const fn burst(mut self, calls: u32) -> Self {
        if !self.further.set_burst(calls) {
            self.rate.set_burst(calls);
        }
        self
    }

    /// The current rate: calls, and the period. The first one, if there are [several](Self::and).
    #[must_use]
    pub fn rate(&self) -> (u32, Duration) {
        self.live().rate.get()
    }

    /// Changes the rate, for new calls and for waiting ones. The permits available now remain available, up to the burst (the new
    /// `count` unless [`burst`](Self::burst) was set); from then on permits arrive at the new rate.
    ///
    /// Of [several](Self::and) rates it changes the first. A key with a [rate of its own](macro@crate::rate_limit#keys) keeps it.
    ///
    /// Takes time proportional to the number of [`keys`](Self::keys).
    ///
    /// # Panics
    ///
    /// If `count` or `period` is zero. The rate is unchanged in that case.
    pub fn set_rate(&self, count: u32, period: Duration) {
        let this = self.live();
        this.rate.set(count, period, |before, params| {
            let now = clock::now();
            this.for_each_bucket(|bucket, own_rate| {
                if !own_rate {
                    bucket.windows.change_params(before, params, now);
                }
            });
        });
        this.recheck();
    }

    /// Resets the limiter and all of its keys to full allowance. The rate is unchanged.
    pub fn reset(&self) {
        let (this, now) = (self.live(), clock::now());
        this.for_each_bucket(|bucket, _| bucket.windows.reset(now));
        this.recheck();
    }

    /// Makes the waiting calls compute again when the next permit is due.
    fn recheck(&self) {
        if self.bucket.is_waited_for() {
            self.bucket.recheck();
        }
        // Waking runs user code, so it must not happen under the locks of the keys.
        let waited_for = self.keys.get().map(|keys| keys.filter(|bucket| bucket.is_waited_for()));
        waited_for.into_iter().flatten().for_each(|bucket| bucket.recheck());
    }

    /// Calls `change` on the bucket of the limiter and on the bucket of each key, with whether it has a rate of its own.
    fn for_each_bucket(&self, change: impl Fn(&Bucket, bool)) {
        change(&self.bucket, false);
        if let Some(keys) = self.keys.get() {
            keys.filter(|_| true).iter().for_each(|bucket| change(bucket, bucket.has_own_rate()));
        }
    }

    /// Acquires a permit without waiting. Waiting calls take precedence.
    ///
    /// # Errors
    ///
    /// The time until the next permit, if none is available now.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::RateLimiter;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(1);
    /// assert_eq!(limiter.check(), Ok(()));
    /// assert_eq!(limiter.check(), Err(Duration::from_millis(100)));
    /// # }
    /// ```
    pub fn check(&self) -> Result<(), Duration> {
        let this = self.live();
        this.bucket.try_acquire(this.rates(), 1).map_err(Duration::from_nanos)
    }

    /// The number of keys that currently have a bucket. Buckets at full allowance are dropped when room is needed.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.live().keys.get().map_or(0, |keys| keys.len())
    }

    /// The bucket of a key, of a limiter that holds its own state.
    pub(super) fn keyed<K, Q>(&self, query: &Q, own: impl FnOnce() -> K) -> KeyedBucket
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        self.keys
            .get_or_init(|| Box::new(KeyedBuckets::new(self.max_keys)))
            .of(query, own, || BucketOfKey::new(!self.further.is_empty()))
    }
}

impl RateLimiter {
    /// The rates, of a limiter that holds its own state.
    #[inline]
    pub(super) fn rates(&self) -> Rates<'_> {
        Rates { first: &self.rate, further: &self.further }
    }

    /// The bucket for calls without a key.
    #[inline]
    pub(super) fn own_bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The name that was given to it.
    pub(super) fn given_name(&self) -> Option<&'static str> {
        self.name.get()
    }
}

/// The limiter without a key, which holds its own state.
impl Account for &RateLimiter {
    #[inline]
    fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    #[inline]
    fn rates(&self) -> Rates<'_> {
        RateLimiter::rates(self)
    }
}

// A panic cannot leave the state inconsistent.
impl UnwindSafe for RateLimiter {}
impl RefUnwindSafe for RateLimiter {}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("name", &self.name.get())
            .field("rate", &self.rate())
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}
