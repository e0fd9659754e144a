//! What work on another task inherits from the code that waits for it: the computations it is part of, and the attempt.

use crate::attempt::{Current, InAttempt};
use crate::recursion::{ActiveFlights, AwaitGuard, InheritFlights};

/// What the running code is part of.
pub(crate) struct Inherited {
    flights: ActiveFlights,
    attempt: Current,
}

impl Inherited {
    /// For work that may outlive the caller's wait. See [`ActiveFlights::while_awaited`].
    pub(crate) fn while_awaited() -> (Self, AwaitGuard) {
        let (flights, awaiting) = ActiveFlights::while_awaited();
        (Self { flights, attempt: Current::get() }, awaiting)
    }

    /// Adds `flight`, the computation that the work performs.
    pub(crate) fn with(self, flight: u64) -> Self {
        Self { flights: self.flights.with(flight), ..self }
    }

    /// Makes `future` part of the same.
    pub(crate) fn enter<F>(self, future: F) -> InAttempt<InheritFlights<F>> {
        self.attempt.within(self.flights.enter(future))
    }
}

/// Makes work on another task part of what the running code is part of. For work that is aborted when its caller stops waiting.
pub(crate) fn inherit<F>(future: F) -> InAttempt<InheritFlights<F>> {
    Inherited { flights: ActiveFlights::current(), attempt: Current::get() }.enter(future)
}
