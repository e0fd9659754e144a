//! When entries leave, so that they leave without being asked for again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::Moment;
use super::removal::{Left, RemovalCause};
use super::store::{Place, Store};

/// How many expired entries one operation clears away at most: more than it can add, so that the backlog shrinks, and few enough that no
/// call pays for a burst of others.
const STEP: usize = 4;

/// The expiry times of a store, soonest first.
///
/// Entries that left in another way stay listed until their time comes, or until they are the majority: then the list is made anew. An
/// idle time moves with each look at the entry, and the list does not: it is looked up when the listed time comes.
#[derive(Debug)]
pub(super) struct Expiry {
    list: Mutex<List>,
    /// The first of them: what a hit compares its time with, instead of taking the lock.
    soonest: AtomicU64,
}

#[derive(Debug, Default)]
struct List {
    soonest_first: BinaryHeap<Reverse<Due>>,
    /// With so many listed it is worth a look how many of them have left.
    look_at: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Due {
    at: Moment,
    place: Place,
}

impl Expiry {
    pub(super) fn new() -> Self {
        Self { list: Mutex::default(), soonest: AtomicU64::new(Moment::NEVER.to_bits()) }
    }

    /// Whether an entry has expired by `now`.
    #[inline]
    pub(super) fn is_due(&self, now: Moment) -> bool {
        now.to_bits() >= self.soonest.load(Ordering::Relaxed)
    }

    /// Whether any entry is listed.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.soonest.load(Ordering::Relaxed) == Moment::NEVER.to_bits()
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists an entry of `store`.
    pub(super) fn add<K: Eq, V>(&self, at: Moment, place: Place, store: &Store<K, V>) {
        let mut list = self.lock();
        list.soonest_first.push(Reverse(Due { at, place }));
        if list.soonest_first.len() > list.look_at {
            list.look(store);
        }
        self.publish(&list.soonest_first);
    }

    fn publish(&self, list: &BinaryHeap<Reverse<Due>>) {
        let soonest = list.peek().map_or(Moment::NEVER, |Reverse(due)| due.at);
        self.soonest.store(soonest.to_bits(), Ordering::Relaxed);
    }

    /// Clears away a few expired entries.
    pub(super) fn step<K: Eq, V>(&self, store: &Store<K, V>, now: Moment) -> Left<K, V> {
        self.clear_away(store, now, STEP)
    }

    /// Clears away every expired entry.
    pub(super) fn all<K: Eq, V>(&self, store: &Store<K, V>, now: Moment) -> Left<K, V> {
        self.clear_away(store, now, usize::MAX)
    }

    fn clear_away<K: Eq, V>(&self, store: &Store<K, V>, now: Moment, most: usize) -> Left<K, V> {
        let mut left = Left::nothing();
        let mut locked = self.lock();
        let list = &mut locked.soonest_first;
        for _ in 0..most {
            match list.peek() {
                Some(Reverse(due)) if due.at <= now => {}
                _ => break,
            }
            let Some(Reverse(Due { place, .. })) = list.pop() else { break };
            let mut later = None;
            let removed = store.remove_at_if(place, |entry| {
                let end = entry.end();
                later = Some(end).filter(|end| *end > now);
                later.is_none()
            });
            left.add(removed, RemovalCause::Expired);
            list.extend(later.map(|at| Reverse(Due { at, place })));
        }
        if list.capacity() > 4 * list.len() + 64 {
            let fit = 2 * list.len();
            list.shrink_to(fit);
        }
        self.publish(list);
        let most = 2 * list.len() + 64;
        locked.look_at = locked.look_at.min(most);
        left
    }
}

impl List {
    /// Makes the list anew, where most of those who are listed have left.
    fn look<K: Eq, V>(&mut self, store: &Store<K, V>) {
        let most = 2 * store.len() + 64;
        if self.soonest_first.len() > most {
            self.soonest_first = store.expiring().into_iter().map(|(at, place)| Reverse(Due { at, place })).collect();
        }
        self.look_at = most;
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
