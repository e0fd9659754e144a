//! The timer of a list of waiters.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use tokio::runtime::{EnterGuard, Handle, Id};
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{GRACE, Line, NEVER, Offer, Shared};
use crate::clock;

/// A timer of one of the runtimes in which the calls wait. Somebody who lets them in, in no runtime, can set it too.
#[derive(Debug)]
pub(super) struct Alarm {
    runtime: Option<Handle>,
    /// Away while somebody sets it, who then looks at what is wanted again.
    timer: Option<Pin<Box<Sleep>>>,
    /// When it fires.
    armed: u64,
    /// Tells timers apart of which one took the place of the other.
    version: u64,
    /// The last runtime that was seen to have shut down.
    dead: Option<Id>,
}

/// A paused clock moves on to the next timer, so that none may stay behind that nobody waits for. Tests can pause theirs at any time.
const PAUSABLE: bool = cfg!(feature = "test-util");

impl Alarm {
    pub(super) fn none() -> Self {
        Self { runtime: None, timer: None, armed: NEVER, version: 0, dead: None }
    }

    /// One of the runtime that a waiter is polled in.
    ///
    /// # Panics
    ///
    /// Where the timers of the runtime are not enabled.
    pub(super) fn here() -> Self {
        let runtime = Handle::try_current().ok();
        let timer = runtime.as_ref().map(|_| Box::pin(sleep_until(Instant::now())));
        Self { runtime, timer, ..Self::none() }
    }

    /// Whether a waiter is to bring a timer: there is none, or one that should have fired, of a runtime that nobody runs.
    pub(super) fn is_missing(&self, now: u64) -> bool {
        self.runtime.is_none() || (self.timer.is_some() && self.armed.saturating_add(clock::nanos(GRACE)) < now)
    }

    /// The runtime that it is a timer of.
    pub(super) fn owner(&self) -> Option<Id> {
        self.runtime.as_ref().map(Handle::id)
    }

    /// Takes over what a waiter brought, if it is still [missing](Self::is_missing). What is left is to be dropped under no lock.
    pub(super) fn replace(&mut self, alarm: Self, now: u64) -> Self {
        let id = alarm.runtime.as_ref().map(Handle::id);
        if !self.is_missing(now) || id.is_none() || id == self.dead {
            return alarm;
        }
        let alarm = Self { version: self.version + 1, dead: self.dead, ..alarm };
        std::mem::replace(self, alarm)
    }

    /// Holds on to no runtime any more. What is left is to be dropped under no lock.
    pub(super) fn let_go(&mut self) -> Self {
        let empty = Self { version: self.version + 1, dead: self.dead, ..Self::none() };
        std::mem::replace(self, empty)
    }

    /// The same, unless it fires soon and will find that nobody waits: it may be wanted again before.
    pub(super) fn let_go_if_idle(&mut self) -> Option<Self> {
        let idle = PAUSABLE || self.armed == NEVER;
        (idle && self.runtime.is_some()).then(|| self.let_go())
    }

    /// Whether it would fire too late.
    pub(super) fn is_to_be_set(&self, wanted: u64) -> bool {
        self.timer.is_some() && (wanted < self.armed || (PAUSABLE && wanted == NEVER && self.armed != NEVER))
    }

    /// Enters the runtime, whose clock is that of the timer.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Handle::enter)
    }

    pub(super) fn has_fired(&mut self) {
        self.armed = NEVER;
    }
}

/// The timer, while it is being set under no lock: one that is late already calls back at once.
struct Away<'a, T: Offer> {
    shared: &'a Arc<Shared<T>>,
    runtime: Handle,
    timer: Option<Pin<Box<Sleep>>>,
    version: u64,
    set: Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// It fires then.
    At(u64),
    /// The time has come already.
    Late,
    /// The runtime is shutting down.
    Gone,
}

impl<T: Offer> Shared<T> {
    /// Sets the timer to what is wanted.
    #[cold]
    pub(super) fn set_alarm(self: &Arc<Self>) {
        while let Some((mut away, wanted)) = self.take_timer() {
            away.set = away.set(wanted);
            let late = away.set == Set::Late;
            drop(away);
            if late {
                self.fire();
            }
        }
    }

    fn take_timer(self: &Arc<Self>) -> Option<(Away<'_, T>, u64)> {
        let mut line = self.lock();
        let (wanted, alarm) = (line.wanted(), &mut line.alarm);
        if !alarm.is_to_be_set(wanted) {
            return None;
        }
        let (runtime, version) = (alarm.runtime.clone()?, alarm.version);
        let timer = alarm.timer.take();
        Some((Away { shared: self, runtime, timer, version, set: Set::Gone }, wanted))
    }

    /// The timer has fired.
    fn fire(self: &Arc<Self>) {
        let mut line = self.lock();
        line.alarm.has_fired();
        let now = line.now();
        line.tick(now);
        self.settle(line);
    }
}

impl<T: Offer> Away<'_, T> {
    fn set(&mut self, wanted: u64) -> Set {
        let Some(timer) = &mut self.timer else { return Set::Gone };
        let _within = self.runtime.enter();
        if wanted == NEVER {
            timer.set(sleep_until(Instant::now()));
            return Set::At(NEVER);
        }
        timer.as_mut().reset(clock::instant(wanted));
        if timer.is_elapsed() {
            return if clock::now() < wanted { Set::Gone } else { Set::Late };
        }
        let waker = Waker::from(Arc::clone(self.shared));
        let fired = pin!(coop::unconstrained(timer.as_mut())).poll(&mut Context::from_waker(&waker)).is_ready();
        if fired { Set::Late } else { Set::At(wanted) }
    }
}

impl<T: Offer> Drop for Away<'_, T> {
    fn drop(&mut self) {
        let mut line = self.shared.lock();
        if line.alarm.version != self.version {
            return;
        }
        match self.set {
            Set::At(at) => (line.alarm.timer, line.alarm.armed) = (self.timer.take(), at),
            Set::Late => (line.alarm.timer, line.alarm.armed) = (self.timer.take(), NEVER),
            Set::Gone => {
                let gone = line.alarm.let_go();
                line.alarm.dead = Some(self.runtime.id());
                // Those who wait in another runtime bring its timer.
                let Line { table, outbox, .. } = &mut *line;
                table.wake_all(|waker| outbox.push_back((waker, true)));
                drop(line);
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
