//! The rejection of an open circuit.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// The circuit is open.
#[derive(Debug)]
pub struct Open {
    pub(super) retry_after: Option<Duration>,
}

impl Open {
    /// The error for the attributed `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::CircuitOpen, function).with_retry_after(self.retry_after)
    }
}
