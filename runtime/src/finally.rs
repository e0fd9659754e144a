//! `#[finally]`: a cleanup that always runs.

/// Awaits a cleanup after the function, however it ended: with a value, with an error, by a panic, or by being dropped.
///
/// ```
/// use steadfast::{Exit, finally};
/// # use std::sync::Mutex;
/// # static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// # async fn unlock(name: String) { LOG.lock().unwrap().push(name); }
/// # async fn note(job: u32, exit: Exit) { LOG.lock().unwrap().push(format!("{job}: {exit:?}")); }
///
/// #[finally(unlock(format!("job {id}")))]
/// async fn run(id: u32) -> Result<u32, String> {
///     if id == 0 { Err("no such job".to_owned()) } else { Ok(id) }
/// }
///
/// // A closure is told how the function ended.
/// #[finally(|exit| note(id, exit))]
/// async fn told(id: u32) -> Option<u32> {
///     (id > 0).then_some(id)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(run(1).await, Ok(1));
/// assert_eq!(run(0).await, Err("no such job".to_owned()));
/// told(0).await;
/// assert_eq!(*LOG.lock().unwrap(), ["job 1", "job 0", "0: Err"]);
/// # }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `expr`, first and without a name | | the cleanup: a future, or a closure of an [`Exit`](crate::Exit) that returns one |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// The cleanup may name the arguments and `self`, and borrow them: it has clones of those, made when the call begins (of what a `&str` or a `&[T]`
/// refers to), which live until it has ended; another borrow is an error at that argument. The future is `Send + 'static`, and yields `()` or
/// a `Result` whose error is `Display`.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each end | the cleanup |
///
/// `Err` and `None` are [`Exit::Err`](crate::Exit::Err), a plain value is [`Exit::Ok`](crate::Exit::Ok). A closure that looks at its `Exit` on a function
/// that returns a type parameter (`R`, `T::Out`) is an error, since nothing there can tell whether that is a `Result`. Parameters of an `impl`
/// around the function are unknown to the attribute: such a value is a plain one.
///
/// # Errors
///
/// The function's value or error is returned as it is; an error or a panic of the cleanup is told to [`on_report`](crate::on_report).
///
/// # Cancel safety
///
/// The cleanup runs once, on a task of its own: neither a caller that goes away nor a deadline above cuts it short. A call that returns or
/// panics waits for it; one that is dropped leaves it to the runtime, and [`drain`](crate::drain) waits for it. A call that was never polled,
/// or that a layer above has not let through, has nothing to clean up.
///
/// # Panics
///
/// A panic of the function reaches the caller when the cleanup has ended, also where a deadline above would not have waited for that. Where the runtime has gone, the cleanup cannot run, which is told to
/// [`on_report`](crate::on_report).
pub use steadfast_macros::finally;

#[doc(hidden)]
pub mod private {
    use std::any::Any;
    use std::panic::{AssertUnwindSafe, resume_unwind};
    use std::pin::Pin;

    use futures_util::FutureExt;
    use tokio::runtime::Handle;

    use crate::ask::{Met, Nothing, Unmet};
    use crate::background::{self, Logged};
    use crate::cache::inherited;
    use crate::stack::Polled;
    use crate::{Exit, Report, ReportKind};

    /// A cleanup that waits for its time, without its type: it goes to a task of its own in any case.
    pub struct Cleanup(Box<dyn FnOnce(Exit) -> Running + Send>);

    /// Yields the text of its error.
    type Running = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

    /// Takes a closure of which the compiler knows the argument.
    pub fn cleanup<C, F>(cleanup: C) -> Cleanup
    where
        C: FnOnce(Exit) -> F + Send + 'static,
        F: Future<Output: Logged + Send> + Send + 'static,
    {
        // Called in the future, so that a panic of it is none of the caller's.
        Cleanup(Box::new(move |exit| Box::pin(async move { cleanup(exit).await.error() })))
    }

    /// A cleanup that can be awaited. Its own trait only for its message.
    #[diagnostic::on_unimplemented(
        message = "`#[finally]` awaits its cleanup, and `{Self}` is not a future",
        label = "not a future",
        note = "call an async function, or write `async move {{ .. }}`; what needs no await goes into one: `async move {{ unlock() }}`"
    )]
    pub trait Awaited<M> {}

    #[diagnostic::do_not_recommend]
    impl<F: Future> Awaited<Met> for F {}

    #[diagnostic::do_not_recommend]
    impl<T: Nothing> Awaited<Unmet> for T {}

    /// Asks whether a cleanup can be awaited.
    pub fn ask_cleanup<C: Awaited<M>, M: Default>(_: &C) -> M {
        M::default()
    }

    /// Applies the user's closure.
    pub fn call<F>(closure: impl FnOnce(Exit) -> F, exit: Exit) -> F {
        closure(exit)
    }

    /// What a panic carries.
    type Payload = Box<dyn Any + Send>;

    /// A panic that waits for the cleanup. Where its caller does not, it is reported.
    struct Panic {
        function: &'static str,
        payload: Option<Payload>,
    }

    impl Drop for Panic {
        fn drop(&mut self) {
            if let Some(payload) = &self.payload {
                Report::panic(self.function, &**payload).send();
            }
        }
    }

    /// A cleanup that has not run. Dropped, it does.
    pub struct Finally {
        function: &'static str,
        cleanup: Option<Cleanup>,
        runtime: Option<Handle>,
        polled: Polled,
    }

    impl Finally {
        /// For a call that begins.
        #[must_use]
        pub fn new(function: &'static str, cleanup: Cleanup) -> Self {
            // Remembered, since the call may be dropped where there is none.
            Self { function, cleanup: Some(cleanup), runtime: Handle::try_current().ok(), polled: Polled::Runs }
        }

        /// The function has returned.
        pub async fn end(mut self, failed: bool) {
            self.clean(if failed { Exit::Err } else { Exit::Ok }).await;
        }

        /// The function has panicked: that goes on when the cleanup has ended.
        pub async fn resume<T>(mut self, payload: Payload) -> T {
            let mut panic = Panic { function: self.function, payload: Some(payload) };
            self.clean(Exit::Panicked).await;
            match panic.payload.take() {
                Some(payload) => resume_unwind(payload),
                None => unreachable!("it is taken once"),
            }
        }

        /// Awaits what the function awaits, and catches its panic.
        pub fn catch<F: Future>(&mut self, future: F) -> impl Future<Output = Result<F::Output, Payload>> {
            AssertUnwindSafe(self.polled.watch(future)).catch_unwind()
        }

        async fn clean(&mut self, exit: Exit) {
            if let Some((runtime, cleanup)) = self.take(exit) {
                background::spawn_on(&runtime, self.function, inherited(cleanup), Clone::clone).reported().await;
            }
        }

        fn take(&mut self, exit: Exit) -> Option<(Handle, Running)> {
            let Cleanup(cleanup) = self.cleanup.take()?;
            let Some(runtime) = self.runtime.take() else {
                Report::new(self.function, ReportKind::Abandoned, "has a cleanup that did not run: there is no runtime here")
                    .send();
                return None;
            };
            Some((runtime, cleanup(exit)))
        }
    }

    impl Drop for Finally {
        fn drop(&mut self) {
            if let Some((runtime, cleanup)) = self.take(if self.polled.panics() { Exit::Panicked } else { Exit::Cancelled }) {
                drop(background::spawn_on(&runtime, self.function, cleanup, Clone::clone));
            }
        }
    }
}
