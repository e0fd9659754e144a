//! `#[finally]`: an async cleanup that always runs.

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::finally;

#[doc(hidden)]
pub mod private {
    use std::panic::AssertUnwindSafe;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use futures_util::FutureExt;
    use pin_project_lite::pin_project;
    use tokio::runtime::Handle;

    use crate::background::{self, Logged};
    use crate::body::CallState;
    use crate::bounds::bounds;
    use crate::contain::{Caught, Payload, drop_caught};
    use crate::exit::Exit;
    use crate::inherit::Inherited;
    use crate::report::{self, PendingPanic, Report, ReportKind};

    /// A pending cleanup, type-erased: it is moved to a task of its own in any case.
    pub struct Cleanup(Box<dyn FnOnce(Exit) -> CleanupFuture + Send>);

    /// Yields the text of its error.
    type CleanupFuture = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

    /// Takes a closure whose argument type the compiler then knows.
    pub fn cleanup<C, F>(cleanup: C) -> Cleanup
    where
        C: FnOnce(Exit) -> F + Send + 'static,
        F: Future<Output: Logged + Send> + Send + 'static,
    {
        // Called in the future, so that its panic does not reach the caller.
        Cleanup(Box::new(move |exit| Box::pin(async move { cleanup(exit).await.error() })))
    }

    bounds! {
        /// A cleanup that can be awaited. A trait of its own for the message.
        #[diagnostic::on_unimplemented(
            message = "`#[finally]` requires a future, found `{Self}`",
            label = "not a future",
            note = "call an async function, or wrap synchronous code: `async move {{ unlock() }}`"
        )]
        trait Awaited: [Future] {
            /// Asserts that a cleanup can be awaited.
            fn assert_cleanup[C: Awaited<M>](_: &C);
        }
    }

    /// Applies the user's closure.
    pub fn call<F>(closure: impl FnOnce(Exit) -> F, exit: Exit) -> F {
        closure(exit)
    }

    /// A cleanup that has not run. It runs when this is dropped.
    pub struct Finally {
        function: &'static str,
        cleanup: Option<Cleanup>,
        runtime: Option<Handle>,
        state: CallState,
    }

    impl Finally {
        /// For a new call.
        #[must_use]
        pub fn new(function: &'static str, cleanup: Cleanup) -> Self {
            // Kept, because the call may be dropped outside of a runtime.
            Self { function, cleanup: Some(cleanup), runtime: Handle::try_current().ok(), state: CallState::Running }
        }

        /// The function has returned.
        pub async fn end(mut self, failed: bool) {
            self.clean(if failed { Exit::Err } else { Exit::Ok }).await;
        }

        /// The function has panicked: the panic is resumed when the cleanup has ended.
        pub async fn resume<T>(mut self, payload: Payload) -> T {
            let panic = PendingPanic::new(self.function, payload);
            self.clean(Exit::Panicked).await;
            panic.resume()
        }

        /// Awaits what the function awaits, and catches its panic.
        pub fn catch<F: Future>(&mut self, future: F) -> impl Future<Output = Result<F::Output, Payload>> {
            AssertUnwindSafe(self.state.watch(future)).catch_unwind()
        }

        /// Evaluates an option of a layer below, and catches its panic.
        pub fn during<T>(&self, option: impl FnOnce() -> T) -> Result<T, Payload> {
            std::panic::catch_unwind(AssertUnwindSafe(option))
        }

        async fn clean(&mut self, exit: Exit) {
            let Some(Cleanup(cleanup)) = self.cleanup.take() else { return };
            let Some(runtime) = self.runtime() else {
                return InPlace { function: self.function, cleanup: Caught::new(cleanup(exit)), ended: false }.await;
            };
            let (inherited, _awaiting) = Inherited::while_awaited();
            background::spawn_on(&runtime, self.function, inherited.enter(cleanup(exit)), Clone::clone).reported().await;
        }

        fn runtime(&mut self) -> Option<Handle> {
            self.runtime.take().or_else(|| Handle::try_current().ok())
        }
    }

    impl Drop for Finally {
        fn drop(&mut self) {
            let Some(Cleanup(cleanup)) = self.cleanup.take() else { return };
            if let Some(runtime) = self.runtime() {
                let exit = if self.state.panics() { Exit::Panicked } else { Exit::Cancelled };
                drop(background::spawn_on(&runtime, self.function, cleanup(exit), Clone::clone));
            } else {
                Report::new(self.function, ReportKind::Abandoned, "did not run its cleanup: no Tokio runtime").send();
                if let Err(payload) = drop_caught(cleanup) {
                    report::panicked(self.function, payload);
                }
            }
        }
    }

    pin_project! {
        /// A cleanup without a runtime, awaited in place. Its failure is reported as usual.
        struct InPlace {
            function: &'static str,
            #[pin]
            cleanup: Caught<CleanupFuture>,
            ended: bool,
        }

        impl PinnedDrop for InPlace {
            fn drop(this: Pin<&mut Self>) {
                let this = this.project();
                if !*this.ended {
                    let text = "did not finish its cleanup: the call was dropped outside of a Tokio runtime";
                    Report::new(this.function, ReportKind::Abandoned, text).send();
                }
                if let Err(payload) = this.cleanup.clear() {
                    report::panicked(this.function, payload);
                }
            }
        }
    }

    impl Future for InPlace {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let this = self.project();
            let outcome = ready!(this.cleanup.poll(cx));
            *this.ended = true;
            match outcome {
                Ok(Some(error)) => Report::new(this.function, ReportKind::Error, error).send(),
                Ok(None) => {}
                Err(payload) => report::panicked(this.function, payload),
            }
            Poll::Ready(())
        }
    }
}
