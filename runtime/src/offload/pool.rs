//! A named thread pool with a fixed size.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use super::job::Task;
use crate::contain::discard;

/// A job in the queue.
pub(super) trait Queued: Send {
    fn run(self: Box<Self>);

    /// Whether its caller was dropped, and the job with it.
    fn is_abandoned(&self) -> bool;
}

impl<J, R, H> Queued for Task<J, R, H>
where
    J: FnOnce() -> R + Send,
    R: Send,
    H: Send,
{
    fn run(self: Box<Self>) {
        Self::run(*self);
    }

    fn is_abandoned(&self) -> bool {
        Self::is_abandoned(self)
    }
}

/// A named thread pool for blocking work: `#[offload_blocking(pool = DISK)]`.
///
/// Threads are started on demand, up to the given number, and then kept. Jobs run in the order of their submission; jobs that find no free
/// thread wait in an unbounded queue (bound it with `limit` on the function), while their callers wait for them.
///
/// ```
/// use steadfast::{BlockingPool, offload_blocking};
///
/// static HASHING: BlockingPool = BlockingPool::new("hashing", 2);
///
/// #[offload_blocking(pool = HASHING)]
/// fn thread_name() -> Option<String> {
///     std::thread::current().name().map(str::to_owned)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(thread_name().await.as_deref(), Some("hashing"));
/// # }
/// ```
///
/// A pool that is not a `static` stops its threads when it is dropped: jobs that have started run to completion, and queued jobs are dropped; their
/// callers receive an error of kind [`Shutdown`](crate::ErrorKind::Shutdown).
pub struct BlockingPool {
    name: &'static str,
    threads: usize,
    queue: OnceLock<Arc<Queue>>,
}

struct Queue {
    state: Mutex<State>,
    available: Condvar,
}

struct State {
    tasks: VecDeque<Box<dyn Queued>>,
    /// At this queue length, tasks whose callers were dropped are removed.
    sweep_at: usize,
    /// The number of threads that wait for a task, including those that are being woken for one.
    idle: usize,
    started: usize,
    open: bool,
}

impl BlockingPool {
    /// Creates a pool of at most `threads` threads, each named `name`. No thread is started yet.
    ///
    /// # Panics
    ///
    /// If `threads` is zero.
    #[must_use]
    pub const fn new(name: &'static str, threads: usize) -> Self {
        assert!(threads > 0, "`BlockingPool` requires at least one thread");
        Self { name, threads, queue: OnceLock::new() }
    }

    /// The name of the pool and of its threads.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The maximum number of threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    #[doc(hidden)]
    pub fn handle(&self) -> Handle {
        let queue = self.queue.get_or_init(|| Arc::new(Queue::new()));
        Handle { name: self.name, threads: self.threads, queue: Arc::clone(queue) }
    }
}

/// A handle to submit jobs that does not borrow the pool.
pub struct Handle {
    name: &'static str,
    threads: usize,
    queue: Arc<Queue>,
}

impl Handle {
    pub(super) fn submit(&self, task: Box<dyn Queued>) {
        let mut state = self.queue.lock();
        if !state.open {
            drop(state);
            discard(task);
            return;
        }
        state.tasks.push_back(task);
        state.sweep();
        if state.tasks.len() > state.idle && state.started < self.threads {
            state.started += 1;
            drop(state);
            self.start_thread();
        } else {
            self.queue.available.notify_one();
        }
    }

    fn start_thread(&self) {
        let worker = Arc::clone(&self.queue);
        let spawned = thread::Builder::new().name(self.name.to_owned()).spawn(move || worker.work());
        if let Err(error) = spawned {
            let mut state = self.queue.lock();
            state.started -= 1;
            // If another thread is running, the task is only late. Otherwise it would wait forever: dropping it notifies its caller.
            if state.started == 0 {
                let stranded = std::mem::take(&mut state.tasks);
                drop(state);
                stranded.into_iter().for_each(discard);
                panic!("cannot start a thread of the pool `{}`: {error}", self.name);
            }
        }
    }
}

impl State {
    const SWEEP_AT_LEAST_AT: usize = 64;

    /// Removes the tasks of dropped callers, so that abandoned calls behind a hanging thread do not accumulate. The jobs themselves have been
    /// dropped already. The threshold doubles, so that the amortized cost of a call is constant.
    fn sweep(&mut self) {
        if self.tasks.len() >= self.sweep_at {
            self.tasks.retain(|task| !task.is_abandoned());
            self.sweep_at = (self.tasks.len() * 2).max(Self::SWEEP_AT_LEAST_AT);
        }
    }
}

impl Queue {
    fn new() -> Self {
        let state = State { tasks: VecDeque::new(), sweep_at: State::SWEEP_AT_LEAST_AT, idle: 0, started: 0, open: true };
        Self { state: Mutex::new(state), available: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread of the pool. Tasks catch the panics of their jobs themselves.
    fn work(&self) {
        while let Some(task) = self.next() {
            task.run();
        }
    }

    fn next(&self) -> Option<Box<dyn Queued>> {
        let mut state = self.lock();
        loop {
            if !state.open {
                return None;
            }
            if let Some(task) = state.tasks.pop_front() {
                return Some(task);
            }
            state.idle += 1;
            state = self.available.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Drop for BlockingPool {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.get() {
            let mut state = queue.lock();
            state.open = false;
            let unstarted = std::mem::take(&mut state.tasks);
            drop(state);
            queue.available.notify_all();
            unstarted.into_iter().for_each(discard);
        }
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool").field("name", &self.name).field("threads", &self.threads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::offload::executor::Executor;

    #[test]
    fn calls_that_are_given_up_do_not_add_up() {
        let pool = BlockingPool::new("stuck", 1);
        let (go, gone) = channel::<()>();
        let (started, starts) = channel();
        let _first = pool.handle().execute(move || {
            started.send(()).unwrap();
            let _ = gone.recv();
        });
        starts.recv().unwrap();
        let kept: Vec<_> = (0..3).map(|_| pool.handle().execute(|| ())).collect();
        for _ in 0..10_000 {
            drop(pool.handle().execute(|| ()));
        }
        let queued = pool.handle().queue.lock().tasks.len();
        assert!((kept.len()..=State::SWEEP_AT_LEAST_AT).contains(&queued), "{queued}");
        drop(go);
        for job in kept {
            assert!(futures::executor::block_on(job).is_ok());
        }
    }
}
