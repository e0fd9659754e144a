//! The timer of a list of waiters.

use std::pin::Pin;

use tokio::runtime::{EnterGuard, Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

use super::offer::{GRACE, NEVER};
use crate::clock;

/// A timer of one of the runtimes in which the calls wait. Somebody who lets them in, in no runtime, can set it too.
#[derive(Debug)]
pub(super) struct ListTimer {
    pub(super) runtime: Option<Handle>,
    /// Away while somebody sets it, who then looks at what is wanted again.
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    /// When it fires.
    pub(super) armed: u64,
    /// Tells timers apart of which one took the place of the other.
    pub(super) version: u64,
    /// The last runtime that was seen to have shut down.
    pub(super) dead: Option<Id>,
}

/// A paused clock moves on to the next timer, so that none may stay behind that nobody waits for. Tests can pause theirs at any time.
const PAUSABLE: bool = cfg!(feature = "test-util");

impl ListTimer {
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
    pub(super) fn replace(&mut self, timer: Self, now: u64) -> Self {
        let id = timer.runtime.as_ref().map(Handle::id);
        if !self.is_missing(now) || id.is_none() || id == self.dead {
            return timer;
        }
        let timer = Self { version: self.version + 1, dead: self.dead, ..timer };
        std::mem::replace(self, timer)
    }

    /// Holds on to no runtime any more. What is left is to be dropped under no lock.
    pub(super) fn release(&mut self) -> Self {
        let empty = Self { version: self.version + 1, dead: self.dead, ..Self::none() };
        std::mem::replace(self, empty)
    }

    /// The same, unless it fires soon and will find that nobody waits: it may be wanted again before.
    pub(super) fn release_if_idle(&mut self) -> Option<Self> {
        let idle = PAUSABLE || self.armed == NEVER;
        (idle && self.runtime.is_some()).then(|| self.release())
    }

    /// Whether it would fire too late.
    pub(super) fn is_to_be_set(&self, requested: u64) -> bool {
        self.timer.is_some() && (requested < self.armed || (PAUSABLE && requested == NEVER && self.armed != NEVER))
    }

    /// Enters the runtime, whose clock is that of the timer.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Handle::enter)
    }

    pub(super) fn has_fired(&mut self) {
        self.armed = NEVER;
    }
}
