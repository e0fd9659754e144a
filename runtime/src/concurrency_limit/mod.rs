//! `#[concurrency_limit]`: so many calls at once.

mod limiter;
mod place;
mod waiting;

use std::time::Duration;

use crate::{Error, ErrorKind};

pub use limiter::ConcurrencyLimiter;
pub(crate) use limiter::Entry;
pub use place::Place;
pub use waiting::Patient;

/// Lets so many calls of the function run at once; the others wait, first come first served, or are refused.
///
/// ```
/// use steadfast::concurrency_limit;
///
/// // At most 8 at once; no more than 100 wait, and none longer than a second.
/// #[concurrency_limit(8, queue = 100, max_wait = 1s, handle = renderers)]
/// async fn render(page: &str) -> std::io::Result<String> {
///     Ok(format!("<p>{page}</p>"))
/// }
///
/// // The others are told at once.
/// #[concurrency_limit(1, max_wait = 0s, or_else = |_| "busy")]
/// async fn rebuild() -> &'static str {
///     tokio::task::yield_now().await;
///     "done"
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// assert_eq!(render("hello").await?, "<p>hello</p>");
/// assert_eq!(futures::future::join(rebuild(), rebuild()).await, ("done", "busy"));
/// renderers().set_limit(16); // while the program runs
/// # Ok(()) }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `n`, first and without a name | | how many calls run at once; or a [`ConcurrencyLimiter`] that is made elsewhere, a static or a field of `self` |
/// | `max_wait = duration` | for ever | how long a call waits; `0s` refuses at once |
/// | `queue = n` | any number | how many calls wait; the others are refused at once |
/// | `adaptive` | off | the limit falls while calls fail, and rises again up to `n` ([AIMD](ConcurrencyLimiter::adaptive)) |
/// | `or_else = \|error\| value` | none | what a refused call returns; required where the return type cannot carry the error, and a call can be refused: with a `max_wait`, a `queue`, or a limiter that is made elsewhere |
/// | `handle = name` | none | a function beside this one that returns the `&'static` [`ConcurrencyLimiter`]; `handle = Self::name` in an `impl` |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// A limiter that is made elsewhere has its own limit and queue; `max_wait` and `or_else` are said here. It is named by an expression that
/// is evaluated at each call and may depend on the arguments: `#[concurrency_limit(limiter_of(tenant))]`.
///
/// A function has one limit for all of its callers, for all instances of a type, and for all instantiations of a generic function. The
/// limit and `queue` are those of the first call, so they cannot depend on an argument, on `self`, or on a type or const parameter: that is
/// an error. In an `impl` with parameters of its own the attribute does not see these, and a limit such as `Self::LIMIT` is that of the type
/// that is called first. To have one limit for each instance, put a limiter into a field: `#[concurrency_limit(self.limit)]`.
///
/// To an adaptive limit each `Err` and `None` is a failure: return as an `Ok` what is none. With `adaptive`,
/// a return type that is a type parameter (`R`, `T::Out`) is an error, since nothing there can tell whether it is a `Result`.
///
/// A place is held while everything below the attribute runs, which includes the waits of a `retry` below it, and what a function
/// calls that is limited itself: a limited function that calls itself can wait for itself.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | once, at the first call | `queue`, the limit where `queue` or `adaptive` or `handle` is given |
/// | at each call, since it may name a limiter; a number is that of the first | the limit |
/// | at each call | `max_wait` |
/// | at each refusal | `or_else` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # Errors
///
/// An [`Error`] for which [`is_saturated`](Error::is_saturated) holds, in the function's own error type.
///
/// # Cancel safety
///
/// A call that is dropped gives back its permit, or its place in the line.
///
/// A call that waits may be let in while nobody polls it: a branch of a `select!` that lost and is kept, a buffered stream that nobody
/// reads. If it does not take up its permit within 100 ms, the next waiter that is polled gets it, and the call is first in the line again
/// as soon as it is polled. Where several waiters in a row are not polled, twice as many are asked every 100 ms until one answers. A call that
/// has started and is not polled any more keeps its permit, as it may be in the middle of its work: put a `timeout` above the limit, or
/// poll the call in a task of its own.
///
/// # Panics
///
/// A panic of the body gives the permit back; an adaptive limit learns nothing from it. A wait panics in a tokio runtime whose timers are not
/// enabled, and one with a `max_wait` also outside of a runtime. Outside of a runtime, nothing measures the 100 ms above: a permit that is
/// not taken up goes to the next call that comes, or that is polled.
pub use steadfast_macros::concurrency_limit;

/// There is no place, or none came in time.
#[derive(Debug)]
pub struct Saturated {
    limit: usize,
}

impl Saturated {
    fn of(limiter: &ConcurrencyLimiter) -> Self {
        Self { limit: limiter.limit() }
    }

    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Saturated, function).with_count(u32::try_from(self.limit).unwrap_or(u32::MAX))
    }
}

/// How a call is received.
pub enum Enter<'a> {
    /// It runs.
    Now(Place<'a>),
    /// It waits.
    Wait(Patient<'a>),
    /// It is refused.
    Refused(Saturated),
}

#[doc(hidden)]
pub mod private {
    use crate::events::Origin;
    use std::sync::{Arc, LazyLock};

    use super::{ConcurrencyLimiter, Duration, Entry};
    pub use super::{Enter, Patient, Place, Saturated};
    use crate::policy::Slot;

    crate::refuse::refusals! {
        "`#[concurrency_limit]` can fail, and `{Self}` has no place for its error",
        "`#[concurrency_limit]` can fail, and `{Self}` cannot be made of its error"
    }

    /// Receives a call.
    #[inline]
    pub fn enter<'a>(limiter: &'a ConcurrencyLimiter, max_wait: Option<Duration>, origin: &'static Origin) -> Enter<'a> {
        match limiter.try_enter() {
            Some(place) => Enter::Now(place),
            None => wait(limiter, max_wait, origin),
        }
    }

    /// Receives a call that does not wait.
    ///
    /// # Errors
    ///
    /// Where there is no place.
    #[inline]
    pub fn check(limiter: &ConcurrencyLimiter) -> Result<Place<'_>, Saturated> {
        limiter.try_enter().or_else(|| limiter.try_overtake()).ok_or_else(|| Saturated::of(limiter))
    }

    /// What becomes of a refusal where nobody is refused: each waits for as long as it takes, and the line has no end.
    #[cold]
    pub fn never(Saturated { limit }: Saturated) -> ! {
        unreachable!("a call waits for ever for one of {limit} places, and was refused")
    }

    #[cold]
    fn wait<'a>(limiter: &'a ConcurrencyLimiter, max_wait: Option<Duration>, origin: &'static Origin) -> Enter<'a> {
        if max_wait.is_some_and(|max_wait| max_wait.is_zero()) {
            return limiter.try_overtake().map_or_else(|| Enter::Refused(Saturated::of(limiter)), Enter::Now);
        }
        match limiter.enter() {
            Entry::Now(place) => Enter::Now(place),
            Entry::Later(waiting) => Enter::Wait(Patient::new(waiting, max_wait, origin)),
            Entry::Full => Enter::Refused(Saturated::of(limiter)),
        }
    }

    /// What `#[concurrency_limit(expr)]` may name: a count for a limiter of the function's own, or a limiter.
    #[diagnostic::on_unimplemented(
        message = "`#[concurrency_limit]` takes a number of calls or a `ConcurrencyLimiter`, not a `{Self}`",
        label = "neither an integer nor a `ConcurrencyLimiter`"
    )]
    pub trait Limit {
        /// [`ACount`] or [`ALimiter`].
        type Is;

        /// The limiter, which is in `own` where the function has one of its own.
        fn limiter<'a>(&'a self, own: &'static Slot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter;
    }

    /// A number of calls: it is read once, for all callers.
    pub enum ACount {}

    /// A limiter: it is looked up at each call.
    pub enum ALimiter {}

    /// What a limit may be that depends on the call.
    #[diagnostic::on_unimplemented(
        message = "a number of calls is read once, for all callers and all instantiations of the function, and cannot depend on one of them",
        label = "differs from caller to caller",
        note = "to have one for each, make them yourself and name the right one: a field, as in `#[concurrency_limit(self.limiter)]`, or what a function returns, as in `#[concurrency_limit(limiter_of(tenant))]`, which is a `&ConcurrencyLimiter`"
    )]
    pub trait OfCall {}

    impl OfCall for ALimiter {}

    /// The limiter that an expression names which depends on the call.
    #[inline]
    pub fn of_call<L: Limit<Is: OfCall> + ?Sized>(limiter: &L) -> &ConcurrencyLimiter {
        // A count, the only one to use the slot, is none of these.
        static NONE: Slot<ConcurrencyLimiter> = Slot::new();
        limiter.limiter(&NONE)
    }

    impl Limit for ConcurrencyLimiter {
        type Is = ALimiter;

        fn limiter<'a>(&'a self, _: &'static Slot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
            self
        }
    }

    macro_rules! limits_behind {
        ($($pointer:ty)*) => {$(
            impl<L: Limit + ?Sized> Limit for $pointer {
                type Is = L::Is;

                fn limiter<'a>(&'a self, own: &'static Slot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
                    (**self).limiter(own)
                }
            }
        )*};
    }

    limits_behind!(&L Arc<L> Box<L>);

    impl<L: Limit> Limit for LazyLock<L> {
        type Is = L::Is;

        fn limiter<'a>(&'a self, own: &'static Slot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
            (**self).limiter(own)
        }
    }

    /// `queue`, `adaptive` and `handle` with a limit that is no literal: only a count will do.
    #[diagnostic::on_unimplemented(
        message = "`queue`, `adaptive` and `handle` are for a limiter of the function's own, and this is a `{Self}`",
        label = "not a number of calls",
        note = "set them where the limiter is made: `ConcurrencyLimiter::new(8).queue(100)`"
    )]
    pub trait Calls {
        /// As a limit.
        fn calls(self) -> usize;
    }

    /// Applies [`Calls`].
    pub fn calls(calls: impl Calls) -> usize {
        calls.calls()
    }

    macro_rules! counts {
        ($($integer:ty)*) => {$(
            impl Calls for $integer {
                fn calls(self) -> usize {
                    crate::outcome::count(self)
                }
            }


            impl Limit for $integer {
                type Is = ACount;

                fn limiter<'a>(&'a self, own: &'static Slot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
                    own.get(|| ConcurrencyLimiter::new(crate::outcome::count(*self)))
                }
            }
        )*};
    }

    counts!(u8 u16 u32 u64 usize i32 i64);
}
