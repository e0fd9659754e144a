//! A line for each key, as long as it matters.

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

/// The lines of all keys that are in use.
pub(super) struct KeyedBuckets {
    state: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// What is done under the lock of a shard runs no code of the keys: they are compared, made and dropped outside of it.
struct Shard {
    buckets: HashTable<Arc<Keyed>>,
    /// Idle lines leave when there are so many.
    sweep_at: usize,
}

/// The line of a key, which is of whatever type the function says; several functions may share a limiter.
struct Keyed<K: ?Sized = dyn Any + Send + Sync> {
    hash: u64,
    bucket: Bucket,
    key: K,
}

/// The line of a key, which stays that of the key for as long as somebody has this.
pub(super) struct KeyedBucket(Arc<Keyed>);

impl Deref for KeyedBucket {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.0.bucket
    }
}

/// So many keys have a limit of their own at once, at most.
const MOST_KEYS: usize = 65_536;

const SHARDS: usize = 16;

/// A shard holds no more lines than this: those of the keys that are nearest to being idle are forgotten first.
const MOST: usize = MOST_KEYS / SHARDS;

impl KeyedBuckets {
    pub(super) fn new() -> Self {
        let shard = || Mutex::new(Shard { buckets: HashTable::new(), sweep_at: 64 });
        Self { state: RandomState::default(), shards: std::array::from_fn(|_| shard()) }
    }

    /// The line of a key, which `own` makes where it is new.
    pub(super) fn bucket<K, Q>(&self, query: &Q, own: impl FnOnce() -> K) -> KeyedBucket
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        let hash = self.state.hash_one(query);
        let shard = &self.shards[usize::try_from((hash >> 24) % SHARDS as u64).unwrap_or(0)];
        let (mut own, mut initial) = (Some(own), None);
        // Keys that only have the same hash. There are none, as a rule.
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
                    // A panic of somebody else's key is none of this call's; the panic hook has told of it.
                    drop(catch_unwind(AssertUnwindSafe(|| drop(keyed))));
                }
                return KeyedBucket(initial);
            } else {
                drop(locked);
                initial = own.take().map(|own| -> Arc<Keyed> { Arc::new(Keyed { hash, bucket: Bucket::new(), key: own() }) });
            }
        }
    }

    /// Calls `change` on each line.
    pub(super) fn for_each(&self, change: impl Fn(&Bucket)) {
        for shard in &self.shards {
            lock(shard).buckets.iter().for_each(|keyed| change(&keyed.bucket));
        }
    }

    /// The lines in which somebody waits.
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
    /// Looks for idle lines whenever their number has doubled, so that a new key costs the same however many there are. What leaves is to be
    /// dropped under no lock.
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
        // Those in use may be more than the most there should be. They are not looked through for each new key either.
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

    /// However many are in use, a new key costs the same.
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
