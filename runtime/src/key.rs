//! Cache keys: stored owned, looked up borrowed.

use std::ffi::{OsStr, OsString};
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// A stored key that can be looked up by a borrowed `Q`.
///
/// Every type can be looked up by a reference to itself; `String` also by `str`, `Vec<T>` by `[T]`, and so on; a tuple by the tuple
/// of its borrowed parts. Both forms must hash alike, as for [`Borrow`](std::borrow::Borrow). `Borrow` itself does not suffice: it
/// cannot relate a `(u64, String)` to a `(u64, &str)`.
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
    message = "cannot look up `{Q}` in a cache with keys of type `{Self}`",
    label = "not the borrowed form of `{Self}`",
    note = "pass the key as the function takes its arguments: `get(&7)`, `get(\"eu\")`, `get(&(7, \"eu\"))`"
)]
pub trait Key<Q: ?Sized> {
    /// Whether `borrowed` is the borrowed form of this key.
    fn matches(&self, borrowed: &Q) -> bool;
}

#[diagnostic::do_not_recommend]
impl<K, Q: ?Sized> Key<Q> for K
where
    Pair<K, Q>: KeyLookup<Key = K, Query = Q>,
{
    #[inline]
    fn matches(&self, borrowed: &Q) -> bool {
        Pair::<K, Q>::matches(self, borrowed)
    }
}

/// A stored and a borrowed key. The impls are for this pair because of coherence: for a bound `&B: Key<B>` the compiler must assume
/// that some other crate implements it, and would report the impls for tuples as overlapping with the one for `T`; for
/// `Pair<&B, B>` it knows every impl.
pub struct Pair<K, Q: ?Sized>(PhantomData<(K, *const Q)>);

/// A pair whose borrowed form finds the stored key.
pub trait KeyLookup {
    /// The stored key.
    type Key;
    /// The borrowed form.
    type Query: ?Sized;

    /// See [`Key::matches`].
    fn matches(key: &Self::Key, query: &Self::Query) -> bool;
}

impl<T: Eq> KeyLookup for Pair<T, T> {
    type Key = T;
    type Query = T;

    #[inline]
    fn matches(key: &T, query: &T) -> bool {
        key == query
    }
}

/// Owned types that are looked up by the unsized type they dereference to.
macro_rules! found_by_deref {
    ($([$($generics:tt)*] $owned:ty => $borrowed:ty;)*) => {$(
        impl<$($generics)*> KeyLookup for Pair<$owned, $borrowed> {
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

impl<'a, Q: ?Sized, K> KeyLookup for Pair<Option<K>, Option<&'a Q>>
where
    Pair<K, Q>: KeyLookup<Key = K, Query = Q>,
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

/// `(KA, KB)` is looked up by `(A, &B)`, `(&A, B)` and `(&A, &B)`: every combination that contains a reference. The one without is
/// `Pair<T, T>`.
///
/// `mix` enumerates the combinations of one length; `emit` writes one impl, accumulating generics, owned parts, borrowed parts,
/// bindings and comparisons.
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
            [$($generics)* {$K, $Q: ?Sized,} {Pair<$K, $Q>: KeyLookup<Key = $K, Query = $Q>,}] [$($owned)* $K,] [$($borrowed)* &'q $Q,] [$($names)* ($k $q)]
            [$($same)* && Pair::<$K, $Q>::matches($k, $q)] $($rest)*);
    };
    (emit [$($generics:tt)*] [$($owned:tt)*] [$($borrowed:tt)*] [$($names:tt)*] [$($same:tt)*]
        [by_value ($K:ident $Q:ident $k:ident $q:ident)] $($rest:tt)*) => {
        found_by_parts!(emit
            [$($generics)* {$K: Eq,} {}] [$($owned)* $K,] [$($borrowed)* $K,] [$($names)* ($k $q)]
            [$($same)* && $k == $q] $($rest)*);
    };
    (emit [$({$($generics:tt)*} {$($bounds:tt)*})*] [$($owned:tt)*] [$($borrowed:tt)*] [$(($k:ident $q:ident))*] [$($same:tt)*]) => {
        impl<'q, $($($generics)*)*> KeyLookup for Pair<($($owned)*), ($($borrowed)*)>
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

/// Longer tuples consist of references only: the form in which the expansion of a function with many arguments looks them up.
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

/// The value of a `key` expression, on its way to the reference used for lookup: the value itself if it is a reference, otherwise a
/// reference to it. Autoref specialization (see `crate::specialize`) selects `part` by the type: a value that is not a reference is found behind `Deref`.
pub struct Referred<'e, E>(Own<'e, E>);

/// A value that is not a reference.
pub struct Own<'e, E>(&'e E);

impl<'e, E> Referred<'e, E> {
    /// Wraps the value of an expression.
    #[inline]
    pub fn new(value: &'e E) -> Self {
        Self(Own(value))
    }
}

impl<'a, T: ?Sized> Referred<'_, &'a T> {
    /// The expression's value, which is a reference.
    #[inline]
    pub fn part(&self) -> &'a T {
        self.0.0
    }
}

impl<'e, E> Own<'e, E> {
    /// A reference to the expression's value.
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
