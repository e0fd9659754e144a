//! How long the calls of a function take.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use metrics::{Histogram, histogram};

use super::series::labels;
use crate::clock;

/// Whether durations are recorded: until then, no call reads the clock.
static READ: AtomicBool = AtomicBool::new(false);

/// Starts recording.
pub(super) fn read() {
    READ.store(true, Relaxed);
}

/// The start of a call; 0 if durations are not recorded.
#[inline]
pub(crate) fn start() -> u64 {
    if READ.load(Relaxed) { clock::now() } else { 0 }
}

/// The histogram of one function.
pub(crate) struct Durations(OnceLock<Histogram>);

impl Durations {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The end of a call that began at [`start`].
    #[inline]
    pub(crate) fn end(&self, started: u64, function: &'static str, module: &'static str) {
        if started != 0 {
            self.record(started, function, module);
        }
    }

    #[inline(never)]
    fn record(&self, started: u64, function: &'static str, module: &'static str) {
        let durations = self.0.get().cloned().unwrap_or_else(|| {
            // Not within `get_or_init`: the recorder is user code, which may call the function.
            let durations = histogram!("steadfast_call_duration_seconds", labels(function, module, None));
            let _ = self.0.set(durations.clone());
            durations
        });
        durations.record(Duration::from_nanos(clock::now().saturating_sub(started)));
    }
}
