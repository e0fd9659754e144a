//! Those who wait, in the order of their deadlines.

use std::task::Waker;

/// A list through a table: whoever waits can leave at once, and nothing is allocated while no more wait than ever did.
#[derive(Debug)]
pub(super) struct DeadlineList {
    nodes: Vec<Node>,
    first: u32,
    last: u32,
    free: u32,
    len: u32,
}

#[derive(Debug)]
struct Node {
    at: u64,
    waker: Option<Waker>,
    before: u32,
    /// Of a free seat: the next that is free.
    after: u32,
    expired: bool,
}

const NONE: u32 = u32::MAX;

/// What is kept of the table once nobody waits.
const KEPT: usize = 1_024;

impl DeadlineList {
    /// Numbers of seats are below this.
    pub(super) const MAX_LEN: usize = 1 << 28;

    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), first: NONE, last: NONE, free: NONE, len: 0 }
    }

    /// Whether there is nobody left whose deadline is to come.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The next deadline.
    #[inline]
    pub(super) fn next(&self) -> Option<u64> {
        self.nodes.get(self.first as usize).map(|node| node.at)
    }

    /// Whether somebody with this deadline can take the last seat.
    #[inline]
    pub(super) fn has_room(&self, at: u64) -> bool {
        let in_order = self.nodes.get(self.last as usize).is_none_or(|last| last.at <= at);
        in_order && (self.free != NONE || self.nodes.len() < Self::MAX_LEN)
    }

    /// Takes the last seat, for which there [is room](Self::has_room).
    #[inline]
    pub(super) fn push(&mut self, at: u64, waker: Waker) -> u32 {
        let len = Node { at, waker: Some(waker), before: self.last, after: NONE, expired: false };
        let index = self.allocate(len);
        *self.link_after(self.last) = index;
        self.last = index;
        self.len += 1;
        index
    }

    #[inline]
    fn allocate(&mut self, len: Node) -> u32 {
        if let Some(node) = self.nodes.get_mut(self.free as usize) {
            let index = self.free;
            self.free = node.after;
            *node = len;
            return index;
        }
        self.nodes.push(len);
        u32::try_from(self.nodes.len() - 1).expect("there is room")
    }

    /// Whether the deadline of a seat has passed.
    #[inline]
    pub(super) fn has_expired(&self, index: u32) -> bool {
        self.nodes[index as usize].expired
    }

    /// The deadline of a seat.
    #[inline]
    pub(super) fn at(&self, index: u32) -> u64 {
        self.nodes[index as usize].at
    }

    /// Who is woken at the deadline.
    #[inline]
    pub(super) fn waker(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.nodes[index as usize].waker
    }

    /// The first in the list is no longer in it, if its deadline has come. Who is to be woken.
    #[inline]
    pub(super) fn pop_expired(&mut self, now: u64) -> Option<Waker> {
        let index = self.first;
        let node = self.nodes.get_mut(index as usize).filter(|node| node.at <= now)?;
        node.expired = true;
        let waker = node.waker.take();
        self.unlink(index);
        waker
    }

    /// Gives a seat up. Its waker is to be dropped under no lock.
    #[inline]
    pub(super) fn remove(&mut self, index: u32) -> Option<Waker> {
        if !self.has_expired(index) {
            self.unlink(index);
        }
        let node = &mut self.nodes[index as usize];
        let waker = node.waker.take();
        node.after = self.free;
        self.free = index;
        self.len -= 1;
        if self.len == 0 && self.nodes.len() > KEPT {
            *self = Self::new();
        }
        waker
    }

    #[inline]
    fn unlink(&mut self, index: u32) {
        let Node { before, after, .. } = self.nodes[index as usize];
        *self.link_after(before) = after;
        *self.link_before(after) = before;
    }

    #[inline]
    fn link_after(&mut self, index: u32) -> &mut u32 {
        match self.nodes.get_mut(index as usize) {
            Some(node) => &mut node.after,
            None => &mut self.first,
        }
    }

    #[inline]
    fn link_before(&mut self, index: u32) -> &mut u32 {
        match self.nodes.get_mut(index as usize) {
            Some(node) => &mut node.before,
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
            let (mut deadlines, mut list, mut expired, mut now) = (DeadlineList::new(), VecDeque::new(), Vec::new(), 0);
            for _ in 0..200 {
                now += random.u64(..3);
                match random.u8(..4) {
                    0 | 1 => {
                        let at = now + random.u64(..20);
                        let fits = list.back().is_none_or(|(last, _)| *last <= at);
                        assert_eq!(deadlines.has_room(at), fits);
                        if fits {
                            list.push_back((at, deadlines.push(at, Waker::noop().clone())));
                        }
                    }
                    2 => {
                        while deadlines.pop_expired(now).is_some() {
                            let (at, index) = list.pop_front().unwrap();
                            assert!(at <= now);
                            expired.push(index);
                        }
                        assert!(list.front().is_none_or(|(at, _)| *at > now));
                    }
                    _ => {
                        let index = if list.is_empty() || random.bool() {
                            expired.pop()
                        } else {
                            list.remove(random.usize(..list.len())).map(|(_, index)| index)
                        };
                        if let Some(index) = index {
                            deadlines.remove(index);
                        }
                    }
                }
                assert_eq!((deadlines.next(), deadlines.is_empty()), (list.front().map(|(at, _)| *at), list.is_empty()));
                assert!(
                    expired.iter().all(|index| deadlines.has_expired(*index))
                        && list.iter().all(|(_, index)| !deadlines.has_expired(*index))
                );
                assert_eq!(deadlines.len as usize, list.len() + expired.len());
            }
        }
    }

    #[test]
    #[inline]
    fn a_table_that_was_long_is_let_go() {
        let mut deadlines = DeadlineList::new();
        let len: Vec<u32> = (0..2_000).map(|at| deadlines.push(at, Waker::noop().clone())).collect();
        for index in len {
            deadlines.remove(index);
        }
        assert_eq!(deadlines.nodes.capacity(), 0);
        assert_eq!(deadlines.push(1, Waker::noop().clone()), 0);
    }
}
