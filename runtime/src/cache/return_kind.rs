//! How a return type is stored: `Ok` and `Some` as values, `Err` and `None` as failures, anything else as a value.
//!
//! The kind of a type must be determined by its type and not its spelling, without requiring any trait from plain types. This is
//! autoref specialization (`crate::specialize`): `KindOf::<R>::new().kind()`.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::store::entry::{Cached, Failure};
use crate::output::Output;
use crate::specialize::chain;

/// How a return type is stored.
pub trait ReturnKind: Copy + Send + Sync {
    /// The return type.
    type Out;
    /// The part of it that a cache stores.
    type Value;
    /// Whether the waiters can receive a clone of a call's error.
    const SHARES_ERRORS: bool;

    /// Classifies the result of a call.
    fn outcome(self, out: &Self::Out) -> Outcome<'_, Self::Value>;

    /// Whether a stored value is the `None` of a `Result<Option<T>, E>`.
    fn is_none(value: &Self::Value) -> bool {
        let _ = value;
        false
    }

    /// The failure in the form that is shared with waiters and stored, if it can be.
    fn failure(self, out: &Self::Out) -> Option<Failure>;

    /// The return value, from a stored result. `None`: the failure of a function with a different error type.
    fn restore(self, found: &Cached<Self::Value>) -> Option<Self::Out>
    where
        Self::Value: Clone;
}

/// The result of a call, classified.
#[derive(Debug)]
pub enum Outcome<'a, V> {
    Value(&'a V),
    /// The `None` of a `Result<Option<T>, E>`, which is stored like a value.
    Nothing(&'a V),
    Error,
    None,
}

type Marker<R> = PhantomData<fn() -> R>;

/// Determines how `R` is stored.
pub struct KindOf<R>(Shared<R>);

/// The next step of the lookup, for a `Result` of anything but an `Option`.
pub struct Shared<R>(Nullable<R>);

/// The next step, for a `Result` of an `Option` whose error cannot be shared.
pub struct Nullable<R>(Unshared<R>);

/// The next step, for any other `Result` whose error cannot be shared, and for an `Option`.
pub struct Unshared<R>(Plain<R>);

chain! { KindOf => Shared => Nullable => Unshared => Plain }

impl<R> KindOf<R> {
    /// For the return type `R`.
    #[must_use]
    #[inline]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(Shared(Nullable(Unshared(Plain(PhantomData)))))
    }

    /// For a type that is not fully known: what is unknown is assumed not to be an `Option`.
    #[must_use]
    #[inline]
    pub const fn new_in_part() -> Shared<R> {
        Shared(Nullable(Unshared(Plain(PhantomData))))
    }

    /// For the type of a value that cannot be named.
    #[must_use]
    #[inline]
    pub const fn plain() -> Plain<R> {
        Plain(PhantomData)
    }
}

impl<T, E: Clone + Send + Sync + 'static> KindOf<Result<Option<T>, E>> {
    /// A `Result` of an `Option` whose error is shared.
    #[inline]
    pub fn kind(&self) -> SharedOption<T, E> {
        SharedOption(PhantomData)
    }
}

impl<T, E: Clone + Send + Sync + 'static> Shared<Result<T, E>> {
    /// A `Result` whose error is shared.
    #[inline]
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> SharedResult<T, E> {
        SharedResult(PhantomData)
    }
}

impl<T, E> Nullable<Result<Option<T>, E>> {
    /// A `Result` of an `Option` whose error is not shared.
    #[inline]
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> OwnOption<T, E> {
        OwnOption(PhantomData)
    }
}

impl<T, E> Unshared<Result<T, E>> {
    /// A `Result` whose error is not shared.
    #[inline]
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> OwnResult<T, E> {
        OwnResult(PhantomData)
    }
}

impl<T> Unshared<Option<T>> {
    /// An `Option`.
    #[inline]
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> Optional<T> {
        Optional(PhantomData)
    }
}

impl<R> Plain<R> {
    /// Any other type.
    #[inline]
    #[must_use]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "found by method lookup")]
    pub fn kind(&self) -> Self {
        *self
    }
}

/// Determines how `R` is stored, where the type of an error may be inferred later: whether it is shared is `Sharing`. `R` is the type
/// and the literal that decides.
pub struct LateKindOf<R>(LateShared<R>);

/// The next step of the lookup, for a `Result` of anything but an `Option`.
pub struct LateShared<R>(LateOptional<R>);

/// The next step, for an `Option`.
pub struct LateOptional<R>(LatePlain<R>);

/// The last step, for any other type.
pub struct LatePlain<R>(Marker<R>);

chain! { LateKindOf => LateShared => LateOptional => LatePlain }

impl<R, M> LateKindOf<(R, M)> {
    /// For an output whose type cannot be written.
    #[must_use]
    pub fn of(_: Output<R>, _: M) -> Self {
        Self(LateShared(LateOptional(LatePlain(PhantomData))))
    }
}

impl<T, E, M> LateKindOf<(Result<Option<T>, E>, M)> {
    /// A `Result` of an `Option`.
    pub fn kind(&self) -> LateOption<T, E, M> {
        LateOption(PhantomData)
    }
}

impl<T, E, M> LateShared<(Result<T, E>, M)> {
    /// A `Result`.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> LateResult<T, E, M> {
        LateResult(PhantomData)
    }
}

impl<T, M> LateOptional<(Option<T>, M)> {
    /// An `Option`.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> Optional<T> {
        Optional(PhantomData)
    }
}

impl<R, M> LatePlain<(R, M)> {
    /// Any other type.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn kind(&self) -> Plain<R> {
        Plain(PhantomData)
    }
}

/// Whether errors of type `E` are cloned to all waiters, decided by the type of a literal: an `i32` if they can be, and else a `u8` (see
/// `crate::specialize`).
pub trait Sharing<E> {
    /// How a `Result<T, E>` is stored.
    type Kind<T>: ReturnKind<Out = Result<T, E>, Value = T>;

    /// The kind itself.
    fn kind<T>() -> Self::Kind<T>;
}

impl<E: Clone + Send + Sync + 'static> Sharing<E> for i32 {
    type Kind<T> = SharedResult<T, E>;

    fn kind<T>() -> SharedResult<T, E> {
        SharedResult(PhantomData)
    }
}

impl<E> Sharing<E> for u8 {
    type Kind<T> = OwnResult<T, E>;

    fn kind<T>() -> OwnResult<T, E> {
        OwnResult(PhantomData)
    }
}

/// `Result<T, E>` with an error of a type that is inferred later.
pub struct LateResult<T, E, M>(Marker<(T, E, M)>);

/// `Result<Option<T>, E>` with an error of a type that is inferred later.
pub struct LateOption<T, E, M>(Marker<(T, E, M)>);

impl<T, E, M: Sharing<E>> ReturnKind for LateResult<T, E, M> {
    type Out = Result<T, E>;
    type Value = T;
    const SHARES_ERRORS: bool = <M::Kind<T> as ReturnKind>::SHARES_ERRORS;

    fn outcome(self, out: &Result<T, E>) -> Outcome<'_, T> {
        OwnResult::of_type().outcome(out)
    }

    fn failure(self, out: &Result<T, E>) -> Option<Failure> {
        M::kind().failure(out)
    }

    #[inline]
    fn restore(self, found: &Cached<T>) -> Option<Result<T, E>>
    where
        T: Clone,
    {
        M::kind().restore(found)
    }
}

impl<T, E, M: Sharing<E>> ReturnKind for LateOption<T, E, M> {
    type Out = Result<Option<T>, E>;
    type Value = Option<T>;
    const SHARES_ERRORS: bool = <M::Kind<Option<T>> as ReturnKind>::SHARES_ERRORS;

    fn outcome(self, out: &Self::Out) -> Outcome<'_, Option<T>> {
        OwnOption(PhantomData).outcome(out)
    }

    fn is_none(value: &Option<T>) -> bool {
        value.is_none()
    }

    fn failure(self, out: &Self::Out) -> Option<Failure> {
        M::kind().failure(out)
    }

    #[inline]
    fn restore(self, found: &Cached<Option<T>>) -> Option<Self::Out>
    where
        Option<T>: Clone,
    {
        M::kind().restore(found)
    }
}

/// `Result<T, E>` with an error that is cloned to all waiters.
pub struct SharedResult<T, E>(Marker<(T, E)>);

/// `Result<T, E>` with an error that only the leader receives.
pub struct OwnResult<T, E>(Marker<(T, E)>);

/// `Result<Option<T>, E>` with an error that is cloned to all waiters.
pub struct SharedOption<T, E>(Marker<(T, E)>);

/// `Result<Option<T>, E>` with an error that only the leader receives.
pub struct OwnOption<T, E>(Marker<(T, E)>);

/// `Option<T>`.
pub struct Optional<T>(Marker<T>);

/// Any type, stored whole.
pub struct Plain<R>(Marker<R>);

/// `Copy` without the bounds on the parameters that a derive would add.
macro_rules! copy {
    ($($name:ident<$($parameter:ident),*>)*) => {$(
        impl<$($parameter),*> Clone for $name<$($parameter),*> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($parameter),*> Copy for $name<$($parameter),*> {}
    )*};
}

/// A constructor that infers the type parameters.
macro_rules! of_type {
    ($($name:ident<$($parameter:ident),*>)*) => {$(
        impl<$($parameter),*> $name<$($parameter),*> {
            pub(super) const fn of_type() -> Self {
                Self(PhantomData)
            }
        }
    )*};
}

copy! {
    SharedResult<T, E> OwnResult<T, E> SharedOption<T, E> OwnOption<T, E> Optional<T> Plain<R>
    LateResult<T, E, M> LateOption<T, E, M>
}

of_type! { SharedResult<T, E> OwnResult<T, E> Optional<T> Plain<R> }

impl<T, E: Clone + Send + Sync + 'static> ReturnKind for SharedResult<T, E> {
    type Out = Result<T, E>;
    type Value = T;
    const SHARES_ERRORS: bool = true;

    fn outcome(self, out: &Result<T, E>) -> Outcome<'_, T> {
        OwnResult::of_type().outcome(out)
    }

    fn failure(self, out: &Result<T, E>) -> Option<Failure> {
        out.as_ref().err().map(|error| Arc::new(error.clone()) as Failure)
    }

    #[inline]
    fn restore(self, found: &Cached<T>) -> Option<Result<T, E>>
    where
        T: Clone,
    {
        match found {
            Cached::Value(value) => Some(Ok(value.clone())),
            Cached::Failure(failure) => failure.downcast_ref::<E>().map(|error| Err(error.clone())),
        }
    }
}

impl<T, E> ReturnKind for OwnResult<T, E> {
    type Out = Result<T, E>;
    type Value = T;
    const SHARES_ERRORS: bool = false;

    fn outcome(self, out: &Result<T, E>) -> Outcome<'_, T> {
        out.as_ref().map_or(Outcome::Error, Outcome::Value)
    }

    fn failure(self, _: &Result<T, E>) -> Option<Failure> {
        None
    }

    #[inline]
    fn restore(self, found: &Cached<T>) -> Option<Result<T, E>>
    where
        T: Clone,
    {
        match found {
            Cached::Value(value) => Some(Ok(value.clone())),
            Cached::Failure(_) => None,
        }
    }
}

/// A `Result<Option<T>, E>` differs from a `Result` in that a value may be `None`.
macro_rules! option_in_result {
    ($name:ident like $result:ident where $($bounds:tt)*) => {
        impl<T, $($bounds)*> ReturnKind for $name<T, E> {
            type Out = Result<Option<T>, E>;
            type Value = Option<T>;
            const SHARES_ERRORS: bool = $result::<Option<T>, E>::SHARES_ERRORS;

            fn outcome(self, out: &Self::Out) -> Outcome<'_, Option<T>> {
                match out {
                    Ok(value @ None) => Outcome::Nothing(value),
                    Ok(value) => Outcome::Value(value),
                    Err(_) => Outcome::Error,
                }
            }

            fn is_none(value: &Option<T>) -> bool {
                value.is_none()
            }

            fn failure(self, out: &Self::Out) -> Option<Failure> {
                $result::<Option<T>, E>::of_type().failure(out)
            }

            #[inline]
            fn restore(self, found: &Cached<Option<T>>) -> Option<Self::Out>
            where
                Option<T>: Clone,
            {
                $result::<Option<T>, E>::of_type().restore(found)
            }
        }
    };
}

option_in_result!(SharedOption like SharedResult where E: Clone + Send + Sync + 'static);
option_in_result!(OwnOption like OwnResult where E);

/// Represents a `None`. A type of its own, so that it cannot be confused with an error of type `()` in a shared cache.
struct Absent;

impl<T> ReturnKind for Optional<T> {
    type Out = Option<T>;
    type Value = T;
    const SHARES_ERRORS: bool = false;

    fn outcome(self, out: &Option<T>) -> Outcome<'_, T> {
        out.as_ref().map_or(Outcome::None, Outcome::Value)
    }

    fn failure(self, _: &Option<T>) -> Option<Failure> {
        Some(Arc::new(Absent))
    }

    #[inline]
    fn restore(self, found: &Cached<T>) -> Option<Option<T>>
    where
        T: Clone,
    {
        match found {
            Cached::Value(value) => Some(Some(value.clone())),
            Cached::Failure(failure) => failure.is::<Absent>().then_some(None),
        }
    }
}

impl<R> ReturnKind for Plain<R> {
    type Out = R;
    type Value = R;
    const SHARES_ERRORS: bool = false;

    fn outcome(self, out: &R) -> Outcome<'_, R> {
        Outcome::Value(out)
    }

    fn failure(self, _: &R) -> Option<Failure> {
        None
    }

    #[inline]
    fn restore(self, found: &Cached<R>) -> Option<R>
    where
        R: Clone,
    {
        match found {
            Cached::Value(value) => Some(value.clone()),
            Cached::Failure(_) => None,
        }
    }
}

/// Applies a closure to the value of a result, if it has one. A function, so that the type of the closure's argument is inferred.
#[inline]
pub fn of_value<S: ReturnKind, T>(kind: S, out: &S::Out, compute: impl FnOnce(&S::Value) -> T) -> Option<T> {
    match kind.outcome(out) {
        Outcome::Value(value) | Outcome::Nothing(value) => Some(compute(value)),
        Outcome::Error | Outcome::None => None,
    }
}

/// Applies `store_if = |value| ..` to a result; one without a value is not its concern.
#[inline]
pub fn store_if<S: ReturnKind>(kind: S, out: &S::Out, stores: impl FnOnce(&S::Value) -> bool) -> bool {
    of_value(kind, out, stores).unwrap_or(true)
}

/// Applies `ttl = |value| ..` to a value that is about to be stored.
#[inline]
pub fn ttl_of<S: ReturnKind>(kind: S, out: &S::Out, ttl: impl FnOnce(&S::Value) -> Duration) -> Option<Duration> {
    of_value(kind, out, ttl)
}

/// The same, if `None` has its own ttl.
#[inline]
pub fn ttl_of_some<S: ReturnKind>(kind: S, out: &S::Out, ttl: impl FnOnce(&S::Value) -> Duration) -> Option<Duration> {
    if matches!(kind.outcome(out), Outcome::Nothing(_)) { None } else { ttl_of(kind, out, ttl) }
}
