//! The table of flights: the computations that have not completed.
//!
//! A flight is in the table from the first miss until it completes; nothing is kept afterwards. An invalidation removes it earlier:
//! its waiters are still served, but its result is not stored, and later callers start another.
//!
//! # Locks
//!
//! Taken in this order: a shard of the table (several only in the order of their index), a flight, the expiry list, a shard of the
//! store. The tag index is a leaf: no other lock is taken under it. User code that runs under a lock: `Eq` of keys, in the table and
//! in the store; `Clone` of stored values and errors; the closure of `invalidate_if`. Keys are hashed and cloned, weights and ttls
//! computed, listeners notified and values dropped without any lock.

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
    /// Unique within the process.
    pub(crate) id: u64,
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) call: Call,
    pub(crate) state: Mutex<State<V>>,
    pub(crate) changed: Notify,
}

/// What a computation knows of the call that started it.
#[derive(Clone)]
pub(crate) struct Call {
    /// The name of the type of a closure in the function: expansions do not pass the function's own, which only a report needs.
    pub(crate) closure: &'static str,
    pub(crate) tags: Tags,
    /// Whether callers may wait for it (`single_flight`).
    pub(crate) joinable: bool,
}

impl Call {
    /// The name of the function.
    pub(crate) fn function(&self) -> &'static str {
        enclosing_function(self.closure)
    }
}

pub(crate) struct State<V> {
    pub(crate) phase: Phase<V>,
    pub(crate) waiters: usize,
    /// When the current leader started.
    pub(crate) since: Instant,
    /// Whether it completed with a value past its ttl, in place of an error.
    pub(crate) completes_stale: bool,
    /// Orders the computations of the process by their start.
    order: u64,
}

pub(crate) enum Phase<V> {
    /// The leader is computing.
    Running,
    /// The leader is gone. The next waiter that is polled takes over.
    Abandoned,
    Completed(Cached<V>),
}

impl<K, V> Flight<K, V> {
    pub(crate) fn new(hash: u64, key: K, call: Call) -> Arc<Self> {
        let id = next_order();
        let state = State { phase: Phase::Running, waiters: 0, since: Instant::now(), completes_stale: false, order: id };
        Arc::new(Self { id, hash, key, call, state: Mutex::new(state), changed: Notify::new() })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A flight of the same key that is not in the table: no caller joins it, and its result is not stored.
    pub(crate) fn unlisted_copy(&self, key: K) -> Arc<Self> {
        Self::new(self.hash, key, Call { joinable: false, ..self.call.clone() })
    }
}

impl<V> State<V> {
    /// Makes the caller the leader.
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

/// The flights of a cache that have not completed.
pub(crate) struct Flights<K, V> {
    shards: [Mutex<Shard<K, V>>; SHARDS],
}

pub(crate) type Shard<K, V> = HashTable<Arc<Flight<K, V>>>;

const SHARDS: usize = 16;

/// An empty shard frees its memory if it once held more flights than this.
const KEPT_FLIGHTS: usize = 64;

impl<K, V> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(HashTable::new())) }
    }

    pub(crate) fn lock(&self, hash: u64) -> MutexGuard<'_, Shard<K, V>> {
        // The table uses the top bits as its tag and the lowest bits for the slot; bits 32 and up select the store's shard.
        let shard = usize::try_from((hash >> 24) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks all shards, always in the same order.
    pub(crate) fn lock_all(&self) -> Vec<MutexGuard<'_, Shard<K, V>>> {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock_all().iter().map(|shard| shard.len()).sum()
    }
}

/// Flights removed from the table. They must be dropped without a lock, since dropping a key runs user code.
pub(crate) type Superseded<K, V> = Vec<Arc<Flight<K, V>>>;

/// Removes every flight of `key` from the table, so that its result is not stored.
pub(crate) fn supersede<K: Key<Q>, V, Q: ?Sized>(shard: &mut Shard<K, V>, hash: u64, key: &Q) -> Superseded<K, V> {
    let mut superseded = Vec::new();
    while let Ok(found) = shard.find_entry(hash, |flight| flight.hash == hash && flight.key.matches(key)) {
        superseded.push(found.remove().0);
    }
    superseded
}

/// Removes the flights of the same key that started before `newer`.
pub(crate) fn supersede_older<K: Eq, V>(shard: &mut Shard<K, V>, newer: &Arc<Flight<K, V>>) -> Superseded<K, V> {
    let order = newer.lock().order;
    let is_older = |flight: &Arc<Flight<K, V>>| flight.hash == newer.hash && flight.key == newer.key && flight.lock().order < order;
    let mut superseded = Vec::new();
    while let Ok(found) = shard.find_entry(newer.hash, is_older) {
        superseded.push(found.remove().0);
    }
    superseded
}

/// Removes the flights whose tags match.
pub(crate) fn supersede_tagged<K, V>(shard: &mut Shard<K, V>, such: &impl Fn(&Tags) -> bool) -> Superseded<K, V> {
    shard.extract_if(|flight| such(&flight.call.tags)).collect()
}

/// Whether the flight has not been superseded.
pub(crate) fn is_current<K, V>(shard: &Shard<K, V>, flight: &Arc<Flight<K, V>>) -> bool {
    shard.find(flight.hash, |other| Arc::ptr_eq(other, flight)).is_some()
}

/// Removes one flight. Returns whether it was in the table.
pub(crate) fn remove<K, V>(shard: &mut Shard<K, V>, flight: &Arc<Flight<K, V>>) -> bool {
    let found = shard.find_entry(flight.hash, |other| Arc::ptr_eq(other, flight));
    let current = found.map(|found| drop(found.remove())).is_ok();
    if shard.is_empty() && shard.capacity() > KEPT_FLIGHTS {
        shard.shrink_to(0, |flight| flight.hash);
    }
    current
}

/// Whether callers of `key` would join a flight. A caller that would start one makes its key without a lock and checks again.
pub(crate) fn has_flight<K: Key<Q>, V, Q: ?Sized>(shard: &Shard<K, V>, hash: u64, key: &Q) -> bool {
    find(shard, hash, key).is_some()
}

/// The flight of `key` that callers may join.
pub(super) fn find<'s, K: Key<Q>, V, Q: ?Sized>(shard: &'s Shard<K, V>, hash: u64, key: &Q) -> Option<&'s Arc<Flight<K, V>>> {
    shard.find(hash, |flight| flight.call.joinable && flight.hash == hash && flight.key.matches(key))
}

/// Starts a flight of `key`.
pub(super) fn begin<K, V>(shard: &mut Shard<K, V>, hash: u64, key: K, call: Call) -> Arc<Flight<K, V>> {
    let flight = Flight::new(hash, key, call);
    shard.insert_unique(hash, Arc::clone(&flight), |flight| flight.hash);
    flight
}

/// The function in which a closure is written, by the name of the closure's type. `shop::load<u64>::{{closure}}`: `load`.
fn enclosing_function(closure: &'static str) -> &'static str {
    let mut path = closure;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    let (mut depth, mut start, mut end) = (0_usize, 0, path.len());
    for (at, character) in path.char_indices() {
        match character {
            '<' => {
                depth += 1;
                if depth == 1 {
                    end = at;
                }
            }
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => (start, end) = (at + 1, path.len()),
            _ => {}
        }
    }
    if start < end { &path[start..end] } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_by_a_closure_in_it() {
        for (closure, function) in [
            ("shop::load::{{closure}}::{{closure}}", "load"),
            ("shop::load<alloc::string::String>::{{closure}}", "load"),
            ("<shop::Client<u64> as shop::Load>::load::{{closure}}", "load"),
            ("shop::<impl shop::Client>::load::{{closure}}", "load"),
            ("load", "load"),
            ("", ""),
        ] {
            assert_eq!(enclosing_function(closure), function, "{closure}");
        }
    }
}
