//! The waiters of a list: their order, what they were offered, and who is woken for them.

use std::task::Waker;

/// Waiters in two lists through one table: those who wait, in the order in which they came, and those who were offered something, in the
/// order of the offers. Joining, being offered and leaving take constant time, and allocate only when more wait than ever did.
#[derive(Debug)]
pub(super) struct Table<T> {
    seats: Vec<Seat<T>>,
    waiting: List,
    offered: List,
    free: u32,
    taken: u32,
    offers: usize,
    /// How many have come.
    arrivals: u64,
}

#[derive(Debug)]
struct Seat<T> {
    /// The how manieth has come: the order of waiters, also of one that comes back to the front.
    arrival: u64,
    since: u64,
    state: State<T>,
    /// Was woken to find out whether it is still polled.
    called: bool,
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
    Absent,
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
        Self { seats: Vec::new(), waiting: EMPTY, offered: EMPTY, free: NONE, taken: 0, offers: 0, arrivals: 0 }
    }

    /// Whether there is nobody, absent ones included.
    pub(super) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Takes the last place.
    pub(super) fn join(&mut self, since: u64) -> u32 {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.taken += 1;
        let seat = Seat { arrival, since, state: State::Waiting, called: false, waker: None, before: NONE, after: NONE };
        let index = self.free;
        let index = if let Some(free) = self.seats.get_mut(index as usize) {
            self.free = free.after;
            *free = seat;
            index
        } else {
            self.seats.push(seat);
            u32::try_from(self.seats.len() - 1).expect("fewer than 4 billion calls wait")
        };
        self.link_before(NONE, index);
        index
    }

    /// The first of those who wait, and since when it does.
    pub(super) fn first(&self) -> Option<(u32, u64)> {
        self.seats.get(self.waiting.first as usize).map(|seat| (self.waiting.first, seat.since))
    }

    /// Offers something to the first of those who wait. Who is to be woken.
    pub(super) fn offer(&mut self, token: T, until: u64) -> Option<Waker> {
        let index = self.waiting.first;
        self.unlink(index);
        let last = self.offered.last;
        let seat = &mut self.seats[index as usize];
        seat.state = State::Offered { token, until };
        (seat.before, seat.after) = (last, NONE);
        let waker = seat.waker.take();
        match self.seats.get_mut(last as usize) {
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
        match self.seats[index as usize].state {
            State::Offered { token, until } => Some((token, until)),
            _ => None,
        }
    }

    /// When the oldest offer ends that nobody has taken up.
    pub(super) fn oldest_offer(&self) -> Option<u64> {
        self.offered(self.seats.get(self.offered.first as usize).map(|_| self.offered.first)?).map(|(_, until)| until)
    }

    /// When the last offer ends that nobody has taken up.
    pub(super) fn newest_offer(&self) -> Option<u64> {
        self.offered(self.seats.get(self.offered.last as usize).map(|_| self.offered.last)?).map(|(_, until)| until)
    }

    /// Takes the oldest offer back if it has ended. The waiter is absent from now on.
    pub(super) fn withdraw(&mut self, now: u64) -> Option<T> {
        let index = self.offered.first;
        let State::Offered { token, until } = self.seats.get(index as usize)?.state else { return None };
        if now < until {
            return None;
        }
        self.unlink(index);
        self.seats[index as usize].state = State::Absent;
        Some(token)
    }

    /// A waiter takes its place among those who wait again: one that was absent, or has no use for what it was offered. Where it did not
    /// answer in time, it waits from `now` on.
    pub(super) fn come_back(&mut self, index: u32, now: u64) {
        let offered = self.offered(index);
        if offered.is_some() {
            self.unlink(index);
        }
        let seat = &mut self.seats[index as usize];
        seat.state = State::Waiting;
        if offered.is_none_or(|(_, until)| until <= now) {
            seat.since = now;
        }
        let arrival = seat.arrival;
        // Whoever comes back was at the front before.
        let mut behind = self.waiting.first;
        while let Some(seat) = self.seats.get(behind as usize).filter(|seat| seat.arrival < arrival) {
            behind = seat.after;
        }
        self.link_before(behind, index);
    }

    pub(super) fn is_absent(&self, index: u32) -> bool {
        matches!(self.seats[index as usize].state, State::Absent)
    }

    /// Wakes the first waiters, `most` at most, to find out whether they are polled. They are added to `called`.
    pub(super) fn call(&mut self, most: usize, called: &mut Vec<(u32, u64)>, mut wake: impl FnMut(Waker)) {
        let mut index = self.waiting.first;
        for _ in 0..most {
            let Some(seat) = self.seats.get_mut(index as usize) else { return };
            seat.called = true;
            called.push((index, seat.arrival));
            seat.waker.take().into_iter().for_each(&mut wake);
            index = seat.after;
        }
    }

    /// A waiter is polled.
    pub(super) fn answer(&mut self, index: u32) {
        self.seats[index as usize].called = false;
    }

    /// Those who were called and did not answer are absent.
    pub(super) fn give_up_on(&mut self, called: &[(u32, u64)]) {
        for &(index, arrival) in called {
            let seat = &self.seats[index as usize];
            if seat.arrival == arrival && seat.called && matches!(seat.state, State::Waiting) {
                self.unlink(index);
                self.seats[index as usize].state = State::Absent;
            }
        }
    }

    /// Who is woken for a waiter.
    pub(super) fn waker(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.seats[index as usize].waker
    }

    /// Takes the wakers of all who wait.
    pub(super) fn wake_all(&mut self, mut wake: impl FnMut(Waker)) {
        let mut index = self.waiting.first;
        while let Some(seat) = self.seats.get_mut(index as usize) {
            seat.waker.take().into_iter().for_each(&mut wake);
            index = seat.after;
        }
    }

    /// Removes a waiter. What it was offered, and its waker.
    pub(super) fn leave(&mut self, index: u32) -> (Option<T>, Option<Waker>) {
        let offered = self.offered(index).map(|(token, _)| token);
        if !self.is_absent(index) {
            self.unlink(index);
        }
        let seat = &mut self.seats[index as usize];
        let waker = seat.waker.take();
        (seat.state, seat.after) = (State::Free, self.free);
        self.free = index;
        self.taken -= 1;
        if self.taken == 0 && self.seats.len() > KEPT {
            *self = Self { arrivals: self.arrivals, ..Self::new() };
        }
        (offered, waker)
    }

    /// Puts a waiter into the list of those who wait, in front of another or at the end.
    fn link_before(&mut self, behind: u32, index: u32) {
        let ahead = match self.seats.get_mut(behind as usize) {
            Some(seat) => std::mem::replace(&mut seat.before, index),
            None => std::mem::replace(&mut self.waiting.last, index),
        };
        match self.seats.get_mut(ahead as usize) {
            Some(seat) => seat.after = index,
            None => self.waiting.first = index,
        }
        let seat = &mut self.seats[index as usize];
        (seat.before, seat.after) = (ahead, behind);
    }

    /// Takes a waiter out of the list that it is in.
    fn unlink(&mut self, index: u32) {
        let Seat { before, after, state, .. } = self.seats[index as usize];
        let list = if matches!(state, State::Waiting) {
            &mut self.waiting
        } else {
            self.offers -= 1;
            &mut self.offered
        };
        match self.seats.get_mut(before as usize) {
            Some(seat) => seat.after = after,
            None => list.first = after,
        }
        match self.seats.get_mut(after as usize) {
            Some(seat) => seat.before = before,
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
        Absent,
    }

    #[test]
    fn agrees_with_a_list() {
        let mut random = fastrand::Rng::with_seed(12);
        for _ in 0..300 {
            let (mut table, mut model, mut offers, mut now) = (Table::new(), Vec::<(u32, Kind)>::new(), Vec::<u32>::new(), 0);
            let mut called = Vec::new();
            for _ in 0..200 {
                now += random.u64(..3);
                let any = (!model.is_empty()).then(|| random.usize(..model.len()));
                let first = model.iter().position(|(_, kind)| *kind == Kind::Waits);
                match (random.u8(..9), any) {
                    (0..=2, _) => model.push((table.join(now), Kind::Waits)),
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
                            *kind = Kind::Absent;
                            offers.remove(0);
                        }
                    }
                    (6, Some(any)) => {
                        let (index, kind) = &mut model[any];
                        if *kind != Kind::Waits {
                            *kind = Kind::Waits;
                            offers.retain(|offer| offer != index);
                            table.come_back(*index, now);
                        }
                    }
                    (7, Some(any)) => {
                        let (index, kind) = model.remove(any);
                        offers.retain(|offer| *offer != index);
                        assert_eq!(table.leave(index).0.is_some(), matches!(kind, Kind::Offered { .. }));
                    }
                    (8, Some(any)) => {
                        if random.bool() {
                            called.clear();
                            table.call(any, &mut called, |_| {});
                        } else {
                            // Those that were called answer, or do not.
                            let silent: Vec<u32> = called.iter().map(|(index, _)| *index).filter(|_| random.bool()).collect();
                            for (index, _) in &model {
                                if !silent.contains(index) {
                                    table.answer(*index);
                                }
                            }
                            let arrivals: Vec<(u32, u64)> = std::mem::take(&mut called);
                            let same = |index: u32| {
                                arrivals.iter().any(|(at, arrival)| (*at, *arrival) == (index, table.seats[index as usize].arrival))
                            };
                            for (index, kind) in &mut model {
                                if *kind == Kind::Waits && silent.contains(index) && same(*index) {
                                    *kind = Kind::Absent;
                                }
                            }
                            table.give_up_on(&arrivals);
                        }
                    }
                    _ => {}
                }
                let kind_of = |index| match table.offered(index) {
                    Some((_, until)) => Kind::Offered { until },
                    None if table.is_absent(index) => Kind::Absent,
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
        let seats: Vec<u32> = (0..2_000).map(|_| table.join(0)).collect();
        for seat in seats {
            table.leave(seat);
        }
        assert_eq!(table.seats.capacity(), 0);
        assert_eq!(table.join(0), 0);
    }
}
