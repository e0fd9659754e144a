//! Finds the delay that a rejection of this crate requests, whatever error type it was converted to.

use std::error::Error as StdError;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use crate::error::RetryAfter;
use crate::outcome::Attempted;
use crate::specialize::{chain, late};

/// Looks for a rejection in a failed `R`. Autoref specialization (see `crate::specialize`): the method of each candidate exists only if the
/// error can be inspected in that way.
pub struct Hint<R>(HintByRef<R>);

/// For errors that do not implement `std::error::Error` but convert to one: `anyhow::Error`, boxed errors.
pub struct HintByRef<R>(HintSent<R>);

/// For those that are not `Sync`: `Box<dyn Error + Send>`.
pub struct HintSent<R>(HintHere<R>);

/// For those that are not `Send` either: `Box<dyn Error>`.
pub struct HintHere<R>(HintBehind<R>);

/// For pointers to one of those: `Arc<anyhow::Error>`.
pub struct HintBehind<R>(NoHint<R>);

/// For all other errors.
pub struct NoHint<R>(PhantomData<fn() -> R>);

chain! { Hint => HintByRef => HintSent => HintHere => HintBehind => NoHint }

impl<R> Hint<R> {
    /// For the return type `R`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub fn new() -> Self {
        Self(HintByRef(HintSent(HintHere(HintBehind(NoHint(PhantomData))))))
    }
}

impl<R: Attempted<Error: StdError + 'static>> Hint<R> {
    /// The delay that a rejection requests.
    pub fn wait(&self, outcome: &R) -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error))
    }
}

impl<R: Attempted<Error: AsRef<dyn StdError + Send + Sync>>> HintByRef<R> {
    /// The delay that a rejection requests.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn wait(&self, outcome: &R) -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error.as_ref()))
    }
}

impl<R: Attempted<Error: AsRef<dyn StdError + Send>>> HintSent<R> {
    /// The delay that a rejection requests.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn wait(&self, outcome: &R) -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error.as_ref()))
    }
}

impl<R: Attempted<Error: AsRef<dyn StdError>>> HintHere<R> {
    /// The delay that a rejection requests.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn wait(&self, outcome: &R) -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error.as_ref()))
    }
}

impl<R: Attempted<Error: Deref<Target: AsRef<dyn StdError + Send + Sync>>>> HintBehind<R> {
    /// The delay that a rejection requests.
    #[expect(clippy::unused_self, reason = "found by method lookup")]
    pub fn wait(&self, outcome: &R) -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find((**error).as_ref()))
    }
}

impl<R> NoHint<R> {
    /// None: the error cannot be inspected.
    #[expect(clippy::unused_self, reason = "same call as `Hint::wait`")]
    pub fn wait(&self, _: &R) -> Option<Duration> {
        None
    }
}

late! {
    Itself: [R: Attempted<Error: StdError + 'static>] R, |outcome| -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error))
    }
    ByRef: [R: Attempted<Error: AsRef<dyn StdError + Send + Sync>>] R, |outcome| -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error.as_ref()))
    }
    SentAsError: [R: Attempted<Error: AsRef<dyn StdError + Send>>] R, |outcome| -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error.as_ref()))
    }
    Here: [R: Attempted<Error: AsRef<dyn StdError>>] R, |outcome| -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find(error.as_ref()))
    }
    Behind: [R: Attempted<Error: Deref<Target: AsRef<dyn StdError + Send + Sync>>>] R, |outcome| -> Option<Duration> {
        outcome.failure().and_then(|error| RetryAfter::find((**error).as_ref()))
    }
}

/// The delay that a rejection requests, for a type that is inferred later: the candidates of [`Hint`], in the same order.
pub fn late_hint<R, I, B, S, H, P>(outcome: &R, _: (I, B, S, H, P)) -> Option<Duration>
where
    R: Itself<I> + ByRef<B> + SentAsError<S> + Here<H> + Behind<P>,
{
    let first = Itself::<I>::made(outcome).or_else(|| ByRef::<B>::made(outcome)).or_else(|| SentAsError::<S>::made(outcome));
    first.or_else(|| Here::<H>::made(outcome)).or_else(|| Behind::<P>::made(outcome)).flatten()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;
    use crate::error::{Error, ErrorKind};

    #[derive(Debug, thiserror::Error)]
    enum AppError {
        #[error("refused")]
        Refused(#[from] Error),
    }

    /// Its source is that of the rejection.
    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Transparent(#[from] Error);

    struct Opaque;

    /// Names the type, as an expansion does, instead of inferring it.
    macro_rules! hint {
        ($error:ty, $value:expr) => {
            Hint::<Result<(), $error>>::new().wait(&Err($value))
        };
    }

    #[test]
    fn finds_refusals_in_errors_of_all_kinds() {
        let wait = Duration::from_secs(3);
        let refusal = || Error::new(ErrorKind::RateLimited, "f").with_retry_after(Some(wait));
        assert_eq!(hint!(Error, refusal()), Some(wait));
        assert_eq!(hint!(io::Error, refusal().into()), Some(wait));
        assert_eq!(hint!(io::Error, io::Error::other(AppError::from(refusal()))), Some(wait));
        assert_eq!(hint!(AppError, refusal().into()), Some(wait));
        assert_eq!(hint!(Transparent, refusal().into()), Some(wait));
        assert_eq!(hint!(anyhow::Error, Transparent(refusal()).into()), Some(wait));
        assert_eq!(hint!(anyhow::Error, refusal().into()), Some(wait));
        assert_eq!(hint!(anyhow::Error, anyhow::Error::new(refusal()).context("meanwhile")), Some(wait));
        assert_eq!(hint!(Box<dyn StdError + Send + Sync>, refusal().into()), Some(wait));
        assert_eq!(hint!(Box<dyn StdError>, refusal().into()), Some(wait));
        assert_eq!(hint!(Box<dyn StdError + Send>, Box::new(refusal())), Some(wait));
        assert_eq!(hint!(Arc<dyn StdError + Send>, Arc::new(AppError::from(refusal()))), Some(wait));
        assert_eq!(hint!(Arc<dyn StdError + Send + Sync>, Arc::new(refusal())), Some(wait));
        assert_eq!(hint!(Arc<AppError>, Arc::new(refusal().into())), Some(wait));
        assert_eq!(hint!(Arc<anyhow::Error>, Arc::new(anyhow::Error::new(refusal()).context("meanwhile"))), Some(wait));
        assert_eq!(hint!(Box<anyhow::Error>, Box::new(refusal().into())), Some(wait));
        assert_eq!(hint!(Arc<Box<dyn StdError + Send + Sync>>, Arc::new(Box::new(refusal()))), Some(wait));
        assert_eq!(hint!(Arc<String>, Arc::default()), None);
        assert_eq!(hint!(Opaque, Opaque), None);
        assert_eq!(hint!(io::Error, io::ErrorKind::NotFound.into()), None);
        assert_eq!(Hint::<Option<u8>>::new().wait(&None), None);
        assert_eq!(Hint::<u8>::new().wait(&5), None);
        assert_eq!((bounded(&Err(refusal())), unbounded(&Err(refusal()))), (Some(wait), None));
    }

    /// The error type follows from what the function returns.
    macro_rules! late_hint_of {
        ($error:ty, $value:expr) => {{
            let outcome = Err($value.into());
            let hint = late_hint(&outcome, (0, 0, 0, 0, 0));
            let _: Result<(), $error> = outcome;
            hint
        }};
    }

    #[test]
    fn finds_refusals_in_errors_whose_type_is_inferred_later() {
        let wait = Duration::from_secs(3);
        let refusal = || Error::new(ErrorKind::RateLimited, "f").with_retry_after(Some(wait));
        assert_eq!(late_hint_of!(Error, refusal()), Some(wait));
        assert_eq!(late_hint_of!(AppError, refusal()), Some(wait));
        assert_eq!(late_hint_of!(io::Error, refusal()), Some(wait));
        assert_eq!(late_hint_of!(anyhow::Error, refusal()), Some(wait));
        assert_eq!(late_hint_of!(Box<dyn StdError + Send + Sync>, refusal()), Some(wait));
        assert_eq!(late_hint_of!(Box<dyn StdError>, refusal()), Some(wait));
        assert_eq!(late_hint_of!(Box<dyn StdError + Send>, Box::new(refusal()) as Box<dyn StdError + Send>), Some(wait));
        assert_eq!(
            late_hint_of!(Arc<dyn StdError + Send + Sync>, Arc::new(refusal()) as Arc<dyn StdError + Send + Sync>),
            Some(wait)
        );
        assert_eq!(late_hint_of!(Arc<anyhow::Error>, anyhow::Error::new(refusal())), Some(wait));
        assert_eq!(late_hint_of!(Opaque, Opaque), None);
        assert_eq!(late_hint(&None::<u8>, (0, 0, 0, 0, 0)), None);
        assert_eq!(late_hint(&5_u8, (0, 0, 0, 0, 0)), None);
    }

    /// Only the bounds of a type parameter are known.
    fn bounded<E: StdError + 'static>(outcome: &Result<(), E>) -> Option<Duration> {
        Hint::<Result<(), E>>::new().wait(outcome)
    }

    fn unbounded<E: From<Error>>(outcome: &Result<(), E>) -> Option<Duration> {
        Hint::<Result<(), E>>::new().wait(outcome)
    }
}
