//! When entries leave, so that they leave without being asked for again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::Place;
use super::removal::{Left, RemovalCause};
use super::table::Store;
use super::timestamp::Moment;
use crate::clock::Clock;

/// How many expired entries one operation clears away at most: more than it can add, so that the backlog shrinks, and few enough that no
/// call pays for a burst of others.
const STEP: usize = 4;

/// The expiry times of a store, soonest first.
///
/// Entries that left in another way stay listed until their time comes, or until they are the majority: then the list is made anew. An
/// idle time moves with each look at the entry, and the list does not: it is looked up when the listed time comes.
///
/// Where clocks are paused (in tests), an entry is cleared away by the clock of its own runtime only: that of another test may be far ahead.
#[derive(Debug)]
pub(crate) struct Expiry {
    /// One, as a rule.
    lists: Mutex<Vec<List>>,
    /// The first of them: what a hit compares its time with, instead of taking the lock.
    soonest: AtomicU64,
}

#[derive(Debug)]
struct List {
    clock: Clock,
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
    pub(crate) fn new() -> Self {
        Self { lists: Mutex::default(), soonest: AtomicU64::new(Moment::NEVER.to_bits()) }
    }

    /// Whether an entry has expired by `now`.
    #[inline]
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        now.to_bits() >= self.soonest.load(Ordering::Relaxed)
    }

    /// Whether any entry is listed.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.soonest.load(Ordering::Relaxed) == Moment::NEVER.to_bits()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists an entry of `store`.
    pub(crate) fn add<K: Eq, V>(&self, at: Moment, place: Place, store: &Store<K, V>) {
        let clock = Clock::current();
        let mut lists = self.lock();
        let index = lists.iter().position(|list| list.clock == clock).unwrap_or_else(|| {
            lists.push(List { clock, soonest_first: BinaryHeap::new(), look_at: 0 });
            lists.len() - 1
        });
        let alone = lists.len() == 1;
        let list = &mut lists[index];
        list.soonest_first.push(Reverse(Due { at, place }));
        if list.soonest_first.len() > list.look_at {
            list.look(store, alone);
        }
        self.publish(&lists);
    }

    fn publish(&self, lists: &[List]) {
        let soonest = lists.iter().filter_map(|list| list.soonest_first.peek()).map(|Reverse(due)| due.at).min();
        self.soonest.store(soonest.unwrap_or(Moment::NEVER).to_bits(), Ordering::Relaxed);
    }

    /// Clears away a few expired entries.
    pub(crate) fn step<K: Eq, V>(&self, store: &Store<K, V>, now: Moment) -> Left<K, V> {
        self.clear_away(store, now, STEP)
    }

    /// Clears away every expired entry.
    pub(crate) fn all<K: Eq, V>(&self, store: &Store<K, V>, now: Moment) -> Left<K, V> {
        self.clear_away(store, now, usize::MAX)
    }

    fn clear_away<K: Eq, V>(&self, store: &Store<K, V>, now: Moment, mut most: usize) -> Left<K, V> {
        let clock = Clock::current();
        let mut left = Left::nothing_at(Some(now));
        let mut lists = self.lock();
        for list in lists.iter_mut().filter(|list| clock.agrees_with(list.clock)) {
            most -= list.clear_away(store, now, most, &mut left);
        }
        if lists.len() > 1 {
            lists.retain(|list| !list.soonest_first.is_empty());
        }
        self.publish(&lists);
        left
    }
}

impl List {
    /// Clears away as many expired entries as `most`. How many it looked at.
    fn clear_away<K: Eq, V>(&mut self, store: &Store<K, V>, now: Moment, most: usize, left: &mut Left<K, V>) -> usize {
        let list = &mut self.soonest_first;
        let mut looked_at = 0;
        while looked_at < most {
            match list.peek() {
                Some(Reverse(due)) if due.at <= now => {}
                _ => break,
            }
            let Some(Reverse(Due { place, .. })) = list.pop() else { break };
            looked_at += 1;
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
        self.look_at = self.look_at.min(2 * list.len() + 64);
        looked_at
    }

    /// Makes the list anew, where most of those who are listed have left: of all that expire if it is the only one, else of those among them
    /// that are in it.
    fn look<K: Eq, V>(&mut self, store: &Store<K, V>, alone: bool) {
        let most = 2 * store.len() + 64;
        if self.soonest_first.len() > most {
            let mut expiring = store.expiring();
            if !alone {
                let listed: HashSet<Place> = mem::take(&mut self.soonest_first).into_iter().map(|Reverse(due)| due.place).collect();
                expiring.retain(|(_, place)| listed.contains(place));
            }
            self.soonest_first = expiring.into_iter().map(|(at, place)| Reverse(Due { at, place })).collect();
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
