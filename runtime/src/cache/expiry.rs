//! When entries leave, so that they leave without being asked for again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::store::{Left, Place, Store};

/// How many expired entries one operation clears away at most: more than it can add, so that the backlog shrinks, and few enough that no
/// call pays for a burst of others.
const STEP: usize = 4;

/// The expiry times of a store, soonest first.
///
/// Entries that left in another way stay listed until their time comes, or until they are the majority: then the list is made anew.
#[derive(Debug)]
pub(super) struct Expiry {
    soonest_first: Mutex<BinaryHeap<Reverse<Due>>>,
    /// The first of them, as milliseconds after `epoch`: what a hit compares its time with, instead of taking the lock.
    soonest: AtomicU64,
    epoch: Instant,
}

const NONE: u64 = u64::MAX;

#[derive(Debug, PartialEq, Eq)]
struct Due {
    at: Instant,
    place: Place,
}

impl Expiry {
    pub(super) fn new() -> Self {
        Self { soonest_first: Mutex::default(), soonest: AtomicU64::new(NONE), epoch: Instant::now() }
    }

    /// Whether an entry has expired by `now`.
    #[inline]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let soonest = self.soonest.load(Ordering::Relaxed);
        soonest != NONE && self.millis(now) >= soonest
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_millis()).unwrap_or(NONE - 1)
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Due>>> {
        self.soonest_first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists an entry of `store`.
    pub(super) fn add<K: Eq, V: Clone>(&self, at: Instant, place: Place, store: &Store<K, V>) {
        let mut list = self.lock();
        list.push(Reverse(Due { at, place }));
        if list.len() > 2 * store.len() + 64 {
            *list = store.expiring().into_iter().map(|(at, place)| Reverse(Due { at, place })).collect();
        }
        self.publish(&list);
    }

    fn publish(&self, list: &BinaryHeap<Reverse<Due>>) {
        let soonest = list.peek().map_or(NONE, |Reverse(due)| self.millis(due.at));
        self.soonest.store(soonest, Ordering::Relaxed);
    }

    /// Clears away a few expired entries.
    pub(super) fn step<K: Eq, V: Clone>(&self, store: &Store<K, V>, now: Instant) -> Left<K, V> {
        self.clear_away(store, now, STEP)
    }

    /// Clears away every expired entry.
    pub(super) fn all<K: Eq, V: Clone>(&self, store: &Store<K, V>, now: Instant) -> Left<K, V> {
        self.clear_away(store, now, usize::MAX)
    }

    fn clear_away<K: Eq, V: Clone>(&self, store: &Store<K, V>, now: Instant, most: usize) -> Left<K, V> {
        let mut left = Vec::new();
        let mut list = self.lock();
        for _ in 0..most {
            match list.peek() {
                Some(Reverse(due)) if due.at <= now => left.extend(store.remove_at(due.place)),
                _ => break,
            }
            list.pop();
        }
        if list.capacity() > 4 * list.len() + 64 {
            let fit = 2 * list.len();
            list.shrink_to(fit);
        }
        self.publish(&list);
        left
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at).then_with(|| self.place.cmp(&other.place))
    }
}
