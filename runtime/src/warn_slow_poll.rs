//! `#[warn_slow_poll]`: reads the clock before and after each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::report::{Report, ReportKind};
use crate::rounded::rounded;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::warn_slow_poll;

/// The threshold of a call, and its action.
#[derive(Debug)]
pub struct Slow {
    function: &'static str,
    limit: Duration,
    panics: bool,
    told: bool,
}

impl Slow {
    /// Reports a poll of `limit` or longer.
    #[must_use]
    pub const fn new(function: &'static str, limit: Duration) -> Self {
        Self { function, limit, panics: false, told: false }
    }

    /// Runs one poll, or evaluates an option of a layer below, and reports it if it takes too long.
    #[inline]
    pub fn during<T>(&mut self, run: impl FnOnce() -> T) -> T {
        if self.told {
            return run();
        }
        // Not Tokio's clock, which may be paused in tests: a thread is blocked in real time.
        let mut timed = Timed { slow: self, started: Instant::now() };
        let value = run();
        let panics = timed.slow.panics;
        timed.tell_if_slow(panics);
        value
    }

    /// Panics instead.
    #[must_use]
    pub const fn panics(self) -> Self {
        Self { panics: true, ..self }
    }

    #[cold]
    fn tell(&mut self, took: Duration, panics: bool) {
        self.told = true;
        let message = format!("blocked its thread for {:?} in a single poll (threshold {:?})", rounded(took), self.limit);
        assert!(!panics, "`{}` {message}", self.function);
        Report::new(self.function, ReportKind::Blocked, message).send();
    }
}

/// A poll that is being timed.
struct Timed<'a> {
    slow: &'a mut Slow,
    started: Instant,
}

impl Timed<'_> {
    fn tell_if_slow(&mut self, panics: bool) {
        let took = self.started.elapsed();
        if took >= self.slow.limit {
            self.slow.tell(took, panics);
        }
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        // Only a poll that panicked has not been reported yet. Its own panic takes precedence.
        if thread::panicking() && !self.slow.told {
            self.tell_if_slow(false);
        }
    }
}

pin_project! {
    /// A future whose polls are timed.
    pub struct Watched<'a, F> {
        slow: &'a mut Slow,
        #[pin]
        future: F,
    }
}

/// Awaits `future`, and times its polls. Cancel safe where `future` is.
#[inline]
pub fn watch<F: Future>(slow: &mut Slow, future: F) -> Watched<'_, F> {
    Watched { slow, future }
}

impl<F: Future> Future for Watched<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.slow.during(|| this.future.poll(cx))
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::{Slow, Watched, watch};
}
