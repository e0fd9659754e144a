//! A bucket for each key, kept while it is in use or below full allowance.

use super::bucket::Bucket;
use crate::keyed::{KeyedEntry, KeyedMap, Retain};

/// The buckets of all keys.
pub(super) type KeyedBuckets = KeyedMap<Bucket>;

/// A reference to the bucket of a key. The bucket is not dropped from the map while this exists.
pub(super) type KeyedBucket = KeyedEntry<Bucket>;

impl Retain for Bucket {
    /// The closer to full allowance, the sooner it is forgotten.
    fn retention(&self, now: u64) -> Option<u64> {
        (!self.is_waited_for()).then(|| self.gcra.tat().saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gcra::AtomicQuota;
    use crate::keyed::MAX_KEYS;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket<K: crate::key::Key<Q> + std::hash::Hash + Eq + Send + Sync + 'static, Q: std::hash::Hash + ?Sized>(
        keys: &KeyedMap<Bucket>,
        query: &Q,
        own: impl FnOnce() -> K,
    ) -> KeyedBucket {
        keys.of(query, own, Bucket::new)
    }

    #[tokio::test(start_paused = true)]
    async fn idle_lines_leave() {
        let (keys, rate) = (KeyedMap::new(MAX_KEYS), AtomicQuota::new(1, SECOND));
        for round in 0..20_u64 {
            for key in 0..1_000 {
                assert_eq!(bucket(&keys, &(round * 1_000 + key), || round * 1_000 + key).try_acquire(&rate), Ok(()));
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
            bucket(&keys, "busy", || "busy".to_owned()).try_acquire(&rate).unwrap();
        }
        for key in 0..200_000_u32 {
            bucket(&keys, &key, || key).try_acquire(&rate).unwrap();
        }
        assert!(keys.len() <= MAX_KEYS, "{}", keys.len());
        assert!(bucket(&keys, "busy", || "busy".to_owned()).try_acquire(&rate).is_err());
    }
}
