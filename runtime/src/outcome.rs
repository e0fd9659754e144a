//! What a function's return type can represent, resolved by traits and never by spelling.

use std::marker::PhantomData;

use crate::bounds::{Satisfied, Uninhabited, Unsatisfied};
use crate::error::Error;
use crate::output::Output;
use crate::specialize::chain;

/// A return type that can represent a rejection, used where that is optional.
pub trait Reject: Sized {
    /// The return value that represents `error`.
    fn reject(error: Error) -> Self;
}

impl<T, E: From<Error>> Reject for Result<T, E> {
    fn reject(error: Error) -> Self {
        Err(error.into())
    }
}

impl<T> Reject for Option<T> {
    fn reject(_: Error) -> Self {
        None
    }
}

/// Applies `or_else`: a function, so that the closure's argument needs no type.
pub fn reject_with<R>(error: Error, or_else: impl FnOnce(Error) -> R) -> R {
    or_else(error)
}

/// A return type that can fail.
pub trait Attempted {
    /// The content of a failure: the error of a `Result`, nothing for an `Option`.
    type Error;

    /// The failure, if it is one.
    fn failure(&self) -> Option<&Self::Error>;
}

impl<T, E> Attempted for Result<T, E> {
    type Error = E;

    #[inline]
    fn failure(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

impl<T> Attempted for Option<T> {
    type Error = ();

    #[inline]
    fn failure(&self) -> Option<&()> {
        if self.is_some() { None } else { Some(&()) }
    }
}

/// Recognizes failures, if the type has any: a plain value is never one. Decided by autoref specialization (see
/// `crate::specialize`).
pub struct Verdict<R>(Harmless<R>);

/// The last candidate of `Verdict`, for a return type without failures.
pub struct Harmless<R>(PhantomData<fn() -> R>);

chain! { Verdict => Harmless }

impl<R> Verdict<R> {
    /// For the return type `R`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub fn new() -> Self {
        Self(Harmless(PhantomData))
    }

    /// For the return type `R`, if it cannot be written.
    #[must_use]
    pub fn of(_: Output<R>) -> Self {
        Self::new()
    }
}

impl<R: Attempted> Verdict<R> {
    /// Whether this is a failure.
    #[inline]
    pub fn failed(&self, outcome: &R) -> bool {
        outcome.failure().is_some()
    }
}

impl<R> Harmless<R> {
    /// A plain value is not a failure.
    #[inline]
    #[expect(clippy::unused_self, reason = "same call as `Verdict::failed`")]
    pub fn failed(&self, _: &R) -> bool {
        false
    }
}

/// The bound on the return type if `failure` is not set.
#[diagnostic::on_unimplemented(
    message = "cannot tell which `{Self}` values are failures",
    label = "neither a `Result` nor an `Option`",
    note = "return a `Result` or an `Option`, or define what a failure is: `failure = |outcome| ..`"
)]
pub trait Judged<J> {
    /// The type that decides.
    fn judge() -> J;
}

/// The same, of a return type that cannot be written.
#[inline]
pub fn judge_of<R: Judged<J>, J>(_: Output<R>) -> J {
    R::judge()
}

/// Distinguishes failures from successes.
pub struct Judge<R>(PhantomData<fn() -> R>);

#[diagnostic::do_not_recommend]
impl<T, E> Judged<Judge<Self>> for Result<T, E> {
    #[inline]
    fn judge() -> Judge<Self> {
        Judge(PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Judged<Judge<Self>> for Option<T> {
    #[inline]
    fn judge() -> Judge<Self> {
        Judge(PhantomData)
    }
}

impl<R: Attempted> Judge<R> {
    /// The failure, if the outcome is one.
    #[inline]
    #[expect(clippy::unused_self, reason = "its type is all it knows")]
    pub fn failure(self, outcome: &R) -> Option<&R::Error> {
        outcome.failure()
    }
}

/// Rejects where a rejection is so unlikely that no `or_else` is required: through the return type if that can represent an error,
/// else by a panic.
///
/// Which of the two is decided by autoref specialization (see `crate::specialize`).
pub struct Rejection<R>(Panicking<R>);

/// The last candidate of `Rejection`, for a return type that cannot represent an error.
pub struct Panicking<R>(PhantomData<fn() -> R>);

chain! { Rejection => Panicking }

impl<R> Rejection<R> {
    /// For the return type `R`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub fn new() -> Self {
        Self(Panicking(PhantomData))
    }

    /// For the return type `R`, if it cannot be written.
    #[must_use]
    pub fn of(_: Output<R>) -> Self {
        Self::new()
    }
}

impl<R: Reject> Rejection<R> {
    /// The return value that represents `error`.
    pub fn reject(&self, error: Error) -> R {
        R::reject(error)
    }
}

impl<R> Panicking<R> {
    /// Panics with the text of `error`.
    ///
    /// # Panics
    ///
    /// Always.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, clippy::unused_self, reason = "same call as `Rejection::reject`")]
    pub fn reject(&self, error: Error) -> R {
        panic!("{error}")
    }
}

/// Rejects by a panic. It returns the function's return type, so that rustc does not consider the code after it unreachable.
///
/// # Panics
///
/// Always.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "same call as `Rejection::reject`")]
pub fn panic_with<R>(error: Error) -> R {
    panic!("{error}")
}

/// Converts a count of any integer type. Values that do not fit saturate.
#[inline]
pub fn count<T: Count<U>, U>(count: T) -> U {
    count.clamped()
}

/// The same for a generic type.
pub(crate) fn clamped<T: PartialOrd + Default, U: TryFrom<T> + Default + Bounded>(count: T) -> U {
    if count < T::default() { U::default() } else { U::try_from(count).unwrap_or(U::MAX) }
}

/// The types of an option that is a count.
#[diagnostic::on_unimplemented(
    message = "a count must be an integer, found `{Self}`",
    label = "not an integer",
    note = "write a number, or an expression of any integer type"
)]
pub trait Count<U> {
    /// Converts it to a `U`.
    fn clamped(self) -> U;
}

macro_rules! counts {
    ($($integer:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<U: TryFrom<$integer> + Default + Bounded> Count<U> for $integer {
            #[inline]
            fn clamped(self) -> U {
                clamped(self)
            }
        }
    )*};
}

counts! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize }

/// The types of the option `factor`.
#[diagnostic::on_unimplemented(
    message = "`factor` must be a number, found `{Self}`",
    label = "not convertible to `f64` without loss",
    note = "write `factor = 2`, or an expression of type `f64`"
)]
pub trait Factor<M> {
    /// Converts it to an `f64`.
    fn factor(self) -> f64;
}

#[diagnostic::do_not_recommend]
impl<T: Into<f64>> Factor<Satisfied> for T {
    #[inline]
    fn factor(self) -> f64 {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Uninhabited> Factor<Unsatisfied> for T {
    fn factor(self) -> f64 {
        unreachable!("there is no such type")
    }
}

/// `factor = ..`
#[inline]
pub fn factor<T: Factor<M>, M>(factor: T) -> f64 {
    factor.factor()
}

/// An integer type with a largest value.
pub trait Bounded {
    /// The largest value.
    const MAX: Self;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u64 {
    const MAX: Self = Self::MAX;
}

impl Bounded for usize {
    const MAX: Self = Self::MAX;
}
