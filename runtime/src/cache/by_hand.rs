//! A cache as a value: what a handle gives, and what a `static` or a field is.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use super::builder::CacheBuilder;
use super::key::Key;
use super::shared::Shared;
use super::stats::Stats;
use super::tags::Tags;

/// A bounded cache with single flight: what stands behind [`async_cached`](macro@crate::async_cached).
///
/// A function's own cache is reached through `handle = name`. A cache of your own is an ordinary value with a `const` constructor: a
/// `static` or a field that several functions share with `#[async_cached(cache = USERS)]`.
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
/// `K` is the owned form of the key's one argument, or the tuple of several. Look-ups borrow it in the way the function is called:
/// `get(&7)`, `get("eu")`, `get(&(7, "eu"))`.
///
/// Looking at a cache by hand counts neither as a hit nor as a miss, and does not make an entry look used.
#[doc(alias("memoize", "singleflight", "stampede"))]
pub struct Cache<K, V> {
    settings: CacheBuilder<K, V>,
    // Made at first use, so that `new` can be `const`; shared with the callers that compute, so that they need not borrow the cache.
    shared: OnceLock<Arc<Shared<K, V>>>,
}

impl<K, V> Cache<K, V> {
    /// A cache of at most `capacity` entries. Zero keeps nothing.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self::with(CacheBuilder::of_capacity(Some(capacity)))
    }

    /// A cache that keeps everything until it expires or is invalidated. It grows with the number of distinct keys: ask for it only
    /// where those are known to be few.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self::with(CacheBuilder::of_capacity(None))
    }

    /// A cache with times, weights, a listener: see [`CacheBuilder`].
    pub const fn builder() -> CacheBuilder<K, V> {
        CacheBuilder::new()
    }

    pub(super) const fn with(settings: CacheBuilder<K, V>) -> Self {
        Self { settings, shared: OnceLock::new() }
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared<K, V>> {
        self.shared.get_or_init(|| {
            let shared = Arc::new(Shared::new(self.settings.clone()));
            #[cfg(feature = "registry")]
            if let (Some(name), Some(list)) = (self.settings.name, self.settings.list) {
                list(name, &shared);
            }
            shared
        })
    }

    #[cfg(feature = "registry")]
    pub(crate) fn given_name(&self) -> Option<&'static str> {
        self.settings.name
    }

    /// The value of `key`, if it is there and fresh. A value past its ttl, which a call may still be served within
    /// `stale_while_revalidate` or `stale_if_error`, is not found, and neither is a remembered failure.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.shared().peek(key)
    }

    /// Whether there is a fresh value of `key`: whether [`get`](Self::get) finds it. Within `stale_while_revalidate` a call may be answered at
    /// once where this is false.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.get(key).is_some()
    }

    /// Stores a value. It wins over a computation of this key that is under way: that one's result is not stored.
    ///
    /// It has the times that the builder says, or, by the handle of a function, those of the function as they are now. Times that name an
    /// argument of the function are not known here: where its `ttl` is one, the value stays until something else removes it.
    pub fn insert(&self, key: K, value: V) {
        self.shared().insert(key, &value, Tags::none());
    }

    /// Stores a value under tags, by which [`invalidate_tag`](Self::invalidate_tag) finds it.
    pub fn insert_tagged<T: AsRef<str>>(&self, key: K, value: V, tags: impl IntoIterator<Item = T>) {
        self.shared().insert(key, &value, tags.into_iter().collect());
    }

    /// Forgets the value of `key`. A computation of it that is under way still serves those who wait for it, and is not stored; a
    /// call that comes later computes anew.
    pub fn invalidate<Q>(&self, key: &Q)
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.shared().invalidate(key);
    }

    /// Forgets the values that are such, in the way of [`invalidate`](Self::invalidate). Of a computation that is under way the value is
    /// not known yet: none of those is stored. A remembered failure (`error_ttl`, `none_ttl`) has no value: all of them are forgotten.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// let cache: Cache<u64, String> = Cache::new(10);
    /// cache.insert(1, "old".to_owned());
    /// cache.insert(2, "new".to_owned());
    /// cache.invalidate_if(|_, value| value == "old");
    /// assert_eq!((cache.get(&1), cache.len()), (None, 1));
    /// ```
    ///
    /// Takes time in proportion to the number of entries. The closure runs under locks of the cache, and must not use it; calls that hit
    /// go on meanwhile.
    ///
    /// # Panics
    ///
    /// Where the closure does. Nothing is forgotten then.
    pub fn invalidate_if(&self, such: impl FnMut(&K, &V) -> bool) {
        self.shared().invalidate_if(such);
    }

    /// Forgets the values that have a tag (`tags = [..]`), in the way of [`invalidate`](Self::invalidate).
    ///
    /// ```
    /// use steadfast::async_cached;
    ///
    /// #[async_cached(tags = [format!("tenant:{tenant}")], handle = pages)]
    /// async fn page(tenant: u32, path: &str) -> String {
    ///     format!("{path} of {tenant}")
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// page(1, "/").await;
    /// page(2, "/").await;
    /// pages().invalidate_tag("tenant:1");
    /// assert!(!pages().contains(&(1, "/")) && pages().contains(&(2, "/")));
    /// # }
    /// ```
    pub fn invalidate_tag(&self, tag: &str) {
        self.shared().invalidate_tag(tag);
    }

    /// Forgets everything, in the way of [`invalidate`](Self::invalidate).
    pub fn clear(&self) {
        self.shared().clear();
    }

    /// How many entries there are, remembered failures (`error_ttl`, `none_ttl`) included, expired ones not (see there for
    /// [tests](crate::cache#tests) that share a cache).
    pub fn len(&self) -> usize {
        self.shared().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many computations are under way, in the background or by callers; also those whose value will not be stored, since the key was
    /// invalidated meanwhile.
    pub fn in_flight(&self) -> usize {
        self.shared().computing()
    }

    /// What the cached calls met so far.
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }
}

// What the registry knows of a cache with a name: what its callers share.
#[cfg(feature = "registry")]
impl<K: Hash + Eq + Send + Sync, V: Clone + Send + Sync> crate::registry::CacheHandle for Shared<K, V> {
    fn clear(&self) {
        Self::clear(self);
    }

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn in_flight(&self) -> usize {
        Self::computing(self)
    }

    fn stats(&self) -> Stats {
        Self::stats(self)
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("settings", &self.settings).finish_non_exhaustive()
    }
}
