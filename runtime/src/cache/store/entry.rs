//! The entries of the store.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::lifetime::Times;
use super::tags::Tags;
use super::timestamp::Timestamp;

/// A stored or shared failure: the error of a `Result`, or a marker for `None`. Type-erased, since the type of a cache names only
/// its values, and functions with different error types may share it.
pub(crate) type Failure = Arc<dyn Any + Send + Sync>;

/// The result of a computation.
#[derive(Debug)]
pub enum Cached<V> {
    Value(V),
    Failure(Failure),
}

impl<V: Clone> Cached<V> {
    /// The value, unless it is a failure.
    pub(crate) fn value(&self) -> Option<V> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Failure(_) => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Entry<V> {
    pub(crate) found: Cached<V>,
    /// Until then a hit needs no further checks; START if `tti` must be updated on every hit.
    check_after: Timestamp,
    pub(crate) times: Times,
    /// Set if the entry has a `tti`.
    idle: Option<Idle>,
}

/// The age of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    Fresh,
    /// Fresh, but due for a refresh.
    RefreshDue,
    /// Past its ttl, within a stale window.
    Stale,
    Expired,
}

impl<V> Entry<V> {
    pub(crate) fn new(found: Cached<V>, times: Times, idle: Option<Idle>) -> Self {
        let check_after = if idle.is_some() { Timestamp::START } else { times.refresh.min(times.fresh).min(times.keep) };
        Self { found, check_after, times, idle }
    }

    /// Whether no time limit applies, so that the clock need not be read.
    #[inline]
    pub(crate) fn is_eternal(&self) -> bool {
        self.check_after == Timestamp::NEVER
    }

    pub(crate) fn age(&self, now: Timestamp) -> Age {
        if now >= self.end() {
            Age::Expired
        } else if now >= self.times.fresh {
            Age::Stale
        } else if now >= self.times.refresh {
            Age::RefreshDue
        } else {
            Age::Fresh
        }
    }

    /// Like [`age`](Self::age), for a caller that accepts stale values within `window`, or not at all.
    pub(crate) fn age_within(&self, now: Timestamp, window: Option<Duration>) -> Age {
        match self.age(now) {
            Age::Stale if window.is_none_or(|window| now >= self.times.fresh.plus(window)) => Age::Expired,
            age => age,
        }
    }

    /// The age, for a call that is about to receive the entry; counts as an access. `now` is `None` if the caller knew of no entry
    /// with a time limit; this one may be the first.
    #[inline]
    pub(crate) fn used(&self, now: Option<Timestamp>, window: Option<Duration>) -> Age {
        match now {
            _ if self.is_eternal() => Age::Fresh,
            Some(now) if now < self.check_after => Age::Fresh,
            _ => self.used_late(now, window),
        }
    }

    // Out of line, to keep the common path short.
    #[inline(never)]
    fn used_late(&self, now: Option<Timestamp>, window: Option<Duration>) -> Age {
        let now = now.unwrap_or_else(Timestamp::now);
        let age = self.age_within(now, window);
        // Counts as an access even if this call may not receive the value: it may replace an error of this call.
        if let Some(idle) = self.idle.as_ref().filter(|_| self.age(now) != Age::Expired) {
            idle.touch(now);
        }
        age
    }

    /// When the entry expires.
    pub(crate) fn end(&self) -> Timestamp {
        self.idle.as_ref().map_or(self.times.keep, |idle| idle.end().min(self.times.keep))
    }

    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        matches!(self.age(now), Age::Fresh | Age::RefreshDue)
    }
}

/// The time of the last access.
#[derive(Debug)]
pub(crate) struct Idle {
    limit: Duration,
    last: AtomicU64,
}

impl Idle {
    pub(crate) fn new(limit: Duration, now: Timestamp) -> Self {
        Self { limit, last: AtomicU64::new(now.to_bits()) }
    }

    #[inline]
    pub(crate) fn touch(&self, now: Timestamp) {
        self.last.fetch_max(now.to_bits(), Ordering::Relaxed);
    }

    fn end(&self) -> Timestamp {
        Timestamp::from_bits(self.last.load(Ordering::Relaxed)).plus(self.limit)
    }
}

/// A key with its hash and a serial number that is unique to the insertion, by which an entry can be removed without its key.
/// Whatever a hit does not need is stored here rather than in the entry.
pub(crate) struct Stored<K> {
    pub(super) hash: u64,
    pub(super) serial: u64,
    pub(super) weight: u64,
    pub(super) tags: Tags,
    pub(super) key: K,
}

impl<K> Stored<K> {
    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    pub(crate) fn tags(&self) -> &Tags {
        &self.tags
    }

    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn id(&self) -> EntryId {
        EntryId { hash: self.hash, serial: self.serial }
    }
}

/// The location of an entry, without its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryId {
    pub(super) hash: u64,
    pub(super) serial: u64,
}

impl Hash for EntryId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
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
