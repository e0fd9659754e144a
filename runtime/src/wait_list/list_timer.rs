//! The timer of a wait list.

use std::pin::Pin;

use tokio::runtime::{EnterGuard, Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

use super::offer::{GRACE, NEVER};
use crate::clock;

/// A timer of one of the runtimes in which the calls wait. A thread outside any runtime that releases a permit can set it too.
#[derive(Debug)]
pub(super) struct ListTimer {
    pub(super) runtime: Option<Handle>,
    /// `None` while a thread is setting it; that thread checks afterwards whether the wanted time has changed.
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    /// When it fires.
    pub(super) armed: u64,
    /// Incremented when the timer is replaced, to tell the old one from the new one.
    pub(super) version: u64,
    /// The last runtime that was found to have shut down.
    pub(super) dead: Option<Id>,
}

/// A paused clock advances to the next timer, so no timer may be left behind that nothing waits for. A test can pause the clock at
/// any time.
const PAUSABLE: bool = cfg!(feature = "test-util");

impl ListTimer {
    pub(super) fn none() -> Self {
        Self { runtime: None, timer: None, armed: NEVER, version: 0, dead: None }
    }

    /// A timer of the runtime that polls the waiter.
    ///
    /// # Panics
    ///
    /// If the runtime's timers are not enabled.
    pub(super) fn here() -> Self {
        let runtime = Handle::try_current().ok();
        let timer = runtime.as_ref().map(|_| Box::pin(sleep_until(Instant::now())));
        Self { runtime, timer, ..Self::none() }
    }

    /// Whether a waiter must provide a timer: there is none, or the one there should have fired, but its runtime is not being
    /// driven.
    pub(super) fn is_missing(&self, now: u64) -> bool {
        self.runtime.is_none() || (self.timer.is_some() && self.armed.saturating_add(clock::nanos(GRACE)) < now)
    }

    /// The runtime that the timer belongs to.
    pub(super) fn owner(&self) -> Option<Id> {
        self.runtime.as_ref().map(Handle::id)
    }

    /// Adopts the timer that a waiter provides if one is still [missing](Self::is_missing). The returned one must be dropped
    /// without the lock.
    pub(super) fn replace(&mut self, timer: Self, now: u64) -> Self {
        let id = timer.runtime.as_ref().map(Handle::id);
        if !self.is_missing(now) || id.is_none() || id == self.dead {
            return timer;
        }
        let timer = Self { version: self.version + 1, dead: self.dead, ..timer };
        std::mem::replace(self, timer)
    }

    /// Releases the runtime and its timer. The returned timer must be dropped without the lock.
    pub(super) fn release(&mut self) -> Self {
        let empty = Self { version: self.version + 1, dead: self.dead, ..Self::none() };
        std::mem::replace(self, empty)
    }

    /// Like [`release`](Self::release), but keeps a timer that is still going to fire, since it may be needed again before then.
    pub(super) fn release_if_idle(&mut self) -> Option<Self> {
        let idle = PAUSABLE || self.armed == NEVER;
        (idle && self.runtime.is_some()).then(|| self.release())
    }

    /// Whether the timer would fire too late.
    pub(super) fn is_to_be_set(&self, requested: u64) -> bool {
        self.timer.is_some() && (requested < self.armed || (PAUSABLE && requested == NEVER && self.armed != NEVER))
    }

    /// Enters the timer's runtime, so that the clock is the one the timer uses.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Handle::enter)
    }

    pub(super) fn has_fired(&mut self) {
        self.armed = NEVER;
    }
}
