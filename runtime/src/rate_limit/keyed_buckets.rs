//! A bucket for each key, kept while it is in use or below full allowance.

use std::any::Any;
use std::hash::{BuildHasher, Hash};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::bucket::Bucket;
use crate::clock;
use crate::key::Key;

/// The buckets of all keys.
pub(super) struct KeyedBuckets {
    state: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// One shard of the map. No code of the key types runs under its lock: keys are compared, created and dropped outside.
struct Shard {
    buckets: HashTable<Arc<Keyed>>,
    /// The number of buckets at which the next insertion looks for idle ones.
    sweep_at: usize,
}

/// A key and its bucket. The key's type differs by function: several functions may share one limiter.
struct Keyed<K: ?Sized = dyn Any + Send + Sync> {
    hash: u64,
    bucket: Bucket,
    key: K,
}

/// A reference to the bucket of a key. The bucket is not dropped from the map while this exists.
pub(super) struct KeyedBucket(Arc<Keyed>);

impl Deref for KeyedBucket {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.0.bucket
    }
}

/// The maximum number of keys with a bucket of their own.
const MOST_KEYS: usize = 65_536;

const SHARDS: usize = 16;

/// The maximum per shard. Beyond it, the buckets closest to full allowance are dropped first.
const MOST: usize = MOST_KEYS / SHARDS;

impl KeyedBuckets {
    pub(super) fn new() -> Self {
        let shard = || Mutex::new(Shard { buckets: HashTable::new(), sweep_at: 64 });
        Self { state: RandomState::default(), shards: std::array::from_fn(|_| shard()) }
    }

    /// Returns the bucket of a key. `own` makes the owned key if the key is new.
    pub(super) fn bucket<K, Q>(&self, query: &Q, own: impl FnOnce() -> K) -> KeyedBucket
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        let hash = self.state.hash_one(query);
        let shard = &self.shards[usize::try_from((hash >> 24) % SHARDS as u64).unwrap_or(0)];
        let (mut own, mut initial) = (Some(own), None);
        // Keys that merely have the same hash; normally there are none.
        let mut others: Vec<Arc<Keyed>> = Vec::new();
        loop {
            let mut locked = lock(shard);
            let may_be = |keyed: &Arc<Keyed>| keyed.hash == hash && !others.iter().any(|other| Arc::ptr_eq(other, keyed));
            if let Some(keyed) = locked.buckets.find(hash, may_be).map(Arc::clone) {
                drop(locked);
                if keyed.key.downcast_ref::<K>().is_some_and(|key| key.matches(query)) {
                    return KeyedBucket(keyed);
                }
                others.push(keyed);
            } else if let Some(initial) = initial.take() {
                let removed = locked.make_room();
                locked.buckets.insert_unique(hash, Arc::clone(&initial), |keyed| keyed.hash);
                drop(locked);
                for keyed in removed {
                    // A panic in the destructor of another key must not fail this call. The panic hook has already reported it.
                    drop(catch_unwind(AssertUnwindSafe(|| drop(keyed))));
                }
                return KeyedBucket(initial);
            } else {
                drop(locked);
                initial = own.take().map(|own| -> Arc<Keyed> { Arc::new(Keyed { hash, bucket: Bucket::new(), key: own() }) });
            }
        }
    }

    /// Calls `change` on each bucket.
    pub(super) fn for_each(&self, change: impl Fn(&Bucket)) {
        for shard in &self.shards {
            lock(shard).buckets.iter().for_each(|keyed| change(&keyed.bucket));
        }
    }

    /// The buckets that calls are waiting for.
    pub(super) fn waited_for(&self) -> Vec<KeyedBucket> {
        let mut waited_for = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let buckets = shard.buckets.iter().filter(|keyed| keyed.bucket.is_waited_for());
            waited_for.extend(buckets.map(Arc::clone).map(KeyedBucket));
        }
        waited_for
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).buckets.len()).sum()
    }
}

impl Shard {
    /// Drops idle buckets whenever the number of buckets has doubled, which makes the amortized cost of a new key constant. The
    /// returned ones must be dropped without the lock.
    fn make_room(&mut self) -> Vec<Arc<Keyed>> {
        if self.buckets.len() < self.sweep_at {
            return Vec::new();
        }
        let now = clock::now();
        let in_use = |keyed: &Arc<Keyed>| Arc::strong_count(keyed) > 1;
        let mut removed: Vec<_> = self.buckets.extract_if(|keyed| !in_use(keyed) && keyed.bucket.is_idle(now)).collect();
        if self.buckets.len() >= MOST {
            let mut due: Vec<u64> = self.buckets.iter().map(|keyed| keyed.bucket.gcra.tat()).collect();
            let (_, &mut soon, _) = due.select_nth_unstable(MOST / 8);
            removed.extend(self.buckets.extract_if(|keyed| !in_use(keyed) && keyed.bucket.gcra.tat() <= soon));
        }
        // More buckets may be in use than the maximum. The factor keeps each new key from scanning all of them.
        let len = self.buckets.len();
        self.sweep_at = (len * 2).clamp(64, MOST).max(len + len / 8);
        removed
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gcra::AtomicQuota;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn idle_lines_leave() {
        let (keys, rate) = (KeyedBuckets::new(), AtomicQuota::new(1, SECOND));
        for round in 0..20_u64 {
            for key in 0..1_000 {
                assert_eq!(keys.bucket(&(round * 1_000 + key), || round * 1_000 + key).try_acquire(&rate), Ok(()));
            }
            tokio::time::advance(SECOND).await;
        }
        assert!(keys.len() <= 3_000, "{}", keys.len());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_lines_is_bounded_and_the_busiest_stay() {
        let (keys, mut rate) = (KeyedBuckets::new(), AtomicQuota::new(1, SECOND));
        rate.set_burst(10);
        for _ in 0..10 {
            keys.bucket("busy", || "busy".to_owned()).try_acquire(&rate).unwrap();
        }
        for key in 0..200_000_u32 {
            keys.bucket(&key, || key).try_acquire(&rate).unwrap();
        }
        assert!(keys.len() <= MOST_KEYS, "{}", keys.len());
        assert!(keys.bucket("busy", || "busy".to_owned()).try_acquire(&rate).is_err());
    }

    /// A new key costs the same no matter how many buckets are in use.
    #[tokio::test(start_paused = true)]
    async fn lines_in_use_are_not_looked_through_for_each_new_key() {
        let keys = KeyedBuckets::new();
        let most = u64::try_from(MOST_KEYS).unwrap();
        let in_use: Vec<_> = (0..most + most / 4).map(|key| keys.bucket(&key, || key)).collect();
        let is_due = |shard: &&Mutex<Shard>| {
            let shard = lock(shard);
            shard.buckets.len() >= shard.sweep_at
        };
        let due = || keys.shards.iter().filter(is_due).count();
        let mut sweeps = 0;
        for key in 0..1_000 {
            sweeps += due();
            keys.bucket(&(u64::MAX - key), || u64::MAX - key);
        }
        assert!(sweeps < 500, "in {sweeps} of 16 000 shards the next key would look through all");
        drop(in_use);
    }
}
