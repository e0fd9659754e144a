//! A slab-backed FIFO list of pending deadlines.

use std::task::Waker;

/// A linked list in a slab: a deadline can be removed at any position in constant time, and nothing is allocated unless more calls
/// wait than ever before.
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
    /// In a free slot: the next free slot.
    after: u32,
    expired: bool,
}

const NONE: u32 = u32::MAX;

/// Slots kept allocated when the list becomes empty.
const KEPT: usize = 1_024;

impl DeadlineList {
    /// Keys are below this.
    pub(super) const MAX_LEN: usize = 1 << 28;

    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), first: NONE, last: NONE, free: NONE, len: 0 }
    }

    /// Whether no deadline is pending.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The earliest deadline.
    #[inline]
    pub(super) fn next(&self) -> Option<u64> {
        self.nodes.get(self.first as usize).map(|node| node.at)
    }

    /// Whether a deadline can be appended: it is not earlier than the last one, and there is a free key.
    #[inline]
    pub(super) fn has_room(&self, at: u64) -> bool {
        let in_order = self.nodes.get(self.last as usize).is_none_or(|last| last.at <= at);
        in_order && (self.free != NONE || self.nodes.len() < Self::MAX_LEN)
    }

    /// Appends a deadline, for which there must be [room](Self::has_room).
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

    /// Whether a deadline has passed.
    #[inline]
    pub(super) fn has_expired(&self, index: u32) -> bool {
        self.nodes[index as usize].expired
    }

    /// The time of a deadline.
    #[inline]
    pub(super) fn at(&self, index: u32) -> u64 {
        self.nodes[index as usize].at
    }

    /// The waker of a deadline.
    #[inline]
    pub(super) fn waker(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.nodes[index as usize].waker
    }

    /// Removes the first deadline from the list if it has passed, and returns its waker. The key stays valid.
    #[inline]
    pub(super) fn pop_expired(&mut self, now: u64) -> Option<Waker> {
        let index = self.first;
        let node = self.nodes.get_mut(index as usize).filter(|node| node.at <= now)?;
        node.expired = true;
        let waker = node.waker.take();
        self.unlink(index);
        waker
    }

    /// Frees a key. The returned waker must be dropped without the lock.
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
