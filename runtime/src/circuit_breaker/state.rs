//! The states of a circuit.

/// What a [`CircuitBreaker`](crate::CircuitBreaker) does with calls.
#[doc(alias("closed", "open", "half-open"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// It lets them through.
    Closed,
    /// It refuses them for a while.
    Open,
    /// It lets a few through, to see how they fare.
    HalfOpen,
    /// It refuses them until somebody calls [`reset`](crate::CircuitBreaker::reset).
    Isolated,
}
