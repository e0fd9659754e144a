//! `#[fallback]`: a value in place of a failure.

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::fallback;

#[doc(hidden)]
pub mod private {
    use std::marker::PhantomData;

    use crate::events::Origin;
    use crate::outcome::Attempted;

    /// Reports that a success replaced a failure, if it is one: a fallback may pass failures on.
    #[inline]
    pub fn stood_in<R: Attempted>(origin: &'static Origin, outcome: R) -> R {
        if outcome.failure().is_none() {
            crate::events::fell_back(origin);
        }
        outcome
    }

    /// An outcome that may be a failure.
    pub trait Outcome: Sized {
        /// The value of a success.
        type Value;
        /// The error of a failure.
        type Error;

        /// The success with this value.
        fn success(value: Self::Value) -> Self;
    }

    impl<T, E> Outcome for Result<T, E> {
        type Value = T;
        type Error = E;

        #[inline]
        fn success(value: T) -> Self {
            Ok(value)
        }
    }

    impl<T> Outcome for Option<T> {
        type Value = T;
        type Error = ();

        #[inline]
        fn success(value: T) -> Self {
            Some(value)
        }
    }

    /// A return type whose failures can be replaced. `F` is its [`Failure`]: unknown for one that cannot fail, so that rustc reports nothing more
    /// about it.
    #[diagnostic::on_unimplemented(
        message = "`#[fallback]` has no effect, since `{Self}` cannot fail",
        label = "neither a `Result` nor an `Option`",
        note = "return a `Result` or an `Option`, or remove `#[fallback]`"
    )]
    pub trait Replaceable<F>: Sized {
        /// The outcome, or its failure.
        ///
        /// # Errors
        ///
        /// If it is a failure.
        fn settle(self) -> Result<Self, F>;
    }

    #[diagnostic::do_not_recommend]
    impl<T, E> Replaceable<Failure<Self>> for Result<T, E> {
        #[inline]
        fn settle(self) -> Result<Self, Failure<Self>> {
            self.map(Ok).map_err(Failure)
        }
    }

    #[diagnostic::do_not_recommend]
    impl<T> Replaceable<Failure<Self>> for Option<T> {
        #[inline]
        fn settle(self) -> Result<Self, Failure<Self>> {
            self.map_or(Err(Failure(())), |value| Ok(Some(value)))
        }
    }

    /// The failure of an `R`.
    pub struct Failure<R: Outcome>(R::Error);

    /// The same without its error: held while a value is awaited.
    pub struct Forgotten<R>(PhantomData<fn() -> R>);

    impl<R: Outcome> Failure<R> {
        /// Drops the error.
        #[inline]
        pub fn forget(self) -> Forgotten<R> {
            Forgotten(PhantomData)
        }

        /// The error.
        #[inline]
        pub fn tell(self) -> (Forgotten<R>, R::Error) {
            (Forgotten(PhantomData), self.0)
        }

        /// Applies a closure.
        #[inline]
        pub fn replace_with<V: Replacement<R>>(self, value: impl FnOnce(R::Error) -> V) -> R {
            value(self.0).outcome()
        }
    }

    impl<R: Outcome> Forgotten<R> {
        /// Applies a value.
        #[inline]
        pub fn replace<V: Replacement<R>>(self, value: V) -> R {
            value.outcome()
        }

        /// Applies a whole outcome.
        #[inline]
        pub fn end_as(self, outcome: R) -> R {
            outcome
        }

        /// Applies a value whose type is inferred from its use.
        #[inline]
        pub fn succeed(self, value: R::Value) -> R {
            R::success(value)
        }
    }

    /// The replacement of a failed `R`: the value of a success, or an outcome.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a valid fallback for `{R}`",
        label = "neither the success value nor a whole outcome",
        note = "write the success value of `{R}`, or a whole `{R}`; to use the error, write `|error| ..`",
        note = "await a future in place: `value.await`; give a diverging closure a type: `|error| -> {R} {{ exit(error) }}`"
    )]
    pub trait Replacement<R> {
        /// The outcome.
        fn outcome(self) -> R;
    }

    #[diagnostic::do_not_recommend]
    impl<T, E> Replacement<Result<T, E>> for T {
        #[inline]
        fn outcome(self) -> Result<T, E> {
            Ok(self)
        }
    }

    #[diagnostic::do_not_recommend]
    impl<T, E> Replacement<Self> for Result<T, E> {
        #[inline]
        fn outcome(self) -> Self {
            self
        }
    }

    #[diagnostic::do_not_recommend]
    impl<T> Replacement<Option<T>> for T {
        #[inline]
        fn outcome(self) -> Option<T> {
            Some(self)
        }
    }

    #[diagnostic::do_not_recommend]
    impl<T> Replacement<Self> for Option<T> {
        #[inline]
        fn outcome(self) -> Self {
            self
        }
    }

    /// The outcome, or its failure.
    ///
    /// # Errors
    ///
    /// If it is a failure.
    #[inline]
    pub fn settle<R: Replaceable<F>, F>(outcome: R) -> Result<R, F> {
        outcome.settle()
    }
}
