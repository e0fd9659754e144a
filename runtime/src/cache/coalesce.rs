//! `#[coalesce]`: flights without a store.

/// Lets callers who ask for the same thing at the same time share one run of the body. Nothing is kept afterwards.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use steadfast::coalesce;
///
/// static RUNS: AtomicU32 = AtomicU32::new(0);
///
/// #[coalesce]
/// async fn report(day: u32) -> String {
///     RUNS.fetch_add(1, Ordering::Relaxed);
///     tokio::task::yield_now().await; // the query
///     format!("report of day {day}")
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (a, b) = tokio::join!(report(7), report(7));
/// assert_eq!(a, b);
/// assert_eq!(RUNS.load(Ordering::Relaxed), 1);
/// report(7).await;
/// assert_eq!(RUNS.load(Ordering::Relaxed), 2); // nobody else was asking: it ran again
/// # }
/// ```
///
/// The flights are those of [`async_cached`](macro@crate::async_cached): an error goes to all who wait if it is
/// `Clone + Send + Sync + 'static`, else they try one after another; a caller that is dropped or panics hands over to the next. Over a
/// function that changes something, those who wait share one change: this is for reads.
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `key = expr` | all arguments | who shares, as an owned value |
/// | `skip(arg, ..)` | none | arguments on which the result does not depend; they need no bound |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// A method says what `self` is: `skip(self)`, or a `key`.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | `key` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # Errors, panics
///
/// As with [`async_cached`](macro@crate::async_cached): a call that would wait for itself is refused.
///
/// # Cancel safety
///
/// A caller that is dropped leaves the others alone; if it was the one who computed, all who wait are woken, and the first that is polled
/// begins anew: one that is kept and not polled holds nobody up. If the one who computes hangs, or is kept and not polled any more (a branch of
/// a `select!` in a loop), the others wait for it without end: put a [`timeout`](macro@crate::timeout) above, which ends the wait of each
/// caller, or use [`async_cached`](macro@crate::async_cached) with a `load_timeout`, after which they go on without it. With a `shield` above, what
/// was begun goes on without its caller, and is waited for.
///
/// # Bounds
///
/// The result (of a `Result` or an `Option`: its value) is `Clone + Send + Sync + 'static`, the parts of the key are
/// `Hash + Eq + Clone + Send + Sync + 'static`.
pub use steadfast_macros::coalesce;
