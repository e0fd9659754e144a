//! What a cache consists of: the store, the expiry times, the flights, the counters.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use tokio::time::Instant;

use super::Settings;
use super::call::Mode;
use super::entry::{Entry, Found};
use super::expiry::Expiry;
use super::flight::{self, Flights, Turn};
use super::key::Key;
use super::stats::{Counters, Stats};
use super::store::{Left, Store};

/// The inside of a cache, which the callers that compute keep alive.
pub(crate) struct Shared<K, V> {
    store: Store<K, V>,
    expiry: Expiry,
    pub(super) flights: Flights<K, V>,
    pub(super) counters: Counters,
    /// Seeded at random for each process: nobody outside can choose keys that collide.
    hasher: RandomState,
    ttl: Option<Duration>,
}

impl<K: Hash + Eq, V: Clone> Shared<K, V> {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            store: Store::new(settings.capacity),
            expiry: Expiry::new(),
            flights: Flights::new(),
            counters: Counters::default(),
            hasher: RandomState::default(),
            ttl: settings.ttl,
        }
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    /// A fresh entry, marked as used. The way of a hit.
    #[inline]
    pub(super) fn hit<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<Found<V>>
    where
        K: Key<Q>,
    {
        let entry = self.store.get(hash, key)?;
        if let Some(expires) = entry.expires {
            let now = Instant::now();
            if self.expiry.is_due(now) {
                self.tidy(now);
            }
            if now >= expires {
                return None;
            }
        }
        Some(entry.found)
    }

    /// Clears a few expired entries away.
    #[cold]
    fn tidy(&self, now: Instant) {
        let left = self.expiry.step(&self.store, now);
        self.counters.expirations.add(left.len() as u64);
    }

    pub(super) fn peek<Q: Hash + ?Sized>(&self, key: &Q) -> Option<Found<V>>
    where
        K: Key<Q>,
    {
        self.peek_hashed(self.hash(key), key)
    }

    fn peek_hashed<Q: ?Sized>(&self, hash: u64, key: &Q) -> Option<Found<V>>
    where
        K: Key<Q>,
    {
        self.store.peek(hash, key).filter(Entry::is_fresh).map(|entry| entry.found)
    }

    /// Stores an entry. What left the store for it is for the caller to drop, when it holds no lock.
    pub(super) fn store(&self, hash: u64, key: K, entry: Entry<V>) -> Left<K, V> {
        let expires = entry.expires;
        let mut left = Vec::new();
        let (place, evictions) = self.store.insert(hash, key, entry, &mut left);
        self.counters.evictions.add(evictions as u64);
        if let Some(at) = expires {
            self.expiry.add(at, place, &self.store);
        }
        left
    }

    pub(super) fn insert(&self, key: K, value: V) {
        let hash = self.hash(&key);
        let entry = Entry::new(Found::Value(value), self.ttl);
        let mut shard = self.flights.lock(hash);
        let superseded = flight::supersede(&mut shard, hash, &key);
        let left = self.store(hash, key, entry);
        drop(shard);
        drop((superseded, left));
    }

    pub(super) fn invalidate<Q: Hash + ?Sized>(&self, key: &Q)
    where
        K: Key<Q>,
    {
        let hash = self.hash(key);
        let mut shard = self.flights.lock(hash);
        let superseded = flight::supersede(&mut shard, hash, key);
        let left = self.store.remove(hash, key);
        drop(shard);
        drop((superseded, left));
    }

    pub(super) fn clear(&self) {
        let mut shards = self.flights.lock_all();
        let superseded: Vec<_> = shards.iter_mut().flat_map(|shard| shard.drain().collect::<Vec<_>>()).collect();
        let left = self.store.drain();
        drop(shards);
        drop((superseded, left));
    }

    pub(super) fn len(&self) -> usize {
        let left = self.expiry.all(&self.store, Instant::now());
        self.counters.expirations.add(left.len() as u64);
        self.store.len()
    }

    pub(super) fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// What a caller finds or does that did not hit at first.
    #[cold]
    pub(super) fn miss<Q: ?Sized, R>(
        self: &Arc<Self>,
        (hash, key): (u64, &Q),
        owned: impl FnOnce() -> K,
        restore: impl FnOnce(Found<V>) -> Option<R>,
        mode: Mode,
    ) -> Miss<R, K, V>
    where
        K: Key<Q>,
    {
        let now = Instant::now();
        if self.expiry.is_due(now) {
            self.tidy(now);
        }
        let mut shard = self.flights.lock(hash);
        let superseded = if mode.refresh {
            flight::supersede(&mut shard, hash, key)
        } else if let Some(out) = self.peek_hashed(hash, key).and_then(restore) {
            // Stored by a flight that landed since the look at the store.
            return Miss::Found(out);
        } else {
            Vec::new()
        };
        let turn = flight::join(self, &mut shard, (hash, key), owned, mode.single_flight);
        drop(shard);
        drop(superseded);
        turn.map_or(Miss::Recursion, Miss::Turn)
    }
}

/// What [`Shared::miss`] comes to.
pub(super) enum Miss<R, K, V> {
    Found(R),
    Turn(Turn<K, V>),
    Recursion,
}
