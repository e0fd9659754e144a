//! Autoref specialization: an implementation chosen by the type, on stable Rust and without asking anything of the type.
//!
//! An expansion knows a return type as tokens only, and an alias or a type parameter hides what it is. So it writes a method call, and the
//! compiler chooses: `KindOf::<R>::new().kind()` has one inherent method `kind` for each case, on a type of its own whose `impl` block has the
//! case's bounds. Method lookup takes the first one whose bounds hold, on the way from a type to what it dereferences to:
//!
//! ```text
//! KindOf<R>            impl<T, E: Clone + ..> KindOf<Result<Option<T>, E>>   { fn kind }
//!   -> Shared<R>       impl<T, E: Clone + ..> Shared<Result<T, E>>           { fn kind }
//!     -> ..
//!       -> Plain<R>    impl<R> Plain<R>                                      { fn kind }
//! ```
//!
//! The last candidate has no bounds, so that there is always one. This is the method lookup by which dtolnay's "autoref specialization"
//! works, with one step of `Deref` for each case instead of one `&`. In a generic function only the bounds that it declares are known.
//!
//! | chain | chooses |
//! | --- | --- |
//! | `outcome::Verdict` | whether a value is a failure |
//! | `outcome::Rejection` | a rejection as a return value, or a panic |
//! | `retry::hint::Hint` | the delay that an error requests |
//! | `shield::Describe` | the text of an error |
//! | `cache::return_kind::KindOf` | how a return type is stored |
//! | `key::Referred` | the reference by which a key is found |

/// Writes the steps of a chain: each candidate is a tuple struct that holds the next one.
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
