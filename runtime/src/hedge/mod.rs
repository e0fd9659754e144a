//! `#[hedge]`: a second attempt beside one that takes long.

mod latencies;
mod race;

/// Starts a second attempt when the first takes long or fails, and returns what succeeds first.
///
/// ```
/// use steadfast::hedge;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
///
/// static RUNS: AtomicU32 = AtomicU32::new(0);
///
/// #[hedge(after = 50ms)]
/// async fn replica(key: &str) -> Result<usize, std::io::Error> {
///     if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
///         std::future::pending::<()>().await; // the first hangs
///     }
///     Ok(key.len())
/// }
///
/// // After the time within which 95 % of the function's last calls were done; up to two more attempts.
/// #[hedge(after = p95, max = 2)]
/// async fn search(words: &str) -> Option<usize> {
///     Some(words.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> std::io::Result<()> {
/// let started = tokio::time::Instant::now();
/// assert_eq!(replica("key").await?, 3);
/// assert_eq!(started.elapsed(), Duration::from_millis(50));
/// assert_eq!(search("two words").await, Some(9));
/// # Ok(()) }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `after = duration` or `p1` to `p99` | | when the next attempt starts: a time, or a percentile of how long the function's own last calls took. Where an argument is called `p95`, it is the argument that is meant |
/// | `max = n` | 1 | so many attempts besides the first, each `after` the one before it |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// The first success wins, and the others are dropped before the call returns. An attempt that fails (`Err`, `None`) is followed by the
/// next at once; when all have failed, the failure that came last is returned. A plain value is always a success.
/// A return type that is a type parameter (`R`, `T::Out`) is an error, since nothing there can tell whether it is a `Result`; a parameter of
/// an `impl` around the function is unknown to the attribute, and its value a plain one.
///
/// A percentile is that of the last 256 calls that succeeded, computed anew every 16; while there were less than 20, only a failure starts
/// another attempt. A call counts as long as it took from its beginning, whichever attempt won. Each instantiation of a generic function, also of one
/// in a generic `impl`, has a percentile of its own.
///
/// Hedging is for what may be done twice: reads, or writes that are idempotent. It is that of Jeffrey Dean and Luiz André Barroso, "The
/// Tail at Scale", Communications of the ACM, 2013.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | `after`, `max` |
///
/// # Arguments
///
/// The attempts run side by side and borrow the arguments: nothing may change them, so `&mut` is refused; a body that moves one out is
/// rustc's own error. Above what runs on another thread or task, and must own its arguments, they are cloned:
/// [`offload_blocking`](crate::offload_blocking), [`shield`](macro@crate::shield), an [`async_cached`](macro@crate::async_cached) that is `detached`
/// or refreshes in the background.
///
/// # Cost
///
/// The first attempt is a part of the call's own future. A second one is a heap allocation of its own, when it starts.
///
/// # Cancel safety
///
/// Dropping the call drops all attempts. The attempts run in one task, and whichever uses up that task's budget (tokio's cooperative
/// scheduling) is polled last the next time, so that it keeps neither the others nor the time of the next attempt away.
///
/// # Panics
///
/// A panic in any attempt goes on to the caller, and the others are dropped. So does a panic in the destructor of an attempt that lost, in the
/// place of the winner's value, as a panic in the destructor of a local does; the others are dropped nevertheless. A call that waits panics outside of a tokio runtime with timers.
pub use steadfast_macros::hedge;

#[doc(hidden)]
pub mod private {
    pub use super::latencies::Instances;
    pub use super::race::{Next, Race, Step};
    use tokio::time::Instant;

    /// A clock for a percentile.
    #[must_use]
    pub fn clock() -> Instant {
        Instant::now()
    }

    /// What is never a failure.
    pub fn never<R>(_: &R) -> bool {
        false
    }
}
