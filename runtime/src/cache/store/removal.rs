//! Removed entries: why they were removed, and the listener.

use std::fmt;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::entry::{Cached, Entry, Stored};
use super::timestamp::Timestamp;

/// Why an entry was removed from a cache; passed to `on_evict`.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use steadfast::{RemovalCause, async_cached};
///
/// static FULL: AtomicU32 = AtomicU32::new(0);
///
/// #[async_cached(capacity = 1, on_evict = |_, _, cause| {
///     FULL.fetch_add(u32::from(cause == RemovalCause::Size), Ordering::Relaxed);
/// })]
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
    /// Evicted because the cache was full.
    Size,
    /// Expired: its `ttl` and the stale windows after it, or its `tti`, had passed. Also reported if the entry is replaced or
    /// invalidated after that, before it has been cleared.
    Expired,
    /// Removed by `invalidate`, `invalidate_if`, `invalidate_tag` or `clear`.
    Explicit,
    /// Replaced by a newer value, or removed by a newer result that is not stored: a `None`, or a value that is too heavy.
    Replaced,
}

/// The removal listener: called for each removed value.
pub(crate) type Listener<K, V> = Arc<dyn Fn(&K, &V, RemovalCause) + Send + Sync>;

/// Entries removed from the store. The holder [finishes the removals](crate::cache::inner::Inner::finish_removals) once it holds no
/// lock, since destructors and the listener are user code.
#[must_use]
pub(crate) struct Removed<K, V> {
    entries: Vec<(Stored<K>, Entry<V>, RemovalCause)>,
    /// The current time, once it has been read.
    now: Option<Timestamp>,
}

impl<K, V> Removed<K, V> {
    pub(crate) fn nothing() -> Self {
        Self::nothing_at(None)
    }

    /// No entries, for a caller that may have read the clock already.
    pub(crate) fn nothing_at(now: Option<Timestamp>) -> Self {
        Self { entries: Vec::new(), now }
    }

    /// Adds entries removed for `cause`, or as expired if their time was already over.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = (Stored<K>, Entry<V>)>, cause: RemovalCause) {
        let now = &mut self.now;
        self.entries.extend(entries.into_iter().map(|(stored, entry)| {
            let end = entry.end();
            // Most entries do not expire, and the clock is not read for them.
            let was_over = end != Timestamp::NEVER && end <= *now.get_or_insert_with(Timestamp::now);
            (stored, entry, if was_over { RemovalCause::Expired } else { cause })
        }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Stored<K>, RemovalCause)> {
        self.entries.iter().map(|(stored, _, cause)| (stored, *cause))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<V>> {
        self.entries.iter().map(|(_, entry, _)| entry)
    }

    /// Notifies the listener, if there is one, and drops the entries. A panic in the listener or a destructor does not affect the
    /// other entries; the first one is resumed at the end.
    pub(crate) fn notify(self, listener: Option<&Listener<K, V>>) {
        let mut first = None;
        let mut run = |user_code: &mut dyn FnMut()| {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(user_code)) {
                match first {
                    None => first = Some(payload),
                    // Its destructor may panic as well.
                    Some(_) => forget(payload),
                }
            }
        };
        for (stored, entry, cause) in self.entries {
            // A remembered failure is not a value.
            if let (Some(listener), Cached::Value(value)) = (listener, &entry.found) {
                run(&mut || listener(stored.key(), value, cause));
            }
            let (mut stored, mut entry) = (Some(stored), Some(entry));
            run(&mut || drop(entry.take()));
            run(&mut || drop(stored.take()));
        }
        if let Some(payload) = first {
            resume_unwind(payload);
        }
    }
}

impl<K, V> fmt::Debug for Removed<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Left").field(&self.entries.len()).finish()
    }
}
