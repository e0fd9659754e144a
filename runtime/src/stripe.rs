//! Striped counters (as in Java's `LongAdder`): each thread writes to its own stripe, so that threads do not contend for one cache
//! line.
//!
//! The first threads each own a stripe for as long as they live; all others share the last one. The owner of a stripe is its only
//! writer and needs no atomic read-modify-write instruction; other threads may still read it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The number of stripes.
pub(crate) const STRIPES: usize = 16;

/// The stripe of the threads that own none.
const SHARED: usize = STRIPES - 1;

/// The stripe of this thread.
#[inline]
pub(crate) fn mine() -> usize {
    thread_local! {
        static MINE: Owned = Owned::take();
    }
    // A thread that is exiting may have dropped its locals already.
    MINE.try_with(|mine| mine.0).unwrap_or(SHARED)
}

/// A stripe, owned until the thread ends.
struct Owned(usize);

/// A bit set of the stripes that have an owner.
static OWNED: AtomicU32 = AtomicU32::new(0);

impl Owned {
    #[cold]
    fn take() -> Self {
        let free = |owned: u32| Some(owned | (owned + 1)).filter(|owned| *owned < 1 << SHARED);
        // The next owner sees what the previous one wrote.
        match OWNED.fetch_update(Ordering::AcqRel, Ordering::Relaxed, free) {
            Ok(before) => Self(before.trailing_ones() as usize),
            Err(_) => Self(SHARED),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.0 != SHARED {
            OWNED.fetch_and(!(1 << self.0), Ordering::Release);
        }
    }
}

/// Counters for `N` quantities.
#[derive(Debug)]
pub(crate) struct Counters<const N: usize> {
    stripes: [Stripe<N>; STRIPES],
}

/// On a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Stripe<const N: usize>([AtomicU64; N]);

impl<const N: usize> Counters<N> {
    pub(crate) const fn new() -> Self {
        Self { stripes: [const { Stripe([const { AtomicU64::new(0) }; N]) }; STRIPES] }
    }

    /// Adds one.
    #[inline]
    pub(crate) fn add(&self, which: usize) {
        let mine = mine();
        let count = &self.stripes[mine].0[which];
        if mine == SHARED {
            count.fetch_add(1, Ordering::Relaxed);
        } else {
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// The sum over all stripes.
    pub(crate) fn sum(&self, which: usize) -> u64 {
        self.stripes.iter().map(|stripe| stripe.0[which].load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::{Arc, Barrier, Mutex};
    use std::thread;

    #[test]
    fn no_count_is_lost_by_however_many_threads() {
        static COUNTERS: Counters<2> = Counters::new();
        for _ in 0..3 {
            let threads: Vec<_> = (0..40)
                .map(|_| {
                    thread::spawn(|| {
                        for _ in 0..1_000 {
                            COUNTERS.add(0);
                            COUNTERS.add(1);
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        }
        assert_eq!((COUNTERS.sum(0), COUNTERS.sum(1)), (120_000, 120_000));
    }

    #[test]
    fn no_two_threads_own_the_same_part() {
        let (barrier, owned) = (Arc::new(Barrier::new(40)), Arc::new(Mutex::new(Vec::new())));
        let threads: Vec<_> = (0..40)
            .map(|_| {
                let (barrier, owned) = (Arc::clone(&barrier), Arc::clone(&owned));
                thread::spawn(move || {
                    owned.lock().unwrap().push(mine());
                    barrier.wait();
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let mut owned = owned.lock().unwrap().clone();
        owned.retain(|part| *part != SHARED);
        let different: HashSet<_> = owned.iter().collect();
        assert!(different.len() == owned.len() && owned.len() < STRIPES, "{owned:?}");
    }
}
