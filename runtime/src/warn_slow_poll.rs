//! `#[warn_slow_poll]`: a look at the clock before and after each poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::report::{Report, ReportKind};

/// Reports a function that holds its thread for too long: that computes or blocks where it ought to await.
///
/// While a future is being polled, nothing else runs on its thread: no other task, no timer, no connection. A poll takes
/// microseconds; one of many milliseconds is a lock of the standard library that is waited for, a file that is read, a password that
/// is hashed.
///
/// ```
/// use std::time::Duration;
/// use steadfast::{on_report, warn_slow_poll};
/// # use std::sync::{Arc, Mutex};
///
/// #[warn_slow_poll(10ms)]
/// async fn thumbnail(pixels: u32) -> u32 {
///     std::thread::sleep(Duration::from_millis(30)); // computes for long
///     pixels / 16
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let reports = Arc::new(Mutex::new(Vec::new()));
/// # let hook = reports.clone();
/// on_report(move |report| hook.lock().unwrap().push(report.to_string()));
/// assert_eq!(thumbnail(160).await, 10);
/// assert!(reports.lock().unwrap()[0].starts_with("`thumbnail` held its thread for "), "{reports:?}");
/// # }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `duration`, first and without a name | | a poll that takes this long, or longer, is reported |
/// | `panic` | off | panics instead, for tests |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | the duration |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # What is reported
///
/// One [`Report`](crate::Report) of kind [`Blocked`](ReportKind::Blocked) for each call, about the first poll that is too long, with
/// the function's name and the time: to the hook of [`on_report`](crate::on_report), by default on stderr. It goes out when that poll
/// has ended, also by a panic; for a thread that is not given back at all there is the [`Watchdog`](crate::Watchdog).
///
/// What is watched is what is awaited below the attribute. The work of [`offload_blocking`](crate::offload_blocking), or of an
/// [`async_cached`](crate::async_cached) that is `detached`, is done on other threads or by other tasks, and not watched.
///
/// The time is that of the machine, not of tokio's paused clock: it is about the thread. A machine that is overloaded, and takes the
/// thread away during a poll, lengthens that poll too.
///
/// It costs two looks at the clock for each poll.
///
/// # Errors
///
/// None: the function returns what it returns.
///
/// # Panics
///
/// With `panic`: where a poll took too long, after that poll, with the text of the report. A poll that itself panics is reported as without
/// `panic`, and its own panic goes on.
///
/// # Cancel safety
///
/// That of the body.
pub use steadfast_macros::warn_slow_poll;

/// What is watched for in one call.
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

    /// Panics instead.
    #[must_use]
    pub const fn panics(self) -> Self {
        Self { panics: true, ..self }
    }

    #[cold]
    fn tell(&mut self, took: Duration, panics: bool) {
        self.told = true;
        let message = format!("held its thread for {took:?} in one poll, and {:?} is too long", self.limit);
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
        // Only a poll that panicked has not been told about. Its own panic is the one that is seen.
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
        if this.slow.told {
            return this.future.poll(cx);
        }
        // Not tokio's clock, which stands still in tests: a thread that is held is held in real time.
        let mut timed = Timed { slow: this.slow, started: Instant::now() };
        let poll = this.future.poll(cx);
        let panics = timed.slow.panics;
        timed.tell_if_slow(panics);
        poll
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::{Slow, Watched, watch};
}
