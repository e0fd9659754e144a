//! `CacheBuilder`: how a cache is configured.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "registry")]
use super::inner::Inner;
use super::return_kind::ReturnKind;
use super::settings::{Settings, TtlOf};
use super::store::lifetime::Lifetime;
use super::store::removal::RemovalCause;
#[cfg(feature = "registry")]
use crate::name::Listed;
use crate::outcome::clamped;

/// The default number of entries.
const DEFAULT_CAPACITY: usize = 10_000;

/// Configures a [`Cache`](crate::Cache); created by [`Cache::builder`](crate::Cache::builder).
///
/// ```
/// use std::sync::LazyLock;
/// use std::time::Duration;
/// use steadfast::{Cache, async_cached};
///
/// // All methods but `weight` and `on_evict` are `const`.
/// static USERS: Cache<u64, String> =
///     Cache::builder().capacity(1_000).ttl(Duration::from_secs(60)).build();
///
/// // Those two take a closure, so a static that uses them is initialized at first use.
/// static PAGES: LazyLock<Cache<String, Vec<u8>>> = LazyLock::new(|| {
///     Cache::builder().capacity(1 << 20).weight(|_, page: &Vec<u8>| page.len()).build()
/// });
///
/// #[async_cached(cache = USERS)] // uses the cache's ttl of 60 seconds
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
#[must_use = "a builder does nothing until `build` is called"]
pub struct CacheBuilder<K, V> {
    pub(super) settings: Settings<K, V>,
    /// Adds the cache to the registry at its first use.
    #[cfg(feature = "registry")]
    pub(super) list: Option<List<K, V>>,
}

#[cfg(feature = "registry")]
pub(super) type List<K, V> = fn(&'static str, &Arc<Inner<K, V>>);

/// Forwards to the setters of [`Lifetime`].
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
    /// For at most `capacity` entries, or any number.
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

    /// Sets how many entries are kept, or their total weight if there is a [`weight`](Self::weight). Default: 10,000. Zero stores
    /// nothing.
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
        /// Sets how long a value is fresh. Default: no expiry. Zero disables storing.
        ttl(ttl: Duration);
        /// Adds a random duration between zero and `jitter` to each ttl, so that values stored together do not expire together.
        ttl_jitter(jitter: Duration);
        /// Sets the time to idle: evicts entries not accessed for this long.
        tti(idle: Duration);
        /// Sets how long an `Err` of [`get_or_load`](crate::Cache::get_or_load) is remembered. Default: not at all.
        error_ttl(time: Duration);
        /// Sets how long a `None` of [`get_or_load`](crate::Cache::get_or_load) is remembered. Default: not at all. In a
        /// `Cache<K, Option<T>>` a `None` is a value, whose ttl [`ttl_of`](Self::ttl_of) can set; functions over such a cache that
        /// return a `Result<Option<T>, E>` keep their `Ok(None)` for this long.
        none_ttl(time: Duration);
        /// Sets how long after its ttl a value is still served while [`get_or_spawn`](crate::Cache::get_or_spawn), or a function
        /// that computes in the background, refreshes it. Has no effect on [`get_or_load`](crate::Cache::get_or_load), which
        /// computes within its caller.
        stale_while_revalidate(window: Duration);
        /// Sets how long after its ttl a value is still served if recomputing it fails with an `Err`.
        stale_if_error(window: Duration);
        /// Sets the fraction of the ttl (above 0, below 1) after which a hit of [`get_or_spawn`](crate::Cache::get_or_spawn)
        /// refreshes the value in the background. 1 and NaN disable it.
        ///
        /// # Panics
        ///
        /// If `share` is 0 or less, or above 1. In a `static` this is a compile error.
        refresh_ahead(share: f64);
    }

    #[doc(hidden)]
    pub const fn times(mut self, times: fn() -> Lifetime) -> Self {
        self.settings.times = Some(times);
        self
    }

    #[doc(hidden)]
    pub fn nones_of<S: ReturnKind<Value = V>>(mut self, _shape: S) -> Self {
        self.settings.is_none = Some(S::is_none);
        self
    }

    /// Computes the ttl of each value: a token with an expiry time, for example.
    pub const fn ttl_of(mut self, ttl_of: fn(&V) -> Duration) -> Self {
        self.settings.ttl_of = Some(TtlOf::Value(ttl_of));
        self
    }

    #[doc(hidden)]
    pub const fn ttl_of_change(mut self, ttl_of: fn(&V, Option<&V>) -> Duration) -> Self {
        self.settings.ttl_of = Some(TtlOf::Change(ttl_of));
        self
    }

    /// Sets how long waiters wait for a running computation before one of them starts a new one. Default: forever.
    pub const fn load_timeout(mut self, limit: Duration) -> Self {
        self.settings.load_timeout = Some(limit);
        self
    }

    /// Sets the weight of an entry. `capacity` then limits the total weight, and an entry heavier than the capacity is not stored
    /// (and counted as [`oversized`](super::Stats::oversized)). The weight may be of any integer type; a weight below 1 counts as
    /// 1, and a remembered failure weighs 1. Called once per value, without any lock held. Such a cache has a single lock for
    /// writers, so that one entry may be as heavy as the whole capacity.
    pub fn weight<N>(mut self, weight: impl Fn(&K, &V) -> N + Send + Sync + 'static) -> Self
    where
        N: PartialOrd + Default,
        u64: TryFrom<N>,
    {
        self.settings.weight = Some(Arc::new(move |key, value| clamped(weight(key, value))));
        self
    }

    /// Sets a removal listener. It is called without any lock held, by the operation that removed the entry; keep it short. A panic
    /// in it propagates to the caller of that operation.
    pub fn on_evict(mut self, listener: impl Fn(&K, &V, RemovalCause) + Send + Sync + 'static) -> Self {
        self.settings.on_evict = Some(Arc::new(listener));
        self
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> CacheBuilder<K, V> {
    /// Sets the name under which the [registry](crate#features) lists the cache and metrics export it while it exists, whether it
    /// is a `static` or a field.
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
        Self {
            settings: self.settings.clone(),
            #[cfg(feature = "registry")]
            list: self.list,
        }
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
