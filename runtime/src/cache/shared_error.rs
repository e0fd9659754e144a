//! `shared_error = |error| ..`: how waiters receive an error that is not `Clone`.

use std::sync::Arc;

use super::return_kind::{Outcome, OwnOption, OwnResult, ReturnKind, SharedOption, SharedResult};
use super::store::entry::{Cached, Failure};

/// The kind of a `Result`.
pub trait ResultKind: ReturnKind {
    /// Its error.
    type Error;

    /// The error, if it is one.
    fn error(out: &Self::Out) -> Option<&Self::Error>;

    /// An `Err`.
    fn from_error(error: Self::Error) -> Self::Out;
}

macro_rules! result_kinds {
    ($($kind:ident<$T:ident>: $value:ty [$($bounds:tt)*])*) => {$(
        impl<$T, $($bounds)*> ResultKind for $kind<$T, E> {
            type Error = E;

            fn error(out: &Result<$value, E>) -> Option<&E> {
                out.as_ref().err()
            }

            fn from_error(error: E) -> Result<$value, E> {
                Err(error)
            }
        }
    )*};
}

result_kinds! {
    OwnResult<T>: T [E]
    OwnOption<T>: Option<T> [E]
    SharedResult<T>: T [E: Clone + Send + Sync + 'static]
    SharedOption<T>: Option<T> [E: Clone + Send + Sync + 'static]
}

/// A `Result` whose error each waiter receives from a closure.
pub struct SharedBy<S: ResultKind> {
    kind: S,
    share: fn(&S::Error) -> S::Error,
}

/// Shares the errors of a `Result` by the closure. The closure captures nothing: its copies are made for other callers.
#[inline]
pub fn shared_by<S: ResultKind>(kind: S, share: fn(&S::Error) -> S::Error) -> SharedBy<S> {
    SharedBy { kind, share }
}

#[expect(clippy::expl_impl_clone_on_copy, reason = "a derive would require the error to be `Clone`")]
impl<S: ResultKind> Clone for SharedBy<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: ResultKind> Copy for SharedBy<S> {}

impl<S: ResultKind<Error: Send + Sync + 'static>> ReturnKind for SharedBy<S> {
    type Out = S::Out;
    type Value = S::Value;
    const SHARES_ERRORS: bool = true;

    fn outcome(self, out: &S::Out) -> Outcome<'_, S::Value> {
        self.kind.outcome(out)
    }

    fn is_none(value: &S::Value) -> bool {
        S::is_none(value)
    }

    fn failure(self, out: &S::Out) -> Option<Failure> {
        S::error(out).map(|error| Arc::new((self.share)(error)) as Failure)
    }

    #[inline]
    fn restore(self, found: &Cached<S::Value>) -> Option<S::Out>
    where
        S::Value: Clone,
    {
        match found {
            Cached::Value(_) => self.kind.restore(found),
            Cached::Failure(failure) => failure.downcast_ref::<S::Error>().map(|error| S::from_error((self.share)(error))),
        }
    }
}
