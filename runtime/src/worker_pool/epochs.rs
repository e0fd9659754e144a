//! The queued and running jobs, by the time at which they were submitted: what `join` waits for.

use std::sync::{Mutex, PoisonError};

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A job, and its mark in the epoch in which it was submitted.
pub(super) struct Queued<J> {
    pub(super) job: J,
    pub(super) mark: TaskTrackerToken,
}

/// Separates jobs that were submitted before a moment from later ones. Every epoch but the last is closed.
#[derive(Default)]
pub(super) struct Epochs(Mutex<Vec<TaskTracker>>);

impl Epochs {
    /// A mark that is held until a job is over.
    pub(super) fn mark(&self) -> TaskTrackerToken {
        let mut epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match epochs.last() {
            Some(epoch) if !epoch.is_closed() => epoch.token(),
            _ => {
                let epoch = TaskTracker::new();
                let mark = epoch.token();
                epochs.push(epoch);
                mark
            }
        }
    }

    /// Ends the current epoch; returns all epochs with jobs that are not over.
    pub(super) fn close(&self) -> Vec<TaskTracker> {
        let mut epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.retain(|epoch| !epoch.is_empty());
        for epoch in &*epochs {
            epoch.close();
        }
        epochs.clone()
    }
}
