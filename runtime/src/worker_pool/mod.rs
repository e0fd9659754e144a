//! `WorkerPool`: a bounded queue, a fixed number of workers, and a shutdown that reports the outcome of every job.

mod epochs;
mod report;
mod submit_error;
mod worker;

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_channel::{Sender, TrySendError};
use tokio::task::JoinSet;

use crate::background::Logged;
use crate::contain::discard;
use epochs::{Epochs, Queued};
pub use report::ShutdownReport;
pub use submit_error::SubmitError;
use worker::{PoolState, Worker};

/// A fixed number of workers that process jobs of type `J` from a bounded queue.
///
/// ```
/// use std::time::Duration;
/// use steadfast::WorkerPool;
///
/// # struct Mail; impl Mail { async fn send(self) -> std::io::Result<()> { Ok(()) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // 4 workers; a producer waits once 100 jobs are queued.
/// let mails = WorkerPool::new(4, 100, |mail: Mail| async move { mail.send().await });
///
/// for mail in [Mail, Mail, Mail] {
///     mails.submit(mail).await.unwrap();
/// }
/// mails.join().await; // all three are done
///
/// let report = mails.shutdown(Duration::from_secs(10)).await;
/// assert_eq!((report.done, report.never_started.len()), (3, 0));
/// # }
/// ```
///
/// Jobs are taken in the order of their submission; with several workers on different threads, a later job may start first. A job that fails or
/// panics is reported once ([`on_report`](crate::on_report)) under the pool's name, and affects no other job: its worker takes the next.
///
/// Workers are tasks of the runtime, so a blocking job blocks its thread: use [`offload`](crate::offload()), or a function with
/// [`offload_blocking`](macro@crate::offload_blocking), for blocking work.
///
/// A job may submit further jobs to its own pool. [`submit`](Self::submit) waits while the queue is full, which is a deadlock if all workers do so:
/// use [`try_submit`](Self::try_submit), which does not wait. A job that awaits [`join`](Self::join) or [`shutdown`](Self::shutdown) of its own
/// pool would wait for itself, and panics; it may spawn a task for that.
///
/// All methods take `&self`; share the pool as a field, in an `Arc`, or as a `static` in a `LazyLock`.
///
/// # Cancel safety
///
/// Dropping the pool stops its workers at their next yield, and drops the queued jobs. Call [`shutdown`](Self::shutdown) to let them finish.
pub struct WorkerPool<J> {
    name: &'static str,
    queue: Sender<Queued<J>>,
    workers: tokio::sync::Mutex<JoinSet<()>>,
    /// The tasks of the workers.
    tasks: Vec<tokio::task::Id>,
    state: Arc<PoolState<J>>,
    epochs: Epochs,
}

impl<J: Send + 'static> WorkerPool<J> {
    /// Starts `workers` workers with a queue of `queue` jobs. Each job is passed to `handler`, whose future returns `()` or a `Result` whose error is
    /// `Display`.
    ///
    /// Its reports carry the name of the job's type.
    ///
    /// # Panics
    ///
    /// If `workers` or `queue` is zero, and outside of a Tokio runtime.
    pub fn new<H, F>(workers: usize, queue: usize, handler: H) -> Self
    where
        H: Fn(J) -> F + Send + Sync + 'static,
        F: Future<Output: Logged> + Send + 'static,
    {
        Self::named(type_name::<J>(), workers, queue, handler)
    }

    /// Like [`new`](Self::new), with a name for its reports.
    ///
    /// # Panics
    ///
    /// If `workers` or `queue` is zero, and outside of a Tokio runtime.
    pub fn named<H, F>(name: &'static str, workers: usize, queue: usize, handler: H) -> Self
    where
        H: Fn(J) -> F + Send + Sync + 'static,
        F: Future<Output: Logged> + Send + 'static,
    {
        assert!(workers > 0, "`WorkerPool` requires at least one worker");
        assert!(queue > 0, "the queue of a `WorkerPool` must hold at least one job");
        let (sender, receiver) = async_channel::bounded(queue);
        let state = Arc::new(PoolState::new());
        let handler = Arc::new(handler);
        let worker = Worker::new(name, receiver, &state);
        let mut set = JoinSet::new();
        let tasks = (0..workers).map(|_| set.spawn(worker.clone().work(Arc::clone(&handler))).id()).collect();
        Self { name, queue: sender, workers: tokio::sync::Mutex::new(set), tasks, state, epochs: Epochs::default() }
    }
}

impl<J> WorkerPool<J> {
    /// Queues a job; waits while the queue is full.
    ///
    /// # Errors
    ///
    /// [`SubmitError::ShutDown`], with the job, if the pool has been shut down, before the call or while it waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, the job was not queued, and is dropped.
    pub async fn submit(&self, job: J) -> Result<(), SubmitError<J>> {
        let queued = Queued { job, mark: self.epochs.mark() };
        self.queue.send(queued).await.map_err(|refused| SubmitError::ShutDown(refused.into_inner().job))
    }

    /// Queues a job if the queue is not full.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Full`] or [`SubmitError::ShutDown`], with the job.
    pub fn try_submit(&self, job: J) -> Result<(), SubmitError<J>> {
        let queued = Queued { job, mark: self.epochs.mark() };
        self.queue.try_send(queued).map_err(|refused| match refused {
            TrySendError::Full(queued) => SubmitError::Full(queued.job),
            TrySendError::Closed(queued) => SubmitError::ShutDown(queued.job),
        })
    }

    /// The number of queued jobs.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Waits until every job that was submitted before the call has ended: done, failed, panicked or stopped. It does not wait for jobs that are
    /// submitted meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Dropping it only stops the waiting.
    ///
    /// # Panics
    ///
    /// In a job of this pool, which would wait for itself.
    pub async fn join(&self) {
        self.not_in_a_job("join");
        for epoch in self.epochs.close() {
            epoch.wait().await;
        }
    }

    /// Closes the queue, lets the workers drain it for up to `within`, and then stops those that are still running.
    ///
    /// Stopped jobs have been dropped when it returns; it waits for a job that blocks its thread. Jobs that never started are returned in the
    /// report. A second call waits for the first.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, the queue stays closed, and the workers continue to drain it; it may be called again.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime, or in one whose timers are not enabled. In a job of this pool, which would wait for itself.
    pub async fn shutdown(&self, within: Duration) -> ShutdownReport<J> {
        self.not_in_a_job("shutdown");
        self.queue.close();
        let mut workers = self.workers.lock().await;
        if tokio::time::timeout(within, all_ended(&mut workers)).await.is_err() {
            workers.abort_all();
            all_ended(&mut workers).await;
        }
        drop(workers);
        self.state.sum_up()
    }

    /// A job that awaits its own end would never end, and `shutdown` would abort it together with its report.
    fn not_in_a_job(&self, what: &str) {
        let in_a_job = tokio::task::try_id().is_some_and(|task| self.tasks.contains(&task));
        assert!(!in_a_job, "a job of the `WorkerPool` `{}` awaits `{what}` of its own pool: spawn a task for that", self.name);
    }
}

/// Waits for all workers. One may have panicked, in the destructor of its handler or of a job that was aborted.
async fn all_ended(workers: &mut JoinSet<()>) {
    while let Some(ended) = workers.join_next().await {
        discard(ended);
    }
}

impl<J> fmt::Debug for WorkerPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPool").field("queued", &self.queued()).field("counts", &self.state.counts()).finish_non_exhaustive()
    }
}
