//! One worker: takes a job, runs it to its end, takes the next.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use async_channel::Receiver;
use futures_util::FutureExt;
use tokio::task::coop;

use super::epochs::Queued;
use super::report::{Counts, ShutdownReport};
use crate::background::Logged;
use crate::contain::discard;
use crate::report::{Report, ReportKind};

/// The state that the workers of a pool leave behind.
pub(super) struct PoolState<J> {
    counts: Mutex<Counts>,
    never_started: Mutex<Vec<J>>,
}

impl<J> PoolState<J> {
    pub(super) fn new() -> Self {
        Self { counts: Mutex::default(), never_started: Mutex::new(Vec::new()) }
    }

    pub(super) fn counts(&self) -> Counts {
        *lock(&self.counts)
    }

    /// The counts so far, and the jobs left in the queue.
    pub(super) fn sum_up(&self) -> ShutdownReport<J> {
        let never_started = std::mem::take(&mut *lock(&self.never_started));
        self.counts().with(never_started)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One of the workers of a pool.
pub(super) struct Worker<J> {
    name: &'static str,
    shared: Arc<WorkerShared<J>>,
}

/// The state that the workers share. It ends with the last of them, even if their runtime drops them.
struct WorkerShared<J> {
    queue: Receiver<Queued<J>>,
    state: Arc<PoolState<J>>,
}

impl<J> Drop for WorkerShared<J> {
    fn drop(&mut self) {
        // No worker is left: `submit` fails from here on, and `join` does not wait for queued jobs.
        self.queue.close();
        let left_over = std::iter::from_fn(|| self.queue.try_recv().ok()).map(|queued| queued.job);
        lock(&self.state.never_started).extend(left_over);
    }
}

impl<J> Clone for Worker<J> {
    fn clone(&self) -> Self {
        Self { name: self.name, shared: Arc::clone(&self.shared) }
    }
}

impl<J> Worker<J> {
    pub(super) fn new(name: &'static str, queue: Receiver<Queued<J>>, state: &Arc<PoolState<J>>) -> Self {
        Self { name, shared: Arc::new(WorkerShared { queue, state: Arc::clone(state) }) }
    }

    /// Runs until the queue is closed and empty.
    pub(super) async fn work<H, F>(self, handler: Arc<H>)
    where
        H: Fn(J) -> F,
        F: Future<Output: Logged>,
    {
        while let Ok(Queued { job, mark }) = self.shared.queue.recv().await {
            let running = Running { counts: &self.shared.state.counts, ended: false };
            // The output is inspected within, so that a panic of its destructor is the job's as well.
            let job = AssertUnwindSafe(async { handler(job).await.error() });
            running.end(self.name, job.catch_unwind().await);
            // Only now, so that a job is counted when its waiters wake up.
            drop(mark);
            // Jobs that are ready at once must not keep the thread.
            coop::consume_budget().await;
        }
    }
}

/// A job that has started. Dropped before its end, it was aborted.
struct Running<'a> {
    counts: &'a Mutex<Counts>,
    ended: bool,
}

impl Running<'_> {
    fn end(mut self, name: &'static str, outcome: thread::Result<Option<String>>) {
        self.ended = true;
        let mut counts = lock(self.counts);
        let count = match &outcome {
            Ok(None) => &mut counts.done,
            Ok(Some(_)) => &mut counts.failed,
            Err(_) => &mut counts.panicked,
        };
        *count += 1;
        drop(counts);
        match outcome {
            Ok(None) => {}
            Ok(Some(error)) => Report::new(name, ReportKind::Error, error).send(),
            Err(payload) => {
                Report::panic(name, &*payload).send();
                // Its destructor is the job's as well, and must not end the worker.
                discard(payload);
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.ended {
            lock(self.counts).aborted += 1;
        }
    }
}
