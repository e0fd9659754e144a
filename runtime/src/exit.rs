//! How a body ended.

/// How a body ended; passed to the release closure of [`with_resource`](crate::with_resource) and the cleanup of
/// [`finally`](macro@crate::finally).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It returned a success.
    Ok,
    /// It returned an error.
    Err,
    /// It panicked.
    Panicked,
    /// It was dropped before its end: by a deadline, by a `select!`, by a client that disconnected.
    Cancelled,
}

impl Exit {
    /// Whether the body returned a success: the only case in which to commit a transaction.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::Ok
    }
}
