//! A FIFO semaphore with an adjustable limit.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Poll, Waker};

use crate::keyed::Retain;
use crate::name::Name;
use crate::wait_list::{WaitList, WaitQueue, WaiterKey, WaiterTimer};

/// A concurrency limiter (bulkhead): limits how many calls run at once; excess calls wait or are rejected.
///
/// Put a limiter into a `static` to share it among the functions that use one resource, or access a function's own limiter through
/// its `handle`. Waiting calls are admitted in FIFO order, as long as they are
/// [polled](macro@crate::concurrency_limit#cancel-safety). The limit can be changed at runtime.
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
pub struct ConcurrencyLimiter {
    /// Lower half: calls that run or have been admitted. Upper half: calls that wait; it changes only under the lock of the
    /// waiters.
    load: AtomicU64,
    limit: AtomicU32,
    /// The maximum of an adaptive limit.
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

/// The result of asking for a permit.
pub(super) enum Enqueued {
    /// It has a permit.
    Admitted,
    /// It waits for a permit.
    Queued(WaiterKey),
    /// The queue is full.
    Full,
}

impl ConcurrencyLimiter {
    /// Creates a limiter for `limit` concurrent calls, with an unbounded queue. A limit of 0 admits no calls.
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

    /// Sets the name under which the [registry](crate#features) lists the limiter and metrics export it while it exists, whether it
    /// is a `static` or a field. With the `registry` feature, the state of a named limiter is allocated on the heap at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    /// How many calls may wait.
    #[inline]
    pub(crate) fn queue_bound(&self) -> u32 {
        self.queue
    }

    pub(crate) fn given_name(&self) -> Option<&'static str> {
        self.name.get()
    }

    /// The value that holds the state.
    #[inline]
    pub(super) fn live(&self) -> &Self {
        self.name.state(self, || Self {
            adaptive: self.adaptive,
            queue: self.queue,
            ..Self::new(self.limit.load(Ordering::Relaxed) as usize)
        })
    }

    /// Sets how many calls may wait; further calls are rejected. Default: unbounded.
    #[must_use]
    pub const fn queue(mut self, calls: usize) -> Self {
        self.queue = saturate(calls);
        self
    }

    /// Adapts the limit to failures: it drops by a tenth with each failure, to no less than 1, and grows by 1 with each success
    /// while at least half of it is in use, up to the initial limit. This is additive increase, multiplicative decrease, as in TCP
    /// and Netflix's `concurrency-limits`.
    #[must_use]
    pub const fn adaptive(mut self) -> Self {
        self.adaptive = true;
        self
    }

    /// The limit, or the current limit if it is adaptive.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.live().limit.load(Ordering::Relaxed) as usize
    }

    /// Changes the limit. Raising it admits waiting calls immediately; lowering it takes effect as running calls finish. For an
    /// adaptive limit this also becomes the maximum.
    pub fn set_limit(&self, limit: usize) {
        let this = self.live();
        this.most.store(saturate(limit), Ordering::SeqCst);
        this.limit.store(saturate(limit), Ordering::SeqCst);
        this.wake_next();
    }

    /// The number of running calls.
    #[inline]
    #[must_use]
    pub fn running(&self) -> usize {
        running(self.live().load.load(Ordering::Relaxed)) as usize
    }

    /// The number of waiting calls.
    #[inline]
    #[must_use]
    pub fn waiting(&self) -> usize {
        waiting(self.live().load.load(Ordering::Relaxed)) as usize
    }

    /// Takes a permit if one is free and no call is waiting.
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

    /// Takes a permit if none of the waiting calls is being polled.
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
        // If the limit was lowered in the meantime, the permit of a call that was admitted and has not been polled is not passed
        // on.
        if running(load) > self.limit.load(Ordering::Relaxed) || queue.withdraw().is_none() {
            return false;
        }
        // The call that was admitted waits again, and its permit is taken.
        self.load.fetch_add(WAITS, Ordering::AcqRel);
        true
    }

    /// Takes a permit, or a place in the queue.
    #[cold]
    pub(super) fn acquire_or_enqueue(&self, most: u32) -> Enqueued {
        self.waiters.with(|queue| {
            loop {
                // Under the lock, no other call starts or stops waiting, but calls may still take and release permits.
                if self.acquire_now() || self.overtake_in(queue) {
                    return Enqueued::Admitted;
                }
                let load = self.load.load(Ordering::Relaxed);
                if waiting(load) >= most {
                    return Enqueued::Full;
                }
                let full = queue.first().is_some() || running(load) >= self.limit.load(Ordering::Relaxed);
                if full && self.load.compare_exchange(load, load + WAITS, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    return Enqueued::Queued(queue.push(0, 1));
                }
            }
        })
    }

    /// Releases a permit, to the first waiter if there is one.
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

    /// Admits waiting calls as far as the limit allows.
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

    /// Whether the waiter has been admitted and removed from the queue; otherwise, `waker` is woken when it is admitted.
    pub(super) fn is_admitted(&self, key: WaiterKey, timer: &mut WaiterTimer, waker: &Waker) -> bool {
        let polled = self.waiters.poll(key, timer, waker, |queue, now| {
            // A waiter that was overtaken passes free permits on to those behind it.
            self.admit(queue);
            if queue.offered(key).is_none() {
                return Poll::Pending;
            }
            // The limit was lowered after the permit was offered. The permit is released, and the waiter is first in line for the
            // next one.
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

    /// Cancels a wait, and releases the permit if it has been granted in the meantime.
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

    /// Adapts the limit to an outcome.
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

impl Retain for ConcurrencyLimiter {
    fn retention(&self, _: u64) -> Option<u64> {
        let this = self.live();
        let adapted = this.limit.load(Ordering::Relaxed) != this.most.load(Ordering::Relaxed);
        (this.load.load(Ordering::Relaxed) == 0).then_some(u64::from(adapted))
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
