//! Autoref specialization: selects an implementation by type, on stable Rust and without bounds on the type.
//!
//! An expansion sees a return type only as tokens, which an alias or a type parameter hides. So it generates a method call, and
//! lets the compiler choose: `KindOf::<R>::new().kind()` has one inherent method `kind` per case, each on a separate type whose
//! `impl` block has the bounds of that case. Method lookup takes the first one whose bounds hold along the `Deref` chain:
//!
//! ```text
//! KindOf<R>            impl<T, E: Clone + ..> KindOf<Result<Option<T>, E>>   { fn kind }
//!   -> Shared<R>       impl<T, E: Clone + ..> Shared<Result<T, E>>           { fn kind }
//!     -> ..
//!       -> Plain<R>    impl<R> Plain<R>                                      { fn kind }
//! ```
//!
//! The last candidate has no bounds, so that one always applies. This uses the same lookup rules as dtolnay's "autoref
//! specialization", with one `Deref` step per case instead of one `&`. In a generic function, only its declared bounds are known.
//!
//! # Types that are inferred later
//!
//! In `run!`, the error type of the output may only follow from what is done with it, after method lookup, which then takes the first
//! candidate. A [`late`] candidate is chosen when the type is known: a trait with two impls, `<i32>` for types with the bounds and `<u8>` for all.
//! The expansion passes a `0` for the parameter. If only the impl for all applies, the literal is a `u8`; if both do, it remains undecided, and
//! becomes what an undecided integer is, an `i32`.
//!
//! | chain | chooses |
//! | --- | --- |
//! | `outcome::Verdict` | whether a value is a failure |
//! | `outcome::Rejection` | a rejection as a return value, or a panic |
//! | `retry::hint::Hint` | the delay that an error requests |
//! | `shield::Describe` | the text of an error |
//! | `cache::return_kind::KindOf` | how a return type is stored |
//! | `key::Referred` | the reference by which a key is looked up |

/// Implements the steps of a chain: each candidate is a tuple struct that contains the next one.
///
/// ```ignore
/// chain! { KindOf => Shared => Plain }
/// // Output: impl<R> Deref for KindOf<R> { type Target = Shared<R>; .. } impl<R> Deref for Shared<R> { type Target = Plain<R>; .. }
/// ```
macro_rules! chain {
    ($last:ident) => {};
    ($candidate:ident => $next:ident $($rest:tt)*) => {
        impl<R> ::std::ops::Deref for $candidate<R> {
            type Target = $next<R>;

            #[inline]
            fn deref(&self) -> &$next<R> {
                &self.0
            }
        }

        $crate::specialize::chain! { $next $($rest)* }
    };
}

/// A candidate that is chosen once the type is known: `Some` of what it makes of a value, or `None` if the type does not have the bounds.
///
/// ```ignore
/// late! { Displayed: [T, E: Display] Result<T, E>, |out| -> Option<String> { out.as_ref().err().map(report::text) } }
/// ```
macro_rules! late {
    ($($candidate:ident: [$($parameters:tt)*] $type:ty, |$value:ident| -> $result:ty $make:block)*) => {$(
        /// A candidate for a type that is inferred later.
        pub trait $candidate<M> {
            /// What it makes of the value, if the type has its bounds.
            fn made(&self) -> Option<$result>;
        }

        impl<$($parameters)*> $candidate<i32> for $type {
            fn made(&self) -> Option<$result> {
                let $value = self;
                Some($make)
            }
        }

        impl<R> $candidate<u8> for R {
            fn made(&self) -> Option<$result> {
                None
            }
        }
    )*};
}

pub(crate) use {chain, late};
