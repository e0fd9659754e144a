//! The outcomes of the jobs of a pool.

/// The outcomes of the jobs of a [`WorkerPool`](crate::WorkerPool), from its start to its [`shutdown`](crate::WorkerPool::shutdown).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport<J> {
    /// Jobs that ended without an error.
    pub done: usize,
    /// Jobs that returned an error.
    pub failed: usize,
    /// Jobs that panicked.
    pub panicked: usize,
    /// Jobs that were stopped while running, at the deadline or by the shutdown of their runtime.
    pub aborted: usize,
    /// The jobs that never started, in the order of their submission.
    pub never_started: Vec<J>,
}

/// Counts of jobs by outcome.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) done: usize,
    pub(super) failed: usize,
    pub(super) panicked: usize,
    pub(super) aborted: usize,
}

impl Counts {
    pub(super) fn with<J>(self, never_started: Vec<J>) -> ShutdownReport<J> {
        let Self { done, failed, panicked, aborted } = self;
        ShutdownReport { done, failed, panicked, aborted, never_started }
    }
}
