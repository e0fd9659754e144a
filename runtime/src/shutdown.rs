//! Work that did not run or finish because its runtime or pool has shut down.

use crate::error::{Error, ErrorKind};

/// The runtime or the pool of threads has shut down.
#[derive(Debug)]
pub struct RuntimeShutDown;

impl RuntimeShutDown {
    /// The error of `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Shutdown, function)
    }
}
