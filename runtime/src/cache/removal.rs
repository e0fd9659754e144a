//! Entries that leave, why, and who is told.

use std::fmt;
use std::sync::Arc;

use super::entry::{Entry, Found};
use super::store::Stored;

/// Why an entry left a cache: what `on_evict` is told.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use steadfast::{RemovalCause, async_cached};
///
/// static FULL: AtomicU32 = AtomicU32::new(0);
///
/// #[async_cached(capacity = 1, on_evict = |_, _, cause| if cause == RemovalCause::Size { FULL.fetch_add(1, Ordering::Relaxed); })]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// square(1).await;
/// square(2).await;
/// assert_eq!(FULL.load(Ordering::Relaxed), 1);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemovalCause {
    /// It made room for another.
    Size,
    /// Its time was over: `ttl` with the windows after it, or `tti`.
    Expired,
    /// `invalidate`, `invalidate_if`, `invalidate_tag` or `clear`.
    Explicit,
    /// Another value came in its place, or a newer answer that is not kept: a `None`, or a value that is too heavy.
    Replaced,
}

/// Told of each value that leaves.
pub(super) type Listener<K, V> = Arc<dyn Fn(&K, &V, RemovalCause) + Send + Sync>;

/// Entries that left the store. They are [seen off](super::shared::Shared::see_off) by whoever holds this, when it holds no lock: their
/// destructors and the listener are the user's code.
#[must_use]
pub(super) struct Left<K, V>(Vec<(Stored<K>, Entry<V>, RemovalCause)>);

impl<K, V> Left<K, V> {
    pub(super) fn nothing() -> Self {
        Self(Vec::new())
    }

    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = (Stored<K>, Entry<V>)>, cause: RemovalCause) {
        self.0.extend(entries.into_iter().map(|(stored, entry)| (stored, entry, cause)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Stored<K>, RemovalCause)> {
        self.0.iter().map(|(stored, _, cause)| (stored, *cause))
    }

    /// Tells the listener, if there is one, and drops the entries.
    pub(super) fn tell(self, listener: Option<&Listener<K, V>>) {
        let Some(listener) = listener else { return };
        for (stored, entry, cause) in self.0 {
            // A remembered failure is no value that anybody put there.
            if let Found::Value(value) = &entry.found {
                listener(stored.key(), value, cause);
            }
        }
    }
}

impl<K, V> fmt::Debug for Left<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Left").field(&self.0.len()).finish()
    }
}
