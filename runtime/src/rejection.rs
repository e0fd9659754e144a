//! How an attribute returns its own error: as a return value that represents it.
//!
//! Two bounds are involved: the return type must have a slot for an error, and the slot must take this error. Each attribute has
//! separate traits for them, whose messages name the attribute.

use std::marker::PhantomData;

use crate::error::Error;

/// The error slot of a `Result<T, E>`.
pub struct ResultSlot<T, E>(PhantomData<fn() -> (T, E)>);

/// The error slot of an `Option<T>`, which stores nothing.
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
    #[expect(clippy::unused_self, reason = "same call as `ResultSlot::reject`")]
    pub fn reject(self, _: Error) -> Option<T> {
        None
    }
}

/// The bounds of an attribute on a return type, for the module that its expansions call. It takes complete messages, because they
/// must be literals.
macro_rules! rejections {
    ($no_place:literal, $no_conversion:literal) => {
        /// The bounds of the attribute on a return type.
        pub mod rejection {
            use crate::error::Error;
            use crate::bounds::{Satisfied, Uninhabited, Unsatisfied};
            use crate::output::Output;
            use crate::rejection::{OptionSlot, ResultSlot};

            /// A return type with an error slot.
            #[diagnostic::on_unimplemented(
                message = $no_place,
                label = "neither a `Result` nor an `Option`",
                note = "return a `Result<_, E>` where `E: From<steadfast::Error>`, or an `Option`",
                note = "or set a value to return instead: `or_else = |error| ..`"
            )]
            pub trait ErrorSlot<P> {
                /// The slot.
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

            /// The slot of a return type that cannot be written.
            pub fn slot_of<R: ErrorSlot<P>, P>(_: Output<R>) -> P {
                R::slot()
            }

            /// An error type that can be created from this error.
            #[diagnostic::on_unimplemented(
                message = $no_conversion,
                label = "`From<steadfast::Error>` is not implemented for this error type",
                note = "if the error type is your own, add a variant, with thiserror: `#[error(transparent)] Steadfast(#[from] steadfast::Error)`",
                note = "if it is foreign, such as `String`, convert the error in each attribute that can fail: `or_else = |error| Err(error.to_string())`"
            )]
            pub trait Represent<M>: Sized {
                /// The value that represents `error`.
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
