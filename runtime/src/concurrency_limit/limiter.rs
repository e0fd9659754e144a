//! Places for so many calls at once, and the line for them.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Poll, Waker};

use crate::name::Name;
use crate::wait_list::{WaitList, WaitQueue, WaiterKey, WaiterTimer};

/// Lets so many calls run at once, and the others wait in line: a bulkhead.
///
/// A limiter is made in a `static` and shared by the functions that use the same thing, or comes with a function and is reached by its
/// `handle`. First come, first served, among those who are [polled](macro@crate::concurrency_limit#cancel-safety). Its limit can be changed
/// while the program runs.
///
/// ```
/// use steadfast::{ConcurrencyLimiter, concurrency_limit};
///
/// static DISK: ConcurrencyLimiter = ConcurrencyLimiter::new(8);
///
/// #[concurrency_limit(DISK)]
/// async fn read(name: &str) -> std::io::Result<usize> {
///     Ok(name.len())
/// }
///
/// #[concurrency_limit(DISK, max_wait = 100ms)]
/// async fn write(name: &str) -> std::io::Result<()> {
///     assert_eq!(DISK.running(), 1);
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// write("a").await?;
/// DISK.set_limit(1);
/// assert_eq!(read("abc").await?, 3);
/// assert_eq!((DISK.running(), DISK.waiting(), DISK.limit()), (0, 0, 1));
/// # Ok(()) }
/// ```
#[doc(alias("bulkhead", "semaphore", "permit"))]
pub struct ConcurrencyLimiter {
    /// Calls that run, or were let in, in the lower half, calls that wait in the upper. The upper half changes only under the lock of the
    /// waiters.
    load: AtomicU64,
    limit: AtomicU32,
    /// What an adaptive limit grows to.
    most: AtomicU32,
    adaptive: bool,
    queue: u32,
    waiters: WaitList<()>,
    name: Name<Self>,
}

const WAITS: u64 = 1 << 32;

#[inline]
fn running(load: u64) -> u32 {
    (load & (WAITS - 1)) as u32
}

#[inline]
fn waiting(load: u64) -> u32 {
    (load >> 32) as u32
}

/// What becomes of a call that asks for a permit.
pub(super) enum Enqueued {
    /// It has one.
    Admitted,
    /// It waits for one.
    Queued(WaiterKey),
    /// So many wait already that no more may.
    Full,
}

impl ConcurrencyLimiter {
    /// Room for `limit` calls at once, and for any number that wait. A limit of 0 lets nothing in.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        let limit = saturate(limit);
        Self {
            load: AtomicU64::new(0),
            limit: AtomicU32::new(limit),
            most: AtomicU32::new(limit),
            adaptive: false,
            queue: u32::MAX,
            waiters: WaitList::new(),
            name: Name::none(),
        }
    }

    /// Gives it a name, by which the [registry](crate#features) lists it and metrics export it as long as it lives, in a field too. With the feature
    /// `registry` the state of a limiter with a name is on the heap, made at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn given_name(&self) -> Option<&'static str> {
        self.name.get()
    }

    /// Where its state is.
    #[inline]
    pub(super) fn live(&self) -> &Self {
        self.name.state(self, || Self {
            adaptive: self.adaptive,
            queue: self.queue,
            ..Self::new(self.limit.load(Ordering::Relaxed) as usize)
        })
    }

    /// How many calls may wait at once; the others are refused.
    #[must_use]
    pub const fn queue(mut self, calls: usize) -> Self {
        self.queue = saturate(calls);
        self
    }

    /// Lets the limit fall to nine tenths with each failure, down to 1, and rise by 1 with each success while at least half of it is in
    /// use, up to what it was made with: additive increase, multiplicative decrease, as TCP does and Netflix's `concurrency-limits`.
    #[must_use]
    pub const fn adaptive(mut self) -> Self {
        self.adaptive = true;
        self
    }

    /// How many calls may run at once; where the limit is adaptive, at present.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.live().limit.load(Ordering::Relaxed) as usize
    }

    /// Changes the limit. Where it is raised, those who wait go in at once; where it is lowered, nobody does until enough have left. Where
    /// it is adaptive, this is what it may rise to.
    pub fn set_limit(&self, limit: usize) {
        let this = self.live();
        this.most.store(saturate(limit), Ordering::SeqCst);
        this.limit.store(saturate(limit), Ordering::SeqCst);
        this.wake_next();
    }

    /// How many calls run.
    #[inline]
    #[must_use]
    pub fn running(&self) -> usize {
        running(self.live().load.load(Ordering::Relaxed)) as usize
    }

    /// How many calls wait.
    #[inline]
    #[must_use]
    pub fn waiting(&self) -> usize {
        waiting(self.live().load.load(Ordering::Relaxed)) as usize
    }

    /// Takes a permit if one is free and nobody waits for it.
    #[inline]
    pub(super) fn acquire_now(&self) -> bool {
        let mut load = self.load.load(Ordering::Relaxed);
        while waiting(load) == 0 && running(load) < self.limit.load(Ordering::Relaxed) {
            match self.load.compare_exchange_weak(load, load + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => load = now,
            }
        }
        false
    }

    /// Takes a permit for which only such calls wait as are not polled.
    pub(super) fn overtake(&self) -> bool {
        let load = self.load.load(Ordering::Relaxed);
        let unclaimed = waiting(load) > 0 && running(load) < self.limit.load(Ordering::Relaxed);
        (unclaimed || self.waiters.has_offers()) && self.waiters.with(|queue| self.overtake_in(queue))
    }

    fn overtake_in(&self, queue: &mut WaitQueue<()>) -> bool {
        if queue.first().is_some() {
            return false;
        }
        let mut load = self.load.load(Ordering::Relaxed);
        while running(load) < self.limit.load(Ordering::Relaxed) {
            match self.load.compare_exchange_weak(load, load + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => load = now,
            }
        }
        // Where the limit was lowered meanwhile, nobody takes the permit of one that was let in and has not come.
        if running(load) > self.limit.load(Ordering::Relaxed) || queue.withdraw().is_none() {
            return false;
        }
        // The one that was let in waits again, and its permit is taken.
        self.load.fetch_add(WAITS, Ordering::AcqRel);
        true
    }

    /// Takes a permit, or a place in the queue.
    #[cold]
    pub(super) fn acquire_or_enqueue(&self) -> Enqueued {
        self.waiters.with(|queue| {
            loop {
                // Under the lock nobody else begins or ends to wait, but others may still come and go.
                if self.acquire_now() || self.overtake_in(queue) {
                    return Enqueued::Admitted;
                }
                let load = self.load.load(Ordering::Relaxed);
                if waiting(load) >= self.queue {
                    return Enqueued::Full;
                }
                let full = queue.first().is_some() || running(load) >= self.limit.load(Ordering::Relaxed);
                if full && self.load.compare_exchange(load, load + WAITS, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    return Enqueued::Queued(queue.push(0));
                }
            }
        })
    }

    /// Gives a place back: to the first in the line, where there is one.
    #[inline]
    pub(super) fn release(&self) {
        let mut load = self.load.load(Ordering::Relaxed);
        while waiting(load) == 0 {
            match self.load.compare_exchange_weak(load, load - 1, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => load = now,
            }
        }
        self.load.fetch_sub(1, Ordering::AcqRel);
        self.wake_next();
    }

    /// Lets those in who wait, as far as there is room.
    #[cold]
    fn wake_next(&self) {
        self.waiters.with(|queue| self.admit(queue));
    }

    fn admit(&self, queue: &mut WaitQueue<()>) {
        loop {
            let load = self.load.load(Ordering::Relaxed);
            if queue.first().is_none() || running(load) >= self.limit.load(Ordering::SeqCst) {
                return;
            }
            if self.load.compare_exchange(load, load + 1 - WAITS, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                queue.offer(());
            }
        }
    }

    /// Whether the one with this seat has been let in, and has left the line; if not, `waker` is woken when it is.
    pub(super) fn is_admitted(&self, key: WaiterKey, timer: &mut WaiterTimer, waker: &Waker) -> bool {
        let polled = self.waiters.poll(key, timer, waker, |queue, now| {
            // One that was overtaken finds the room that it left to those behind it, if none of them needed it.
            self.admit(queue);
            if queue.offered(key).is_none() {
                return Poll::Pending;
            }
            // The limit was lowered after the permit was offered: it is given back, and the waiter is the first to get the next one.
            if running(self.load.load(Ordering::Relaxed)) > self.limit.load(Ordering::Relaxed) {
                queue.requeue(key, now);
                self.load.fetch_add(WAITS - 1, Ordering::AcqRel);
                return Poll::Pending;
            }
            queue.remove(key);
            Poll::Ready(())
        });
        polled.is_ready()
    }

    /// One who waited goes away, and gives back a place that has come meanwhile.
    pub(super) fn cancel(&self, key: WaiterKey) {
        let offered = self.waiters.with(|queue| {
            let offered = queue.remove(key);
            if offered.is_none() {
                self.load.fetch_sub(WAITS, Ordering::AcqRel);
            }
            offered
        });
        if offered.is_some() {
            self.release();
        }
    }

    /// Learns from an outcome.
    #[inline]
    pub(super) fn record(&self, failed: bool) {
        if self.adaptive {
            self.adapt(failed);
        }
    }

    fn adapt(&self, failed: bool) {
        let (load, most) = (self.load.load(Ordering::Relaxed), self.most.load(Ordering::Relaxed));
        let adapted = |limit: u32| {
            if failed {
                (limit > 1).then(|| limit - (limit / 10).max(1))
            } else {
                (limit < most && running(load) >= limit.div_ceil(2)).then(|| limit + 1)
            }
        };
        let changed = self.limit.fetch_update(Ordering::SeqCst, Ordering::Relaxed, adapted);
        if changed.is_ok() && !failed {
            self.wake_next();
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "compared before")]
const fn saturate(count: usize) -> u32 {
    if count > u32::MAX as usize { u32::MAX } else { count as u32 }
}

impl fmt::Debug for ConcurrencyLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, running, waiting) = (self.limit(), self.running(), self.waiting());
        f.debug_struct("ConcurrencyLimiter")
            .field("name", &self.name.get())
            .field("limit", &limit)
            .field("running", &running)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}
