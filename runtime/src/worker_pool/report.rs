//! What became of the jobs of a pool.

/// What became of the jobs of a [`WorkerPool`](crate::WorkerPool), from its start to its [`shutdown`](crate::WorkerPool::shutdown).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport<J> {
    /// How many ended without an error.
    pub done: usize,
    /// How many returned an error.
    pub failed: usize,
    /// How many panicked.
    pub panicked: usize,
    /// How many had started and were stopped, at the deadline or with their runtime.
    pub aborted: usize,
    /// Those that never started, in the order in which they were submitted.
    pub never_started: Vec<J>,
}

/// How many jobs ended in which way.
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
