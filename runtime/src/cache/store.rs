//! The seam to the store: which entries are kept is `quick_cache`'s decision, and only this file knows it.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use quick_cache::sync::Cache as QuickCache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};

use super::clock::Moment;
use super::entry::Entry;
use super::key::Key;
use super::removal::{Left, RemovalCause};
use super::tags::Tags;

/// A bounded map from keys to entries, found by a hash that the caller has already computed.
pub(super) struct Store<K, V> {
    map: QuickCache<Stored<K>, Entry<V>, Weights, HashIsKnown, Collect>,
    /// `None`: no bound.
    capacity: Option<u64>,
    serials: AtomicU64,
}

/// A key with its hash, and a number that no other insertion has: by it an entry can be removed without the key. What a hit has no use for
/// stands here, and not in the entry, since a hit copies the entry.
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

impl<K: Eq, V: Clone> Store<K, V> {
    /// `capacity` entries at most, or entries that weigh no more together; `None` for no bound.
    pub(super) fn new(capacity: Option<usize>, weighted: bool) -> Self {
        let mut options = OptionsBuilder::new();
        match capacity {
            None => options.weight_capacity(u64::MAX / 2).estimated_items_capacity(4_096),
            // Undivided, so that whatever the whole can hold finds room.
            Some(capacity) if weighted => {
                options.shards(1).hot_allocation(1.0).weight_capacity(capacity as u64).estimated_items_capacity(capacity.min(4_096))
            }
            Some(capacity) => {
                let shards = shards(capacity);
                // Each shard would round its share up, and together they would hold more than the capacity.
                let divisible = capacity - capacity % shards;
                options.shards(shards).weight_capacity(divisible as u64).estimated_items_capacity(divisible)
            }
        };
        let options = options.build().expect("both capacities are set");
        let map = QuickCache::with_options(options, Weights, HashIsKnown, Collect);
        Self { map, capacity: capacity.map(|capacity| capacity as u64), serials: AtomicU64::new(0) }
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

    /// Stores an entry. What had to leave for it, the old entry of the key included, is added to `left`.
    pub(super) fn insert(&self, stored: Stored<K>, entry: Entry<V>, left: &mut Left<K, V>) {
        left.add(self.map.remove(&Borrowed { hash: stored.hash, key: &stored.key }), RemovalCause::Replaced);
        let mut evicted = Evicted(Vec::new());
        self.map.insert_with_lifecycle(stored, entry, &mut evicted);
        left.add(evicted.0, RemovalCause::Size);
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

    /// The same, if the entry is such that it should go.
    pub(super) fn remove_at_if(&self, place: Place, should_go: impl FnOnce(&Entry<V>) -> bool) -> Option<(Stored<K>, Entry<V>)> {
        self.map.remove_if(&place, |entry| should_go(entry))
    }

    /// Takes all entries out.
    pub(super) fn drain(&self) -> impl Iterator<Item = (Stored<K>, Entry<V>)> {
        self.map.drain()
    }

    /// Looks at every entry, under the locks of the store.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Stored<K>, &Entry<V>)) {
        let look = RefCell::new(&mut look);
        // The only walk over entries that clones none of them.
        self.map.retain(|stored, entry| {
            (look.borrow_mut())(stored, entry);
            true
        });
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
        self.map.len()
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
