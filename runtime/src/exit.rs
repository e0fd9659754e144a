//! How a body came to its end.

/// How a body came to its end: what the release of [`with_resource`](crate::with_resource) is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It returned a success.
    Ok,
    /// It returned an error.
    Err,
    /// It panicked.
    Panicked,
    /// It was dropped before its end: by a deadline, by a `select!`, by a client that hung up.
    Cancelled,
}

impl Exit {
    /// Whether the body returned a success: the one case in which a transaction is to be committed.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::Ok
    }
}
