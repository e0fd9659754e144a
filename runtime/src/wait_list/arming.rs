//! Setting the timer of a list, under no lock, and what follows when it fires.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use tokio::runtime::Handle;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use super::list::{Line, Shared};
use super::offer::{NEVER, Offer};
use crate::clock;

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
