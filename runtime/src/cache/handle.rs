//! The type [`Cache`]: its settings, and the state created from them at first use.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use super::builder::CacheBuilder;
use super::inner::Inner;

/// The bounded single-flight cache used by [`async_cached`](macro@crate::async_cached).
///
/// A function's own cache is accessed through `handle = name`. A cache of your own is an ordinary value with a `const` constructor:
/// a `static` or a field that several functions share with `#[async_cached(cache = USERS)]`.
///
/// ```
/// use steadfast::{Cache, async_cached};
///
/// static SQUARES: Cache<u64, u64> = Cache::new(1_000);
///
/// #[async_cached(cache = SQUARES)]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// square(12).await;
/// assert_eq!(SQUARES.get(&12), Some(144));
/// # }
/// ```
///
/// `K` is the owned form of the key's single argument, or the tuple of several. Lookups borrow it the way the function is called:
/// `get(&7)`, `get("eu")`, `get(&(7, "eu"))`.
///
/// [`get`](Self::get) and [`contains`](Self::contains) count neither as hits nor as misses, and do not affect which entry is
/// evicted.
pub struct Cache<K, V> {
    builder: CacheBuilder<K, V>,
    // Created at first use, so that `new` can be `const`; shared with running computations, so that they need not borrow the cache.
    inner: OnceLock<Arc<Inner<K, V>>>,
}

impl<K, V> Cache<K, V> {
    pub(super) const fn with(builder: CacheBuilder<K, V>) -> Self {
        Self { builder, inner: OnceLock::new() }
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    #[inline]
    pub(crate) fn inner(&self) -> &Arc<Inner<K, V>> {
        self.inner.get_or_init(|| {
            let inner = Arc::new(Inner::new(self.builder.settings.clone()));
            #[cfg(feature = "registry")]
            if let (Some(name), Some(list)) = (self.builder.settings.name, self.builder.list) {
                list(name, &inner);
            }
            inner
        })
    }

    #[cfg(feature = "registry")]
    pub(crate) fn given_name(&self) -> Option<&'static str> {
        self.builder.settings.name
    }
}

impl<K, V> CacheBuilder<K, V> {
    /// Builds the cache. Nothing is allocated before its first use.
    #[must_use]
    pub const fn build(self) -> Cache<K, V> {
        Cache::with(self)
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("settings", &self.builder).finish_non_exhaustive()
    }
}
