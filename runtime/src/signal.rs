//! The waker of one waiting task.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Holds the waker of one waiting task. Wakers are user code: they are cloned, dropped and woken without the lock.
#[derive(Default)]
pub(crate) struct Signal(Mutex<Option<Waker>>);

impl Signal {
    /// Keeps `waker` for the next [`wake`](Self::wake). Check the condition afterwards, or a wake-up may be missed.
    pub(crate) fn register(&self, waker: &Waker) {
        if self.lock().as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let waker = waker.clone();
        let before = self.lock().replace(waker);
        drop(before);
    }

    /// Wakes the task, once for each time that it has registered.
    pub(crate) fn wake(&self) {
        let waker = self.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
