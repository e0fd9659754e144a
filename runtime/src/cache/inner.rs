//! The state of a cache: the store, the expiry times, the tags, the computations, the counters.

use std::hash::{BuildHasher, Hash};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;

use super::flight::flights::{self, Flights};
use super::settings::{Settings, TtlOf};
use super::stats::{Count, Counters, Stats};
use super::store::entry::{Age, Cached, Entry, Idle};
use super::store::expiry::Expiry;
use super::store::lifetime::{Lifetime, Times};
use super::store::removal::{RemovalCause, Removed};
use super::store::table::Store;
use super::store::tag_index::TagIndex;
use super::store::tags::Tags;
use super::store::timestamp::Timestamp;
use crate::contain::catch;
use crate::key::Key;

/// The state of a cache. Running computations keep it alive.
pub(crate) struct Inner<K, V> {
    store: Store<K, V>,
    expiry: Expiry,
    tags: TagIndex,
    pub(super) flights: Flights<K, V>,
    /// The number of running computations, superseded ones included.
    pub(super) computing: AtomicUsize,
    pub(super) counters: Counters,
    /// Whether it has been reported that waiters cannot share an error.
    pub(super) unshared_reported: AtomicBool,
    /// Seeded randomly for each cache, so that a client cannot choose keys that collide.
    hasher: RandomState,
    pub(super) settings: Settings<K, V>,
}

/// An entry ready to be stored, computed before any lock is taken.
pub(super) struct NewEntry<V> {
    entry: Entry<V>,
    weight: u64,
    /// The current time, if the entry has a time limit.
    now: Option<Timestamp>,
}

impl<K: Hash + Eq, V: Clone> Inner<K, V> {
    pub(super) fn new(settings: Settings<K, V>) -> Self {
        Self {
            store: Store::new(settings.capacity, settings.weight.is_some()),
            expiry: Expiry::new(),
            tags: TagIndex::default(),
            flights: Flights::new(),
            computing: AtomicUsize::new(0),
            counters: Counters::new(),
            unshared_reported: AtomicBool::new(false),
            hasher: RandomState::default(),
            settings,
        }
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The hit path: marks the entry as used and returns what `restore` makes of it, if it may be served.
    #[inline]
    pub(super) fn hit<Q: ?Sized, T>(
        &self,
        hash: u64,
        key: &Q,
        revalidate: Option<Duration>,
        restore: impl FnOnce(&Cached<V>) -> Option<T>,
    ) -> Option<(T, Age)>
    where
        K: Key<Q>,
    {
        // Read outside of the store's lock, and only if an entry has a time limit.
        let now = if self.expiry.is_empty() { None } else { Some(self.tidy_now()) };
        let serve = |entry: &Entry<V>| {
            let age = entry.used(now, revalidate);
            if age == Age::Expired { None } else { restore(&entry.found).map(|out| (out, age)) }
        };
        self.store.get(hash, key, serve)
    }

    /// The age of the entry of a key, within the given window after its ttl.
    pub(super) fn age<Q: ?Sized>(&self, hash: u64, key: &Q, revalidate: Option<Duration>) -> Age
    where
        K: Key<Q>,
    {
        let now = Timestamp::now();
        self.store.peek(hash, key, |entry| Some(entry.age_within(now, revalidate))).unwrap_or(Age::Expired)
    }

    /// Returns the current time, and removes a few expired entries.
    #[inline]
    fn tidy_now(&self) -> Timestamp {
        let now = Timestamp::now();
        if self.expiry.is_due(now) {
            self.tidy(now);
        }
        now
    }

    /// Removes a few expired entries.
    #[cold]
    fn tidy(&self, now: Timestamp) {
        self.finish_removals(self.expiry.expire_some(&self.store, now));
    }

    /// Removes a few expired entries, if there are any.
    pub(super) fn tidy_if_due(&self) {
        if !self.expiry.is_empty() {
            self.tidy_now();
        }
    }

    /// The value of a key, if it is fresh.
    pub(super) fn peek<Q: Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Key<Q>,
    {
        self.peek_hashed(self.hash(key), key, Cached::value)
    }

    /// The value of a key, if it is fresh; counted as a hit or a miss.
    pub(super) fn get_counted<Q: Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Key<Q>,
    {
        let hit = self.hit(self.hash(key), key, None, Cached::value);
        self.counters.add(if hit.is_some() { Count::Hits } else { Count::Absent });
        hit.map(|(value, _)| value)
    }

    /// The old value of a key, if a call may still receive it: fresh, or within a window after its ttl.
    pub(super) fn previous(&self, hash: u64, key: &K) -> Option<V> {
        let now = Timestamp::now();
        self.store.peek(hash, key, |entry| Some(&entry.found).filter(|_| entry.age(now) != Age::Expired).and_then(Cached::value))
    }

    /// The fresh values of one shard of the store, and the number of shards.
    pub(super) fn fresh_in(&self, shard: usize) -> Vec<(K, V)>
    where
        K: Clone,
    {
        let (now, mut fresh) = (Timestamp::now(), Vec::new());
        self.store.for_each_in(shard, |stored, entry| {
            if entry.is_fresh(now)
                && let Some(value) = entry.found.value()
            {
                fresh.push((stored.key().clone(), value));
            }
        });
        fresh
    }

    pub(super) fn shards(&self) -> usize {
        self.store.shards()
    }

    /// What `restore` makes of an entry, if it is fresh.
    pub(super) fn peek_hashed<Q: ?Sized, T>(&self, hash: u64, key: &Q, restore: impl FnOnce(&Cached<V>) -> Option<T>) -> Option<T>
    where
        K: Key<Q>,
    {
        let serve =
            |entry: &Entry<V>| if entry.is_eternal() || entry.is_fresh(Timestamp::now()) { restore(&entry.found) } else { None };
        self.store.peek(hash, key, serve)
    }

    /// Whether there is an entry, expired or not.
    pub(super) fn has<Q: ?Sized>(&self, hash: u64, key: &Q) -> bool
    where
        K: Key<Q>,
    {
        self.store.peek(hash, key, |_| Some(())).is_some()
    }

    /// Whether there is a value that a call may still receive: fresh, or within a window after its ttl.
    pub(super) fn may_serve<Q: ?Sized>(&self, hash: u64, key: &Q) -> bool
    where
        K: Key<Q>,
    {
        let now = Timestamp::now();
        let is_kept = |entry: &Entry<V>| matches!(entry.found, Cached::Value(_)) && entry.age(now) != Age::Expired;
        self.store.peek(hash, key, |entry| is_kept(entry).then_some(())).is_some()
    }

    /// Records an access to the entry of a key without serving it.
    pub(super) fn touch<Q: ?Sized>(&self, hash: u64, key: &Q)
    where
        K: Key<Q>,
    {
        if !self.expiry.is_empty() {
            let now = Timestamp::now();
            self.store.peek(hash, key, |entry| {
                entry.used(Some(now), None);
                None::<()>
            });
        }
    }

    /// A value that may replace an error: fresh, or past its ttl by less than `window`. Counts as an access. Also returns whether
    /// the value is past its ttl.
    pub(super) fn stand_in<Q: ?Sized>(&self, hash: u64, key: &Q, window: Duration) -> Option<(V, bool)>
    where
        K: Key<Q>,
    {
        let now = Timestamp::now();
        let serve = |entry: &Entry<V>| match &entry.found {
            Cached::Value(value) => match entry.used(Some(now), Some(window)) {
                Age::Expired => None,
                age => Some((value.clone(), age == Age::Stale)),
            },
            Cached::Failure(_) => None,
        };
        self.store.peek(hash, key, serve)
    }

    /// Prepares a value for the store; a `None` may have its own ttl. Returns `None` if it must not be stored.
    pub(super) fn new_entry(&self, (hash, key): (u64, &K), value: &V, is_none: bool, lifetime: &Lifetime) -> Option<NewEntry<V>> {
        if lifetime.is_discarded() {
            return None;
        }
        let ttl_of = self.settings.ttl_of.filter(|_| lifetime.of_value().is_none());
        let lifetime = lifetime.or(self.settings.lifetime);
        let of_none = lifetime.of_none().filter(|_| is_none || self.settings.is_none.is_some_and(|is_none| is_none(value)));
        let lifetime = match (of_none, ttl_of) {
            // Neither jitter nor a stale window applies.
            (Some(ttl), _) => Lifetime::new().ttl(ttl),
            (None, Some(TtlOf::Value(ttl_of))) => lifetime.ttl(ttl_of(value)),
            (None, Some(TtlOf::Change(ttl_of))) => lifetime.ttl(ttl_of(value, self.previous(hash, key).as_ref())),
            (None, None) => lifetime,
        };
        if lifetime.of_value().is_some_and(|ttl| ttl.is_zero()) || lifetime.idle().is_some_and(|idle| idle.is_zero()) {
            return None;
        }
        let weight = self.settings.weight.as_ref().map_or(1, |weight| weight(key, value));
        if !self.store.holds(weight) {
            self.counters.add(Count::Oversized);
            return None;
        }
        // Without a time limit the clock is not read.
        let timed = lifetime.of_value().is_some() || lifetime.idle().is_some();
        let now = timed.then(Timestamp::now);
        let entry = if let Some(now) = now {
            let idle = lifetime.idle().map(|limit| Idle::new(limit, now));
            Entry::new(Cached::Value(value.clone()), lifetime.times(now), idle)
        } else {
            Entry::new(Cached::Value(value.clone()), Times::ETERNAL, None)
        };
        Some(NewEntry { entry, weight, now })
    }

    /// Prepares a failure for the store.
    pub(super) fn new_failure(&self, found: Cached<V>, ttl: Duration) -> Option<NewEntry<V>> {
        let now = Timestamp::now();
        let entry = Entry::new(found, Times::until(now.plus(ttl)), None);
        (!ttl.is_zero() && self.store.holds(1)).then_some(NewEntry { entry, weight: 1, now: Some(now) })
    }

    /// Stores an entry. The caller holds the flight lock of the key.
    pub(super) fn store(&self, hash: u64, key: K, tags: Tags, NewEntry { entry, weight, now }: NewEntry<V>) -> Removed<K, V> {
        let end = entry.end();
        let mut removed = Removed::nothing_at(now);
        let stored = self.store.prepare(hash, key, weight, tags);
        let id = stored.id();
        self.tags.list(stored.tags(), id);
        self.store.insert(stored, entry, &mut removed);
        if end != Timestamp::NEVER {
            self.expiry.add(end, id, &self.store);
        }
        removed
    }

    /// Removes the entry of a key. The caller holds the flight lock of the key.
    pub(super) fn remove<Q: ?Sized>(&self, hash: u64, key: &Q, cause: RemovalCause) -> Removed<K, V>
    where
        K: Key<Q>,
    {
        let mut removed = Removed::nothing();
        removed.add(self.store.remove(hash, key), cause);
        removed
    }

    /// Finishes removals: counts the entries, removes them from the tag index, notifies the listener and drops them. Must be called
    /// without a lock.
    pub(super) fn finish_removals(&self, removed: Removed<K, V>) {
        if removed.is_empty() {
            return;
        }
        for (stored, cause) in removed.iter() {
            self.tags.remove(stored.tags(), stored.id());
            match cause {
                RemovalCause::Size => self.counters.add(Count::Evictions),
                RemovalCause::Expired => self.counters.add(Count::Expirations),
                RemovalCause::Explicit | RemovalCause::Replaced => {}
            }
        }
        removed.notify(self.settings.on_evict.as_ref());
    }

    pub(super) fn insert(&self, key: K, value: &V, tags: Tags) {
        let hash = self.hash(&key);
        let new_entry = self.new_entry((hash, &key), value, false, &self.settings.by_hand());
        let mut shard = self.flights.lock(hash);
        let superseded = flights::supersede(&mut shard, hash, &key);
        let removed = match new_entry {
            Some(new_entry) => self.store(hash, key, tags, new_entry),
            None => self.remove(hash, &key, RemovalCause::Replaced),
        };
        drop(shard);
        drop(superseded);
        self.finish_removals(removed);
        self.tidy_if_due();
    }

    pub(super) fn invalidate<Q: Hash + ?Sized>(&self, key: &Q)
    where
        K: Key<Q>,
    {
        self.invalidate_and(key, |_| ());
    }

    /// Removes a value and returns it, if it is fresh.
    pub(super) fn take<Q: Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Key<Q>,
    {
        let now = Timestamp::now();
        self.invalidate_and(key, |removed| removed.entries().find(|entry| entry.is_fresh(now))?.found.value())
    }

    /// Removes the entry of a key, supersedes its computations, and returns what `look` makes of what was removed.
    fn invalidate_and<Q: Hash + ?Sized, T>(&self, key: &Q, look: impl FnOnce(&Removed<K, V>) -> T) -> T
    where
        K: Key<Q>,
    {
        let hash = self.hash(key);
        let mut shard = self.flights.lock(hash);
        let superseded = flights::supersede(&mut shard, hash, key);
        let removed = self.remove(hash, key, RemovalCause::Explicit);
        drop(shard);
        drop(superseded);
        let seen = catch(|| look(&removed));
        self.finish_removals(removed);
        self.tidy_if_due();
        seen.unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// Removes the entries for which `chosen` returns true. The value of a running computation is not known, so all computations
    /// are superseded; remembered failures have no value, so all of them are removed.
    pub(super) fn invalidate_if(&self, mut chosen: impl FnMut(&K, &V) -> bool) {
        let mut ids = Vec::new();
        let mut choose = |from: u64, to: u64| {
            self.store.for_each(|stored, entry| {
                let such = (from..to).contains(&stored.serial())
                    && match &entry.found {
                        Cached::Value(value) => chosen(stored.key(), value),
                        Cached::Failure(_) => true,
                    };
                if such {
                    ids.push(stored.id());
                }
            });
        };
        // Most entries are tested while computations complete and start. Entries stored in the meantime are tested under the locks.
        // The closure may panic; nothing has been removed at that point.
        let until = self.store.next_serial();
        choose(0, until);
        let mut shards = self.flights.lock_all();
        choose(until, u64::MAX);
        let superseded: Vec<_> = shards.iter_mut().map(|shard| flights::supersede_tagged(shard, &|_: &Tags| true)).collect();
        let mut removed = Removed::nothing();
        removed.add(ids.into_iter().filter_map(|id| self.store.remove_at(id)), RemovalCause::Explicit);
        drop(shards);
        drop(superseded);
        self.finish_removals(removed);
    }

    pub(super) fn invalidate_tag(&self, tag: &str) {
        let mut shards = self.flights.lock_all();
        let superseded: Vec<_> =
            shards.iter_mut().map(|shard| flights::supersede_tagged(shard, &|tags: &Tags| tags.contains(tag))).collect();
        let mut removed = Removed::nothing();
        removed.add(self.tags.ids(tag).into_iter().filter_map(|id| self.store.remove_at(id)), RemovalCause::Explicit);
        drop(shards);
        drop(superseded);
        self.finish_removals(removed);
    }

    pub(crate) fn clear(&self) {
        let mut shards = self.flights.lock_all();
        let superseded: Vec<_> = shards.iter_mut().map(|shard| flights::supersede_tagged(shard, &|_: &Tags| true)).collect();
        let mut removed = Removed::nothing();
        removed.add(self.store.drain(), RemovalCause::Explicit);
        drop(shards);
        drop(superseded);
        self.finish_removals(removed);
    }

    pub(crate) fn len(&self) -> usize {
        self.finish_removals(self.expiry.expire_all(&self.store, Timestamp::now()));
        self.store.len()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.store.memory()
    }

    #[cfg(test)]
    pub(super) fn tags_listed(&self) -> usize {
        self.tags.len()
    }
}

impl<K, V> Inner<K, V> {
    /// The number of running computations.
    pub(crate) fn computing(&self) -> usize {
        self.computing.load(Ordering::Relaxed)
    }
}
