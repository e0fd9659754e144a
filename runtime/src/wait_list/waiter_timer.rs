//! A timer for a single waiter, used when the list's timer belongs to another runtime.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use tokio::runtime::{Handle, Id};
use tokio::task::coop;
use tokio::time::{Instant, Sleep};

use super::offer::GRACE;

/// Wakes a waiter after every [grace period](GRACE) while the list's timer belongs to another runtime. That runtime may still exist
/// without being driven (a `block_on` that has returned), in which case its timer never fires and this waiter has to provide one.
#[derive(Debug, Default)]
pub(crate) struct WaiterTimer(Option<(Id, Pin<Box<Sleep>>)>);

impl WaiterTimer {
    /// Schedules a wake-up of `waker` if the list's timer belongs to a different runtime than the one polling the waiter.
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
