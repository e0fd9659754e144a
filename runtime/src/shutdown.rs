//! Work that did not run, or did not end, because what was to run it has shut down.

use crate::error::{Error, ErrorKind};

/// The runtime or the pool of threads has shut down.
#[derive(Debug)]
pub struct RuntimeShutDown;

impl RuntimeShutDown {
    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Shutdown, function)
    }
}
