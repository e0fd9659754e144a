//! What a function's return type can express, found by traits and never by spelling.

use std::marker::PhantomData;
use std::ops::Deref;

use crate::{Error, events};

/// A return type that can carry a refusal of the attribute `A`.
#[diagnostic::on_unimplemented(
    message = "`#[{A}]` can fail, and `{Self}` has no place for its error",
    label = "cannot carry a `steadfast::Error`",
    note = "return a `Result<_, E>` where `E: From<steadfast::Error>`, or an `Option`",
    note = "or say what to return instead: `or_else = |error| ..`"
)]
pub trait Refuse<A>: Sized {
    /// The return value that says `error`.
    fn refuse(error: Error) -> Self;
}

impl<A, T, E: CarryError<A>> Refuse<A> for Result<T, E> {
    fn refuse(error: Error) -> Self {
        events::refused(&error);
        Err(E::carry(error))
    }
}

impl<A, T> Refuse<A> for Option<T> {
    fn refuse(error: Error) -> Self {
        events::refused(&error);
        None
    }
}

/// An error type that a refusal can be converted into. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`#[{A}]` can fail, and its error cannot become a `{Self}`",
    label = "`{Self}` does not implement `From<steadfast::Error>`",
    note = "give `{Self}` a variant for it, with thiserror: `#[error(transparent)] Steadfast(#[from] steadfast::Error)`",
    note = "or say what to return instead: `or_else = |error| ..`"
)]
pub trait CarryError<A>: Sized {
    /// The error that says `error`.
    fn carry(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<A, E: From<Error>> CarryError<A> for E {
    fn carry(error: Error) -> Self {
        error.into()
    }
}

/// Applies `or_else`: a function, so that the closure's argument needs no type.
pub fn refuse_with<R>(error: Error, or_else: impl FnOnce(Error) -> R) -> R {
    events::refused(&error);
    or_else(error)
}

/// A return type that can fail: what `#[retry]` looks at when it is not told.
#[diagnostic::on_unimplemented(
    message = "`#[retry]` cannot tell whether a `{Self}` is a failure",
    label = "neither a `Result` nor an `Option`",
    note = "return a `Result` or an `Option`, or say what counts as failed: `failure = |outcome| ..`"
)]
pub trait Attempted {
    /// What a failure tells: the error of a `Result`, nothing for an `Option`.
    type Error;

    /// The failure, where it is one.
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

/// A return type in which the attribute `A` finds failures without being told. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`#[{A}]` cannot tell whether a `{Self}` is a failure",
    label = "neither a `Result` nor an `Option`",
    note = "return a `Result` or an `Option`, or say what counts as failed: `failure = |outcome| ..`"
)]
pub trait Judged<A> {
    /// What a failure tells.
    type Error;

    /// The failure, where it is one.
    fn failure(&self) -> Option<&Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<A, R: Attempted> Judged<A> for R {
    type Error = R::Error;

    #[inline]
    fn failure(&self) -> Option<&R::Error> {
        Attempted::failure(self)
    }
}

/// What counts as failed for the attribute `A` when nothing is said.
#[inline]
pub fn failed<A, R: Judged<A>>(outcome: &R) -> bool {
    outcome.failure().is_some()
}

/// Applies `when`: a function, so that the closure's argument needs no type.
#[inline]
pub fn when<A, R: Judged<A>>(outcome: &R, when: impl FnOnce(&R::Error) -> bool) -> bool {
    outcome.failure().is_some_and(when)
}

/// Tells failures where there can be any: a plain value is none. Decided by method look-up, as for a [`Refusal`].
pub struct Verdict<R>(Harmless<R>);

/// Where `Verdict` ends for a return type without failures.
pub struct Harmless<R>(PhantomData<fn() -> R>);

impl<R> Verdict<R> {
    /// For the return type `R`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub fn new() -> Self {
        Self(Harmless(PhantomData))
    }
}

impl<R: Attempted> Verdict<R> {
    /// Whether this is a failure.
    #[inline]
    pub fn failed(&self, outcome: &R) -> bool {
        outcome.failure().is_some()
    }
}

impl<R> Deref for Verdict<R> {
    type Target = Harmless<R>;

    fn deref(&self) -> &Harmless<R> {
        &self.0
    }
}

impl<R> Harmless<R> {
    /// It is none.
    #[inline]
    #[expect(clippy::unused_self, reason = "same call as `Verdict::failed`")]
    pub fn failed(&self, _: &R) -> bool {
        false
    }
}

/// Refuses where a refusal is so unexpected that the user is not asked for an `or_else`: through the return type if that
/// can carry an error, else by a panic.
///
/// Which of the two is decided by method look-up: the inherent method below exists only for types that can carry one, and
/// what does not exist is looked for behind `Deref`.
pub struct Refusal<R>(Panicking<R>);

/// Where `Refusal` ends for a return type that carries nothing.
pub struct Panicking<R>(PhantomData<fn() -> R>);

impl<R> Refusal<R> {
    /// For the return type `R`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub fn new() -> Self {
        Self(Panicking(PhantomData))
    }
}

impl<R: Refuse<()>> Refusal<R> {
    /// The return value that says `error`.
    pub fn refuse(&self, error: Error) -> R {
        R::refuse(error)
    }
}

impl<R> Deref for Refusal<R> {
    type Target = Panicking<R>;

    fn deref(&self) -> &Panicking<R> {
        &self.0
    }
}

impl<R> Panicking<R> {
    /// Panics with the text of `error`.
    ///
    /// # Panics
    ///
    /// Always.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, clippy::unused_self, reason = "same call as `Refusal::refuse`")]
    pub fn refuse(&self, error: Error) -> R {
        events::refused(&error);
        panic!("{error}")
    }
}

/// Where a refusal has no other way out. The type is that of a return value, so that nothing behind it is called unreachable.
///
/// # Panics
///
/// Always.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "same call as `Refusal::refuse`")]
pub fn panic_with<R>(error: Error) -> R {
    events::refused(&error);
    panic!("{error}")
}

/// A count of whatever integer type it is written in. What does not fit is as good as infinite, or as nothing.
pub fn count<T: PartialOrd + Default, U: TryFrom<T> + Default + Bounded>(count: T) -> U {
    if count < T::default() { U::default() } else { U::try_from(count).unwrap_or(U::MAX) }
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
