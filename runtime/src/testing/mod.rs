//! Utilities for testing async functions (feature `test-util`).

mod locate;

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::yield_now;

use crate::contain::discard;
use crate::error::{Error, ErrorKind};
use crate::report::panic_message;

/// Creates a rejection, to test its handling: the status of a handler, the result of a `when`.
///
/// ```
/// use std::time::Duration;
/// use steadfast::{Error, ErrorKind, testing};
///
/// fn status(error: &Error) -> u16 {
///     if error.is_rate_limited() { 429 } else { 503 }
/// }
///
/// let rejected = testing::error(ErrorKind::RateLimited, Some(Duration::from_secs(3)));
/// assert_eq!((status(&rejected), rejected.retry_after()), (429, Some(Duration::from_secs(3))));
/// assert_eq!(status(&testing::error(ErrorKind::CircuitOpen, None)), 503);
/// ```
///
/// Its [`function`](crate::Error::function) is `"test"`.
#[must_use]
pub fn error(kind: ErrorKind, retry_after: Option<Duration>) -> Error {
    Error::new(kind, "test").with_retry_after(retry_after)
}

/// Drops an operation at each of its await points in turn, and checks that an invariant holds each time.
///
/// ```
/// use std::cell::Cell;
/// use std::time::Duration;
/// use steadfast::testing::cancel_at_every_await;
/// # async fn audit() { tokio::time::sleep(Duration::from_millis(5)).await }
///
/// struct Bank { from: Cell<u32>, to: Cell<u32> }
///
/// async fn transfer(bank: &Bank, amount: u32) {
///     audit().await; // between the two lines below, a cancellation would lose money
///     bank.from.set(bank.from.get() - amount);
///     bank.to.set(bank.to.get() + amount);
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// // #[tokio::test(start_paused = true)]
/// let awaits = cancel_at_every_await(
///     async || Bank { from: Cell::new(100), to: Cell::new(0) }, // a fresh fixture for each run
///     async |bank| transfer(bank, 40).await,                    // the operation
///     async |bank| assert_eq!(bank.from.get() + bank.to.get(), 100), // the invariant
/// )
/// .await;
/// assert_eq!(awaits, 1);
/// # }
/// ```
///
/// # What it does
///
/// It runs the operation to completion once and counts its waits: the polls that return `Pending`. Then, each time with a fresh fixture, it
/// drops the operation unpolled, at the first of these polls, at the second, and so on. After each run, the first included, the library's
/// background work on this runtime is given a minute to end ([`drain`](crate::drain)), aborted tasks get to run, and `invariant` is called.
///
/// Returns the number of awaits, so that a test can assert that there are any.
///
/// An await that is polled several times counts several times. An operation that does not wait for the same things each time is dropped as
/// often as it waited in the first run. Under a paused clock, waiting takes no time.
///
/// # Panics
///
/// If `invariant` panics: with its message and the number, file and line of the await. The line is found by running the operation once more up to
/// that await and polling it there a second time: a waiting future usually drops its old waker then, and a backtrace of that moment leads through
/// the code that awaits it. If it does not (`tokio::task::yield_now`, for instance), or if the test is built without line tables, only the number
/// is known.
///
/// A panic of the operation propagates.
pub async fn cancel_at_every_await<S, T>(
    mut setup: impl AsyncFnMut() -> S,
    mut operation: impl AsyncFnMut(&mut S) -> T,
    mut invariant: impl AsyncFnMut(&S),
) -> usize {
    let mut world = setup().await;
    let awaits = run(operation(&mut world), Cut::Never).await;
    if let Err(message) = check(&world, &mut invariant).await {
        panic!("the invariant does not hold even without cancellation: {message}");
    }
    for cut in 0..=awaits {
        let mut world = setup().await;
        run(operation(&mut world), Cut::At(cut)).await;
        if let Err(message) = check(&world, &mut invariant).await {
            let moment = if cut == 0 {
                "before its first poll".to_owned()
            } else {
                let place = locate::nth_await(operation(&mut setup().await), cut).await;
                format!("at await {cut} of {awaits}{}", place.map(|place| format!(" ({place})")).unwrap_or_default())
            };
            panic!("the invariant does not hold when the operation is dropped {moment}: {message}");
        }
    }
    awaits
}

/// When a future is dropped.
enum Cut {
    Never,
    /// After this many polls have returned `Pending`.
    At(usize),
}

/// Polls `future` until it is ready or must be dropped; returns how often it was pending.
async fn run<F: Future>(future: F, cut: Cut) -> usize {
    let mut pending = 0;
    if matches!(cut, Cut::At(0)) {
        return pending;
    }
    let mut future = pin!(future);
    poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        pending += 1;
        if matches!(cut, Cut::At(at) if at == pending) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    pending
}

/// Waits for the background work of the operation, then checks the invariant. Returns the message of its panic.
async fn check<S>(world: &S, invariant: &mut impl AsyncFnMut(&S)) -> Result<(), String> {
    settle().await;
    crate::drain(Duration::from_secs(60)).await;
    settle().await;
    let checked = AssertUnwindSafe(invariant(world)).catch_unwind().await;
    checked.map_err(|payload| {
        let message = panic_message(&*payload).to_owned();
        discard(payload);
        message
    })
}

/// Lets tasks that were aborted be dropped, and those that this wakes, and so on for a few generations.
async fn settle() {
    for _ in 0..16 {
        yield_now().await;
    }
}
