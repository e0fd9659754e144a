//! Those who wait, in the order of their deadlines.

use std::task::Waker;

/// A list through a table: whoever waits can leave at once, and nothing is allocated while no more wait than ever did.
#[derive(Debug)]
pub(super) struct Seats {
    table: Vec<Seat>,
    first: u32,
    last: u32,
    free: u32,
    taken: u32,
}

#[derive(Debug)]
struct Seat {
    at: u64,
    waker: Option<Waker>,
    before: u32,
    /// Of a free seat: the next that is free.
    after: u32,
    passed: bool,
}

const NOBODY: u32 = u32::MAX;

/// What is kept of the table once nobody waits.
const KEPT: usize = 1_024;

impl Seats {
    /// Numbers of seats are below this.
    pub(super) const MOST: usize = 1 << 28;

    pub(super) const fn new() -> Self {
        Self { table: Vec::new(), first: NOBODY, last: NOBODY, free: NOBODY, taken: 0 }
    }

    /// Whether there is nobody left whose deadline is to come.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == NOBODY
    }

    /// The next deadline.
    #[inline]
    pub(super) fn next(&self) -> Option<u64> {
        self.table.get(self.first as usize).map(|seat| seat.at)
    }

    /// Whether somebody with this deadline can take the last seat.
    #[inline]
    pub(super) fn has_room(&self, at: u64) -> bool {
        let in_order = self.table.get(self.last as usize).is_none_or(|last| last.at <= at);
        in_order && (self.free != NOBODY || self.table.len() < Self::MOST)
    }

    /// Takes the last seat, for which there [is room](Self::has_room).
    #[inline]
    pub(super) fn take(&mut self, at: u64, waker: Waker) -> u32 {
        let taken = Seat { at, waker: Some(waker), before: self.last, after: NOBODY, passed: false };
        let index = self.place(taken);
        *self.link_after(self.last) = index;
        self.last = index;
        self.taken += 1;
        index
    }

    #[inline]
    fn place(&mut self, taken: Seat) -> u32 {
        if let Some(seat) = self.table.get_mut(self.free as usize) {
            let index = self.free;
            self.free = seat.after;
            *seat = taken;
            return index;
        }
        self.table.push(taken);
        u32::try_from(self.table.len() - 1).expect("there is room")
    }

    /// Whether the deadline of a seat has passed.
    #[inline]
    pub(super) fn is_passed(&self, index: u32) -> bool {
        self.table[index as usize].passed
    }

    /// The deadline of a seat.
    #[inline]
    pub(super) fn at(&self, index: u32) -> u64 {
        self.table[index as usize].at
    }

    /// Who is woken at the deadline.
    #[inline]
    pub(super) fn waker(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.table[index as usize].waker
    }

    /// The first in the list is no longer in it, if its deadline has come. Who is to be woken.
    #[inline]
    pub(super) fn pass(&mut self, now: u64) -> Option<Waker> {
        let index = self.first;
        let seat = self.table.get_mut(index as usize).filter(|seat| seat.at <= now)?;
        seat.passed = true;
        let waker = seat.waker.take();
        self.unlink(index);
        waker
    }

    /// Gives a seat up. Its waker is to be dropped under no lock.
    #[inline]
    pub(super) fn leave(&mut self, index: u32) -> Option<Waker> {
        if !self.is_passed(index) {
            self.unlink(index);
        }
        let seat = &mut self.table[index as usize];
        let waker = seat.waker.take();
        seat.after = self.free;
        self.free = index;
        self.taken -= 1;
        if self.taken == 0 && self.table.len() > KEPT {
            *self = Self::new();
        }
        waker
    }

    #[inline]
    fn unlink(&mut self, index: u32) {
        let Seat { before, after, .. } = self.table[index as usize];
        *self.link_after(before) = after;
        *self.link_before(after) = before;
    }

    #[inline]
    fn link_after(&mut self, index: u32) -> &mut u32 {
        match self.table.get_mut(index as usize) {
            Some(seat) => &mut seat.after,
            None => &mut self.first,
        }
    }

    #[inline]
    fn link_before(&mut self, index: u32) -> &mut u32 {
        match self.table.get_mut(index as usize) {
            Some(seat) => &mut seat.before,
            None => &mut self.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    #[inline]
    fn agrees_with_a_list() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..200 {
            let (mut seats, mut list, mut passed, mut now) = (Seats::new(), VecDeque::new(), Vec::new(), 0);
            for _ in 0..200 {
                now += random.u64(..3);
                match random.u8(..4) {
                    0 | 1 => {
                        let at = now + random.u64(..20);
                        let fits = list.back().is_none_or(|(last, _)| *last <= at);
                        assert_eq!(seats.has_room(at), fits);
                        if fits {
                            list.push_back((at, seats.take(at, Waker::noop().clone())));
                        }
                    }
                    2 => {
                        while seats.pass(now).is_some() {
                            let (at, index) = list.pop_front().unwrap();
                            assert!(at <= now);
                            passed.push(index);
                        }
                        assert!(list.front().is_none_or(|(at, _)| *at > now));
                    }
                    _ => {
                        let index = if list.is_empty() || random.bool() {
                            passed.pop()
                        } else {
                            list.remove(random.usize(..list.len())).map(|(_, index)| index)
                        };
                        if let Some(index) = index {
                            seats.leave(index);
                        }
                    }
                }
                assert_eq!((seats.next(), seats.is_empty()), (list.front().map(|(at, _)| *at), list.is_empty()));
                assert!(
                    passed.iter().all(|index| seats.is_passed(*index)) && list.iter().all(|(_, index)| !seats.is_passed(*index))
                );
                assert_eq!(seats.taken as usize, list.len() + passed.len());
            }
        }
    }

    #[test]
    #[inline]
    fn a_table_that_was_long_is_let_go() {
        let mut seats = Seats::new();
        let taken: Vec<u32> = (0..2_000).map(|at| seats.take(at, Waker::noop().clone())).collect();
        for index in taken {
            seats.leave(index);
        }
        assert_eq!(seats.table.capacity(), 0);
        assert_eq!(seats.take(1, Waker::noop().clone()), 0);
    }
}
