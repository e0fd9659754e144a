//! A job that was not accepted.

use std::error::Error;
use std::fmt;

/// A job that was not accepted, returned by [`WorkerPool::submit`](crate::WorkerPool::submit) and [`WorkerPool::try_submit`](crate::WorkerPool::try_submit).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SubmitError<J> {
    /// The queue is full.
    Full(J),
    /// The pool has been shut down.
    ShutDown(J),
}

impl<J> SubmitError<J> {
    /// The job.
    pub fn into_job(self) -> J {
        match self {
            Self::Full(job) | Self::ShutDown(job) => job,
        }
    }
}

impl<J> fmt::Display for SubmitError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue of the worker pool is full",
            Self::ShutDown(_) => "the worker pool has been shut down",
        })
    }
}

// By hand, so that a job need not be `Debug`.
impl<J> fmt::Debug for SubmitError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::ShutDown(_) => "ShutDown(..)",
        })
    }
}

impl<J> Error for SubmitError<J> {}
