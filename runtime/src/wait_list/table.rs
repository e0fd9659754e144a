//! The waiters of a list: their order, their offers and their wakers.

use std::task::Waker;

/// A slab with two linked lists: waiters in order of arrival, and pending offers in the order in which they were made. Adding,
/// offering and removing take constant time and allocate only when more calls wait than ever before.
#[derive(Debug)]
pub(super) struct Table<T> {
    waiters: Vec<Waiter<T>>,
    waiting: List,
    offered: List,
    free: u32,
    len: u32,
    offers: usize,
    /// The number of waiters added so far.
    arrivals: u64,
}

#[derive(Debug)]
struct Waiter<T> {
    /// The sequence number of the waiter, which defines the order, also for one that returns to the front.
    arrival: u64,
    since: u64,
    /// How many permits it needs.
    cost: u32,
    state: State<T>,
    /// Whether it was woken to find out if it is still polled.
    probed: bool,
    waker: Option<Waker>,
    before: u32,
    /// In a free slot: the next free slot.
    after: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State<T> {
    Free,
    /// In the waiting list.
    Waiting,
    /// In the list of offers; reserved for this waiter until `until`.
    Offered {
        token: T,
        until: u64,
    },
    /// In neither list: it did not respond in time, and returns to its position when it is polled.
    Unresponsive,
}

#[derive(Debug, Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

const NONE: u32 = u32::MAX;

/// Slots kept allocated when the table becomes empty.
const KEPT: usize = 1_024;

impl<T: Copy> Table<T> {
    pub(super) const fn new() -> Self {
        const EMPTY: List = List { first: NONE, last: NONE };
        Self { waiters: Vec::new(), waiting: EMPTY, offered: EMPTY, free: NONE, len: 0, offers: 0, arrivals: 0 }
    }

    /// Whether there are no waiters, unresponsive ones included.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a waiter.
    pub(super) fn push(&mut self, since: u64, cost: u32) -> u32 {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.len += 1;
        let waiter = Waiter { arrival, since, cost, state: State::Waiting, probed: false, waker: None, before: NONE, after: NONE };
        let index = self.free;
        let index = if let Some(free) = self.waiters.get_mut(index as usize) {
            self.free = free.after;
            *free = waiter;
            index
        } else {
            self.waiters.push(waiter);
            u32::try_from(self.waiters.len() - 1).expect("fewer than 2^32 calls are waiting")
        };
        self.link_before(NONE, index);
        index
    }

    /// The first waiter, when it began to wait, and how many permits it needs.
    pub(super) fn first(&self) -> Option<(u32, u64, u32)> {
        self.waiters.get(self.waiting.first as usize).map(|waiter| (self.waiting.first, waiter.since, waiter.cost))
    }

    /// Offers `token` to the first waiter and returns its waker.
    pub(super) fn offer(&mut self, token: T, until: u64) -> Option<Waker> {
        let index = self.waiting.first;
        self.unlink(index);
        let last = self.offered.last;
        let waiter = &mut self.waiters[index as usize];
        waiter.state = State::Offered { token, until };
        (waiter.before, waiter.after) = (last, NONE);
        let waker = waiter.waker.take();
        match self.waiters.get_mut(last as usize) {
            Some(last) => last.after = index,
            None => self.offered.first = index,
        }
        self.offered.last = index;
        self.offers += 1;
        waker
    }

    /// The number of pending offers.
    pub(super) fn offers(&self) -> usize {
        self.offers
    }

    /// What a waiter was offered, and until when it is reserved.
    pub(super) fn offered(&self, index: u32) -> Option<(T, u64)> {
        match self.waiters[index as usize].state {
            State::Offered { token, until } => Some((token, until)),
            _ => None,
        }
    }

    /// When the oldest pending offer expires.
    pub(super) fn oldest_offer(&self) -> Option<u64> {
        self.offered(self.waiters.get(self.offered.first as usize).map(|_| self.offered.first)?).map(|(_, until)| until)
    }

    /// When the newest pending offer expires.
    pub(super) fn newest_offer(&self) -> Option<u64> {
        self.offered(self.waiters.get(self.offered.last as usize).map(|_| self.offered.last)?).map(|(_, until)| until)
    }

    /// Revokes the oldest offer if it has expired. The waiter becomes unresponsive.
    pub(super) fn withdraw(&mut self, now: u64) -> Option<T> {
        let index = self.offered.first;
        let State::Offered { token, until } = self.waiters.get(index as usize)?.state else { return None };
        if now < until {
            return None;
        }
        self.unlink(index);
        self.waiters[index as usize].state = State::Unresponsive;
        Some(token)
    }

    /// Puts a waiter back in the waiting list: one that was unresponsive, or cannot use what it was offered. If it did not respond
    /// in time, it counts as waiting since `now`.
    pub(super) fn requeue(&mut self, index: u32, now: u64) {
        let offered = self.offered(index);
        if offered.is_some() {
            self.unlink(index);
        }
        let waiter = &mut self.waiters[index as usize];
        waiter.state = State::Waiting;
        if offered.is_none_or(|(_, until)| until <= now) {
            waiter.since = now;
        }
        let arrival = waiter.arrival;
        // It was at the front before, so its position is close to it.
        let mut behind = self.waiting.first;
        while let Some(waiter) = self.waiters.get(behind as usize).filter(|waiter| waiter.arrival < arrival) {
            behind = waiter.after;
        }
        self.link_before(behind, index);
    }

    pub(super) fn is_unresponsive(&self, index: u32) -> bool {
        matches!(self.waiters[index as usize].state, State::Unresponsive)
    }

    /// Wakes up to `most` of the first waiters to find out whether they are polled, and adds them to `probed`.
    pub(super) fn probe_first(&mut self, most: usize, probed: &mut Vec<(u32, u64)>, mut wake: impl FnMut(Waker)) {
        let mut index = self.waiting.first;
        for _ in 0..most {
            let Some(waiter) = self.waiters.get_mut(index as usize) else { return };
            waiter.probed = true;
            probed.push((index, waiter.arrival));
            waiter.waker.take().into_iter().for_each(&mut wake);
            index = waiter.after;
        }
    }

    /// Records that a waiter is polled.
    pub(super) fn respond(&mut self, index: u32) {
        self.waiters[index as usize].probed = false;
    }

    /// Marks the probed waiters that did not respond as unresponsive.
    pub(super) fn mark_unresponsive(&mut self, probed: &[(u32, u64)]) {
        for &(index, arrival) in probed {
            let waiter = &self.waiters[index as usize];
            if waiter.arrival == arrival && waiter.probed && matches!(waiter.state, State::Waiting) {
                self.unlink(index);
                self.waiters[index as usize].state = State::Unresponsive;
            }
        }
    }

    /// The waker of a waiter.
    pub(super) fn waker(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.waiters[index as usize].waker
    }

    /// Takes the wakers of all waiters in the waiting list.
    pub(super) fn wake_all(&mut self, mut wake: impl FnMut(Waker)) {
        let mut index = self.waiting.first;
        while let Some(waiter) = self.waiters.get_mut(index as usize) {
            waiter.waker.take().into_iter().for_each(&mut wake);
            index = waiter.after;
        }
    }

    /// Removes a waiter and returns what it was offered and its waker.
    pub(super) fn remove(&mut self, index: u32) -> (Option<T>, Option<Waker>) {
        let offered = self.offered(index).map(|(token, _)| token);
        if !self.is_unresponsive(index) {
            self.unlink(index);
        }
        let waiter = &mut self.waiters[index as usize];
        let waker = waiter.waker.take();
        (waiter.state, waiter.after) = (State::Free, self.free);
        self.free = index;
        self.len -= 1;
        if self.len == 0 && self.waiters.len() > KEPT {
            *self = Self { arrivals: self.arrivals, ..Self::new() };
        }
        (offered, waker)
    }

    /// Inserts a waiter into the waiting list before `behind`, or at the end.
    fn link_before(&mut self, behind: u32, index: u32) {
        let ahead = match self.waiters.get_mut(behind as usize) {
            Some(waiter) => std::mem::replace(&mut waiter.before, index),
            None => std::mem::replace(&mut self.waiting.last, index),
        };
        match self.waiters.get_mut(ahead as usize) {
            Some(waiter) => waiter.after = index,
            None => self.waiting.first = index,
        }
        let waiter = &mut self.waiters[index as usize];
        (waiter.before, waiter.after) = (ahead, behind);
    }

    /// Unlinks a waiter from the list it is in.
    fn unlink(&mut self, index: u32) {
        let Waiter { before, after, state, .. } = self.waiters[index as usize];
        let list = if matches!(state, State::Waiting) {
            &mut self.waiting
        } else {
            self.offers -= 1;
            &mut self.offered
        };
        match self.waiters.get_mut(before as usize) {
            Some(waiter) => waiter.after = after,
            None => list.first = after,
        }
        match self.waiters.get_mut(after as usize) {
            Some(waiter) => waiter.before = before,
            None => list.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of a waiter in the model.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Kind {
        Waits,
        Offered { until: u64 },
        Unresponsive,
    }

    #[test]
    fn agrees_with_a_list() {
        let mut random = fastrand::Rng::with_seed(12);
        for _ in 0..300 {
            let (mut table, mut model, mut offers, mut now) = (Table::new(), Vec::<(u32, Kind)>::new(), Vec::<u32>::new(), 0);
            let mut probed = Vec::new();
            for _ in 0..200 {
                now += random.u64(..3);
                let any = (!model.is_empty()).then(|| random.usize(..model.len()));
                let first = model.iter().position(|(_, kind)| *kind == Kind::Waits);
                match (random.u8(..9), any) {
                    (0..=2, _) => model.push((table.push(now, 1), Kind::Waits)),
                    (3 | 4, _) => {
                        if let Some(first) = first {
                            let (index, kind) = &mut model[first];
                            *kind = Kind::Offered { until: now + 10 };
                            offers.push(*index);
                            table.offer(now, now + 10);
                        }
                    }
                    (5, _) => {
                        let oldest = offers.first().and_then(|oldest| model.iter_mut().find(|(index, _)| index == oldest));
                        let ended = oldest.filter(|(_, kind)| matches!(kind, Kind::Offered { until } if *until <= now));
                        assert_eq!(table.withdraw(now).is_some(), ended.is_some());
                        if let Some((_, kind)) = ended {
                            *kind = Kind::Unresponsive;
                            offers.remove(0);
                        }
                    }
                    (6, Some(any)) => {
                        let (index, kind) = &mut model[any];
                        if *kind != Kind::Waits {
                            *kind = Kind::Waits;
                            offers.retain(|offer| offer != index);
                            table.requeue(*index, now);
                        }
                    }
                    (7, Some(any)) => {
                        let (index, kind) = model.remove(any);
                        offers.retain(|offer| *offer != index);
                        assert_eq!(table.remove(index).0.is_some(), matches!(kind, Kind::Offered { .. }));
                    }
                    (8, Some(any)) => {
                        if random.bool() {
                            probed.clear();
                            table.probe_first(any, &mut probed, |_| {});
                        } else {
                            // Each probed waiter responds or does not.
                            let silent: Vec<u32> = probed.iter().map(|(index, _)| *index).filter(|_| random.bool()).collect();
                            for (index, _) in &model {
                                if !silent.contains(index) {
                                    table.respond(*index);
                                }
                            }
                            let arrivals: Vec<(u32, u64)> = std::mem::take(&mut probed);
                            let same = |index: u32| {
                                arrivals
                                    .iter()
                                    .any(|(at, arrival)| (*at, *arrival) == (index, table.waiters[index as usize].arrival))
                            };
                            for (index, kind) in &mut model {
                                if *kind == Kind::Waits && silent.contains(index) && same(*index) {
                                    *kind = Kind::Unresponsive;
                                }
                            }
                            table.mark_unresponsive(&arrivals);
                        }
                    }
                    _ => {}
                }
                let kind_of = |index| match table.offered(index) {
                    Some((_, until)) => Kind::Offered { until },
                    None if table.is_unresponsive(index) => Kind::Unresponsive,
                    None => Kind::Waits,
                };
                assert!(model.iter().all(|(index, kind)| kind_of(*index) == *kind), "{table:?} {model:?}");
                let first = model.iter().find(|(_, kind)| *kind == Kind::Waits).map(|(index, _)| *index);
                assert_eq!(table.first().map(|(index, ..)| index), first);
                let until = |index: Option<&u32>| index.and_then(|index| table.offered(*index)).map(|(_, until)| until);
                assert_eq!((table.oldest_offer(), table.newest_offer()), (until(offers.first()), until(offers.last())));
                assert_eq!((table.offers(), table.is_empty()), (offers.len(), model.is_empty()));
            }
        }
    }

    #[test]
    fn a_table_that_was_long_is_let_go() {
        let mut table = Table::<()>::new();
        let waiters: Vec<u32> = (0..2_000).map(|_| table.push(0, 1)).collect();
        for waiter in waiters {
            table.remove(waiter);
        }
        assert_eq!(table.waiters.capacity(), 0);
        assert_eq!(table.push(0, 1), 0);
    }
}
