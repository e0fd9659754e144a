//! The waiters of a list: their order, what they were offered, and who is woken for them.

use std::task::Waker;

/// Waiters in two lists through one table: those who wait, in the order in which they came, and those who were offered something, in the
/// order of the offers. Joining, being offered and leaving take constant time, and allocate only when more wait than ever did.
#[derive(Debug)]
pub(super) struct Table<T> {
    waiters: Vec<Waiter<T>>,
    waiting: List,
    offered: List,
    free: u32,
    len: u32,
    offers: usize,
    /// How many have come.
    arrivals: u64,
}

#[derive(Debug)]
struct Waiter<T> {
    /// The how manieth has come: the order of waiters, also of one that comes back to the front.
    arrival: u64,
    since: u64,
    state: State<T>,
    /// Was woken to find out whether it is still polled.
    probed: bool,
    waker: Option<Waker>,
    before: u32,
    /// Of a free seat: the next that is free.
    after: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State<T> {
    Free,
    /// In the list of those who wait.
    Waiting,
    /// In the list of offers: `until` then it is for this waiter only.
    Offered {
        token: T,
        until: u64,
    },
    /// In no list. It did not answer, and takes its place again when it is polled.
    Unresponsive,
}

#[derive(Debug, Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

const NONE: u32 = u32::MAX;

/// What is kept of the table once nobody waits.
const KEPT: usize = 1_024;

impl<T: Copy> Table<T> {
    pub(super) const fn new() -> Self {
        const EMPTY: List = List { first: NONE, last: NONE };
        Self { waiters: Vec::new(), waiting: EMPTY, offered: EMPTY, free: NONE, len: 0, offers: 0, arrivals: 0 }
    }

    /// Whether there is nobody, absent ones included.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the last place.
    pub(super) fn push(&mut self, since: u64) -> u32 {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.len += 1;
        let waiter = Waiter { arrival, since, state: State::Waiting, probed: false, waker: None, before: NONE, after: NONE };
        let index = self.free;
        let index = if let Some(free) = self.waiters.get_mut(index as usize) {
            self.free = free.after;
            *free = waiter;
            index
        } else {
            self.waiters.push(waiter);
            u32::try_from(self.waiters.len() - 1).expect("fewer than 4 billion calls wait")
        };
        self.link_before(NONE, index);
        index
    }

    /// The first of those who wait, and since when it does.
    pub(super) fn first(&self) -> Option<(u32, u64)> {
        self.waiters.get(self.waiting.first as usize).map(|waiter| (self.waiting.first, waiter.since))
    }

    /// Offers something to the first of those who wait. Who is to be woken.
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

    /// How many were offered something that they have not taken up.
    pub(super) fn offers(&self) -> usize {
        self.offers
    }

    /// What a waiter was offered, and until when it is for this one only.
    pub(super) fn offered(&self, index: u32) -> Option<(T, u64)> {
        match self.waiters[index as usize].state {
            State::Offered { token, until } => Some((token, until)),
            _ => None,
        }
    }

    /// When the oldest offer ends that nobody has taken up.
    pub(super) fn oldest_offer(&self) -> Option<u64> {
        self.offered(self.waiters.get(self.offered.first as usize).map(|_| self.offered.first)?).map(|(_, until)| until)
    }

    /// When the last offer ends that nobody has taken up.
    pub(super) fn newest_offer(&self) -> Option<u64> {
        self.offered(self.waiters.get(self.offered.last as usize).map(|_| self.offered.last)?).map(|(_, until)| until)
    }

    /// Takes the oldest offer back if it has ended. The waiter is absent from now on.
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

    /// A waiter takes its place among those who wait again: one that was absent, or has no use for what it was offered. Where it did not
    /// answer in time, it waits from `now` on.
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
        // Whoever comes back was at the front before.
        let mut behind = self.waiting.first;
        while let Some(waiter) = self.waiters.get(behind as usize).filter(|waiter| waiter.arrival < arrival) {
            behind = waiter.after;
        }
        self.link_before(behind, index);
    }

    pub(super) fn is_unresponsive(&self, index: u32) -> bool {
        matches!(self.waiters[index as usize].state, State::Unresponsive)
    }

    /// Wakes the first waiters, `most` at most, to find out whether they are polled. They are added to `probed`.
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

    /// A waiter is polled.
    pub(super) fn respond(&mut self, index: u32) {
        self.waiters[index as usize].probed = false;
    }

    /// Those who were called and did not answer are absent.
    pub(super) fn mark_unresponsive(&mut self, probed: &[(u32, u64)]) {
        for &(index, arrival) in probed {
            let waiter = &self.waiters[index as usize];
            if waiter.arrival == arrival && waiter.probed && matches!(waiter.state, State::Waiting) {
                self.unlink(index);
                self.waiters[index as usize].state = State::Unresponsive;
            }
        }
    }

    /// Who is woken for a waiter.
    pub(super) fn waker(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.waiters[index as usize].waker
    }

    /// Takes the wakers of all who wait.
    pub(super) fn wake_all(&mut self, mut wake: impl FnMut(Waker)) {
        let mut index = self.waiting.first;
        while let Some(waiter) = self.waiters.get_mut(index as usize) {
            waiter.waker.take().into_iter().for_each(&mut wake);
            index = waiter.after;
        }
    }

    /// Removes a waiter. What it was offered, and its waker.
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

    /// Puts a waiter into the list of those who wait, in front of another or at the end.
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

    /// Takes a waiter out of the list that it is in.
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

    /// A waiter of the model, by its seat.
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
                    (0..=2, _) => model.push((table.push(now), Kind::Waits)),
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
                            // Those that were called answer, or do not.
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
                assert_eq!(table.first().map(|(index, _)| index), first);
                let until = |index: Option<&u32>| index.and_then(|index| table.offered(*index)).map(|(_, until)| until);
                assert_eq!((table.oldest_offer(), table.newest_offer()), (until(offers.first()), until(offers.last())));
                assert_eq!((table.offers(), table.is_empty()), (offers.len(), model.is_empty()));
            }
        }
    }

    #[test]
    fn a_table_that_was_long_is_let_go() {
        let mut table = Table::<()>::new();
        let waiters: Vec<u32> = (0..2_000).map(|_| table.push(0)).collect();
        for waiter in waiters {
            table.remove(waiter);
        }
        assert_eq!(table.waiters.capacity(), 0);
        assert_eq!(table.push(0), 0);
    }
}
