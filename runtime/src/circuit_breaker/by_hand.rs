//! The breaker without an attribute: around one future, or by a permit.

use std::fmt;

use super::breaker::CircuitBreaker;
use super::permit::Permit;
use crate::error::Error;
use crate::events::EventSource;
use crate::outcome::{Attempted, Reject};

/// What errors call a breaker without a name.
const KIND: &str = "circuit_breaker";

/// The output of a [call](CircuitBreaker::call) that a breaker guards: a `Result` whose error can represent a rejection, or an `Option`.
#[diagnostic::on_unimplemented(
    message = "a circuit breaker cannot guard a call that returns `{Self}`",
    label = "must be a `Result` or an `Option`",
    note = "a `Result<_, E>` requires `E: From<steadfast::Error>`, for calls that the breaker rejects; or use `CircuitBreaker::permit`"
)]
pub trait Guarded: Attempted + Reject {}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> Guarded for Result<T, E> {}

#[diagnostic::do_not_recommend]
impl<T> Guarded for Option<T> {}

impl CircuitBreaker {
    /// Runs `call` if the circuit admits it, and records its outcome: what is not a whole function gets what
    /// [`#[circuit_breaker]`](macro@crate::circuit_breaker) gives to one.
    ///
    /// An `Err` and a `None` are failures. If the circuit is open, `call` is not run, and the rejection is returned as an
    /// `Err` or `None`; it has the [`name`](Self::name) of the breaker as its [`function`](Error::function), or `"circuit_breaker"`.
    ///
    /// A panic counts as a failure and continues. Dropping the future drops `call`, and counts as neither success nor failure.
    ///
    /// ```
    /// use steadfast::{CircuitBreaker, CircuitState, Error};
    ///
    /// static WAREHOUSE: CircuitBreaker = CircuitBreaker::new().failures(1).name("warehouse");
    ///
    /// async fn stock(id: u64) -> std::io::Result<u32> {
    ///     Err(std::io::ErrorKind::ConnectionReset.into())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert!(WAREHOUSE.call(async || stock(7).await).await.is_err());
    /// let rejected = WAREHOUSE.call(async || stock(7).await).await.unwrap_err();
    /// assert_eq!(rejected.to_string(), "`warehouse` was rejected: circuit breaker is open; retry in 30s");
    /// # }
    /// ```
    pub async fn call<R: Guarded>(&self, call: impl AsyncFnOnce() -> R) -> R {
        let mut permit = Permit::outside(self, EventSource::none());
        if let Err(open) = permit.acquire() {
            return R::reject(open.error(self.reported_name()));
        }
        let outcome = permit.state.watch(call()).await;
        permit.record_outcome(outcome.failure().is_some());
        outcome
    }

    /// Asks for the permit of one call, whose outcome is then reported by hand: [`success`](CircuitPermit::success) or
    /// [`failure`](CircuitPermit::failure). For outcomes that are neither a `Result` nor an `Option`, and for calls that end elsewhere
    /// than they begin.
    ///
    /// Does not wait. Dropping the permit counts as neither success nor failure, and makes room for another probe.
    ///
    /// # Errors
    ///
    /// If the circuit is open or runs all of its probes. [`Error::retry_after`] says when to ask again, and [`Error::function`] is the
    /// [`name`](Self::name) of the breaker, or `"circuit_breaker"`.
    ///
    /// ```
    /// use steadfast::{CircuitBreaker, CircuitState};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), steadfast::Error> {
    /// let breaker = CircuitBreaker::new().failures(1);
    /// let status = 503;
    ///
    /// let permit = breaker.permit()?;
    /// if status < 500 { permit.success() } else { permit.failure() }
    ///
    /// assert_eq!(breaker.state(), CircuitState::Open);
    /// assert!(breaker.permit().unwrap_err().is_circuit_open());
    /// # Ok(()) }
    /// ```
    pub fn permit(&self) -> Result<CircuitPermit<'_>, Error> {
        let mut permit = Permit::by_hand(self);
        match permit.acquire() {
            Ok(()) => Ok(CircuitPermit(permit)),
            Err(open) => Err(open.error(self.reported_name())),
        }
    }

    fn reported_name(&self) -> &'static str {
        self.given_name().unwrap_or(KIND)
    }
}

/// The permit of one call, from [`CircuitBreaker::permit`].
///
/// A permit that is dropped counts as neither success nor failure. What comes later than the next transition of the circuit is ignored,
/// as are the outcomes of calls.
#[must_use = "dropping it at once counts as neither success nor failure"]
pub struct CircuitPermit<'a>(Permit<'a>);

impl CircuitPermit<'_> {
    /// The call has succeeded.
    pub fn success(mut self) {
        self.0.record_outcome(false);
    }

    /// The call has failed.
    pub fn failure(mut self) {
        self.0.record_outcome(true);
    }
}

impl fmt::Debug for CircuitPermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitPermit").finish_non_exhaustive()
    }
}
