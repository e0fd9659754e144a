//! Entries that leave, why, and who is told.

use std::fmt;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::entry::{Cached, Entry, Stored};
use super::timestamp::Timestamp;

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
    /// Its time was over: `ttl` with the windows after it, or `tti`. Also where it is replaced or invalidated after that, before it has been
    /// cleared away.
    Expired,
    /// `invalidate`, `invalidate_if`, `invalidate_tag` or `clear`.
    Explicit,
    /// Another value came in its place, or a newer answer that is not kept: a `None`, or a value that is too heavy.
    Replaced,
}

/// Told of each value that leaves.
pub(crate) type Listener<K, V> = Arc<dyn Fn(&K, &V, RemovalCause) + Send + Sync>;

/// Entries that left the store. They are [seen off](crate::cache::inner::Inner::finish_removals) by whoever holds this, when it holds no lock: their
/// destructors and the listener are the user's code.
#[must_use]
pub(crate) struct Removed<K, V> {
    entries: Vec<(Stored<K>, Entry<V>, RemovalCause)>,
    /// The time, once somebody has looked.
    now: Option<Timestamp>,
}

impl<K, V> Removed<K, V> {
    pub(crate) fn nothing() -> Self {
        Self::nothing_at(None)
    }

    /// The same, for who may have looked at the clock just now.
    pub(crate) fn nothing_at(now: Option<Timestamp>) -> Self {
        Self { entries: Vec::new(), now }
    }

    /// Adds entries that left for a cause; those whose time was over already left for that.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = (Stored<K>, Entry<V>)>, cause: RemovalCause) {
        let now = &mut self.now;
        self.entries.extend(entries.into_iter().map(|(stored, entry)| {
            let end = entry.end();
            // Most have no end, and then nobody looks at a clock.
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

    /// Tells the listener, if there is one, and drops the entries. A panic of the listener or of a destructor keeps none of the others from
    /// being told of and dropped; the first one is resumed at the end.
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
            // A remembered failure is no value that anybody put there.
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
