//! Keeps a paused clock from advancing while a job runs that Tokio does not know of.
//!
//! A paused clock advances to the next timer as soon as no task can make progress, except while Tokio's own blocking tasks run. Only a
//! current-thread runtime can have such a clock, and only with Tokio's `test-util`: without that feature there is nothing to hold.

#[cfg(not(feature = "test-util"))]
mod nothing {
    use tokio::runtime::Handle;

    /// Nothing to hold.
    #[derive(Debug)]
    pub(crate) struct Hold;

    impl Hold {
        pub(crate) const fn new() -> Self {
            Self
        }

        pub(crate) const fn on(_: &Handle) -> Self {
            Self
        }
    }

    /// Runs `job` on a blocking thread.
    pub(crate) fn spawn_without_hold(runtime: &Handle, job: impl FnOnce() + Send + 'static) {
        drop(runtime.spawn_blocking(job));
    }
}

#[cfg(feature = "test-util")]
mod held {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
    use std::thread;

    use tokio::runtime::{Handle, Id, RuntimeFlavor};

    /// While it lives, the clock of its runtime does not advance by itself.
    #[derive(Debug)]
    pub(crate) struct Hold(Option<Arc<Holder>>);

    impl Hold {
        /// Holds the clock of the current runtime, if there is one.
        pub(crate) fn new() -> Self {
            Handle::try_current().map_or(Self(None), |runtime| Self::on(&runtime))
        }

        /// Holds the clock of `runtime`, if it can be paused, even later.
        pub(crate) fn on(runtime: &Handle) -> Self {
            Self(can_be_paused(runtime).then(|| Holder::of(runtime).hold()))
        }
    }

    impl Drop for Hold {
        fn drop(&mut self) {
            if let Some(holder) = &self.0 {
                holder.let_go();
            }
        }
    }

    fn can_be_paused(runtime: &Handle) -> bool {
        runtime.runtime_flavor() == RuntimeFlavor::CurrentThread
    }

    /// Runs `job` on a blocking thread that does not hold the clock: the job does so itself, and releases it while it waits for a task.
    pub(crate) fn spawn_without_hold(runtime: &Handle, job: impl FnOnce() + Send + 'static) {
        if !can_be_paused(runtime) {
            drop(runtime.spawn_blocking(job));
            return;
        }
        let inside = runtime.clone();
        let spawned = thread::Builder::new().name("blocking_stream".to_owned()).spawn(move || {
            let _inside = inside.enter();
            job();
        });
        drop(spawned.expect("a thread can be started"));
    }

    /// Holds one clock by a blocking task of Tokio that waits while there is a [`Hold`]. One task for all of them, so that they do not fill the
    /// pool.
    #[derive(Debug)]
    struct Holder {
        runtime: Handle,
        state: Mutex<State>,
        changed: Condvar,
    }

    #[derive(Debug, Default)]
    struct State {
        holds: usize,
        /// Whether the task exists.
        waiting: bool,
    }

    impl Holder {
        fn of(runtime: &Handle) -> Arc<Self> {
            static HOLDERS: LazyLock<Mutex<HashMap<Id, Weak<Holder>>>> = LazyLock::new(Mutex::default);
            let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
            holders.get(&runtime.id()).and_then(Weak::upgrade).unwrap_or_else(|| {
                holders.retain(|_, holder| holder.strong_count() > 0);
                let holder = Arc::new(Self { runtime: runtime.clone(), state: Mutex::default(), changed: Condvar::new() });
                holders.insert(runtime.id(), Arc::downgrade(&holder));
                holder
            })
        }

        fn lock(&self) -> MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn hold(self: Arc<Self>) -> Arc<Self> {
            let mut state = self.lock();
            state.holds += 1;
            if !state.waiting {
                state.waiting = true;
                let holder = Arc::clone(&self);
                // Under the lock, so that the clock is held once the task is seen waiting.
                drop(self.runtime.spawn_blocking(move || holder.wait()));
            }
            drop(state);
            self
        }

        fn let_go(&self) {
            let mut state = self.lock();
            state.holds -= 1;
            if state.holds == 0 {
                self.changed.notify_all();
            }
        }

        /// The blocking task.
        fn wait(self: Arc<Self>) {
            // A runtime that is dropped drops its tasks, and then waits for the blocking ones. It would not wait for a job elsewhere.
            let gone = Arc::new(AtomicBool::new(false));
            let told_when_dropped = RuntimeGone { gone: Arc::clone(&gone), holder: Arc::clone(&self) };
            let sentinel = self.runtime.spawn(async move {
                let _told_when_dropped = told_when_dropped;
                std::future::pending::<()>().await;
            });
            let mut state = self.lock();
            while state.holds > 0 && !gone.load(Ordering::Acquire) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.waiting = false;
            drop(state);
            sentinel.abort();
        }
    }

    struct RuntimeGone {
        gone: Arc<AtomicBool>,
        holder: Arc<Holder>,
    }

    impl Drop for RuntimeGone {
        fn drop(&mut self) {
            let state = self.holder.lock();
            self.gone.store(true, Ordering::Release);
            drop(state);
            self.holder.changed.notify_all();
        }
    }
}

#[cfg(feature = "test-util")]
pub(crate) use held::*;
#[cfg(not(feature = "test-util"))]
pub(crate) use nothing::*;
