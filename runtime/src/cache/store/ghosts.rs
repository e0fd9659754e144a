//! Recently evicted keys.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// The hashes of the most recently evicted keys, in order.
#[derive(Debug, Default)]
pub(crate) struct Ghosts {
    known: HashTable<Ghost>,
    /// Oldest first. May list keys that have been forgotten.
    order: VecDeque<Ghost>,
    turn: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ghost {
    hash: u64,
    /// Distinguishes several evictions of one key.
    turn: u32,
}

impl Ghosts {
    /// Remembers a key.
    pub(crate) fn add(&mut self, hash: u64) {
        self.forget(hash);
        self.turn = self.turn.wrapping_add(1);
        let ghost = Ghost { hash, turn: self.turn };
        self.known.insert_unique(hash, ghost, |ghost| ghost.hash);
        self.order.push_back(ghost);
        if self.order.len() > 2 * self.known.len() + 64 {
            let known = &self.known;
            self.order.retain(|listed| known.find(listed.hash, |ghost| ghost == listed).is_some());
        }
    }

    /// Forgets the oldest key if more than `most` are remembered, and returns its hash.
    pub(crate) fn pop_above(&mut self, most: usize) -> Option<u64> {
        while self.known.len() > most {
            let oldest = self.order.pop_front()?;
            if let Ok(found) = self.known.find_entry(oldest.hash, |ghost| *ghost == oldest) {
                found.remove();
                return Some(oldest.hash);
            }
        }
        None
    }

    /// Forgets a key.
    pub(crate) fn forget(&mut self, hash: u64) {
        if let Ok(found) = self.known.find_entry(hash, |ghost| ghost.hash == hash) {
            found.remove();
        }
    }
}
