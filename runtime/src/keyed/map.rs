//! A bounded map from keys to policy objects, which forgets the idle ones first.

use std::any::Any;
use std::hash::{BuildHasher, Hash};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::retain::Retain;
use crate::clock;
use crate::key::Key;

/// The default of `max_keys`.
pub const MAX_KEYS: usize = 65_536;

const SHARDS: usize = 16;

/// Smaller maps have a single shard, so that its maximum is that of the map.
const SHARDED_FROM: usize = 4_096;

/// The objects of all keys. The type of the keys may differ between callers: several functions may share one limiter.
pub(crate) struct KeyedMap<P> {
    state: RandomState,
    shards: Box<[Mutex<Shard<P>>]>,
}

/// One shard of the map. No code of the key types runs under its lock: keys are compared, created and dropped outside.
struct Shard<P> {
    entries: HashTable<Arc<Entry<P>>>,
    /// The maximum. Entries that callers hold may exceed it.
    most: usize,
    /// The number of entries at which the next insertion makes room.
    sweep_at: usize,
    /// How many insertions do without a search, since the last one has made no room.
    skips: usize,
    /// The number of lookups, which tells what was used last.
    uses: u64,
}

/// A key and its object.
struct Entry<P, K: ?Sized = dyn Any + Send + Sync> {
    hash: u64,
    /// The lookup of its shard that found it last.
    used: AtomicU64,
    policy: P,
    key: K,
}

/// The object of a key. The map keeps the object while this exists.
pub(crate) struct KeyedEntry<P>(Arc<Entry<P>>);

impl<P> Clone for KeyedEntry<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Deref for KeyedEntry<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0.policy
    }
}

impl<P> KeyedEntry<P> {
    /// The key, if it is a `K`.
    pub(crate) fn key<K: 'static>(&self) -> Option<&K> {
        self.0.key.downcast_ref()
    }
}

impl<P: Retain + Send + Sync + 'static> KeyedMap<P> {
    pub(crate) fn new(max_keys: usize) -> Self {
        let shards = if max_keys < SHARDED_FROM { 1 } else { SHARDS };
        let most = (max_keys / shards).max(1);
        let shard = || Shard { entries: HashTable::new(), most, sweep_at: most.min(64), skips: 0, uses: 0 };
        Self { state: RandomState::default(), shards: (0..shards).map(|_| Mutex::new(shard())).collect() }
    }

    /// Returns the object of a key. `own` makes the owned key if the key is new, and `make` its object.
    pub(crate) fn of<K, Q>(&self, query: &Q, own: impl FnOnce() -> K, make: impl FnOnce() -> P) -> KeyedEntry<P>
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        let hash = self.state.hash_one(query);
        let shard = &self.shards[usize::try_from((hash >> 24) % self.shards.len() as u64).unwrap_or(0)];
        let (mut new, mut initial) = (Some((own, make)), None);
        // Keys that merely have the same hash; normally there are none.
        let mut others: Vec<Arc<Entry<P>>> = Vec::new();
        loop {
            let mut locked = lock(shard);
            let may_be = |entry: &Arc<Entry<P>>| entry.hash == hash && !others.iter().any(|other| Arc::ptr_eq(other, entry));
            if let Some(entry) = locked.entries.find(hash, may_be).map(Arc::clone) {
                locked.uses += 1;
                entry.used.store(locked.uses, Ordering::Relaxed);
                drop(locked);
                if entry.key.downcast_ref::<K>().is_some_and(|key| key.matches(query)) {
                    return KeyedEntry(entry);
                }
                others.push(entry);
            } else if let Some(initial) = initial.take() {
                let removed = locked.make_room();
                if locked.has_room() {
                    locked.insert(hash, &initial);
                }
                drop(locked);
                for entry in removed {
                    // A panic in the destructor of another key must not fail this call. The panic hook has already reported it.
                    drop(catch_unwind(AssertUnwindSafe(|| drop(entry))));
                }
                return KeyedEntry(initial);
            } else {
                drop(locked);
                initial = new.take().map(|(own, make)| -> Arc<Entry<P>> {
                    Arc::new(Entry { hash, used: AtomicU64::new(0), policy: make(), key: own() })
                });
            }
        }
    }

    /// The objects for which `chosen` holds, which is called under the lock of a shard and must call no code of users'.
    pub(crate) fn filter(&self, chosen: impl Fn(&P) -> bool) -> Vec<KeyedEntry<P>> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            found.extend(shard.entries.iter().filter(|entry| chosen(&entry.policy)).map(Arc::clone).map(KeyedEntry));
        }
        found
    }

    /// The number of keys that currently have an object.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).entries.len()).sum()
    }
}

impl<P: Retain> Shard<P> {
    fn insert(&mut self, hash: u64, entry: &Arc<Entry<P>>) {
        self.uses += 1;
        entry.used.store(self.uses, Ordering::Relaxed);
        self.entries.insert_unique(hash, Arc::clone(entry), |entry| entry.hash);
    }

    /// Whether a new entry is kept. One that is not serves its caller alone.
    fn has_room(&self) -> bool {
        self.skips == 0
    }

    /// Drops idle entries whenever the number of entries has doubled, which makes the amortized cost of a new key constant, and the
    /// least needed of the others when there are too many. The returned ones must be dropped without the lock.
    fn make_room(&mut self) -> Vec<Arc<Entry<P>>> {
        if self.skips > 0 {
            self.skips -= 1;
            if self.skips > 0 {
                return Vec::new();
            }
        } else if self.entries.len() < self.sweep_at {
            return Vec::new();
        }
        let now = clock::now();
        let is_held = |entry: &Arc<Entry<P>>| Arc::strong_count(entry) > 1;
        let rank = |entry: &Arc<Entry<P>>| {
            let rank = entry.policy.retention(now).filter(|_| !is_held(entry))?;
            Some((rank, entry.used.load(Ordering::Relaxed)))
        };
        let mut removed: Vec<_> = self.entries.extract_if(|entry| rank(entry).is_some_and(|(rank, _)| rank == 0)).collect();
        if self.entries.len() >= self.most {
            let mut ranks: Vec<_> = self.entries.iter().filter_map(rank).collect();
            let excess = (self.most / 8).max(self.entries.len() + 1 - self.most).min(ranks.len());
            if excess > 0 {
                let (_, &mut last, _) = ranks.select_nth_unstable(excess - 1);
                removed.extend(self.entries.extract_if(|entry| rank(entry).is_some_and(|rank| rank <= last)));
            }
        }
        let len = self.entries.len();
        let held = if len < self.most { 0 } else { self.entries.iter().filter(|entry| is_held(entry)).count() };
        // Nothing may go, and not because callers hold it. The next ones do without a search for a while, and without a place.
        self.skips = if len - held < self.most { 0 } else { (self.most / 8).max(1) };
        // More entries may be held than the maximum. The factor keeps each new key from scanning all of them.
        self.sweep_at = (len * 2).clamp(self.most.min(64), self.most).max(len + if len < self.most { 0 } else { len / 8 });
        removed
    }
}

fn lock<P>(shard: &Mutex<Shard<P>>) -> MutexGuard<'_, Shard<P>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
