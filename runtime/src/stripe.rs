//! Parts of something that threads do not fight over.
//!
//! The first threads have a part each, to themselves for as long as they live; the others share the last one. What one thread alone writes
//! needs no locked instruction, and other threads may still read it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How many parts there are.
pub(crate) const STRIPES: usize = 16;

/// The part of those that have none of their own.
const SHARED: usize = STRIPES - 1;

/// The part of this thread.
#[inline]
pub(crate) fn mine() -> usize {
    thread_local! {
        static MINE: Owned = Owned::take();
    }
    // While a thread ends its locals may be gone.
    MINE.try_with(|mine| mine.0).unwrap_or(SHARED)
}

/// A part, until the thread ends.
struct Owned(usize);

/// The parts that have an owner.
static OWNED: AtomicU32 = AtomicU32::new(0);

impl Owned {
    #[cold]
    fn take() -> Self {
        let free = |owned: u32| Some(owned | (owned + 1)).filter(|owned| *owned < 1 << SHARED);
        // What the owner before has written is seen by the next.
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

/// Counts of `N` things.
#[derive(Debug)]
pub(crate) struct Counters<const N: usize> {
    stripes: [Stripe<N>; STRIPES],
}

/// A cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Stripe<const N: usize>([AtomicU64; N]);

impl<const N: usize> Counters<N> {
    pub(crate) const fn new() -> Self {
        Self { stripes: [const { Stripe([const { AtomicU64::new(0) }; N]) }; STRIPES] }
    }

    /// One more.
    #[inline]
    pub(crate) fn add(&self, which: usize) {
        self.change(which, 1);
    }

    /// One less, perhaps on another thread than the one that counted it: a part may go below zero, the sum does not.
    #[inline]
    pub(crate) fn take_back(&self, which: usize) {
        self.change(which, u64::MAX);
    }

    #[inline]
    fn change(&self, which: usize, by: u64) {
        let mine = mine();
        let count = &self.stripes[mine].0[which];
        if mine == SHARED {
            count.fetch_add(by, Ordering::Relaxed);
        } else {
            count.store(count.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
        }
    }

    /// How many there are of one. What is taken back while the parts are added up may be missing from a part that has been read already:
    /// the sum is not below zero for that.
    pub(crate) fn sum(&self, which: usize) -> u64 {
        let sum: u64 = self.stripes.iter().fold(0, |sum, stripe| sum.wrapping_add(stripe.0[which].load(Ordering::Relaxed)));
        if sum > u64::MAX / 2 { 0 } else { sum }
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
                            COUNTERS.take_back(1);
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        }
        assert_eq!((COUNTERS.sum(0), COUNTERS.sum(1)), (120_000, 0));
    }

    /// What one thread counts and another takes back may be seen in the wrong order.
    #[test]
    fn no_sum_is_below_zero() {
        static COUNTERS: Counters<1> = Counters::new();
        let (counted, to_take_back) = std::sync::mpsc::channel();
        let [counts, takes_back] = [
            thread::spawn(move || {
                for _ in 0..200_000 {
                    COUNTERS.add(0);
                    counted.send(()).unwrap();
                }
            }),
            thread::spawn(move || to_take_back.iter().for_each(|()| COUNTERS.take_back(0))),
        ];
        while !takes_back.is_finished() {
            let sum = COUNTERS.sum(0);
            assert!(sum <= 200_000, "{sum}");
        }
        counts.join().unwrap();
        takes_back.join().unwrap();
        assert_eq!(COUNTERS.sum(0), 0);
        // As if the part of the other thread had been read before.
        COUNTERS.take_back(0);
        assert_eq!(COUNTERS.sum(0), 0);
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
