//! `#[retry]`: the attempts of one call, and the waits between them.

mod attempts;
mod backoff;
mod budget;
mod event;
mod hint;

pub use backoff::{Backoff, Jitter};
pub use budget::RetryBudget;
pub use event::RetryEvent;

/// Runs the function's body again while it fails; the last outcome is returned unchanged.
///
/// ```
/// use steadfast::retry;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// # #[derive(Debug)] enum AppError { Busy, NotFound }
/// # impl AppError { fn is_transient(&self) -> bool { matches!(self, Self::Busy) } }
/// static CALLS: AtomicU32 = AtomicU32::new(0);
///
/// #[retry(attempts = 4, delay = 50ms, when = |error| error.is_transient())]
/// async fn fetch(id: u64) -> Result<u64, AppError> {
///     match CALLS.fetch_add(1, Ordering::Relaxed) {
///         0 | 1 => Err(AppError::Busy),
///         _ => Ok(id),
///     }
/// }
///
/// // A plain value says itself what counts as failed.
/// #[retry(failure = |status| *status >= 500, on_retry = |event| println!("again in {:?}", event.delay()))]
/// async fn status() -> u16 {
///     200
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// assert_eq!(fetch(7).await.unwrap(), 7);
/// assert_eq!(CALLS.load(Ordering::Relaxed), 3);
/// assert_eq!(status().await, 200);
/// # }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `attempts = n` | 3 | how often the body runs at most, the first time included |
/// | `delay = duration` | `100ms` | the wait before the second attempt; `0s` never touches a timer |
/// | `factor = n` | 2 | what each further wait is multiplied by: 1 or more; an expression that is less, or NaN, counts as 1 |
/// | `max_delay = duration` | `30s` | no computed wait is longer |
/// | `jitter = full \| equal \| none` | `full` | spreads the waits: over all of `0..=wait`, over its upper half, not at all |
/// | `max_elapsed = duration` | none | no attempt starts later than this after the call began; a wait that could not end in time is not begun |
/// | `when = \|error\| bool` | every error | which errors are worth another attempt; the argument is a reference |
/// | `failure = \|outcome\| bool` | `Err`, `None` | what counts as failed, for any return type; the argument is a reference |
/// | `retry_after = \|error\| Option<Duration>` | none | a wait that the error asks for, instead of the computed one: neither jittered nor capped by `max_delay` |
/// | `on_retry = \|event\| ..` | none | called with a [`RetryEvent`] before each wait |
/// | `budget = STATIC` | none | a [`RetryBudget`]: where it is empty, the error is returned at once |
/// | `clone(arg, ..)` | none | by-value arguments that the body consumes: cloned for each attempt but the last |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// Durations are literals with a unit or expressions; counts are expressions. All of them may name the arguments.
///
/// `when` and `retry_after` get the error as it is in the return type. One that holds any other, as `anyhow::Error` and
/// `Box<dyn Error + Send + Sync>` do, is asked for the one that is meant:
///
/// ```
/// # use steadfast::{retry, timeout};
/// #[retry(when = |error| error.downcast_ref::<steadfast::Error>().is_some_and(steadfast::Error::is_timeout))]
/// #[timeout(1s)]
/// async fn fetch() -> anyhow::Result<u32> {
///     Ok(1)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() { assert_eq!(fetch().await.unwrap(), 1); }
/// ```
///
/// The waits grow exponentially and saturate instead of overflowing. Full and equal jitter are those of Marc Brooker, "Exponential
/// Backoff And Jitter", AWS Architecture Blog, 2015.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | `attempts`, `budget` |
/// | after each attempt | `failure` |
/// | after each attempt that failed | `when` |
/// | after each that another may follow | `retry_after`, `max_elapsed` |
/// | the same, where `retry_after` is not there or returns `None` | `delay`, `factor`, `max_delay` |
/// | before each wait | `on_retry` |
///
/// # Refusals and deadlines
///
/// Where the failure is a refusal of this crate's own that knows when to come again ([`Error::retry_after`](crate::Error::retry_after)),
/// the wait is at least that long. A refusal of an attribute below is known as such whatever it was converted to; that of a function that
/// the body calls is found in an error that is one, or has one among its [sources](std::error::Error::source), or is an `io::Error`, an
/// `anyhow::Error` or a boxed error that holds one, also behind an `Arc`. Other errors need `retry_after`. So does an error that is a type
/// parameter, unless its bounds say that it is one of those: of `E: std::error::Error + 'static` it is found.
///
/// Within a [`timeout`](macro@crate::timeout), here or in a caller, no wait is begun that would not end before the deadline, and no attempt
/// after it: the last failure is returned instead, at once.
///
/// # Arguments that the body consumes
///
/// Each attempt borrows the arguments. A body that moves one out is rustc's own error E0382; name that argument in `clone(..)`. Above
/// [`offload_blocking`](crate::offload_blocking), whose job must own its arguments, they are cloned without being named.
///
/// # Cancel safety
///
/// Dropping the call drops the running attempt or the wait, and no further attempt starts.
///
/// # Panics
///
/// A panic of the body is not retried: it reaches the caller. A wait panics outside of a tokio runtime with timers.
pub use steadfast_macros::retry;

#[doc(hidden)]
pub mod private {
    pub use super::attempts::{Attempts, Repeat, ask_repeat};
    pub use super::hint::Hint;
    pub use super::{Backoff, Jitter, RetryEvent};
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;
    use tokio::time::Sleep;

    /// What a refusal of a layer below asks for, in a form that takes little room: nanoseconds, or 0.
    pub fn note(refusal: &crate::Error) -> u64 {
        refusal.retry_after().map_or(0, crate::clock::nanos)
    }

    /// The wait after a failure: at least what was [noted](note) and what the error tells.
    #[inline]
    pub fn at_least(delay: Duration, noted: u64, hint: Option<Duration>) -> Duration {
        // As a rule nobody asks for anything.
        if noted == 0 && hint.is_none() {
            return delay;
        }
        delay.max(Duration::from_nanos(noted)).max(hint.unwrap_or_default())
    }

    /// Whether a wait ends before the deadline of a caller.
    #[inline]
    pub fn is_in_time(delay: Duration) -> bool {
        crate::deadline::is_in_time(delay)
    }

    /// Applies `when`: a function, so that the closure's argument needs no type.
    #[inline]
    pub fn when<E>(failure: Option<&E>, when: impl FnOnce(&E) -> bool) -> bool {
        failure.is_some_and(when)
    }

    /// What counts as failed when nothing is said.
    #[inline]
    pub fn failed<E>(failure: Option<&E>) -> bool {
        failure.is_some()
    }

    /// Applies `failure`.
    #[inline]
    pub fn failure<R>(outcome: &R, failure: impl FnOnce(&R) -> bool) -> bool {
        failure(outcome)
    }

    /// Applies `retry_after`.
    pub fn retry_after<E>(failure: Option<&E>, after: impl FnOnce(&E) -> Option<Duration>) -> Option<Duration> {
        failure.and_then(after)
    }

    /// Tells whoever watches that another attempt begins.
    #[inline]
    pub fn retrying(origin: &'static crate::events::Origin, attempt: u32, delay: Duration) {
        crate::events::retrying(origin, attempt, delay);
    }

    /// Applies `on_retry`.
    pub fn on_retry<R>(event: &RetryEvent<'_, R>, listener: impl FnOnce(&RetryEvent<'_, R>)) {
        listener(event);
    }

    /// Waits before the next attempt. A zero delay touches no timer.
    ///
    /// The timer is boxed, so that a call whose first attempt succeeds, as most do, has no room for one in its future.
    pub fn wait(delay: Duration) -> Wait {
        Wait((!delay.is_zero()).then(|| Box::pin(tokio::time::sleep(delay))))
    }

    /// See [`wait`].
    #[derive(Debug)]
    pub struct Wait(Option<Pin<Box<Sleep>>>);

    impl Future for Wait {
        type Output = ();

        #[inline]
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            self.0.as_mut().map_or(Poll::Ready(()), |sleep| sleep.as_mut().poll(cx))
        }
    }
}
