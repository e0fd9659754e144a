//! What a breaker has counted.

use std::time::Duration;

use super::state::CircuitState;

/// What a [`CircuitBreaker`](crate::CircuitBreaker) has counted and decided, from [`metrics`](crate::CircuitBreaker::metrics).
///
/// The counts are those from which the breaker decides, so each transition of the circuit resets them, and they cover what its rule looks
/// at: with a `failure_rate` the window; with `failures` in a `window` the failures in it; otherwise the failures since the last success.
///
/// ```
/// use steadfast::{CircuitBreaker, CircuitState};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let breaker = CircuitBreaker::new().failure_rate(0.5).min_calls(4);
/// for failed in [true, false, false] {
///     let permit = breaker.permit().unwrap();
///     if failed { permit.failure() } else { permit.success() }
/// }
/// let metrics = breaker.metrics();
/// assert_eq!((metrics.state, metrics.calls, metrics.failures), (CircuitState::Closed, 3, 1));
/// assert_eq!(metrics.failure_rate, Some(1.0 / 3.0));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct CircuitMetrics {
    /// The state that the next call would find.
    pub state: CircuitState,
    /// The calls that were counted; without a fraction to compute, only the failures.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow, if `slow_rate` is set; otherwise a slow call is a failure, and is counted as one.
    pub slow_calls: u64,
    /// The fraction of failures, from 0 to 1, if `failure_rate` is set. 0 if no call was counted.
    pub failure_rate: Option<f64>,
    /// The fraction of slow calls, from 0 to 1, if `slow_rate` is set. 0 if no call was counted.
    pub slow_rate: Option<f64>,
    /// How long an open circuit still rejects calls.
    pub half_open_in: Option<Duration>,
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
pub(super) fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}
