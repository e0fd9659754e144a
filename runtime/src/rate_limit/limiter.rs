//! The limiter that users name.

use std::fmt;
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;
use std::time::Duration;

use super::bucket::Bucket;
use super::keyed_buckets::{KeyedBucket, KeyedBuckets};
use crate::clock;
use crate::gcra::AtomicQuota;
use crate::key::Key;
use crate::name::Name;

/// Lets so many calls through in a time.
///
/// The calls are spread evenly, after a burst: `100 / 1s` lets 100 through at once and then one every 10 ms (the generic cell rate
/// algorithm, ITU-T I.371). Over any time `t` it is never more than `rate * t + burst`, but for what a timer was late for calls that waited, of
/// which at most 100 ms are made up for.
///
/// A limiter is made in a `static` and shared by the functions that use the same quota, or comes with a function and is reached by its
/// `handle`. Its rate can be changed while the program runs.
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
/// assert_eq!((search("a").await, search("b").await, search("c").await), (Some(1), Some(1), None));
/// assert_eq!(crawl().await, Some(0)); // half a second later
/// QUOTA.set_rate(1_000, Duration::from_secs(1));
/// assert_eq!(search("d").await, None); // the next turn is in a millisecond
/// assert_eq!(QUOTA.rate(), (1_000, Duration::from_secs(1)));
/// # }
/// ```
#[doc(alias("token bucket", "leaky bucket", "GCRA", "quota", "permit"))]
pub struct RateLimiter {
    pub(super) rate: AtomicQuota,
    pub(super) bucket: Bucket,
    keys: OnceLock<Box<KeyedBuckets>>,
    name: Name<Self>,
}

impl RateLimiter {
    /// So many calls in a time, all of them at once if they come together.
    ///
    /// # Panics
    ///
    /// If either is zero; in a `static`, when it is compiled.
    #[must_use]
    pub const fn new(count: u32, period: Duration) -> Self {
        Self { rate: AtomicQuota::new(count, period), bucket: Bucket::new(), keys: OnceLock::new(), name: Name::none() }
    }

    /// Gives it a name, by which the [registry](crate#features) lists it as long as it lives, in a field too. With the feature `registry` the state
    /// of a limiter with a name is on the heap, made at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    /// Where its state is.
    #[inline]
    pub(super) fn live(&self) -> &Self {
        self.name.state(self, || Self {
            rate: self.rate.as_built(),
            bucket: Bucket::new(),
            keys: OnceLock::new(),
            name: Name::none(),
        })
    }

    /// How many calls are let through at once, after a rest \[as many as the rate counts\].
    ///
    /// # Panics
    ///
    /// If it is zero; in a `static`, when it is compiled.
    #[must_use]
    pub const fn burst(mut self, calls: u32) -> Self {
        self.rate.set_burst(calls);
        self
    }

    /// The rate: so many calls in a time.
    #[must_use]
    pub fn rate(&self) -> (u32, Duration) {
        self.live().rate.get()
    }

    /// Changes the rate, for calls that come and for those that wait. As many turns are free as were, up to the burst (which is the count of
    /// the new rate where no [`burst`](Self::burst) was said); from then on they come at the new rate.
    ///
    /// Takes time in proportion to the number of [`keys`](Self::keys).
    ///
    /// # Panics
    ///
    /// If either is zero; nothing is changed then.
    pub fn set_rate(&self, count: u32, period: Duration) {
        let this = self.live();
        this.rate.set(count, period, |before, params| {
            let now = clock::now();
            this.for_each_bucket(|bucket| bucket.gcra.change_params(before, params, now));
        });
        this.recheck();
    }

    /// Forgets all turns that were taken, those of each key too: the next call finds a limiter that is as good as new. The rate stays.
    pub fn reset(&self) {
        let (this, now) = (self.live(), clock::now());
        this.for_each_bucket(|bucket| bucket.gcra.reset(now));
        this.recheck();
    }

    /// Those who wait find out when the next turn is.
    fn recheck(&self) {
        if self.bucket.is_waited_for() {
            self.bucket.recheck();
        }
        // Waking runs other people's code, and so does nothing under the lock of the keys.
        let waited_for = self.keys.get().map(|keys| keys.waited_for());
        waited_for.into_iter().flatten().for_each(|bucket| bucket.recheck());
    }

    /// That of all calls, and those of the keys.
    fn for_each_bucket(&self, change: impl Fn(&Bucket)) {
        change(&self.bucket);
        if let Some(keys) = self.keys.get() {
            keys.for_each(change);
        }
    }

    /// Takes a turn.
    ///
    /// # Errors
    ///
    /// How long it is to the next turn, where there is none now. Those who wait are served first.
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
        this.bucket.try_acquire(&this.rate).map_err(Duration::from_nanos)
    }

    /// How many keys have a limit of their own at present. Those that are idle leave when room is needed.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.live().keys.get().map_or(0, |keys| keys.len())
    }

    /// The line of a key.
    pub(super) fn keyed<K, Q>(&self, query: &Q, own: impl FnOnce() -> K) -> KeyedBucket
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        self.live().keys.get_or_init(|| Box::new(KeyedBuckets::new())).bucket(query, own)
    }
}

// A panic leaves no turn half taken.
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
