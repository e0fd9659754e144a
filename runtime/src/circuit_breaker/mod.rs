//! `#[circuit_breaker]`: no calls to what fails anyway.

mod breaker;
mod permit;
mod settings;
mod tally;

pub use breaker::{CircuitBreaker, CircuitState};

/// Refuses calls at once while the function fails, and tries it again after a while.
///
/// ```
/// use steadfast::circuit_breaker;
/// # #[derive(Debug)] enum AppError { Down, NotFound, Policy(steadfast::Error) }
/// # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Policy(e) } }
/// # impl AppError { fn is_outage(&self) -> bool { matches!(self, Self::Down) } }
///
/// #[circuit_breaker(failures = 3, open_for = 10s, when = |error| error.is_outage(), handle = stock_breaker)]
/// async fn stock(article: u64) -> Result<u64, AppError> {
///     if article == 0 { Err(AppError::Down) } else { Err(AppError::NotFound) }
/// }
///
/// // Opens when half of the last 100 calls took two seconds or failed, once there were 20.
/// #[circuit_breaker(failure_rate = 0.5, slow_call = 2s, failure = |status| *status >= 500, or_else = |_| 503)]
/// async fn status() -> u16 {
///     200
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// for article in [0, 1, 0, 0, 0] {
///     assert!(stock(article).await.is_err()); // 1 is answered, and that ends the row
/// }
/// let Err(AppError::Policy(error)) = stock(1).await else { panic!() };
/// assert!(error.is_circuit_open());
/// assert_eq!(error.to_string(), "`stock` was not called: its circuit is open for another 10s");
/// assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(10)));
///
/// stock_breaker().reset();
/// assert!(matches!(stock(1).await, Err(AppError::NotFound)));
/// assert_eq!(status().await, 200);
/// # }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `failures = n` | 5 | so many failures in a row open the circuit |
/// | `window = duration` | none | with `failures`: not in a row, but within this time |
/// | `failure_rate = share` | none | the share of calls, above 0 and at most 1, that opens the circuit when they fail; an expression that is none panics at the first call |
/// | `window = n` or `duration` | 100 | with `failure_rate`: the calls that count are the last so many, or those of the last so long |
/// | `min_calls = n` | 20 | with `failure_rate`: nothing opens before so many calls are in the window |
/// | `open_for = duration` | `30s` | how long calls are refused before a probe is let through |
/// | `open_for_max = duration` | none | lets `open_for` double with each probe that fails, up to this |
/// | `probes = n` | 1 | so many probes run at once in half-open; when as many have succeeded, the circuit closes |
/// | `probe_timeout = duration` | `open_for` | a probe that has not ended by then counts as failed, and the circuit opens again; `0s`: there is no limit |
/// | `slow_call = duration` | none | a call that takes so long or longer is a failure, whatever it returns |
/// | `when = \|error\| bool` | every error | which errors are failures; the others show that somebody answered, and count as successes |
/// | `failure = \|outcome\| bool` | `Err`, `None` | what is a failure, for any return type |
/// | `or_else = \|error\| value` | none | what a refused call returns; required where the return type cannot carry the error |
/// | `handle = name` | none | a function beside this one that returns the `&'static` [`CircuitBreaker`]; `handle = Self::name` in an `impl` |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// Or `#[circuit_breaker(PAYMENTS)]`: a [`CircuitBreaker`] that is made elsewhere, a static or a field of `self`, with its own settings;
/// `when`, `failure` and `or_else` may follow it.
///
/// A function has one circuit: all its callers share it, all instances of a type, all implementors of a trait whose default method it stands
/// on, and all instantiations of a generic function. All options above `when` are read once, at the first call, so they cannot depend on an
/// argument, on `self`, or on a type or const parameter: that is an error. In an `impl` with parameters of its own, a setting such as
/// `failures = Self::FAILURES` is that of the type that is called first. To have one circuit for each instance, put a breaker into a field:
/// `#[circuit_breaker(self.breaker)]`. Such an expression is evaluated at each call and may depend on the arguments:
/// `#[circuit_breaker(breaker_of(host))]`.
///
/// A share opens the circuit when it is reached: 10 failures of 20 calls, for `0.5`. A probe that fails opens it again at once, also where
/// other probes have succeeded. So does a probe that takes longer than `probe_timeout`: it runs on, but what it returns then counts as
/// nothing. Set that longer than a call which succeeds may take, or the circuit never closes. No timer is needed for it: whoever looks at
/// the circuit next finds it as open as if one had fired.
///
/// A return type that is a type parameter (`R`, `T::Out`) needs `failure`, since nothing there can tell whether it is a `Result`.
///
/// A [`retry`](macro@crate::retry) above waits for as long as the circuit is open; below, it is not reached.
///
/// A window of time is exact as long as it holds no more than 2,048 moments with calls; beyond that it is exact to a two-thousandth.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | once, at the first call | `failures`, `window`, `failure_rate`, `min_calls`, `open_for`, `open_for_max`, `probes`, `probe_timeout`, `slow_call` |
/// | at each call | a breaker that is made elsewhere |
/// | after each call that was let through | `failure` |
/// | after each of these that failed | `when` |
/// | at each refusal | `or_else` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # Errors
///
/// An [`Error`](crate::Error) for which [`is_circuit_open`](crate::Error::is_circuit_open) holds, in the function's own error type. Its
/// [`retry_after`](crate::Error::retry_after) is the time for which the circuit stays open; while as many probes are under way as may be, the
/// time until the oldest of them counts as failed, since by then it is decided. It has none where the circuit was
/// [forced open](CircuitBreaker::force_open), or where `probe_timeout` is zero and probes are under way.
///
/// # Cancel safety
///
/// A call that is dropped counts as neither success nor failure, and a probe that is dropped gives its place to the next call. A call
/// that was let through before the circuit opened does not close it when it succeeds later.
///
/// # Panics
///
/// A panic of the body goes on to the caller, and counts as a failure. A call that is dropped by the panic of another counts as nothing.
pub use steadfast_macros::circuit_breaker;

#[doc(hidden)]
pub mod private {
    pub use super::permit::{Open, Permit};
    use crate::CircuitBreaker;
    use crate::events::{Origin, Told};
    use std::time::Duration;

    crate::refuse::refusals! {
        "`#[circuit_breaker]` can fail, and `{Self}` has no place for its error",
        "`#[circuit_breaker]` can fail, and `{Self}` cannot be made of its error"
    }

    /// A call that has not gone in yet.
    #[inline]
    pub fn at<'a>(breaker: &'a CircuitBreaker, origin: &'static Origin) -> Permit<'a> {
        Permit::outside(breaker, Told::by(origin))
    }

    /// `window = expr`: of calls or of time, as the type says.
    pub fn window(breaker: CircuitBreaker, window: impl Window) -> CircuitBreaker {
        window.set(breaker)
    }

    /// What a window is measured in.
    #[diagnostic::on_unimplemented(
        message = "a `window` is a number of calls or a `Duration`, not a `{Self}`",
        label = "neither an integer nor a `Duration`"
    )]
    pub trait Window {
        /// The breaker with this window.
        fn set(self, breaker: CircuitBreaker) -> CircuitBreaker;
    }

    impl Window for Duration {
        fn set(self, breaker: CircuitBreaker) -> CircuitBreaker {
            breaker.window(self)
        }
    }

    macro_rules! windows_of_calls {
        ($($integer:ty)*) => {$(
            impl Window for $integer {
                fn set(self, breaker: CircuitBreaker) -> CircuitBreaker {
                    breaker.window_calls(crate::outcome::count(self))
                }
            }
        )*};
    }

    windows_of_calls!(u8 u16 u32 u64 usize i32 i64);
}
