//! What the store keeps under a key.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// A failure that is kept or shared: the error of a `Result`, `()` for a `None`. Without its type, since a cache is named by the type of
/// its values only, and functions with different errors may share it.
pub(super) type Failure = Arc<dyn Any + Send + Sync>;

/// What a computation came to.
#[derive(Debug, Clone)]
pub enum Found<V> {
    Value(V),
    Failure(Failure),
}

#[derive(Debug, Clone)]
pub(super) struct Entry<V> {
    pub(super) found: Found<V>,
    /// `None`: fresh for ever.
    pub(super) expires: Option<Instant>,
}

impl<V> Entry<V> {
    /// An entry that is fresh for `ttl` from now. A time beyond what the clock can say is for ever.
    pub(super) fn new(found: Found<V>, ttl: Option<Duration>) -> Self {
        Self { found, expires: ttl.and_then(|ttl| Instant::now().checked_add(ttl)) }
    }

    #[inline]
    pub(super) fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}
