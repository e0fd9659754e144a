//! Sets the timer of a list, without holding its lock, and handles its firing.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use tokio::runtime::Handle;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use super::list::{Shared, WaitQueue};
use super::offer::{NEVER, Offer};
use crate::clock;

/// The timer while it is being set, without the lock: a timer that is already due calls back immediately.
struct ArmGuard<'a, T: Offer> {
    shared: &'a Arc<Shared<T>>,
    runtime: Handle,
    timer: Option<Pin<Box<Sleep>>>,
    version: u64,
    set: Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// The timer will fire at this time.
    At(u64),
    /// The time has passed already.
    Late,
    /// The runtime is shutting down.
    Gone,
}

impl<T: Offer> Shared<T> {
    /// Sets the timer to the wanted time.
    #[cold]
    pub(super) fn set_timer(self: &Arc<Self>) {
        while let Some((mut guard, requested)) = self.take_timer() {
            guard.set = guard.set(requested);
            let late = guard.set == Set::Late;
            drop(guard);
            if late {
                self.fire();
            }
        }
    }

    fn take_timer(self: &Arc<Self>) -> Option<(ArmGuard<'_, T>, u64)> {
        let mut queue = self.lock();
        let (requested, timer) = (queue.requested(), &mut queue.timer);
        if !timer.is_to_be_set(requested) {
            return None;
        }
        let (runtime, version) = (timer.runtime.clone()?, timer.version);
        let timer = timer.timer.take();
        Some((ArmGuard { shared: self, runtime, timer, version, set: Set::Gone }, requested))
    }

    /// Called when the timer fires.
    fn fire(self: &Arc<Self>) {
        let mut queue = self.lock();
        queue.timer.has_fired();
        let now = queue.now();
        queue.tick(now);
        self.finish(queue);
    }
}

impl<T: Offer> ArmGuard<'_, T> {
    fn set(&mut self, requested: u64) -> Set {
        let Some(timer) = &mut self.timer else { return Set::Gone };
        let _within = self.runtime.enter();
        if requested == NEVER {
            timer.set(sleep_until(Instant::now()));
            return Set::At(NEVER);
        }
        timer.as_mut().reset(clock::instant(requested));
        if timer.is_elapsed() {
            return if clock::now() < requested { Set::Gone } else { Set::Late };
        }
        let waker = Waker::from(Arc::clone(self.shared));
        let fired = pin!(coop::unconstrained(timer.as_mut())).poll(&mut Context::from_waker(&waker)).is_ready();
        if fired { Set::Late } else { Set::At(requested) }
    }
}

impl<T: Offer> Drop for ArmGuard<'_, T> {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        if queue.timer.version != self.version {
            return;
        }
        match self.set {
            Set::At(at) => (queue.timer.timer, queue.timer.armed) = (self.timer.take(), at),
            Set::Late => (queue.timer.timer, queue.timer.armed) = (self.timer.take(), NEVER),
            Set::Gone => {
                let gone = queue.timer.release();
                queue.timer.dead = Some(self.runtime.id());
                // Wakes every waiter, so that one in another runtime provides a timer of that runtime.
                let WaitQueue { table, outbox, .. } = &mut *queue;
                table.wake_all(|waker| outbox.push_back((waker, true)));
                drop(queue);
                drop(gone);
            }
        }
    }
}

impl<T: Offer> Wake for Shared<T> {
    fn wake(self: Arc<Self>) {
        self.fire();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.fire();
    }
}
