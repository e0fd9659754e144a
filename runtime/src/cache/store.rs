//! The seam to the store: which entries are kept is `quick_cache`'s decision, and only this file knows it.

use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZero;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use quick_cache::unsync::Cache as QuickCache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};

use super::clock::Moment;
use super::entry::Entry;
use super::key::Key;
use super::removal::{Left, RemovalCause};
use super::tags::Tags;

/// A bounded map from keys to entries, found by a hash that the caller has already computed.
pub(super) struct Store<K, V> {
    /// By the middle of the hash: the map of a shard uses both ends. Each has a lock that two threads which only look do not fight over,
    /// since each locks a part of it that is its own; whoever writes locks all parts (eight, of 128 bytes each).
    shards: Box<[ShardedLock<Shard<K, V>>]>,
    /// `None`: no bound.
    capacity: Option<u64>,
    serials: AtomicU64,
}

type Shard<K, V> = QuickCache<Stored<K>, Entry<V>, Weights, HashIsKnown, Collect>;

/// A key with its hash, and a number that no other insertion has: by it an entry can be removed without the key. What a hit has no use for
/// stands here, and not in the entry.
pub(super) struct Stored<K> {
    hash: u64,
    serial: u64,
    weight: u64,
    tags: Tags,
    key: K,
}

impl<K> Stored<K> {
    pub(super) fn key(&self) -> &K {
        &self.key
    }

    pub(super) fn tags(&self) -> &Tags {
        &self.tags
    }

    pub(super) fn place(&self) -> Place {
        Place { hash: self.hash, serial: self.serial }
    }
}

/// Where an entry is, without its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    hash: u64,
    serial: u64,
}

/// A shard is not worth a lock of its own below this many entries. A small store has one only, so that it holds what it says: of
/// several, one is full before the others are.
const ENTRIES_PER_SHARD: usize = 128;

/// How many shards divide a capacity among them: four for each core, as `quick_cache` has it, if they are large enough.
fn shards(capacity: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let most = (cores * 4).next_power_of_two();
    let filled = (capacity / ENTRIES_PER_SHARD).max(1);
    // The power of two at or below.
    most.min(1 << filled.ilog2())
}

/// What is remembered of entries that had to leave is in proportion to this, and no more than it.
const ROOM: usize = 4_096;

/// A shard for entries that weigh no more together than `weight`.
fn shard<K: Eq, V>(weight: u64, options: &mut OptionsBuilder) -> ShardedLock<Shard<K, V>> {
    let room = usize::try_from(weight).unwrap_or(ROOM).min(ROOM);
    let options = options.weight_capacity(weight).estimated_items_capacity(room).build().expect("both capacities are set");
    ShardedLock::new(QuickCache::with_options(options, Weights, HashIsKnown, Collect))
}

#[inline]
fn read<K, V>(shard: &ShardedLock<Shard<K, V>>) -> ShardedLockReadGuard<'_, Shard<K, V>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<K, V>(shard: &ShardedLock<Shard<K, V>>) -> ShardedLockWriteGuard<'_, Shard<K, V>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Eq, V> Store<K, V> {
    /// `capacity` entries at most, or entries that weigh no more together; `None` for no bound.
    pub(super) fn new(capacity: Option<usize>, weighted: bool) -> Self {
        let shards = match capacity {
            None => (0..shards(usize::MAX)).map(|_| shard(u64::MAX / 2, &mut OptionsBuilder::new())).collect(),
            // Undivided, so that whatever the whole can hold finds room.
            Some(capacity) if weighted => [shard(capacity as u64, OptionsBuilder::new().hot_allocation(1.0))].into(),
            Some(capacity) => {
                let count = shards(capacity);
                // Together exactly the capacity.
                let share = |index| capacity / count + usize::from(index < capacity % count);
                (0..count).map(|index| shard(share(index) as u64, &mut OptionsBuilder::new())).collect()
            }
        };
        Self { shards, capacity: capacity.map(|capacity| capacity as u64), serials: AtomicU64::new(0) }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &ShardedLock<Shard<K, V>> {
        // A power of two: see `shards`.
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

    /// Whether an entry of this weight can be held at all.
    pub(super) fn holds(&self, weight: u64) -> bool {
        self.capacity.is_none_or(|capacity| weight <= capacity)
    }

    /// A key on its way into the store. Its place is known before it is there.
    pub(super) fn prepare(&self, hash: u64, key: K, weight: u64, tags: Tags) -> Stored<K> {
        // What weighs nothing would never be evicted.
        Stored { hash, serial: self.serials.fetch_add(1, Ordering::Relaxed), weight: weight.max(1), tags, key }
    }

    /// Looks at the entry in its place, under a lock of the store, and marks it as used.
    #[inline]
    pub(super) fn get<Q: ?Sized, T>(&self, hash: u64, key: &Q, look: impl FnOnce(&Entry<V>) -> Option<T>) -> Option<T>
    where
        K: Key<Q>,
    {
        self.read(hash).get(&Borrowed { hash, key }).and_then(look)
    }

    /// Looks at the entry, and leaves it as it is.
    pub(super) fn peek<Q: ?Sized, T>(&self, hash: u64, key: &Q, look: impl FnOnce(&Entry<V>) -> Option<T>) -> Option<T>
    where
        K: Key<Q>,
    {
        self.read(hash).peek(&Borrowed { hash, key }).and_then(look)
    }

    /// Stores an entry. What had to leave for it, the old entry of the key included, is added to `left`.
    pub(super) fn insert(&self, stored: Stored<K>, entry: Entry<V>, left: &mut Left<K, V>) {
        let mut evicted = Evicted(Vec::new());
        let mut shard = self.write(stored.hash);
        let old = shard.remove(&Borrowed { hash: stored.hash, key: &stored.key });
        shard.insert_with_lifecycle(stored, entry, &mut evicted);
        drop(shard);
        left.add(old, RemovalCause::Replaced);
        left.add(evicted.0, RemovalCause::Size);
    }

    pub(super) fn remove<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<(Stored<K>, Entry<V>)>
    where
        K: Key<Q>,
    {
        self.write(hash).remove(&Borrowed { hash, key })
    }

    /// Removes an entry by its place, if it is still there.
    pub(super) fn remove_at(&self, place: Place) -> Option<(Stored<K>, Entry<V>)> {
        self.write(place.hash).remove(&place)
    }

    /// The same, if the entry is such that it should go.
    pub(super) fn remove_at_if(&self, place: Place, should_go: impl FnOnce(&Entry<V>) -> bool) -> Option<(Stored<K>, Entry<V>)> {
        self.write(place.hash).remove_if(&place, |entry| should_go(entry))
    }

    /// Takes all entries out.
    pub(super) fn drain(&self) -> Vec<(Stored<K>, Entry<V>)> {
        let mut drained = Vec::new();
        for shard in &self.shards {
            drained.extend(write(shard).drain());
        }
        drained
    }

    /// Looks at every entry, under the locks of the store.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Stored<K>, &Entry<V>)) {
        for shard in &self.shards {
            read(shard).iter().for_each(|(stored, entry)| look(stored, entry));
        }
    }

    /// The entries that expire: when, and where they are.
    pub(super) fn expiring(&self) -> Vec<(Moment, Place)> {
        let mut expiring = Vec::new();
        self.for_each(|stored, entry| {
            expiring.extend(Some(entry.end()).filter(|end| *end != Moment::NEVER).map(|end| (end, stored.place())));
        });
        expiring
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).len()).sum()
    }
}

/// The weights that were computed before the entries came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights;

impl<K, V> Weighter<Stored<K>, Entry<V>> for Weights {
    #[inline]
    fn weight(&self, stored: &Stored<K>, _: &Entry<V>) -> u64 {
        stored.weight
    }
}

/// A key on its way to be found.
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

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K> Equivalent<Stored<K>> for Place {
    fn equivalent(&self, stored: &Stored<K>) -> bool {
        self.serial == stored.serial
    }
}

impl<K> Hash for Stored<K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K: Eq> PartialEq for Stored<K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.key == other.key
    }
}

impl<K: Eq> Eq for Stored<K> {}

/// Passes on the hash that the key was looked up with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HashIsKnown;

#[derive(Debug, Default)]
pub(super) struct KnownHash(u64);

impl BuildHasher for HashIsKnown {
    type Hasher = KnownHash;

    #[inline]
    fn build_hasher(&self) -> KnownHash {
        KnownHash::default()
    }
}

impl Hasher for KnownHash {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only whole hashes are written")
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Collects what is evicted, so that it can be dropped outside of the lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collect;

pub(super) struct Evicted<K, V>(Vec<(Stored<K>, Entry<V>)>);

impl<K, V> Default for Evicted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Lifecycle<Stored<K>, Entry<V>> for Collect {
    type RequestState = Evicted<K, V>;

    fn on_evict(&self, evicted: &mut Evicted<K, V>, key: Stored<K>, entry: Entry<V>) {
        evicted.0.push((key, entry));
    }
}
