//! The timer of a single waiter, for where that of the list is another runtime's.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use tokio::runtime::{Handle, Id};
use tokio::task::coop;
use tokio::time::{Instant, Sleep};

use super::offer::GRACE;

/// Makes a waiter look again after each [grace](GRACE) while the timer of the list belongs to another runtime. That runtime may be alive and
/// driven by nobody (a `block_on` that has returned), so that its timer never fires: the waiter then brings one of its own.
#[derive(Debug, Default)]
pub(crate) struct WaiterTimer(Option<(Id, Pin<Box<Sleep>>)>);

impl WaiterTimer {
    /// Wakes `waker` in a while if the timer of the list is of a runtime other than the one that the waiter is polled in.
    pub(super) fn keep(&mut self, owner: Option<Id>, waker: &Waker) {
        let here = owner.and_then(|_| Handle::try_current().ok()).map(|runtime| runtime.id());
        let Some(here) = here.filter(|here| Some(*here) != owner) else {
            self.0 = None;
            return;
        };
        let next = Instant::now() + GRACE;
        let known = self.0.take().filter(|(id, _)| *id == here).map(|(_, timer)| timer);
        let mut timer = known.unwrap_or_else(|| Box::pin(tokio::time::sleep_until(next)));
        if timer.is_elapsed() {
            timer.as_mut().reset(next);
        }
        if pin!(coop::unconstrained(timer.as_mut())).poll(&mut Context::from_waker(waker)).is_ready() {
            waker.wake_by_ref();
        }
        self.0 = Some((here, timer));
    }

    pub(super) fn end(&mut self) {
        self.0 = None;
    }
}
