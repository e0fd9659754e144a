//! What an attribute makes of its own error: a return value that carries it.
//!
//! The two questions, whether a return type has a place for an error and whether that place takes this one, are asked with traits of
//! each attribute's own, whose messages name it.

use std::marker::PhantomData;

use crate::Error;

/// The place for an error in a `Result<T, E>`.
pub struct InResult<T, E>(PhantomData<fn() -> (T, E)>);

/// The place for an error in an `Option<T>`: none is needed.
pub struct InOption<T>(PhantomData<fn() -> T>);

impl<T, E> InResult<T, E> {
    /// The return value.
    #[expect(clippy::unused_self, reason = "its type is all it knows")]
    pub fn refuse(self, error: E) -> Result<T, E> {
        Err(error)
    }
}

impl<T> InOption<T> {
    /// The return value.
    #[expect(clippy::unused_self, reason = "same call as `InResult::refuse`")]
    pub fn refuse(self, _: Error) -> Option<T> {
        None
    }
}

macro_rules! refusals {
    ($($attribute:ident: $no_place:literal, $no_conversion:literal;)*) => {$(
        #[doc = concat!("What `#[", stringify!($attribute), "]` asks of a return type.")]
        pub mod $attribute {
            use std::marker::PhantomData;

            use super::super::{InOption, InResult};
            use crate::Error;
            use crate::ask::{Met, Nothing, Unmet};

            /// A return type with a place for an error.
            #[diagnostic::on_unimplemented(
                message = $no_place,
                label = "neither a `Result` nor an `Option`",
                note = "return a `Result<_, E>` where `E: From<steadfast::Error>`, or an `Option`",
                note = "or say what to return instead: `or_else = |error| ..`"
            )]
            pub trait Place<P> {
                /// The place.
                fn place() -> P;
            }

            #[diagnostic::do_not_recommend]
            impl<T, E> Place<InResult<T, E>> for Result<T, E> {
                fn place() -> InResult<T, E> {
                    InResult(PhantomData)
                }
            }

            #[diagnostic::do_not_recommend]
            impl<T> Place<InOption<T>> for Option<T> {
                fn place() -> InOption<T> {
                    InOption(PhantomData)
                }
            }

            /// An error that can be made of this one.
            #[diagnostic::on_unimplemented(
                message = $no_conversion,
                label = "does not implement `From<steadfast::Error>`",
                note = "give `{Self}` a variant for it, with thiserror: `#[error(transparent)] Steadfast(#[from] steadfast::Error)`",
                note = "or say what to return instead: `or_else = |error| ..`"
            )]
            pub trait Carry<M>: Sized {
                /// The error that says `error`.
                fn carry(error: Error) -> Self;
            }

            #[diagnostic::do_not_recommend]
            impl<E: From<Error>> Carry<Met> for E {
                fn carry(error: Error) -> Self {
                    crate::events::refused(&error);
                    error.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl<E: Nothing> Carry<Unmet> for E {
                fn carry(_: Error) -> Self {
                    unreachable!("there is no such type")
                }
            }
        }
    )*};
}

#[doc(hidden)]
pub mod private {
    // The whole messages, since they cannot be put together here.
    refusals! {
        timeout:
            "`#[timeout]` can fail, and `{Self}` has no place for its error",
            "`#[timeout]` can fail, and `{Self}` cannot be made of its error";
        circuit_breaker:
            "`#[circuit_breaker]` can fail, and `{Self}` has no place for its error",
            "`#[circuit_breaker]` can fail, and `{Self}` cannot be made of its error";
        rate_limit:
            "`#[rate_limit]` can fail, and `{Self}` has no place for its error",
            "`#[rate_limit]` can fail, and `{Self}` cannot be made of its error";
        concurrency_limit:
            "`#[concurrency_limit]` can fail, and `{Self}` has no place for its error",
            "`#[concurrency_limit]` can fail, and `{Self}` cannot be made of its error";
        cancellable:
            "`#[cancellable]` can fail, and `{Self}` has no place for its error",
            "`#[cancellable]` can fail, and `{Self}` cannot be made of its error";
    }
}
