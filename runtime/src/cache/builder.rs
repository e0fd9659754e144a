//! `CacheBuilder`: how a cache is configured.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "registry")]
use super::inner::Inner;
use super::return_kind::Shape;
use super::settings::Settings;
use super::store::lifetime::Lifetime;
use super::store::removal::RemovalCause;
#[cfg(feature = "registry")]
use crate::name::Listed;
use crate::outcome::clamped;

/// How many entries a cache keeps when nothing is said.
const DEFAULT_CAPACITY: usize = 10_000;

/// Makes a [`Cache`](crate::Cache) with more than a capacity: [`Cache::builder`](crate::Cache::builder).
///
/// ```
/// use std::sync::LazyLock;
/// use std::time::Duration;
/// use steadfast::{Cache, async_cached};
///
/// // All but `weight` and `on_evict` is `const`.
/// static USERS: Cache<u64, String> = Cache::builder().capacity(1_000).ttl(Duration::from_secs(60)).build();
///
/// // Those take a closure, so a static of them is made at first use.
/// static PAGES: LazyLock<Cache<String, Vec<u8>>> =
///     LazyLock::new(|| Cache::builder().capacity(1 << 20).weight(|_, page: &Vec<u8>| page.len()).build());
///
/// #[async_cached(cache = USERS)] // its values stay for the 60 seconds of the cache
/// async fn user(id: u64) -> String {
///     format!("user {id}")
/// }
///
/// #[async_cached(cache = PAGES)]
/// async fn page(path: &str) -> Vec<u8> {
///     path.as_bytes().to_vec()
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// user(7).await;
/// page("/").await;
/// assert_eq!((USERS.len(), PAGES.len()), (1, 1));
/// # }
/// ```
#[must_use = "a builder makes nothing until `build`"]
pub struct CacheBuilder<K, V> {
    pub(super) settings: Settings<K, V>,
    /// Puts the cache into the registry, at its first use.
    #[cfg(feature = "registry")]
    pub(super) list: Option<List<K, V>>,
}

#[cfg(feature = "registry")]
pub(super) type List<K, V> = fn(&'static str, &Arc<Inner<K, V>>);

/// The setters that a lifetime has as well.
macro_rules! lifetime {
    ($($(#[$doc:meta])* $name:ident($argument:ident: $ty:ty);)*) => {$(
        $(#[$doc])*
        pub const fn $name(mut self, $argument: $ty) -> Self {
            self.settings.lifetime = self.settings.lifetime.$name($argument);
            self
        }
    )*};
}

impl<K, V> CacheBuilder<K, V> {
    /// For at most `capacity` entries, or any number of them.
    pub(super) const fn of_capacity(capacity: Option<usize>) -> Self {
        Self {
            settings: Settings::of_capacity(capacity),
            #[cfg(feature = "registry")]
            list: None,
        }
    }

    pub(super) const fn new() -> Self {
        Self::of_capacity(Some(DEFAULT_CAPACITY))
    }

    /// How many entries are kept at most, or how much they weigh together where there is a [`weight`](Self::weight). 10 000 if nothing is
    /// said; zero keeps nothing.
    pub const fn capacity(mut self, capacity: usize) -> Self {
        self.settings.capacity = Some(capacity);
        self
    }

    /// Keeps entries until they expire or are invalidated, however many there are.
    pub const fn unbounded(mut self) -> Self {
        self.settings.capacity = None;
        self
    }

    lifetime! {
        /// How long a value is fresh. For ever if nothing is said; zero stores nothing.
        ttl(ttl: Duration);
        /// Adds a random time to each ttl, from nothing to this, so that values that came together do not go together.
        ttl_jitter(jitter: Duration);
        /// How long a value stays that nobody asks for.
        tti(idle: Duration);
        /// How long an `Err` of [`get_or_load`](crate::Cache::get_or_load) is remembered. Not at all if nothing is said.
        error_ttl(time: Duration);
        /// How long a `None` of [`get_or_load`](crate::Cache::get_or_load) is remembered. Not at all if nothing is said. In a `Cache<K, Option<T>>` a `None`
        /// is a value: [`ttl_of`](Self::ttl_of) can give it a time of its own. Functions over such a cache that return a `Result<Option<T>, E>`
        /// keep their `Ok(None)` for this.
        none_ttl(time: Duration);
        /// How long after its ttl a value is still served while [`get_or_spawn`](crate::Cache::get_or_spawn), or a function that computes in the background,
        /// computes it anew. [`get_or_load`](crate::Cache::get_or_load) computes within its caller, and does not.
        stale_while_revalidate(window: Duration);
        /// How long after its ttl a value is still served where computing it anew comes to an `Err`.
        stale_if_error(window: Duration);
        /// After which share of its ttl (above 0, below 1) a hit of [`get_or_spawn`](crate::Cache::get_or_spawn) computes a value anew. 1 and NaN mean
        /// not before its end.
        ///
        /// # Panics
        ///
        /// If the share is 0 or less, or above 1. In a `static` that is a compile error.
        refresh_ahead(share: f64);
    }

    #[doc(hidden)]
    pub const fn times(mut self, times: fn() -> Lifetime) -> Self {
        self.settings.times = Some(times);
        self
    }

    #[doc(hidden)]
    pub fn nones_of<S: Shape<Value = V>>(mut self, _shape: S) -> Self {
        self.settings.is_none = Some(S::is_none);
        self
    }

    /// How long each value is fresh, by itself: a token that says when it expires, for instance.
    pub const fn ttl_of(mut self, ttl_of: fn(&V) -> Duration) -> Self {
        self.settings.ttl_of = Some(ttl_of);
        self
    }

    /// How long a computation may run before those who wait for it begin one of their own.
    pub const fn load_timeout(mut self, limit: Duration) -> Self {
        self.settings.load_timeout = Some(limit);
        self
    }

    /// What an entry weighs: `capacity` then bounds the sum, and an entry that is heavier alone is not stored (and counted as
    /// [`oversized`](super::Stats::oversized)). Of any integer type; a weight below 1 counts as 1, and so does a remembered failure.
    /// Called once for each value, under no lock. Such a cache has one lock for all who write to it, so that an entry may be as heavy
    /// as the whole.
    pub fn weight<N>(mut self, weight: impl Fn(&K, &V) -> N + Send + Sync + 'static) -> Self
    where
        N: PartialOrd + Default,
        u64: TryFrom<N>,
    {
        self.settings.weight = Some(Arc::new(move |key, value| clamped(weight(key, value))));
        self
    }

    /// Tells of each value that leaves, and why. Called under no lock, by whoever made it leave; it should be quick. A panic of it
    /// reaches that caller.
    pub fn on_evict(mut self, listener: impl Fn(&K, &V, RemovalCause) + Send + Sync + 'static) -> Self {
        self.settings.on_evict = Some(Arc::new(listener));
        self
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> CacheBuilder<K, V> {
    /// Gives the cache a name, by which the [registry](crate#features) lists it and metrics export it as long as it lives, in a field too.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.settings.name = Some(name);
        #[cfg(feature = "registry")]
        {
            self.list = Some(|name, inner| Inner::list(inner, name));
        }
        self
    }
}

impl<K, V> Clone for CacheBuilder<K, V> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), ..*self }
    }
}

impl<K, V> fmt::Debug for CacheBuilder<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("name", &self.settings.name)
            .field("capacity", &self.settings.capacity)
            .field("lifetime", &self.settings.lifetime)
            .finish_non_exhaustive()
    }
}
