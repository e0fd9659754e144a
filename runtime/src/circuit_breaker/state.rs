//! The states of a circuit.

/// The state of a [`CircuitBreaker`](crate::CircuitBreaker).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls are admitted.
    Closed,
    /// Calls are rejected for a while.
    Open,
    /// A few calls (probes) are admitted to find out whether the dependency has recovered.
    HalfOpen,
    /// Calls are rejected until [`reset`](crate::CircuitBreaker::reset) is called.
    Isolated,
}
