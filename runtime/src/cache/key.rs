//! Keys: owned in the cache, borrowed at the call.

use std::ffi::{OsStr, OsString};
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::Cache;
use super::call::Owned;
use super::shape::Shape;
use crate::ask::{Met, Nothing, Unmet};

/// A stored key that can be found by a borrowed `Q`.
///
/// Every type is found by a reference to itself; `String` also by `str`, `Vec<T>` by `[T]`, and so on; a tuple by the tuple of its
/// borrowed parts. The two must hash alike, as with [`Borrow`](std::borrow::Borrow). That trait itself will not do: it has no way from
/// a `(u64, String)` to a `(u64, &str)`.
///
/// ```
/// use steadfast::Cache;
///
/// let cache: Cache<(u64, String), bool> = Cache::new(10);
/// cache.insert((7, "eu".to_owned()), true);
/// assert_eq!(cache.get(&(7, "eu")), Some(true));
/// assert_eq!(cache.get(&(7, "eu".to_owned())), Some(true));
/// ```
#[diagnostic::on_unimplemented(
    message = "a cache with keys of type `{Self}` cannot be searched for `{Q}`",
    label = "not the borrowed form of `{Self}`",
    note = "look it up as the function is called: `get(&7)`, `get(\"eu\")`, `get(&(7, \"eu\"))`"
)]
pub trait Key<Q: ?Sized> {
    /// Whether this is the key that `borrowed` stands for.
    fn matches(&self, borrowed: &Q) -> bool;
}

#[diagnostic::do_not_recommend]
impl<K, Q: ?Sized> Key<Q> for K
where
    Pair<K, Q>: Found<Key = K, Query = Q>,
{
    #[inline]
    fn matches(&self, borrowed: &Q) -> bool {
        Pair::<K, Q>::matches(self, borrowed)
    }
}

/// A stored and a borrowed key. The impls are written for this pair, for coherence: of a bound `&B: Key<B>` the compiler must assume that
/// some crate fulfils it, and would see the impls for tuples overlap with the one for `T`; of `Pair<&B, B>` it knows all impls.
pub struct Pair<K, Q: ?Sized>(PhantomData<(K, *const Q)>);

/// A pair that belongs together.
pub trait Found {
    /// The stored key.
    type Key;
    /// Its borrowed form.
    type Query: ?Sized;

    /// See [`Key::matches`].
    fn matches(key: &Self::Key, query: &Self::Query) -> bool;
}

impl<T: Eq> Found for Pair<T, T> {
    type Key = T;
    type Query = T;

    #[inline]
    fn matches(key: &T, query: &T) -> bool {
        key == query
    }
}

/// Owned types that are found by the unsized type that they dereference to.
macro_rules! found_by_deref {
    ($([$($generics:tt)*] $owned:ty => $borrowed:ty;)*) => {$(
        impl<$($generics)*> Found for Pair<$owned, $borrowed> {
            type Key = $owned;
            type Query = $borrowed;

            #[inline]
            fn matches(key: &$owned, query: &$borrowed) -> bool {
                **key == *query
            }
        }
    )*};
}

found_by_deref! {
    [] String => str;
    [] Box<str> => str;
    [] Arc<str> => str;
    [] Rc<str> => str;
    [T: Eq] Vec<T> => [T];
    [T: Eq] Box<[T]> => [T];
    [T: Eq] Arc<[T]> => [T];
    [] PathBuf => Path;
    [] OsString => OsStr;
}

impl<'a, Q: ?Sized, K> Found for Pair<Option<K>, Option<&'a Q>>
where
    Pair<K, Q>: Found<Key = K, Query = Q>,
{
    type Key = Option<K>;
    type Query = Option<&'a Q>;

    #[inline]
    #[expect(clippy::ref_option_ref, reason = "the query is the `Option` itself")]
    fn matches(key: &Option<K>, query: &Option<&'a Q>) -> bool {
        match (key, query) {
            (Some(key), Some(query)) => Pair::<K, Q>::matches(key, query),
            (None, None) => true,
            _ => false,
        }
    }
}

/// `(KA, KB)` is found by `(A, &B)`, `(&A, B)` and `(&A, &B)`: every mixture with a reference in it. The one without is `Pair<T, T>`.
///
/// `mix` goes through the mixtures of a length; `emit` writes the impl of one, collecting generics, owned parts, borrowed parts, bindings
/// and comparisons.
macro_rules! found_by_parts {
    (mix $has_ref:tt [$($done:tt)*] $first:tt $($rest:tt)*) => {
        found_by_parts!(mix yes [$($done)* [by_ref $first]] $($rest)*);
        found_by_parts!(mix $has_ref [$($done)* [by_value $first]] $($rest)*);
    };
    (mix no [$($done:tt)*]) => {};
    (mix yes [$($done:tt)*]) => {
        found_by_parts!(emit [] [] [] [] [] $($done)*);
    };
    (emit [$($generics:tt)*] [$($owned:tt)*] [$($borrowed:tt)*] [$($names:tt)*] [$($same:tt)*]
        [by_ref ($K:ident $Q:ident $k:ident $q:ident)] $($rest:tt)*) => {
        found_by_parts!(emit
            [$($generics)* {$K, $Q: ?Sized,} {Pair<$K, $Q>: Found<Key = $K, Query = $Q>,}] [$($owned)* $K,] [$($borrowed)* &'q $Q,] [$($names)* ($k $q)]
            [$($same)* && Pair::<$K, $Q>::matches($k, $q)] $($rest)*);
    };
    (emit [$($generics:tt)*] [$($owned:tt)*] [$($borrowed:tt)*] [$($names:tt)*] [$($same:tt)*]
        [by_value ($K:ident $Q:ident $k:ident $q:ident)] $($rest:tt)*) => {
        found_by_parts!(emit
            [$($generics)* {$K: Eq,} {}] [$($owned)* $K,] [$($borrowed)* $K,] [$($names)* ($k $q)]
            [$($same)* && $k == $q] $($rest)*);
    };
    (emit [$({$($generics:tt)*} {$($bounds:tt)*})*] [$($owned:tt)*] [$($borrowed:tt)*] [$(($k:ident $q:ident))*] [$($same:tt)*]) => {
        impl<'q, $($($generics)*)*> Found for Pair<($($owned)*), ($($borrowed)*)>
        where
            $($($bounds)*)*
        {
            type Key = ($($owned)*);
            type Query = ($($borrowed)*);

            #[inline]
            fn matches(($($k,)*): &($($owned)*), ($($q,)*): &($($borrowed)*)) -> bool {
                true $($same)*
            }
        }
    };
}

found_by_parts!(mix no [] (A QA a qa));
found_by_parts!(mix no [] (A QA a qa) (B QB b qb));
found_by_parts!(mix no [] (A QA a qa) (B QB b qb) (C QC c qc));
found_by_parts!(mix no [] (A QA a qa) (B QB b qb) (C QC c qc) (D QD d qd));
found_by_parts!(mix no [] (A QA a qa) (B QB b qb) (C QC c qc) (D QD d qd) (E QE e qe));

/// Longer tuples, with nothing but references: the form in which the expansion of a function with many arguments looks them up.
macro_rules! found_by_references {
    ($($part:tt)*) => {
        found_by_parts!(emit [] [] [] [] [] $([by_ref $part])*);
    };
}

found_by_references!((A QA a qa)(B QB b qb)(C QC c qc)(D QD d qd)(E QE e qe)(F QF f qf));
found_by_references!((A QA a qa)(B QB b qb)(C QC c qc)(D QD d qd)(E QE e qe)(F QF f qf)(G QG g qg));
found_by_references!((A QA a qa)(B QB b qb)(C QC c qc)(D QD d qd)(E QE e qe)(F QF f qf)(G QG g qg)(H QH h qh));
found_by_references!((A QA a qa)(B QB b qb)(C QC c qc)(D QD d qd)(E QE e qe)(F QF f qf)(G QG g qg)(H QH h qh)(I QI i qi));
found_by_references!((A QA a qa)(B QB b qb)(C QC c qc)(D QD d qd)(E QE e qe)(F QF f qf)(G QG g qg)(H QH h qh)(I QI i qi)(J QJ j qj));

/// What a `key` expression came to, on its way to the reference by which it is found: itself if it is one, or else one to it. Its type
/// decides, by method look-up: what is no reference is looked for behind `Deref`.
pub struct Referred<'e, E>(Own<'e, E>);

/// What is no reference.
pub struct Own<'e, E>(&'e E);

impl<'e, E> Referred<'e, E> {
    /// Of the value of an expression.
    #[inline]
    pub fn new(value: &'e E) -> Self {
        Self(Own(value))
    }
}

impl<'a, T: ?Sized> Referred<'_, &'a T> {
    /// The reference that the expression came to.
    #[inline]
    pub fn part(&self) -> &'a T {
        self.0.0
    }
}

impl<'e, E> Own<'e, E> {
    /// A reference to what the expression came to.
    #[inline]
    pub fn part(&self) -> &'e E {
        self.0
    }
}

impl<'e, E> Deref for Referred<'e, E> {
    type Target = Own<'e, E>;

    #[inline]
    fn deref(&self) -> &Own<'e, E> {
        &self.0
    }
}

/// A type that can be part of a key. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    label = "not `Hash + Eq + Clone + Send + Sync + 'static`",
    note = "derive `Clone, PartialEq, Eq, Hash` for it; of a type parameter, ask for them",
    note = "or say what the key is instead: `key = ..`; a cached function can also leave the argument out: `skip(..)`"
)]
pub trait Argument<M> {}

#[diagnostic::do_not_recommend]
impl<T: Hash + Eq + Clone + Send + Sync + 'static> Argument<Met> for T {}

#[diagnostic::do_not_recommend]
impl<T: Nothing> Argument<Unmet> for T {}

/// A type that is found by reference, and whose owned form can be part of a key. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    label = "not `Hash + Eq + Clone + Send + Sync + 'static`",
    note = "derive `Clone, PartialEq, Eq, Hash` for it; of a type parameter, ask for them",
    note = "or say what the key is instead: `key = ..`; a cached function can also leave the argument out: `skip(..)`"
)]
pub trait Borrowed<M> {}

#[diagnostic::do_not_recommend]
impl<T> Borrowed<Met> for T where T: ToOwned<Owned: Hash + Eq + Key<T> + Clone + Send + Sync + 'static> + Hash + ?Sized {}

#[diagnostic::do_not_recommend]
impl<T: Nothing + ?Sized> Borrowed<Unmet> for T {}

/// The type of an argument that is taken by reference, and whose owned form can be part of a key. Its own trait only for its message: what is
/// borrowed is more often a connection than something that is asked for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    label = "not `Hash + Eq + Clone + Send + Sync + 'static`",
    note = "leave out what the value does not depend on, a connection or a client: `skip(..)`",
    note = "of what it depends on, derive `Clone, PartialEq, Eq, Hash` (of a type parameter, ask for them), or say what the key is: `key = ..`"
)]
pub trait ReferredTo<M> {}

#[diagnostic::do_not_recommend]
impl<T> ReferredTo<Met> for T where T: ToOwned<Owned: Hash + Eq + Key<T> + Clone + Send + Sync + 'static> + Hash + ?Sized {}

#[diagnostic::do_not_recommend]
impl<T: Nothing + ?Sized> ReferredTo<Unmet> for T {}

/// The type behind an `impl Trait` that can be part of a key. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "nothing says that an `{Self}` can be part of a key",
    label = "not known to be `Hash + Eq + Clone + Send + Sync + 'static`",
    note = "take the type that it stands for: a `String` in place of an `impl Into<String>`; then the keys are of one type, too",
    note = "or ask for the bounds: `impl Trait + Hash + Eq + Clone + Send + Sync + 'static`; or leave the argument out: `skip(..)`"
)]
pub trait Anonymous<M> {}

#[diagnostic::do_not_recommend]
impl<T: Hash + Eq + Clone + Send + Sync + 'static> Anonymous<Met> for T {}

#[diagnostic::do_not_recommend]
impl<T: Nothing> Anonymous<Unmet> for T {}

/// A type that can be stored. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached or shared",
    label = "not `Clone + Send + Sync + 'static`",
    note = "each caller gets a clone of it: derive `Clone`, or return an `Arc<..>`; of a type parameter, ask for them"
)]
pub trait Value<M> {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Value<Met> for T {}

#[diagnostic::do_not_recommend]
impl<T: Nothing> Value<Unmet> for T {}

/// The value type that a handle was written with.
#[diagnostic::on_unimplemented(
    message = "the types of this handle cannot be read off the signature: the function caches `{Self}`",
    label = "say them: `handle = name: steadfast::Cache<.., {Self}>`"
)]
pub trait Readable<T, M> {}

#[diagnostic::do_not_recommend]
impl<T> Readable<T, Met> for T {}

/// A key that is of the type of the keys in a cache.
#[diagnostic::on_unimplemented(
    message = "the keys in this cache are `{K}`, and the key of the function is `{Self}`",
    label = "not a `Cache<{Self}, _>`",
    note = "name a cache with such keys, or say what the key is: `key = ..`"
)]
pub trait KeyIn<K, M> {}

#[diagnostic::do_not_recommend]
impl<K> KeyIn<K, Met> for K {}

/// A value that is of the type of the values in a cache.
#[diagnostic::on_unimplemented(
    message = "the values in this cache are `{V}`, and the function stores `{Self}`",
    label = "not a `Cache<_, {Self}>`",
    note = "what is stored is the `T` of a `Result<T, E>` or an `Option<T>`, else the return value"
)]
pub trait ValueIn<V, M> {}

#[diagnostic::do_not_recommend]
impl<V> ValueIn<V, Met> for V {}

/// Asks whether the key of a call belongs into a cache.
#[inline]
pub fn ask_key_in<K, V, O: KeyIn<K, M>, T, M: Default>(_: &Cache<K, V>, _: &Owned<impl Fn() -> O, T>) -> M {
    M::default()
}

/// Asks whether what `shape` stores belongs into a cache.
#[inline]
pub fn ask_value_in<K, V, S: Shape<Value: ValueIn<V, M>>, M: Default>(_: &Cache<K, V>, _: &S) -> M {
    M::default()
}

/// Asks whether a `T` can be part of a key.
#[inline]
pub fn ask_argument<T: Argument<M>, M: Default>() -> M {
    M::default()
}

/// The same, of a type that cannot be named.
#[inline]
pub fn ask_argument_of<T: Argument<M>, M: Default>(_: &T) -> M {
    M::default()
}

/// The same, of an `impl Trait`.
#[inline]
pub fn ask_anonymous<T: Anonymous<M>, M: Default>(_: &T) -> M {
    M::default()
}

/// Asks whether a `&T` can be part of a key.
#[inline]
pub fn ask_borrowed<T: ReferredTo<M> + ?Sized, M: Default>() -> M {
    M::default()
}

/// The same, of a type that cannot be named.
#[inline]
pub fn ask_borrowed_of<T: Borrowed<M> + ?Sized, M: Default>(_: &T) -> M {
    M::default()
}

/// Asks whether what `shape` stores can be stored.
#[inline]
pub fn ask_value<S: Shape<Value: Value<M>>, M: Default>(_: &S) -> M {
    M::default()
}

/// Asks whether `shape` stores the `V` that the handle names.
#[inline]
pub fn ask_readable<V, S: Shape<Value: Readable<V, M>>, M: Default>(_: &S) -> M {
    M::default()
}
