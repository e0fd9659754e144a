//! A pool of threads with a name and a size of its own.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

type Task = Box<dyn FnOnce() + Send>;

/// A named pool of threads for blocking work: `#[offload_blocking(pool = DISK)]`.
///
/// Its threads are started as they are needed, up to the given number, and then kept. Jobs run in the order in which they were
/// submitted; those that find no free thread wait in an unbounded queue (bound it with `limit` on the function).
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
/// A pool that is not a `static` ends its threads when it is dropped: jobs that have started run to their end, those in the queue are
/// dropped, and their callers are told that it has shut down.
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
    tasks: VecDeque<Task>,
    /// Threads that wait for a task, those that are just being woken for one included.
    idle: usize,
    started: usize,
    open: bool,
}

impl BlockingPool {
    /// A pool of at most `threads` threads, each called `name`. Nothing is started yet.
    ///
    /// # Panics
    ///
    /// If `threads` is zero.
    #[must_use]
    pub const fn new(name: &'static str, threads: usize) -> Self {
        assert!(threads > 0, "a BlockingPool needs at least one thread");
        Self { name, threads, queue: OnceLock::new() }
    }

    /// The name of the pool and of its threads.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many threads it has at most.
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

/// A way to submit jobs that does not borrow the pool.
pub struct Handle {
    name: &'static str,
    threads: usize,
    queue: Arc<Queue>,
}

impl Handle {
    pub(super) fn submit(&self, task: Task) {
        let mut state = self.queue.lock();
        if !state.open {
            return;
        }
        state.tasks.push_back(task);
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
            // With another thread at work the task is only late. With none it would wait for ever: dropping it tells its caller.
            if state.started == 0 {
                let stranded = std::mem::take(&mut state.tasks);
                drop(state);
                drop(stranded);
                panic!("cannot start a thread of the pool `{}`: {error}", self.name);
            }
        }
    }
}

impl Queue {
    fn new() -> Self {
        let state = State { tasks: VecDeque::new(), idle: 0, started: 0, open: true };
        Self { state: Mutex::new(state), available: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread of the pool. Tasks catch the panics of their jobs themselves.
    fn work(&self) {
        while let Some(task) = self.next() {
            task();
        }
    }

    fn next(&self) -> Option<Task> {
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
            drop(unstarted);
            queue.available.notify_all();
        }
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool").field("name", &self.name).field("threads", &self.threads).finish_non_exhaustive()
    }
}
