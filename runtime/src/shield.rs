//! `#[shield]`: work that completes even if its caller is dropped.

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::shield;

#[doc(hidden)]
pub mod private {
    use std::fmt::{Debug, Display};
    use std::marker::PhantomData;
    use std::panic::resume_unwind;

    use tokio_util::task::TaskTracker;

    use crate::background::{self, Failure};
    use crate::bounds::bounds;
    use crate::inherit::Inherited;
    use crate::output::Output;
    use crate::report;
    use crate::shutdown::RuntimeShutDown;
    use crate::specialize::{chain, late};

    /// Runs `work` on a task of its own, which continues if the caller is dropped.
    pub async fn shield<F>(
        function: &'static str,
        work: F,
        describe: fn(&F::Output) -> Option<String>,
    ) -> Result<F::Output, RuntimeShutDown>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (inherited, _awaiting) = Inherited::while_awaited();
        match background::spawn(function, inherited.enter(work), describe).await {
            Ok(out) => Ok(out),
            Err(Failure::Panicked(payload)) => resume_unwind(payload),
            Err(Failure::Abandoned) => Err(RuntimeShutDown),
        }
    }

    /// A handle of the tracker that `tracker` names, since the body may move what contains it.
    pub fn tracker(tracker: &TaskTracker) -> TaskTracker {
        tracker.clone()
    }

    /// The same work, also counted by `tracker`.
    pub fn tracked<F: Future>(tracker: &TaskTracker, work: F) -> impl Future<Output = F::Output> + use<F> {
        tracker.track_future(work)
    }

    /// How an outcome that no caller receives is reported: by the text of its error, if it has one. Decided by autoref specialization (see `crate::specialize`).
    pub struct Describe<R>(DescribeDebug<R>);

    /// The next candidate, for an error that is only `Debug`.
    pub struct DescribeDebug<R>(DescribeUnnamed<R>);

    /// The next candidate, for an error that is neither.
    pub struct DescribeUnnamed<R>(DescribeNothing<R>);

    /// The last candidate: there is no error.
    pub struct DescribeNothing<R>(PhantomData<fn() -> R>);

    chain! { Describe => DescribeDebug => DescribeUnnamed => DescribeNothing }

    impl<R> Describe<R> {
        /// For the return type `R`.
        #[must_use]
        #[expect(clippy::new_without_default, reason = "only expansions create one")]
        pub fn new() -> Self {
            Self(DescribeDebug(DescribeUnnamed(DescribeNothing(PhantomData))))
        }
    }

    impl<T, E: Display> Describe<Result<T, E>> {
        /// The text of the error.
        pub fn describe(&self) -> fn(&Result<T, E>) -> Option<String> {
            |out| out.as_ref().err().map(report::text)
        }
    }

    impl<T, E: Debug> DescribeDebug<Result<T, E>> {
        /// The error by its `Debug`.
        pub fn describe(&self) -> fn(&Result<T, E>) -> Option<String> {
            |out| out.as_ref().err().map(report::debug_text)
        }
    }

    impl<T, E> DescribeUnnamed<Result<T, E>> {
        /// The fact that there is one.
        pub fn describe(&self) -> fn(&Result<T, E>) -> Option<String> {
            |out| out.as_ref().err().map(|_| "error type implements neither `Display` nor `Debug`".to_owned())
        }
    }

    impl<R> DescribeNothing<R> {
        /// Nothing.
        pub fn describe(&self) -> fn(&R) -> Option<String> {
            describe_nothing
        }
    }

    late! {
        Displayed: [T, E: Display] Result<T, E>, |out| -> Option<String> { out.as_ref().err().map(report::text) }
        Debugged: [T, E: Debug] Result<T, E>, |out| -> Option<String> { out.as_ref().err().map(report::debug_text) }
        Unnamed: [T, E] Result<T, E>, |out| -> Option<String> { DescribeUnnamed(DescribeNothing(PhantomData)).describe()(out) }
    }

    /// The candidates of [`Describe`], in the same order, for a type that is inferred later.
    pub fn late_describe<R: Displayed<D> + Debugged<G> + Unnamed<U>, D, G, U>(
        _: Output<R>,
        _: (D, G, U),
    ) -> fn(&R) -> Option<String> {
        |out| Displayed::<D>::made(out).or_else(|| Debugged::<G>::made(out)).or_else(|| Unnamed::<U>::made(out)).flatten()
    }

    /// Reports nothing.
    pub fn describe_nothing<R>(_: &R) -> Option<String> {
        None
    }

    bounds! {
        /// A type that can be moved to another task. A trait of its own for the message.
        #[diagnostic::on_unimplemented(
            message = "`{Self}` cannot be moved into the task of `#[shield]`",
            label = "not `Send + 'static`",
            note = "`#[shield]` runs the body on a separate task, which takes the arguments and returns the result: pass it in an `Arc<..>`, or by value"
        )]
        trait Shielded: [Send + 'static] {
            /// Asserts that a `T` can be moved to another task.
            fn assert_shielded[T: Shielded<M>]();
        }
    }
}
