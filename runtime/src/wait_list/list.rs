//! The list: the waiters, what they were offered, and the work that follows once the lock is released.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use super::list_timer::ListTimer;
use super::offer::{GRACE, NEVER, Offer};
use super::table::Table;
use super::waiter_timer::WaiterTimer;
use crate::clock;
use crate::contain::contain;

/// A FIFO list of waiters.
pub(crate) struct WaitList<T: Offer>(OnceLock<Arc<Shared<T>>>);

/// Allocated when a call waits for the first time, because the timer's callback needs a handle to the list, even to one in a
/// static.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    queue: Mutex<WaitQueue<T>>,
    /// The number of offers that have not been taken up.
    offers: AtomicUsize,
}

/// The waiters, protected by the lock.
#[derive(Debug)]
pub(crate) struct WaitQueue<T> {
    pub(super) table: Table<T>,
    /// The number of pending offers that [lead](Offer::leads).
    leads: usize,
    /// What to offer to the first waiter, and when.
    next: Option<(u64, T)>,
    probe: LivenessProbe,
    /// Wakers to wake (`true`) or to drop (`false`) as soon as the lock is released.
    pub(super) outbox: VecDeque<(Waker, bool)>,
    pub(super) timer: ListTimer,
}

/// Finds waiters that are no longer polled. When one waiter misses an offer, those behind it may be idle as well. Each round wakes
/// twice as many as the one before, so that a run of idle waiters delays the others by a few grace periods instead of one each.
#[derive(Debug)]
struct LivenessProbe {
    probed: Vec<(u32, u64)>,
    until: u64,
    /// Consecutive offers that were not taken up.
    missed: u32,
}

/// A waiter's key in the list. It must be passed to [`WaitQueue::remove`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaiterKey(u32);

/// The first waiter that can receive an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct First {
    pub(crate) key: WaiterKey,
    /// When it began to wait.
    pub(crate) since: u64,
    /// How many permits it needs.
    pub(crate) cost: u32,
}

impl<T: Offer> WaitList<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Runs `act` on the waiters. A waiter that is offered something is woken afterwards, without the lock.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut WaitQueue<T>) -> R) -> R {
        let shared = self.shared();
        let mut queue = shared.lock();
        let result = act(&mut queue);
        shared.finish(queue);
        result
    }

    /// Polls a waiter with `look`. If it is pending, `waker` is woken when the waiter should be polled again. `look` may be called
    /// twice.
    pub(crate) fn poll<R>(
        &self,
        key: WaiterKey,
        timer: &mut WaiterTimer,
        waker: &Waker,
        mut look: impl FnMut(&mut WaitQueue<T>, u64) -> Poll<R>,
    ) -> Poll<R> {
        let shared = self.shared();
        let now = clock::now();
        // Dropped at the end, without the lock.
        let mut _replaced = None;
        let mut queue = shared.lock();
        if queue.timer.is_missing(now) {
            drop(queue);
            let timer = ListTimer::here();
            queue = shared.lock();
            _replaced = Some(queue.timer.replace(timer, now));
        }
        let mut polled = queue.look(key, now, &mut look);
        if polled.is_pending() && !queue.table.waker(key.0).as_ref().is_some_and(|known| known.will_wake(waker)) {
            shared.finish(queue);
            // `clone` and `drop` of a waker are user code and must run without the lock.
            let waker = waker.clone();
            queue = shared.lock();
            polled = queue.look(key, now, &mut look);
            if polled.is_pending() {
                let before = queue.table.waker(key.0).replace(waker);
                queue.outbox.extend(before.map(|before| (before, false)));
            }
        }
        let owner = queue.timer.owner();
        shared.finish(queue);
        if polled.is_pending() {
            timer.keep(owner, waker);
        } else {
            timer.end();
        }
        polled
    }

    /// Whether an offer is pending.
    pub(crate) fn has_offers(&self) -> bool {
        self.0.get().is_some_and(|shared| shared.offers.load(Ordering::Relaxed) > 0)
    }

    fn shared(&self) -> &Arc<Shared<T>> {
        self.0.get_or_init(|| {
            let probe = LivenessProbe { probed: Vec::new(), until: NEVER, missed: 0 };
            let queue =
                WaitQueue { table: Table::new(), leads: 0, next: None, probe, outbox: VecDeque::new(), timer: ListTimer::none() };
            Arc::new(Shared { queue: Mutex::new(queue), offers: AtomicUsize::new(0) })
        })
    }
}

impl<T: Offer> Drop for WaitList<T> {
    fn drop(&mut self) {
        // The timer holds a reference to the list.
        if let Some(shared) = self.0.get() {
            let timer = shared.lock().timer.release();
            drop(timer);
        }
    }
}

impl<T: Offer> std::fmt::Debug for WaitList<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitList").finish_non_exhaustive()
    }
}

impl<T: Offer> WaitQueue<T> {
    /// Appends a waiter that needs `cost` permits.
    pub(crate) fn push(&mut self, since: u64, cost: u32) -> WaiterKey {
        WaiterKey(self.table.push(since, cost))
    }

    /// The first waiter that can receive an offer.
    pub(crate) fn first(&self) -> Option<First> {
        self.table.first().map(|(index, since, cost)| First { key: WaiterKey(index), since, cost })
    }

    /// Offers `token` to the first waiter. Returns whether there is one.
    pub(crate) fn offer(&mut self, token: T) -> bool {
        let now = self.now();
        self.offer_from(token, now)
    }

    fn offer_from(&mut self, token: T, now: u64) -> bool {
        let there_is_one = self.first().is_some();
        if there_is_one {
            let waker = self.table.offer(token, now.saturating_add(clock::nanos(GRACE)));
            self.outbox.extend(waker.map(|waker| (waker, true)));
            self.leads += usize::from(token.leads());
        }
        there_is_one
    }

    /// Schedules an offer for the waiter that will be first at that time, replacing the one scheduled before.
    pub(crate) fn offer_at(&mut self, at: u64, token: T) {
        self.next = Some((at, token));
    }

    /// Whether a pending or scheduled offer makes a waiter admit the others.
    pub(crate) fn has_leader(&self) -> bool {
        self.next.is_some() || self.leads > 0
    }

    /// Whether a leading offer is pending and its grace period has not ended.
    pub(crate) fn was_just_led(&self, now: u64) -> bool {
        self.leads > 0 && self.table.newest_offer().is_some_and(|until| now < until)
    }

    /// What a waiter was offered. The offer stands until the waiter is [removed](Self::remove) or [requeued](Self::requeue).
    pub(crate) fn offered(&self, key: WaiterKey) -> Option<T> {
        self.table.offered(key.0).map(|(token, _)| token)
    }

    /// Puts a waiter back in the queue at its old position: it cannot use what it was offered, or it was
    /// unresponsive.
    pub(crate) fn requeue(&mut self, key: WaiterKey, now: u64) {
        self.leads -= usize::from(self.offered(key).is_some_and(Offer::leads));
        self.table.requeue(key.0, now);
    }

    /// Removes a waiter and returns what it was offered.
    pub(crate) fn remove(&mut self, key: WaiterKey) -> Option<T> {
        let (token, waker) = self.table.remove(key.0);
        self.leads -= usize::from(token.is_some_and(Offer::leads));
        self.outbox.extend(waker.map(|waker| (waker, false)));
        if self.first().is_none() {
            self.next = None;
        }
        token
    }

    /// Revokes an expired offer, unless another waiter can receive it.
    pub(crate) fn withdraw(&mut self) -> Option<T> {
        let now = self.now();
        self.reoffer_expired(now);
        if self.first().is_some() { None } else { self.withdraw_oldest(now) }
    }

    fn withdraw_oldest(&mut self, now: u64) -> Option<T> {
        let token = self.table.withdraw(now);
        self.leads -= usize::from(token.is_some_and(Offer::leads));
        token
    }

    /// Polls a waiter, after passing on expired offers.
    fn look<R>(&mut self, key: WaiterKey, now: u64, look: &mut impl FnMut(&mut Self, u64) -> Poll<R>) -> Poll<R> {
        self.table.respond(key.0);
        if self.table.is_unresponsive(key.0) {
            self.requeue(key, now);
        }
        self.reoffer_expired(now);
        let polled = look(self, now);
        if polled.is_ready() {
            self.probe.missed = 0;
        }
        polled
    }

    /// Makes the offers that are due.
    pub(super) fn tick(&mut self, now: u64) {
        self.reoffer_expired(now);
        if let Some((_, token)) = self.next.take_if(|(at, _)| *at <= now) {
            self.offer_from(token, now);
        }
    }

    /// Passes expired offers on to the next waiters.
    fn reoffer_expired(&mut self, now: u64) {
        if self.probe.until <= now {
            self.probe.until = NEVER;
            self.table.mark_unresponsive(&self.probe.probed);
            self.probe.probed.clear();
        }
        let mut passed_on = false;
        while self.first().is_some()
            && let Some(token) = self.withdraw_oldest(now)
        {
            self.offer_from(token, now);
            passed_on = true;
        }
        if passed_on && self.probe.until == NEVER {
            self.probe.missed = (self.probe.missed + 1).min(20);
            let (most, outbox) = ((1 << self.probe.missed) - 1, &mut self.outbox);
            self.table.probe_first(most, &mut self.probe.probed, |waker| outbox.push_back((waker, true)));
            self.probe.until = now.saturating_add(clock::nanos(GRACE));
        }
    }

    /// When the timer should fire.
    pub(super) fn requested(&self) -> u64 {
        let next = self.next.map_or(NEVER, |(at, _)| at);
        let offers = self.table.oldest_offer().unwrap_or(NEVER);
        // With no other waiter, the offer waits for the next caller, which checks whether it has expired.
        let offers = if self.first().is_none() { NEVER } else { offers };
        next.min(offers).min(self.probe.until)
    }

    /// The current time of the runtime in which the calls wait: the thread that releases a permit may be outside any runtime, and
    /// the clock may be paused.
    pub(super) fn now(&self) -> u64 {
        let _within = self.timer.enter();
        clock::now()
    }
}

impl<T: Offer> Shared<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, WaitQueue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases the lock and does what must happen without it: sets the timer and wakes waiters.
    pub(super) fn finish<'a>(self: &'a Arc<Self>, mut queue: MutexGuard<'a, WaitQueue<T>>) {
        self.offers.store(queue.table.offers(), Ordering::Relaxed);
        if queue.table.is_empty() {
            queue.probe.until = NEVER;
            queue.probe.probed.clear();
        }
        let requested = queue.requested();
        if queue.timer.is_to_be_set(requested) {
            drop(queue);
            self.set_timer();
            queue = self.lock();
        }
        while let Some((waker, wakes)) = queue.outbox.pop_front() {
            drop(queue);
            // A waker that panics must not keep the other waiters from being woken, nor make the call that releases a permit panic.
            contain(|| if wakes { waker.wake() } else { drop(waker) });
            queue = self.lock();
        }
        let gone = queue.table.is_empty().then(|| queue.timer.release_if_idle());
        drop(queue);
        drop(gone);
    }
}
