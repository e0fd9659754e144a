//! What an attribute makes of its own error: a return value that carries it.
//!
//! The two questions, whether a return type has a place for an error and whether that place takes this one, are asked with traits of
//! each attribute's own, whose messages name it.

use std::marker::PhantomData;

use crate::error::Error;

/// The place for an error in a `Result<T, E>`.
pub struct ResultSlot<T, E>(PhantomData<fn() -> (T, E)>);

/// The place for an error in an `Option<T>`: none is needed.
pub struct OptionSlot<T>(PhantomData<fn() -> T>);

impl<T, E> ResultSlot<T, E> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }

    /// The return value.
    #[expect(clippy::unused_self, reason = "its type is all it knows")]
    pub fn reject(self, error: E) -> Result<T, E> {
        Err(error)
    }
}

impl<T> OptionSlot<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }

    /// The return value.
    #[expect(clippy::unused_self, reason = "same call as `InResult::refuse`")]
    pub fn reject(self, _: Error) -> Option<T> {
        None
    }
}

/// What an attribute asks of a return type, in its own words: for the module that its expansions call. The whole messages, since they
/// cannot be put together here.
macro_rules! rejections {
    ($no_place:literal, $no_conversion:literal) => {
        /// What the attribute asks of a return type.
        pub mod rejection {
            use crate::error::Error;
            use crate::bounds::{Satisfied, Uninhabited, Unsatisfied};
            use crate::rejection::{OptionSlot, ResultSlot};

            /// A return type with a place for an error.
            #[diagnostic::on_unimplemented(
                message = $no_place,
                label = "neither a `Result` nor an `Option`",
                note = "return a `Result<_, E>` where `E: From<steadfast::Error>`, or an `Option`",
                note = "or set a value to return instead: `or_else = |error| ..`"
            )]
            pub trait ErrorSlot<P> {
                /// The place.
                fn slot() -> P;
            }

            #[diagnostic::do_not_recommend]
            impl<T, E> ErrorSlot<ResultSlot<T, E>> for Result<T, E> {
                fn slot() -> ResultSlot<T, E> {
                    ResultSlot::new()
                }
            }

            #[diagnostic::do_not_recommend]
            impl<T> ErrorSlot<OptionSlot<T>> for Option<T> {
                fn slot() -> OptionSlot<T> {
                    OptionSlot::new()
                }
            }

            /// An error that can be made of this one.
            #[diagnostic::on_unimplemented(
                message = $no_conversion,
                label = "`From<steadfast::Error>` is not implemented for this error type",
                note = "if the error type is your own, add a variant, with thiserror: `#[error(transparent)] Steadfast(#[from] steadfast::Error)`",
                note = "if it is foreign, such as `String`, convert the error: `or_else = |error| Err(error.to_string())`"
            )]
            pub trait Represent<M>: Sized {
                /// The error that says `error`.
                fn represent(error: Error) -> Self;
            }

            #[diagnostic::do_not_recommend]
            impl<E: From<Error>> Represent<Satisfied> for E {
                fn represent(error: Error) -> Self {
                    error.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl<E: Uninhabited> Represent<Unsatisfied> for E {
                fn represent(_: Error) -> Self {
                    unreachable!("there is no such type")
                }
            }
        }
    };
}

pub(crate) use rejections;
