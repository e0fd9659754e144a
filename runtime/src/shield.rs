//! `#[shield]`: work that finishes also when its caller goes away.

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::shield;

#[doc(hidden)]
pub mod private {
    use std::fmt::{Debug, Display};
    use std::marker::PhantomData;
    use std::ops::Deref;
    use std::panic::resume_unwind;

    use tokio_util::task::TaskTracker;

    use crate::background::{self, Failure};
    use crate::bounds::{Met, Nothing, Unmet};
    use crate::recursion::Marks;
    use crate::report;
    use crate::shutdown::RuntimeShutDown;

    /// Runs `work` on a task of its own, which a caller that goes away leaves running.
    pub async fn shield<F>(
        function: &'static str,
        work: F,
        describe: fn(&F::Output) -> Option<String>,
    ) -> Result<F::Output, RuntimeShutDown>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (marks, _awaiting) = Marks::while_awaited();
        match background::spawn(function, marks.enter(work), describe).await {
            Ok(out) => Ok(out),
            Err(Failure::Panicked(payload)) => resume_unwind(payload),
            Err(Failure::Abandoned) => Err(RuntimeShutDown),
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
        message = "`{Self}` cannot be moved into the task of `#[shield]`",
        label = "not `Send + 'static`",
        note = "`#[shield]` runs the body on a separate task, which takes the arguments and returns the result: pass it in an `Arc<..>`, or by value"
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
