//! The bounds on keys, values and return types, each with its own error message; see [`crate::bounds`].

use std::hash::Hash;

use super::handle::Cache;
use super::lookup::Owned;
use super::return_kind::ReturnKind;
use crate::bounds::{Satisfied, bounds};
use crate::key::Key;

bounds! {
    /// Bound check: a type that can be part of a key.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be part of a key",
        label = "not `Hash + Eq + Clone + Send + Sync + 'static`",
        note = "derive `Clone, PartialEq, Eq, Hash` for it; for a type parameter, add these bounds",
        note = "or set the key explicitly: `key = ..`; a cached function can also exclude the argument: `skip(..)`"
    )]
    trait Argument: [Hash + Eq + Clone + Send + Sync + 'static] {
        /// Checks that `T` can be part of a key.
        fn assert_argument[T: Argument<M>]();
        /// The same, for a type that cannot be named.
        fn assert_argument_of[T: Argument<M>](_: &T);
    }

    /// Bound check: a type that is looked up by reference and whose owned form can be part of a key.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be part of a key",
        label = "not `Hash + Eq + Clone + Send + Sync + 'static`",
        note = "derive `Clone, PartialEq, Eq, Hash` for it; for a type parameter, add these bounds",
        note = "or set the key explicitly: `key = ..`; a cached function can also exclude the argument: `skip(..)`"
    )]
    trait Borrowed: ?Sized [ToOwned<Owned: Hash + Eq + Key<T> + Clone + Send + Sync + 'static> + Hash] {
        /// Checks that the type of a reference can be part of a key, if it cannot be named.
        fn assert_borrowed_of[T: Borrowed<M> + ?Sized](_: &T);
    }

    /// Bound check: the type of an argument passed by reference, whose owned form can be part of a key. Its message differs, since a
    /// borrowed argument is more often a connection than part of the key.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be part of a key",
        label = "not `Hash + Eq + Clone + Send + Sync + 'static`",
        note = "exclude what the value does not depend on, such as a connection or a client: `skip(..)`",
        note = "otherwise derive `Clone, PartialEq, Eq, Hash` for it (for a type parameter, add these bounds), or set the key explicitly: `key = ..`"
    )]
    trait ReferredTo: ?Sized [ToOwned<Owned: Hash + Eq + Key<T> + Clone + Send + Sync + 'static> + Hash] {
        /// Checks that `&T` can be part of a key.
        fn assert_borrowed[T: ReferredTo<M> + ?Sized]();
    }

    /// Bound check: the type behind an `impl Trait` that can be part of a key.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not known to be usable in a key",
        label = "may not be `Hash + Eq + Clone + Send + Sync + 'static`",
        note = "take a concrete type, such as a `String` instead of an `impl Into<String>`, so that all keys have one type",
        note = "or add the bounds: `impl Trait + Hash + Eq + Clone + Send + Sync + 'static`; or exclude the argument: `skip(..)`"
    )]
    trait Anonymous: [Hash + Eq + Clone + Send + Sync + 'static] {
        /// Checks the type behind an `impl Trait`.
        fn assert_anonymous[T: Anonymous<M>](_: &T);
    }

    /// Bound check: a type that can be stored.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be cached or shared",
        label = "not `Clone + Send + Sync + 'static`",
        note = "each caller receives a clone: derive `Clone`, or return an `Arc<..>`; for a type parameter, add these bounds"
    )]
    trait Value: [Clone + Send + Sync + 'static] {
        /// Checks that the value of `kind` can be stored.
        fn assert_value[S: ReturnKind<Value: Value<M>>](_: &S);
    }
}

/// Bound check: the value type annotated on a handle.
#[diagnostic::on_unimplemented(
    message = "the types of this handle cannot be inferred from the signature: the function caches `{Self}`",
    label = "annotate it: `handle = name: steadfast::Cache<.., {Self}>`"
)]
pub trait Readable<T, M> {}

#[diagnostic::do_not_recommend]
impl<T> Readable<T, Satisfied> for T {}

/// Bound check: a key of the cache's key type.
#[diagnostic::on_unimplemented(
    message = "this cache has keys of type `{K}`, but the key of the function is `{Self}`",
    label = "not a `Cache<{Self}, _>`",
    note = "name a cache with keys of this type, or set the key explicitly: `key = ..`"
)]
pub trait KeyIn<K, M> {}

#[diagnostic::do_not_recommend]
impl<K> KeyIn<K, Satisfied> for K {}

/// Bound check: a value of the cache's value type.
#[diagnostic::on_unimplemented(
    message = "this cache has values of type `{V}`, but the function stores `{Self}`",
    label = "not a `Cache<_, {Self}>`",
    note = "the stored value is the `T` of a `Result<T, E>` or `Option<T>`, otherwise the return value"
)]
pub trait ValueIn<V, M> {}

#[diagnostic::do_not_recommend]
impl<V> ValueIn<V, Satisfied> for V {}

/// Checks that the key of a call fits a cache.
#[inline]
pub fn assert_key_in<K, V, O: KeyIn<K, M>, T, M: Default>(_: &Cache<K, V>, _: &Owned<impl Fn() -> O, T>) -> M {
    M::default()
}

/// Checks that the value of `kind` fits a cache.
#[inline]
pub fn assert_value_in<K, V, S: ReturnKind<Value: ValueIn<V, M>>, M: Default>(_: &Cache<K, V>, _: &S) -> M {
    M::default()
}

/// Checks that `kind` stores the `V` annotated on the handle.
#[inline]
pub fn assert_readable<V, S: ReturnKind<Value: Readable<V, M>>, M: Default>(_: &S) -> M {
    M::default()
}

/// Bound check: a return type to which `error_ttl` applies.
#[diagnostic::on_unimplemented(
    message = "`error_ttl` requires a `Result`, found `{Self}`",
    label = "the return type is not a `Result`",
    note = "remove `error_ttl`, or return a `Result`"
)]
pub trait ErrorTtl<M> {}

impl<T, E: Remembered<M>, M> ErrorTtl<M> for Result<T, E> {}

bounds! {
    /// Bound check: an error that can be stored.
    #[diagnostic::on_unimplemented(
        message = "`error_ttl` stores the error, but `{Self}` cannot be stored",
        label = "the error is not `Clone + Send + Sync + 'static`",
        note = "derive `Clone` for it, wrap what cannot be cloned in an `Arc`, or remove `error_ttl`"
    )]
    trait Remembered: [Clone + Send + Sync + 'static] {}
}

/// Bound check: a return type to which `stale_if_error` applies.
#[diagnostic::on_unimplemented(
    message = "`stale_if_error` requires a `Result`, found `{Self}`",
    label = "the return type is not a `Result`",
    note = "remove `stale_if_error`, or return a `Result`"
)]
pub trait StaleIfError<M> {}

#[diagnostic::do_not_recommend]
impl<T, E> StaleIfError<Satisfied> for Result<T, E> {}

/// Bound check: a return type to which `shared_error` applies.
#[diagnostic::on_unimplemented(
    message = "`shared_error` requires a `Result`, found `{Self}`",
    label = "the return type is not a `Result`",
    note = "remove `shared_error`, or return a `Result`"
)]
pub trait SharedError<M> {}

impl<T, E: Shareable<M>, M> SharedError<M> for Result<T, E> {}

bounds! {
    /// Bound check: an error that waiters can refer to.
    #[diagnostic::on_unimplemented(
        message = "`shared_error` shows the error to other callers, but `{Self}` cannot be shared",
        label = "the error is not `Send + Sync + 'static`",
        note = "remove `shared_error`, or return an error that other threads can refer to"
    )]
    trait Shareable: [Send + Sync + 'static] {}
}

/// Checks that `shared_error` applies.
#[inline]
pub fn assert_shared_error<S: ReturnKind<Out: SharedError<M>>, M: Default>(_: &S) -> M {
    M::default()
}

/// Bound check: a return type to which `none_ttl` applies.
#[diagnostic::on_unimplemented(
    message = "`none_ttl` requires an `Option` or a `Result` of one, found `{Self}`",
    label = "the return type is neither an `Option` nor a `Result` of one",
    note = "remove `none_ttl`, or return an `Option<T>` or a `Result<Option<T>, E>`"
)]
pub trait NoneTtl<M> {}

#[diagnostic::do_not_recommend]
impl<T> NoneTtl<Satisfied> for Option<T> {}

#[diagnostic::do_not_recommend]
impl<T, E> NoneTtl<Satisfied> for Result<Option<T>, E> {}

/// Checks that `error_ttl` applies.
#[inline]
pub fn assert_error_ttl<S: ReturnKind<Out: ErrorTtl<M>>, M: Default>(_: &S) -> M {
    M::default()
}

/// Checks that `stale_if_error` applies.
#[inline]
pub fn assert_stale_if_error<S: ReturnKind<Out: StaleIfError<M>>, M: Default>(_: &S) -> M {
    M::default()
}

/// Checks that `none_ttl` applies.
#[inline]
pub fn assert_none_ttl<S: ReturnKind<Out: NoneTtl<M>>, M: Default>(_: &S) -> M {
    M::default()
}

bounds! {
    /// Bound check: a type that can be moved to another task.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be moved to a background task",
        label = "not `Send + 'static`",
        note = "`detached`, `stale_while_revalidate` and `refresh_ahead` compute on a separate task, which takes the arguments and returns the result"
    )]
    trait Background: [Send + 'static] {
        /// Checks that `T` can be moved to another task.
        fn assert_background[T: Background<M>]();
    }
}
