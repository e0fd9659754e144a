//! A timer queue: the pending deadlines of one runtime, with a single Tokio timer armed for the earliest.
//!
//! The calls of a function normally have the same limit, so their deadlines pass in the order in which the calls began to wait, and
//! a FIFO list suffices. A deadline that is earlier than the last one in the queue is not accepted; it gets a timer of its own.
//!
//! The timer stays armed when the first call completes early, and is set to the next deadline when it fires, so that most calls
//! never touch it. If the clock can be paused, removing the last deadline also clears the timer, because a paused clock advances to
//! any timer there is.
//!
//! # States of the timer
//!
//! | `timer` | `requested` and `armed` | meaning |
//! | --- | --- | --- |
//! | `Some`, empty | both `NEVER` | no deadlines |
//! | `Some`, set | equal | armed for the earliest deadline, or for a call that has completed |
//! | `Some` | `requested < armed` | must be set, by the thread that requested it |
//! | `None` | any | a thread is setting it without the lock, and checks `requested` again afterwards |
//!
//! # Locks
//!
//! One mutex per queue. Under it no waker is cloned, called or dropped, and the timer is neither set nor polled: a timer that is
//! already due calls back immediately and takes the lock again. The clock is read under the lock, to keep the deadlines in order.
//! No other lock of this crate is taken under it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::{Handle, Id};
use tokio::task::coop;
use tokio::time::{Sleep, sleep_until};

use super::deadline_list::DeadlineList;
use crate::clock::{self, MAY_BE_PAUSED};
use crate::contain::contain;
use crate::deadline::NEVER;

/// The deadlines of one runtime, in one queue.
#[derive(Debug)]
pub(super) struct TimerQueue {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The runtime whose clock the deadlines use.
    runtime: Option<Id>,
    deadlines: DeadlineList,
    /// When the timer should fire.
    requested: u64,
    /// When it will fire.
    armed: u64,
    /// `None` while a thread is setting it; that thread checks afterwards whether the requested time has changed.
    timer: Option<Timer>,
    /// Whether the clock advances by itself to the next timer.
    is_virtual: bool,
}

/// The box is kept for good, so that no call allocates.
type Timer = Pin<Box<Option<Sleep>>>;

/// A deadline that has been added.
pub(super) struct Inserted {
    pub(super) key: u32,
    pub(super) at: u64,
    /// The timer must be [set](TimerQueue::set_timer), as soon as it is certain that the deadline will be removed again.
    pub(super) is_first: bool,
}

impl TimerQueue {
    pub(super) fn new() -> Arc<Self> {
        let inner = Inner {
            runtime: None,
            deadlines: DeadlineList::new(),
            requested: NEVER,
            armed: NEVER,
            timer: Some(Box::pin(None)),
            is_virtual: false,
        };
        Arc::new(Self { inner: Mutex::new(inner) })
    }

    /// Adds a deadline that passes `limit` nanoseconds from now. `None`: the queue belongs to another runtime, a deadline in it is
    /// later, or the deadline is further away than the clock can express.
    #[inline]
    pub(super) fn insert(&self, limit: u64, waker: Waker) -> Option<Inserted> {
        let runtime = Handle::current().id();
        let mut inner = self.lock();
        // Read under the lock, so that the deadlines are in order.
        let at = clock::now().saturating_add(limit);
        if at == NEVER || !inner.belongs_to(runtime) || !inner.deadlines.has_room(at) {
            return None;
        }
        let key = inner.deadlines.push(at, waker);
        Some(Inserted { key, at, is_first: inner.request(at) })
    }

    /// Ready when the deadline has passed; otherwise `waker` is woken then.
    pub(super) fn poll(self: &Arc<Self>, key: u32, waker: &Waker) -> Poll<()> {
        let mut inner = self.lock();
        if inner.deadlines.waker(key).as_ref().is_some_and(|known| !known.will_wake(waker)) {
            drop(inner);
            // `clone` and `drop` of a waker are user code and run without the lock: the clone here, the drop at the end.
            let waker = waker.clone();
            inner = self.lock();
            if !inner.deadlines.has_expired(key) {
                let before = inner.deadlines.waker(key).replace(waker);
                drop(inner);
                drop(before);
                inner = self.lock();
            }
        }
        if inner.deadlines.has_expired(key) {
            return Poll::Ready(());
        }
        let at = inner.deadlines.at(key);
        // If the timer's runtime has shut down, the timer must be set again.
        if inner.request(at) {
            drop(inner);
            self.set_timer();
        }
        Poll::Pending
    }

    /// Removes a deadline.
    #[inline]
    pub(super) fn remove(&self, key: u32) {
        let mut inner = self.lock();
        let waker = inner.deadlines.remove(key);
        // A clock that is paused later would advance to a timer left behind.
        if (MAY_BE_PAUSED || inner.is_virtual) && inner.deadlines.is_empty() {
            inner.release_timer();
        }
        drop(inner);
        drop(waker);
    }

    /// Sets the timer to the requested time. Must be called without the lock: a timer that is already due calls back immediately.
    #[cold]
    pub(super) fn set_timer(self: &Arc<Self>) {
        while let Some(mut guard) = ArmGuard::of(self) {
            let fired = guard.set(&Waker::from(Arc::clone(self)));
            drop(guard);
            if fired {
                self.fire();
            }
        }
    }

    /// Called when the timer fires.
    fn fire(self: &Arc<Self>) {
        let now = clock::now();
        // One at a time and without the lock: the woken task may run immediately and use this queue. A waker that panics affects
        // neither the other calls nor the runtime's timer driver, whose panic would end `block_on`.
        while let Some(waker) = self.pop_expired(now) {
            contain(|| waker.wake());
        }
        self.set_timer();
    }

    /// Removes the next deadline that has passed and returns its waker. If there is none, computes when the timer should fire.
    fn pop_expired(&self, now: u64) -> Option<Waker> {
        let mut inner = self.lock();
        let expired = inner.deadlines.pop_expired(now);
        if expired.is_none() {
            inner.armed = NEVER;
            inner.requested = inner.deadlines.next().unwrap_or(NEVER);
            if inner.deadlines.is_empty() {
                inner.release_timer();
            }
        }
        expired
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for TimerQueue {
    fn wake(self: Arc<Self>) {
        self.fire();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.fire();
    }
}

impl Inner {
    /// Whether the queue belongs to `runtime`. An empty queue is claimed for it.
    #[inline]
    fn belongs_to(&mut self, runtime: Id) -> bool {
        if self.runtime != Some(runtime) {
            if !self.deadlines.is_empty() || self.timer.is_none() {
                return false;
            }
            self.release_timer();
            self.runtime = Some(runtime);
        }
        true
    }

    /// Requests that the timer fire by `at`. Returns whether it has to be set.
    #[inline]
    fn request(&mut self, at: u64) -> bool {
        let earlier = at < self.requested;
        if earlier {
            self.requested = at;
        }
        earlier
    }

    /// Clears the timer of an empty queue: it holds a reference to the runtime, and would advance a paused clock.
    fn release_timer(&mut self) {
        // A thread that is setting the timer checks this afterwards.
        self.requested = NEVER;
        if let Some(timer) = &mut self.timer {
            timer.set(None);
            self.armed = NEVER;
        }
    }
}

/// The timer while it is being set. Dropping this returns it to the queue, also during a panic.
struct ArmGuard<'a> {
    queue: &'a TimerQueue,
    timer: Option<Timer>,
    at: u64,
    armed: u64,
    is_virtual: bool,
}

impl<'a> ArmGuard<'a> {
    /// Takes the timer. `None`: it is set correctly, or another thread is setting it.
    fn of(queue: &'a TimerQueue) -> Option<Self> {
        let mut inner = queue.lock();
        if inner.requested == NEVER {
            inner.release_timer();
        }
        if inner.requested == inner.armed {
            return None;
        }
        let (at, is_virtual) = (inner.requested, inner.is_virtual);
        let timer = inner.timer.take()?;
        Some(Self { queue, timer: Some(timer), at, armed: NEVER, is_virtual })
    }

    /// Sets the timer. Returns whether the time has passed already.
    fn set(&mut self, waker: &Waker) -> bool {
        let timer = self.timer.as_mut().expect("present until this is dropped");
        let deadline = clock::instant(self.at);
        if let Some(sleep) = timer.as_mut().as_pin_mut() {
            sleep.reset(deadline);
        } else {
            self.is_virtual = clock::is_virtual();
            timer.set(Some(sleep_until(deadline)));
        }
        let sleep = timer.as_mut().as_pin_mut().expect("set above");
        let late = sleep.is_elapsed();
        if late && clock::now() < self.at {
            // The runtime is shutting down, and so is every call waiting in it.
            timer.set(None);
            return false;
        }
        self.armed = self.at;
        late || pin!(coop::unconstrained(sleep)).poll(&mut Context::from_waker(waker)).is_ready()
    }
}

impl Drop for ArmGuard<'_> {
    fn drop(&mut self) {
        let mut inner = self.queue.lock();
        inner.timer = self.timer.take();
        (inner.armed, inner.is_virtual) = (self.armed, self.is_virtual);
        if self.armed == NEVER {
            (inner.requested, inner.runtime) = (NEVER, None);
        }
    }
}
