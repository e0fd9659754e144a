//! `#[shield]`: work that finishes also when its caller goes away.

/// Lets the function finish once it has started, also if its caller is dropped: a write that must not stop half-way because a client hung
/// up.
///
/// ```
/// use std::time::Duration;
/// use steadfast::shield;
/// use tokio::time::{sleep, timeout};
///
/// static BOOKED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
///
/// #[shield]
/// async fn book(seats: u32) -> std::io::Result<u32> {
///     sleep(Duration::from_secs(2)).await; // the transaction
///     Ok(BOOKED.fetch_add(seats, std::sync::atomic::Ordering::Relaxed) + seats)
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// assert!(timeout(Duration::from_secs(1), book(2)).await.is_err()); // the client hangs up
/// steadfast::drain(Duration::from_secs(5)).await;
/// assert_eq!(BOOKED.load(std::sync::atomic::Ordering::Relaxed), 2);
/// # }
/// ```
///
/// The body, with the attributes below this one, runs on a task of its own; those above stay with the caller: a `timeout` above bounds how
/// long the caller waits, one below bounds the work.
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `tracker = expr` | none | a [`TaskTracker`](crate::TaskTracker) that counts the work too; [`drain`](crate::drain) waits for it in any case |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | `tracker` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # Arguments
///
/// They go to another task, and so are `Send + 'static`, as is the result. `&str` and `&[T]` are copied; another borrow is an error at that
/// argument. A method takes `self: Arc<Self>` (or `self`).
///
/// What belongs to the caller's task does not follow: in the body, `tokio::task_local!` values are unset, and the caller's `tracing` span
/// is not current. Nor is that of a `#[tracing::instrument]` below, which the caller enters; one that stands above our attributes makes a
/// span of the body's own, without a parent. Pass what the body needs as an argument:
///
/// ```
/// use tracing::Instrument;
/// # tokio::task_local! { static TENANT: u32; }
///
/// async fn save(row: u64) -> std::io::Result<u64> {
///     store(row, TENANT.get(), tracing::Span::current()).await
/// }
///
/// #[steadfast::shield]
/// async fn store(row: u64, tenant: u32, span: tracing::Span) -> std::io::Result<u64> {
///     TENANT.scope(tenant, write(row).instrument(span)).await
/// }
/// # async fn write(row: u64) -> std::io::Result<u64> { Ok(row + u64::from(TENANT.get())) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert_eq!(TENANT.scope(1, save(7)).await.unwrap(), 8);
/// # }
/// ```
///
/// # Errors
///
/// Those of the body. Where the caller has gone, an `Err` (by its `Display`, else by its `Debug`, if it has one) is told once to
/// [`on_report`](crate::on_report), and so is a panic; not where the return type is a type parameter (`R`, `T::Out`), in which nothing can see an
/// `Err`. Where the runtime shuts down before the body has ended, the return type carries an
/// [`Error`](crate::Error) for which [`is_shutdown`](crate::Error::is_shutdown) holds, if it can.
///
/// # Cancel safety
///
/// A call that is dropped before it was first polled never starts. Later, dropping it drops nothing but the wait.
///
/// # Panics
///
/// A panic of the body is resumed in the caller, if it is still there. Without a runtime, and where the return type carries no error, a
/// call panics.
pub use steadfast_macros::shield;

#[doc(hidden)]
pub mod private {
    use std::fmt::{Debug, Display};
    use std::marker::PhantomData;
    use std::ops::Deref;
    use std::panic::resume_unwind;

    use tokio_util::task::TaskTracker;

    use crate::ask::{Met, Nothing, Unmet};
    use crate::background::{self, Failure};
    use crate::cache::Marks;
    use crate::{Error, ErrorKind, report};

    /// Runs `work` on a task of its own, which a caller that goes away leaves running.
    pub async fn shield<F>(
        function: &'static str,
        work: F,
        describe: fn(&F::Output) -> Option<String>,
    ) -> Result<F::Output, Stopped>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (marks, _awaiting) = Marks::while_awaited();
        match background::spawn(function, marks.enter(work), describe).await {
            Ok(out) => Ok(out),
            Err(Failure::Panicked(payload)) => resume_unwind(payload),
            Err(Failure::Abandoned) => Err(Stopped),
        }
    }

    /// The tracker that `tracker` names: a handle of it, since the body may take along what it is part of.
    pub fn tracker(tracker: &TaskTracker) -> TaskTracker {
        tracker.clone()
    }

    /// The same work, counted by `tracker` too.
    pub fn tracked<F: Future>(tracker: &TaskTracker, work: F) -> impl Future<Output = F::Output> + use<F> {
        tracker.track_future(work)
    }

    /// The runtime shut down before the work had ended.
    #[derive(Debug)]
    pub struct Stopped;

    impl Stopped {
        /// The error that says so for `function`.
        #[cold]
        #[must_use]
        pub fn error(self, function: &'static str) -> Error {
            Error::new(ErrorKind::Shutdown, function)
        }
    }

    /// What is told of an outcome that nobody takes: of an error its text, if it has one. Decided by method look-up.
    pub struct Told<R>(Shown<R>);

    /// Where the look-up goes on for an error that is no more than `Debug`.
    pub struct Shown<R>(Unnamed<R>);

    /// Where it goes on for an error without a text.
    pub struct Unnamed<R>(Untold<R>);

    /// Where it ends: there is no error.
    pub struct Untold<R>(PhantomData<fn() -> R>);

    impl<R> Told<R> {
        /// For the return type `R`.
        #[must_use]
        #[expect(clippy::new_without_default, reason = "only expansions make one")]
        pub fn new() -> Self {
            Self(Shown(Unnamed(Untold(PhantomData))))
        }
    }

    impl<T, E: Display> Told<Result<T, E>> {
        /// The text of the error.
        pub fn describe(&self) -> fn(&Result<T, E>) -> Option<String> {
            |out| out.as_ref().err().map(report::text)
        }
    }

    impl<T, E: Debug> Shown<Result<T, E>> {
        /// The error, as it is shown to programmers.
        pub fn describe(&self) -> fn(&Result<T, E>) -> Option<String> {
            |out| out.as_ref().err().map(report::debug_text)
        }
    }

    impl<T, E> Unnamed<Result<T, E>> {
        /// That there is one.
        pub fn describe(&self) -> fn(&Result<T, E>) -> Option<String> {
            |out| out.as_ref().err().map(|_| "an error without a text".to_owned())
        }
    }

    impl<R> Untold<R> {
        /// Nothing.
        pub fn describe(&self) -> fn(&R) -> Option<String> {
            untold
        }
    }

    impl<R> Deref for Told<R> {
        type Target = Shown<R>;

        fn deref(&self) -> &Shown<R> {
            &self.0
        }
    }

    impl<R> Deref for Shown<R> {
        type Target = Unnamed<R>;

        fn deref(&self) -> &Unnamed<R> {
            &self.0
        }
    }

    impl<R> Deref for Unnamed<R> {
        type Target = Untold<R>;

        fn deref(&self) -> &Untold<R> {
            &self.0
        }
    }

    /// Nothing is told.
    pub fn untold<R>(_: &R) -> Option<String> {
        None
    }

    /// A type that can go to another task. Its own trait only for its message.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot go into a shielded call",
        label = "not `Send + 'static`",
        note = "`#[shield]` runs the body on a task of its own, to which arguments and result go: pass it in an `Arc<..>`, or by value"
    )]
    pub trait Shielded<M> {}

    #[diagnostic::do_not_recommend]
    impl<T: Send + 'static> Shielded<Met> for T {}

    #[diagnostic::do_not_recommend]
    impl<T: Nothing> Shielded<Unmet> for T {}

    /// Asks whether a `T` can go to another task.
    #[inline]
    pub fn ask_shielded<T: Shielded<M>, M: Default>() -> M {
        M::default()
    }
}
