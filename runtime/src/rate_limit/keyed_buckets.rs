//! A bucket for each key, kept while it is in use or below full allowance.

use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

use super::bucket::Bucket;
use crate::clock;
use crate::gcra::AtomicQuota;
use crate::keyed::{KeyedEntry, KeyedMap, Retain};

/// The buckets of all keys.
pub(super) type KeyedBuckets = KeyedMap<BucketOfKey>;

/// A reference to the bucket of a key. The bucket is not dropped from the map while this exists.
pub(super) type KeyedBucket = KeyedEntry<BucketOfKey>;

/// What is kept for a key.
#[derive(Debug)]
pub(super) struct BucketOfKey {
    bucket: Bucket,
    /// The rate of this key, in place of the first rate of the limiter.
    rate: OnceLock<Box<AtomicQuota>>,
}

impl BucketOfKey {
    /// See [`Bucket::new`].
    pub(super) fn new(several: bool) -> Self {
        Self { bucket: Bucket::new(several), rate: OnceLock::new() }
    }

    pub(super) fn has_own_rate(&self) -> bool {
        self.rate.get().is_some()
    }

    /// The first rate of the bucket: its own, or the shared one of the limiter.
    #[inline]
    pub(super) fn rate<'a>(&'a self, shared: &'a AtomicQuota) -> &'a AtomicQuota {
        self.rate.get().map_or(shared, |own| own)
    }

    /// Gives the bucket a rate of its own, in place of `shared`. Its burst is set as that of `shared` is.
    pub(super) fn set_rate(&self, shared: &AtomicQuota, count: u32, period: Duration) {
        let windows = &self.bucket.windows;
        let mut changed = false;
        let own = self.rate.get_or_init(|| {
            let own = Box::new(shared.with_rate(count, period));
            windows.change_params(shared.params(), own.params(), clock::now());
            changed = true;
            own
        });
        if own.get() != (count, period) {
            own.set(count, period, |before, params| windows.change_params(before, params, clock::now()));
            changed = true;
        }
        if changed && self.bucket.is_waited_for() {
            self.bucket.recheck();
        }
    }
}

impl Deref for BucketOfKey {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.bucket
    }
}

impl Retain for BucketOfKey {
    /// The closer to full allowance, the sooner it is forgotten.
    fn retention(&self, now: u64) -> Option<u64> {
        (!self.is_waited_for()).then(|| self.windows.full_at().saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::windows::{Further, Rates};
    use super::*;
    use crate::keyed::MAX_KEYS;

    fn one(rate: &AtomicQuota) -> Rates<'_> {
        static NONE: Further = Further::none();
        Rates { first: rate, further: &NONE }
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket<K: crate::key::Key<Q> + std::hash::Hash + Eq + Send + Sync + 'static, Q: std::hash::Hash + ?Sized>(
        keys: &KeyedBuckets,
        query: &Q,
        own: impl FnOnce() -> K,
    ) -> KeyedBucket {
        keys.of(query, own, || BucketOfKey::new(false))
    }

    #[tokio::test(start_paused = true)]
    async fn idle_lines_leave() {
        let (keys, rate) = (KeyedMap::new(MAX_KEYS), AtomicQuota::new(1, SECOND));
        for round in 0..20_u64 {
            for key in 0..1_000 {
                assert_eq!(bucket(&keys, &(round * 1_000 + key), || round * 1_000 + key).try_acquire(one(&rate), 1), Ok(()));
            }
            tokio::time::advance(SECOND).await;
        }
        assert!(keys.len() <= 3_000, "{}", keys.len());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_lines_is_bounded_and_the_busiest_stay() {
        let (keys, mut rate) = (KeyedMap::new(MAX_KEYS), AtomicQuota::new(1, SECOND));
        rate.set_burst(10);
        for _ in 0..10 {
            bucket(&keys, "busy", || "busy".to_owned()).try_acquire(one(&rate), 1).unwrap();
        }
        for key in 0..200_000_u32 {
            bucket(&keys, &key, || key).try_acquire(one(&rate), 1).unwrap();
        }
        assert!(keys.len() <= MAX_KEYS, "{}", keys.len());
        assert!(bucket(&keys, "busy", || "busy".to_owned()).try_acquire(one(&rate), 1).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_takes_its_rate_on_from_where_it_is() {
        let (keys, shared) = (KeyedBuckets::new(MAX_KEYS), AtomicQuota::new(4, SECOND));
        let of = |key: &'static str| bucket(&keys, key, || key.to_owned());
        let free = |key| {
            let bucket = of(key);
            (0..100).filter(|_| bucket.try_acquire(one(bucket.rate(&shared)), 1).is_ok()).count()
        };
        of("plain").try_acquire(one(&shared), 3).unwrap();
        of("vip").try_acquire(one(&shared), 3).unwrap();
        of("vip").set_rate(&shared, 40, SECOND);
        // One of four is available, hence one of forty.
        assert_eq!((free("vip"), free("plain"), free("other")), (1, 1, 4));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!((free("vip"), free("plain"), free("other")), (20, 2, 2));
        of("vip").set_rate(&shared, 2, SECOND);
        tokio::time::advance(SECOND).await;
        assert_eq!((free("vip"), free("plain")), (2, 4));
    }
}
