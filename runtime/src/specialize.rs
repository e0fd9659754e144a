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

pub(crate) use chain;
