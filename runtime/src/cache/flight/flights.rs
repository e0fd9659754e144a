//! Flights: the computations that have not landed.
//!
//! A flight is in the table from the first miss to its landing, and nothing is kept afterwards. An invalidation takes it out earlier:
//! those who wait are still served, but what it brings is not stored, and whoever comes later begins another.
//!
//! Locks are taken in this order: a shard of the table, then a flight, then the store. User code under them: `Eq` of keys, in the table and
//! in the store; `Clone` of values and errors, where they are kept; the closure of `invalidate_if`. Keys are hashed and cloned, weights and
//! ttls are computed, listeners are told and everything is dropped under none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::cache::store::entry::Cached;
use crate::cache::store::tags::Tags;
use crate::key::Key;

/// One computation of one key.
pub(crate) struct Flight<K, V> {
    /// No other flight of the process has it.
    pub(crate) id: u64,
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) tags: Tags,
    /// Whether callers may wait for it (`single_flight`).
    pub(crate) joinable: bool,
    pub(crate) state: Mutex<State<V>>,
    pub(crate) changed: Notify,
}

pub(crate) struct State<V> {
    pub(crate) phase: Phase<V>,
    pub(crate) waiters: usize,
    /// When the one who computes began.
    pub(crate) since: Instant,
    /// Whether it lands with a value past its ttl, in the place of an error.
    pub(crate) completes_stale: bool,
    /// Which computations of the process began before that, and which after.
    order: u64,
}

pub(crate) enum Phase<V> {
    /// Somebody computes.
    Running,
    /// Nobody computes, and the next waiter to look takes over.
    Abandoned,
    Completed(Cached<V>),
}

impl<K, V> Flight<K, V> {
    pub(crate) fn new(hash: u64, key: K, tags: Tags, joinable: bool) -> Arc<Self> {
        let id = next_order();
        let state = State { phase: Phase::Running, waiters: 0, since: Instant::now(), completes_stale: false, order: id };
        Arc::new(Self { id, hash, key, tags, joinable, state: Mutex::new(state), changed: Notify::new() })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A flight of the same key, which is in no table: nobody joins it, and what it brings is not stored.
    pub(crate) fn unlisted_copy(&self, key: K) -> Arc<Self> {
        Self::new(self.hash, key, self.tags.clone(), false)
    }
}

impl<V> State<V> {
    /// Makes the caller the one who computes.
    pub(crate) fn take_over(&mut self) {
        self.phase = Phase::Running;
        self.since = Instant::now();
        self.order = next_order();
    }
}

fn next_order() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The flights of a cache that have not landed.
pub(crate) struct Flights<K, V> {
    shards: [Mutex<Shard<K, V>>; SHARDS],
}

pub(crate) type Shard<K, V> = HashTable<Arc<Flight<K, V>>>;

const SHARDS: usize = 16;

/// A shard that is empty gives its memory back when it once held more than this.
const KEPT_FLIGHTS: usize = 64;

impl<K, V> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(HashTable::new())) }
    }

    pub(crate) fn lock(&self, hash: u64) -> MutexGuard<'_, Shard<K, V>> {
        // The top bits are the tag in a table, and the lowest choose the slot; those from the 32nd on choose the store's shard.
        let shard = usize::try_from((hash >> 24) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All shards, in one order for everybody.
    pub(crate) fn lock_all(&self) -> Vec<MutexGuard<'_, Shard<K, V>>> {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock_all().iter().map(|shard| shard.len()).sum()
    }
}

/// Flights that were taken out of the table. They are dropped under no lock: the keys in them are the user's.
pub(crate) type Superseded<K, V> = Vec<Arc<Flight<K, V>>>;

/// Takes every flight of `key` out of the table: what it brings will not be stored.
pub(crate) fn supersede<K: Key<Q>, V, Q: ?Sized>(shard: &mut Shard<K, V>, hash: u64, key: &Q) -> Superseded<K, V> {
    let mut superseded = Vec::new();
    while let Ok(found) = shard.find_entry(hash, |flight| flight.hash == hash && flight.key.matches(key)) {
        superseded.push(found.remove().0);
    }
    superseded
}

/// The same with those flights of the key of `newer` that began before it.
pub(crate) fn supersede_older<K: Eq, V>(shard: &mut Shard<K, V>, newer: &Arc<Flight<K, V>>) -> Superseded<K, V> {
    let order = newer.lock().order;
    let is_older = |flight: &Arc<Flight<K, V>>| flight.hash == newer.hash && flight.key == newer.key && flight.lock().order < order;
    let mut superseded = Vec::new();
    while let Ok(found) = shard.find_entry(newer.hash, is_older) {
        superseded.push(found.remove().0);
    }
    superseded
}

/// The same with the flights whose tags are such.
pub(crate) fn supersede_tagged<K, V>(shard: &mut Shard<K, V>, such: &impl Fn(&Tags) -> bool) -> Superseded<K, V> {
    shard.extract_if(|flight| such(&flight.tags)).collect()
}

/// Whether nothing has superseded the flight.
pub(crate) fn is_current<K, V>(shard: &Shard<K, V>, flight: &Arc<Flight<K, V>>) -> bool {
    shard.find(flight.hash, |other| Arc::ptr_eq(other, flight)).is_some()
}

/// Takes one flight out. Whether it was there.
pub(crate) fn remove<K, V>(shard: &mut Shard<K, V>, flight: &Arc<Flight<K, V>>) -> bool {
    let found = shard.find_entry(flight.hash, |other| Arc::ptr_eq(other, flight));
    let current = found.map(|found| drop(found.remove())).is_ok();
    if shard.is_empty() && shard.capacity() > KEPT_FLIGHTS {
        shard.shrink_to(0, |flight| flight.hash);
    }
    current
}

/// Whether callers of `key` would join a flight. Whoever would begin one makes the key for it under no lock, and looks again.
pub(crate) fn has_flight<K: Key<Q>, V, Q: ?Sized>(shard: &Shard<K, V>, hash: u64, key: &Q) -> bool {
    find(shard, hash, key).is_some()
}

/// The flight of `key` that callers may join.
pub(super) fn find<'s, K: Key<Q>, V, Q: ?Sized>(shard: &'s Shard<K, V>, hash: u64, key: &Q) -> Option<&'s Arc<Flight<K, V>>> {
    shard.find(hash, |flight| flight.joinable && flight.hash == hash && flight.key.matches(key))
}

/// Begins a flight of `key`.
pub(super) fn begin<K, V>(shard: &mut Shard<K, V>, hash: u64, key: K, tags: Tags, joinable: bool) -> Arc<Flight<K, V>> {
    let flight = Flight::new(hash, key, tags, joinable);
    shard.insert_unique(hash, Arc::clone(&flight), |flight| flight.hash);
    flight
}
