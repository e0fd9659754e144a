//! Removes expired entries without a further access to them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::EntryId;
use super::removal::{RemovalCause, Removed};
use super::table::Store;
use super::timestamp::Timestamp;
use crate::clock::Clock;

/// The number of expired entries that one operation removes at most: more than it can add, so that the backlog shrinks, and few
/// enough that no call pays for a burst of others.
const STEP: usize = 4;

/// The expiry times of a store, earliest first.
///
/// Entries removed for another reason stay listed until they would have expired, or until they are the majority: then the list is
/// rebuilt. An idle time moves with each access, and the list does not follow: the entry is checked when the listed time comes.
///
/// With paused clocks (in tests), an entry is removed only by the clock of its own runtime, since the clock of another test may be
/// far ahead.
#[derive(Debug)]
pub(crate) struct Expiry {
    /// Normally a single list.
    lists: Mutex<Vec<List>>,
    /// The earliest time of all lists, which a hit compares with the current time instead of taking the lock.
    soonest: AtomicU64,
}

#[derive(Debug)]
struct List {
    clock: Clock,
    soonest_first: BinaryHeap<Reverse<Due>>,
    /// The number of listed entries at which to check how many of them have been removed.
    compact_at: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Due {
    at: Timestamp,
    id: EntryId,
}

impl Expiry {
    pub(crate) fn new() -> Self {
        Self { lists: Mutex::default(), soonest: AtomicU64::new(Timestamp::NEVER.to_bits()) }
    }

    /// Whether an entry has expired by `now`.
    #[inline]
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        now.to_bits() >= self.soonest.load(Ordering::Relaxed)
    }

    /// Whether no entry is listed.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.soonest.load(Ordering::Relaxed) == Timestamp::NEVER.to_bits()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists an entry of `store`.
    pub(crate) fn add<K: Eq, V>(&self, at: Timestamp, id: EntryId, store: &Store<K, V>) {
        let clock = Clock::current();
        let mut lists = self.lock();
        let index = lists.iter().position(|list| list.clock == clock).unwrap_or_else(|| {
            lists.push(List { clock, soonest_first: BinaryHeap::new(), compact_at: 0 });
            lists.len() - 1
        });
        let alone = lists.len() == 1;
        let list = &mut lists[index];
        list.soonest_first.push(Reverse(Due { at, id }));
        if list.soonest_first.len() > list.compact_at {
            list.compact(store, alone);
        }
        self.publish(&lists);
    }

    fn publish(&self, lists: &[List]) {
        let soonest = lists.iter().filter_map(|list| list.soonest_first.peek()).map(|Reverse(due)| due.at).min();
        self.soonest.store(soonest.unwrap_or(Timestamp::NEVER).to_bits(), Ordering::Relaxed);
    }

    /// Removes a few expired entries.
    pub(crate) fn expire_some<K: Eq, V>(&self, store: &Store<K, V>, now: Timestamp) -> Removed<K, V> {
        self.expire(store, now, STEP)
    }

    /// Removes every expired entry.
    pub(crate) fn expire_all<K: Eq, V>(&self, store: &Store<K, V>, now: Timestamp) -> Removed<K, V> {
        self.expire(store, now, usize::MAX)
    }

    fn expire<K: Eq, V>(&self, store: &Store<K, V>, now: Timestamp, mut most: usize) -> Removed<K, V> {
        let clock = Clock::current();
        let mut removed = Removed::nothing_at(Some(now));
        let mut lists = self.lock();
        for list in lists.iter_mut().filter(|list| clock.agrees_with(list.clock)) {
            most -= list.expire(store, now, most, &mut removed);
        }
        if lists.len() > 1 {
            lists.retain(|list| !list.soonest_first.is_empty());
        }
        self.publish(&lists);
        removed
    }
}

impl List {
    /// Removes expired entries, checking at most `most` of them. Returns the number checked.
    fn expire<K: Eq, V>(&mut self, store: &Store<K, V>, now: Timestamp, most: usize, removed: &mut Removed<K, V>) -> usize {
        let list = &mut self.soonest_first;
        let mut looked_at = 0;
        while looked_at < most {
            match list.peek() {
                Some(Reverse(due)) if due.at <= now => {}
                _ => break,
            }
            let Some(Reverse(Due { id, .. })) = list.pop() else { break };
            looked_at += 1;
            let mut later = None;
            let expired = store.remove_at_if(id, |entry| {
                let end = entry.end();
                later = Some(end).filter(|end| *end > now);
                later.is_none()
            });
            removed.add(expired, RemovalCause::Expired);
            list.extend(later.map(|at| Reverse(Due { at, id })));
        }
        if list.capacity() > 4 * list.len() + 64 {
            let fit = 2 * list.len();
            list.shrink_to(fit);
        }
        self.compact_at = self.compact_at.min(2 * list.len() + 64);
        looked_at
    }

    /// Rebuilds the list if most of the listed entries have been removed: from all entries that expire if it is the only list,
    /// otherwise from those among them that it contains.
    fn compact<K: Eq, V>(&mut self, store: &Store<K, V>, alone: bool) {
        let most = 2 * store.len() + 64;
        if self.soonest_first.len() > most {
            let mut expiring = store.expiring();
            if !alone {
                let listed: HashSet<EntryId> = mem::take(&mut self.soonest_first).into_iter().map(|Reverse(due)| due.id).collect();
                expiring.retain(|(_, id)| listed.contains(id));
            }
            self.soonest_first = expiring.into_iter().map(|(at, id)| Reverse(Due { at, id })).collect();
        }
        self.compact_at = most;
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at).then_with(|| self.id.cmp(&other.id))
    }
}
