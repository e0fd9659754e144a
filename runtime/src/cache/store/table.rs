//! The interface to `quick_cache`, which decides which entries to keep. Only this file depends on it.

use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::{mem, thread};

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use quick_cache::unsync::Cache as QuickCache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};

use super::entry::{Entry, EntryId, Stored};
use super::ghosts::Ghosts;
use super::removal::{RemovalCause, Removed};
use super::tags::Tags;
use super::timestamp::Timestamp;
use crate::key::Key;

/// A bounded map from keys to entries, accessed with a hash that the caller has computed.
pub(crate) struct Store<K, V> {
    /// Selected by the middle bits of the hash; the map in a shard uses both ends. The lock is striped: a reader locks only the
    /// stripe of its thread, so that readers do not contend, and a writer locks all stripes (eight, of 128 bytes each).
    shards: Box<[ShardedLock<Shard<K, V>>]>,
    /// `None`: unbounded.
    capacity: Option<u64>,
    serials: AtomicU64,
}

/// One shard of the store.
struct Shard<K, V> {
    map: Map<K, V>,
    /// The keys that the map remembers to have evicted before they were used again; only if entries have weights.
    ghosts: Option<Ghosts>,
    /// The serial number of the last insertion, so that an entry is not evicted to make room for itself.
    newest: Arc<AtomicU64>,
    /// The maximum number of entries since the map was empty.
    most: usize,
}

/// Effectively no bound.
const UNBOUNDED: u64 = u64::MAX / 2;

/// An unbounded shard that has become nearly empty frees its memory if it once held more entries than this.
const KEPT: usize = 1_024;

type Map<K, V> = QuickCache<Stored<K>, Entry<V>, Weights, PrehashedState, EvictionCollector>;

/// With fewer entries than this, a shard is not worth its locks (1 KiB). A small store has a single shard, so that it holds its
/// full capacity: with several, one is full before the others.
const ENTRIES_PER_SHARD: usize = 512;

/// The number of shards for a capacity: four per core, as in `quick_cache`, if that leaves them large enough.
fn shards(capacity: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let most = (cores * 4).next_power_of_two();
    let filled = (capacity / ENTRIES_PER_SHARD).max(1);
    // Rounded down to a power of two.
    most.min(1 << filled.ilog2())
}

/// A shard for entries with a total weight of at most `weight`.
fn shard<K: Eq, V>(weight: u64, weighted: bool) -> ShardedLock<Shard<K, V>> {
    let newest = Arc::new(AtomicU64::new(u64::MAX));
    ShardedLock::new(Shard { map: map(weight, weighted, &newest), ghosts: weighted.then(Ghosts::default), newest, most: 0 })
}

fn map<K: Eq, V>(weight: u64, weighted: bool, newest: &Arc<AtomicU64>) -> Map<K, V> {
    let mut options = OptionsBuilder::new();
    options.weight_capacity(weight);
    if weighted {
        // The number of evicted keys that the map remembers is proportional to a number of entries, which is unknown in advance. So
        // the map is set to remember all of them, and `Ghosts` decides which to forget.
        options.estimated_items_capacity(usize::MAX / 2).ghost_allocation(1.0);
    } else {
        // The map remembers as many evicted keys as it stores entries. With half as many, a working set larger than half of the
        // capacity returns only after it has been forgotten, and never replaces what has filled the cache. For a handful of entries
        // half is better, according to the traces of `tests::workload`.
        let remembered = if weight < 5 { 0.5 } else { 1.0 };
        options.estimated_items_capacity(usize::try_from(weight).unwrap_or(0)).ghost_allocation(remembered);
    }
    let options = options.build().expect("both capacities are set");
    QuickCache::with_options(options, Weights, PrehashedState, EvictionCollector { newest: Arc::clone(newest) })
}

#[inline]
fn read<K, V>(shard: &ShardedLock<Shard<K, V>>) -> ShardedLockReadGuard<'_, Shard<K, V>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<K, V>(shard: &ShardedLock<Shard<K, V>>) -> ShardedLockWriteGuard<'_, Shard<K, V>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Eq, V> Store<K, V> {
    /// A store of at most `capacity` entries, or of entries with that total weight; `None` for no bound.
    pub(crate) fn new(capacity: Option<usize>, weighted: bool) -> Self {
        let shards = match capacity {
            None => (0..shards(usize::MAX)).map(|_| shard(UNBOUNDED, false)).collect(),
            // A single shard, so that an entry as heavy as the capacity fits.
            Some(capacity) if weighted => [shard(capacity as u64, true)].into(),
            Some(capacity) => {
                let count = shards(capacity);
                // The shards add up to exactly the capacity.
                let share = |index| capacity / count + usize::from(index < capacity % count);
                (0..count).map(|index| shard(share(index) as u64, false)).collect()
            }
        };
        Self { shards, capacity: capacity.map(|capacity| capacity as u64), serials: AtomicU64::new(0) }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &ShardedLock<Shard<K, V>> {
        // The number of shards is a power of two; see `shards`.
        let index = (hash >> 32) & (self.shards.len() as u64 - 1);
        &self.shards[usize::try_from(index).unwrap_or(0)]
    }

    #[inline]
    fn read(&self, hash: u64) -> ShardedLockReadGuard<'_, Shard<K, V>> {
        read(self.shard(hash))
    }

    fn write(&self, hash: u64) -> ShardedLockWriteGuard<'_, Shard<K, V>> {
        write(self.shard(hash))
    }

    /// Whether an entry of this weight fits into the store at all.
    pub(crate) fn holds(&self, weight: u64) -> bool {
        self.capacity.is_none_or(|capacity| weight <= capacity)
    }

    /// Prepares a key for insertion. Its location is known before it is inserted.
    pub(crate) fn prepare(&self, hash: u64, key: K, weight: u64, tags: Tags) -> Stored<K> {
        // An entry of weight zero would never be evicted, and without a bound the total weight could overflow.
        let weight = if self.capacity.is_some() { weight.max(1) } else { 1 };
        Stored { hash, serial: self.serials.fetch_add(1, Ordering::Relaxed), weight, tags, key }
    }

    /// The serial number of the next insertion.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serials.load(Ordering::Relaxed)
    }

    /// Reads an entry under a lock of the store, and marks it as used.
    #[inline]
    pub(crate) fn get<Q: ?Sized, T>(&self, hash: u64, key: &Q, look: impl FnOnce(&Entry<V>) -> Option<T>) -> Option<T>
    where
        K: Key<Q>,
    {
        self.read(hash).map.get(&Borrowed { hash, key }).and_then(look)
    }

    /// Reads an entry without marking it as used.
    pub(crate) fn peek<Q: ?Sized, T>(&self, hash: u64, key: &Q, look: impl FnOnce(&Entry<V>) -> Option<T>) -> Option<T>
    where
        K: Key<Q>,
    {
        self.read(hash).map.peek(&Borrowed { hash, key }).and_then(look)
    }

    /// Stores an entry. The entries removed for it, including the old entry of the key, are added to `left`.
    pub(crate) fn insert(&self, stored: Stored<K>, entry: Entry<V>, removed: &mut Removed<K, V>) {
        let (replaces, gone) = self.write(stored.hash).insert(stored, entry);
        let mut gone = gone.into_iter().map(Gone::pair);
        // The replaced entry comes first.
        removed.add(if replaces { gone.next() } else { None }, RemovalCause::Replaced);
        removed.add(gone, RemovalCause::Size);
    }

    pub(crate) fn remove<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<(Stored<K>, Entry<V>)>
    where
        K: Key<Q>,
    {
        self.write(hash).take(&Borrowed { hash, key }, |_| true)
    }

    /// Removes an entry by its location, if it is still there.
    pub(crate) fn remove_at(&self, id: EntryId) -> Option<(Stored<K>, Entry<V>)> {
        self.write(id.hash).take(&id, |_| true)
    }

    /// Removes an entry by its location, if `should_go` returns true for it.
    pub(crate) fn remove_at_if(&self, id: EntryId, should_go: impl FnOnce(&Entry<V>) -> bool) -> Option<(Stored<K>, Entry<V>)> {
        self.write(id.hash).take(&id, should_go)
    }

    /// Removes all entries.
    pub(crate) fn drain(&self) -> Vec<(Stored<K>, Entry<V>)> {
        let mut drained = Vec::new();
        for shard in &self.shards {
            let mut map = write(shard).drain();
            drained.extend(map.drain());
        }
        drained
    }

    /// Visits every entry, under the locks of the store.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&Stored<K>, &Entry<V>)) {
        for shard in 0..self.shards() {
            self.for_each_in(shard, &mut look);
        }
    }

    /// Visits the entries of one shard, under its lock.
    pub(crate) fn for_each_in(&self, shard: usize, mut look: impl FnMut(&Stored<K>, &Entry<V>)) {
        read(&self.shards[shard]).map.iter().for_each(|(stored, entry)| look(stored, entry));
    }

    /// The number of shards.
    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The entries that expire: when, and where they are.
    pub(crate) fn expiring(&self) -> Vec<(Timestamp, EntryId)> {
        let mut expiring = Vec::new();
        self.for_each(|stored, entry| {
            expiring.extend(Some(entry.end()).filter(|end| *end != Timestamp::NEVER).map(|end| (end, stored.id())));
        });
        expiring
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).map.len()).sum()
    }

    /// The memory used by entries and remembered keys, in bytes.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).map.memory_used().total()).sum()
    }
}

impl<K: Eq, V> Shard<K, V> {
    /// Stores an entry. Returns whether it replaced one, and the removed entries, starting with the replaced one.
    fn insert(&mut self, stored: Stored<K>, entry: Entry<V>) -> (bool, Vec<Gone<K, V>>) {
        let hash = stored.hash;
        self.newest.store(stored.serial, Ordering::Relaxed);
        let replaces = self.map.peek(&stored).is_some();
        let mut gone = Evicted::default();
        // A single insertion for new and existing keys, so that a key's usage from before it was replaced or evicted carries over.
        self.map.insert_with_lifecycle(stored, entry, &mut gone);
        self.most = self.most.max(self.map.len());
        if let Some(ghosts) = &mut self.ghosts {
            ghosts.forget(hash);
            let most = self.map.len() / 2;
            for evicted in gone.0.iter().skip(usize::from(replaces)).filter(|evicted| evicted.was_new) {
                ghosts.add(evicted.stored.hash);
                while let Some(hash) = ghosts.pop_above(most) {
                    self.map.remove(&Ghost { hash });
                }
            }
        }
        (replaces, gone.0)
    }

    /// Removes an entry if `should_go` returns true for it. Does not count as a use of the key.
    fn take<Q>(&mut self, key: &Q, should_go: impl FnOnce(&Entry<V>) -> bool) -> Option<(Stored<K>, Entry<V>)>
    where
        Q: Hash + Equivalent<Stored<K>>,
    {
        let taken = self.map.remove_if(key, |entry| should_go(entry));
        if self.map.capacity() == UNBOUNDED && self.most > 4 * self.map.len() + KEPT {
            self.shrink();
        }
        taken
    }

    /// Removes all entries.
    fn drain(&mut self) -> Map<K, V> {
        let weighted = self.ghosts.is_some();
        self.ghosts = weighted.then(Ghosts::default);
        self.most = 0;
        let empty = map(self.map.capacity(), weighted, &self.newest);
        mem::replace(&mut self.map, empty)
    }

    /// Frees the memory that most entries used to occupy.
    fn shrink(&mut self) {
        let mut before = self.drain();
        for (stored, entry) in before.drain() {
            self.map.insert(stored, entry);
        }
        self.most = self.map.len();
    }
}

/// The weights, computed before the insertion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights;

impl<K, V> Weighter<Stored<K>, Entry<V>> for Weights {
    #[inline]
    fn weight(&self, stored: &Stored<K>, _: &Entry<V>) -> u64 {
        stored.weight
    }
}

/// A borrowed key for a lookup.
struct Borrowed<'a, Q: ?Sized> {
    hash: u64,
    key: &'a Q,
}

impl<Q: ?Sized> Hash for Borrowed<'_, Q> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K: Key<Q>, Q: ?Sized> Equivalent<Stored<K>> for Borrowed<'_, Q> {
    #[inline]
    fn equivalent(&self, stored: &Stored<K>) -> bool {
        self.hash == stored.hash && stored.key.matches(self.key)
    }
}

impl<K> Equivalent<Stored<K>> for EntryId {
    fn equivalent(&self, stored: &Stored<K>) -> bool {
        self.serial == stored.serial
    }
}

/// An evicted key to be forgotten.
struct Ghost {
    hash: u64,
}

impl Hash for Ghost {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K> Equivalent<Stored<K>> for Ghost {
    fn equivalent(&self, _: &Stored<K>) -> bool {
        false
    }
}

/// Passes on the hash that the caller has computed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PrehashedState;

#[derive(Debug, Default)]
pub(crate) struct PrehashedHasher(u64);

impl BuildHasher for PrehashedState {
    type Hasher = PrehashedHasher;

    #[inline]
    fn build_hasher(&self) -> PrehashedHasher {
        PrehashedHasher::default()
    }
}

impl Hasher for PrehashedHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only precomputed hashes are written")
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Collects evicted entries, so that they can be dropped without the lock.
#[derive(Debug)]
pub(crate) struct EvictionCollector {
    newest: Arc<AtomicU64>,
}

pub(crate) struct Evicted<K, V>(Vec<Gone<K, V>>);

/// An entry that was evicted or replaced.
struct Gone<K, V> {
    stored: Stored<K>,
    entry: Entry<V>,
    /// Whether it was in the queue of new entries.
    was_new: bool,
}

impl<K, V> Gone<K, V> {
    fn pair(self) -> (Stored<K>, Entry<V>) {
        (self.stored, self.entry)
    }
}

impl<K, V> Default for Evicted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Lifecycle<Stored<K>, Entry<V>> for EvictionCollector {
    type RequestState = Evicted<K, V>;

    fn is_pinned(&self, stored: &Stored<K>, _: &Entry<V>) -> bool {
        stored.serial == self.newest.load(Ordering::Relaxed)
    }

    fn on_evict(&self, evicted: &mut Evicted<K, V>, stored: Stored<K>, entry: Entry<V>) {
        evicted.0.push(Gone { stored, entry, was_new: false });
    }

    fn on_evict_cold(&self, evicted: &mut Evicted<K, V>, stored: Stored<K>, entry: Entry<V>) {
        evicted.0.push(Gone { stored, entry, was_new: true });
    }
}
