//! The seam to the store: which entries are kept is `quick_cache`'s decision, and only this file knows it.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use quick_cache::sync::Cache as QuickCache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, UnitWeighter};
use tokio::time::Instant;

use super::entry::Entry;
use super::key::Key;

/// A bounded map from keys to entries, found by a hash that the caller has already computed.
pub(super) struct Store<K, V> {
    map: QuickCache<Stored<K>, Entry<V>, UnitWeighter, HashIsKnown, Collect>,
    serials: AtomicU64,
}

/// A key with its hash, and a number that no other insertion has: by it an entry can be removed without the key.
pub(super) struct Stored<K> {
    hash: u64,
    serial: u64,
    key: K,
}

/// Where an entry is, without its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    hash: u64,
    serial: u64,
}

/// Entries that left the store. They are dropped by whoever holds this, when it holds no lock: their destructors are the user's code.
pub(super) type Left<K, V> = Vec<(Stored<K>, Entry<V>)>;

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

impl<K: Eq, V: Clone> Store<K, V> {
    /// `capacity` entries at most; `None` for no bound.
    pub(super) fn new(capacity: Option<usize>) -> Self {
        let mut options = OptionsBuilder::new();
        match capacity {
            None => options.weight_capacity(u64::MAX / 2).estimated_items_capacity(4_096),
            Some(capacity) => {
                let shards = shards(capacity);
                // Each shard would round its share up, and together they would hold more than the capacity.
                let divisible = capacity - capacity % shards;
                options.shards(shards).weight_capacity(divisible as u64).estimated_items_capacity(divisible)
            }
        };
        let options = options.build().expect("both capacities are set");
        Self { map: QuickCache::with_options(options, UnitWeighter, HashIsKnown, Collect), serials: AtomicU64::new(0) }
    }

    /// The entry, marked as used.
    #[inline]
    pub(super) fn get<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<Entry<V>>
    where
        K: Key<Q>,
    {
        self.map.get(&Borrowed { hash, key })
    }

    /// The entry, left as it is.
    pub(super) fn peek<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<Entry<V>>
    where
        K: Key<Q>,
    {
        self.map.peek(&Borrowed { hash, key })
    }

    /// Stores an entry. What had to leave for it, the old entry of the key included, is appended to `left`; the number of those that
    /// left only to make room is returned, with the place of the new entry.
    pub(super) fn insert(&self, hash: u64, key: K, entry: Entry<V>, left: &mut Left<K, V>) -> (Place, usize) {
        left.extend(self.map.remove(&Borrowed { hash, key: &key }));
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let mut evicted = Evicted(Vec::new());
        self.map.insert_with_lifecycle(Stored { hash, serial, key }, entry, &mut evicted);
        let evictions = evicted.0.len();
        left.append(&mut evicted.0);
        (Place { hash, serial }, evictions)
    }

    pub(super) fn remove<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<(Stored<K>, Entry<V>)>
    where
        K: Key<Q>,
    {
        self.map.remove(&Borrowed { hash, key })
    }

    /// Removes an entry by its place, if it is still there.
    pub(super) fn remove_at(&self, place: Place) -> Option<(Stored<K>, Entry<V>)> {
        self.map.remove(&place)
    }

    /// Takes all entries out.
    pub(super) fn drain(&self) -> Left<K, V> {
        self.map.drain().collect()
    }

    /// The entries that expire: when, and where they are.
    pub(super) fn expiring(&self) -> Vec<(Instant, Place)> {
        let expiring = RefCell::new(Vec::new());
        // The only walk over entries that clones none of them.
        self.map.retain(|stored, entry| {
            let place = Place { hash: stored.hash, serial: stored.serial };
            expiring.borrow_mut().extend(entry.expires.map(|at| (at, place)));
            true
        });
        expiring.into_inner()
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
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

pub(super) struct Evicted<K, V>(Left<K, V>);

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
