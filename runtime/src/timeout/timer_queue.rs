//! A line of deadlines with one timer for all of them.
//!
//! All calls of a function have the same time, so that their deadlines come in the order in which the calls began to wait: only the first
//! needs a timer. The timer stays where it is when the first is done early, and finds the next when it fires: most calls touch none. Where
//! the clock may be paused, the last call takes the timer away, since such a clock moves on to whatever timer there is.

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

/// A line of deadlines of one runtime.
#[derive(Debug)]
pub(super) struct TimerQueue {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Whose clock the deadlines are of.
    runtime: Option<Id>,
    deadlines: DeadlineList,
    /// When the timer is to fire.
    requested: u64,
    /// When it will.
    armed: u64,
    /// Away while somebody sets it, who then looks at what is wanted again.
    timer: Option<Timer>,
    /// Whether the clock is one that moves on by itself to the next timer.
    is_virtual: bool,
}

/// In a box for good, so that no call allocates.
type Timer = Pin<Box<Option<Sleep>>>;

/// A place in the line.
pub(super) struct Inserted {
    pub(super) key: u32,
    pub(super) at: u64,
    /// The timer is to be [set](TimerQueue::set_timer), as soon as the seat will be given up whatever happens.
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

    /// Takes a seat. `None`: those who wait belong to another runtime, or some of them wait for longer, or the
    /// deadline is further away than the clock counts.
    #[inline]
    pub(super) fn insert(&self, limit: u64, waker: Waker) -> Option<Inserted> {
        let runtime = Handle::current().id();
        let mut inner = self.lock();
        // The clock is looked at under the lock, so that the deadlines are in order.
        let at = clock::now().saturating_add(limit);
        if at == NEVER || !inner.belongs_to(runtime) || !inner.deadlines.has_room(at) {
            return None;
        }
        let key = inner.deadlines.push(at, waker);
        Some(Inserted { key, at, is_first: inner.request(at) })
    }

    /// Ready when the deadline of a seat has passed; otherwise `waker` is woken then.
    pub(super) fn poll(self: &Arc<Self>, key: u32, waker: &Waker) -> Poll<()> {
        let mut inner = self.lock();
        if inner.deadlines.waker(key).as_ref().is_some_and(|known| !known.will_wake(waker)) {
            drop(inner);
            // Other people's code, under no lock: `clone` here, `drop` at the end.
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
        // Where the runtime of the timer has gone, somebody must set it anew.
        if inner.request(at) {
            drop(inner);
            self.set_timer();
        }
        Poll::Pending
    }

    /// Gives a seat up.
    #[inline]
    pub(super) fn remove(&self, key: u32) {
        let mut inner = self.lock();
        let waker = inner.deadlines.remove(key);
        // A clock that is paused later on would move to a timer that stays behind.
        if (MAY_BE_PAUSED || inner.is_virtual) && inner.deadlines.is_empty() {
            inner.release_timer();
        }
        drop(inner);
        drop(waker);
    }

    /// Sets the timer to what is wanted. Not under the lock: one that is late already calls back at once.
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

    /// The timer has fired.
    fn fire(self: &Arc<Self>) {
        let now = clock::now();
        // Woken one by one and under no lock: whoever is woken may run at once, and come back here.
        // The panic of one keeps no other waiting, nor reaches the runtime's timer, which would leave `block_on` by it.
        while let Some(waker) = self.pop_expired(now) {
            contain(|| waker.wake());
        }
        self.set_timer();
    }

    /// The next whose deadline has come. When there is none left: what is wanted of the timer now.
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
    /// Whether the line is that of a runtime. One that nobody stands in is anybody's.
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

    /// Notes that the timer must have fired by then. Whether it would not.
    #[inline]
    fn request(&mut self, at: u64) -> bool {
        let earlier = at < self.requested;
        if earlier {
            self.requested = at;
        }
        earlier
    }

    /// Nobody waits: the timer holds on to the runtime, and moves a virtual clock.
    fn release_timer(&mut self) {
        // Whoever is setting the timer looks at this afterwards.
        self.requested = NEVER;
        if let Some(timer) = &mut self.timer {
            timer.set(None);
            self.armed = NEVER;
        }
    }
}

/// The timer, while it is being set. Comes back when this is dropped, also by a panic.
struct ArmGuard<'a> {
    queue: &'a TimerQueue,
    timer: Option<Timer>,
    at: u64,
    armed: u64,
    is_virtual: bool,
}

impl<'a> ArmGuard<'a> {
    /// `None`: it is set already, or somebody is about to.
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

    /// Whether the time has come already.
    fn set(&mut self, waker: &Waker) -> bool {
        let timer = self.timer.as_mut().expect("it is away until this is dropped");
        let deadline = clock::instant(self.at);
        if let Some(sleep) = timer.as_mut().as_pin_mut() {
            sleep.reset(deadline);
        } else {
            self.is_virtual = clock::is_virtual();
            timer.set(Some(sleep_until(deadline)));
        }
        let sleep = timer.as_mut().as_pin_mut().expect("it was set");
        let late = sleep.is_elapsed();
        if late && clock::now() < self.at {
            // The runtime is shutting down, and so is everything that waits in it.
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
