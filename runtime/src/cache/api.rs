//! The methods of [`Cache`]: get, insert, invalidate, load.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use super::builder::CacheBuilder;
use super::flight::background::Spawned;
use super::flight::leader::Leader;
use super::flight::waiter::{Role, Waited};
use super::handle::Cache;
use super::lookup::{self, Begin, Mode, Next, Owned};
use super::return_kind::{Optional, Plain, ReturnKind, SharedResult};
use super::stats::Stats;
use super::store::tags::Tags;
use crate::key::Key;

impl<K, V> Cache<K, V> {
    /// Creates a cache of at most `capacity` entries. Zero stores nothing.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self::with(CacheBuilder::of_capacity(Some(capacity)))
    }

    /// Creates a cache that keeps every entry until it expires or is invalidated. It grows with the number of distinct keys: use it
    /// only if those are known to be few.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self::with(CacheBuilder::of_capacity(None))
    }

    /// Configures a cache with time limits, weights or a listener; see [`CacheBuilder`].
    pub const fn builder() -> CacheBuilder<K, V> {
        CacheBuilder::new()
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// Returns the value of `key` if it is present and fresh. A value past its ttl, which a call may still receive within
    /// `stale_while_revalidate` or `stale_if_error`, is not returned, and neither is a remembered failure.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.inner().peek(key)
    }

    /// Whether [`get`](Self::get) would return a value. Even if it would not, a call may be answered at once, within
    /// `stale_while_revalidate`.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.get(key).is_some()
    }

    /// Looks several keys up, and returns what [`get`](Self::get) would for each, in the order of the keys. Unlike `get`, this counts:
    /// each key is a hit or a miss, and an entry that is found has been used. Nothing is loaded.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// let cache: Cache<String, u64> = Cache::new(10);
    /// cache.insert("one".to_owned(), 1);
    /// cache.insert("two".to_owned(), 2);
    /// assert_eq!(cache.get_many(["two", "three", "one"]), [Some(2), None, Some(1)]);
    /// assert_eq!((cache.stats().hits, cache.stats().misses), (2, 1));
    /// ```
    ///
    /// The keys are looked up one after another: the cache may change in between.
    pub fn get_many<'q, Q>(&self, keys: impl IntoIterator<Item = &'q Q>) -> Vec<Option<V>>
    where
        Q: Hash + ?Sized + 'q,
        K: Key<Q>,
    {
        keys.into_iter().map(|key| self.inner().get_counted(key)).collect()
    }

    /// Stores a value. It takes precedence over a running computation of this key, whose result is not stored.
    ///
    /// The time limits are those of the builder or, through a function's handle, those of the function, evaluated now. If the
    /// function's `ttl` depends on an argument, it is not known here, and the value stays until it is removed for another reason.
    pub fn insert(&self, key: K, value: V) {
        self.inner().insert(key, &value, Tags::none());
    }

    /// Stores a value with tags, by which [`invalidate_tag`](Self::invalidate_tag) removes it.
    pub fn insert_tagged<T: AsRef<str>>(&self, key: K, value: V, tags: impl IntoIterator<Item = T>) {
        self.inner().insert(key, &value, tags.into_iter().collect());
    }

    /// Removes the value of `key`. A running computation of it still serves its waiters, but its result is not stored; later calls
    /// compute again.
    pub fn invalidate<Q>(&self, key: &Q)
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.inner().invalidate(key);
    }

    /// Removes the value of `key`, as [`invalidate`](Self::invalidate) does, and returns it if [`get`](Self::get) would have.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// let cache: Cache<String, u64> = Cache::new(10);
    /// cache.insert("one".to_owned(), 1);
    /// assert_eq!((cache.remove("one"), cache.remove("one")), (Some(1), None));
    /// ```
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.inner().take(key)
    }

    /// Removes all entries matching the predicate; see [`invalidate`](Self::invalidate). The values of running computations are not
    /// known yet, so none of their results is stored. Remembered failures (`error_ttl`, `none_ttl`) have no value to test and are
    /// all removed.
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
    /// Takes time proportional to the number of entries. The closure runs under locks of the cache and must not use the cache; hits
    /// are not blocked meanwhile.
    ///
    /// # Panics
    ///
    /// If the closure panics. Nothing is removed in that case.
    pub fn invalidate_if(&self, such: impl FnMut(&K, &V) -> bool) {
        self.inner().invalidate_if(such);
    }

    /// Removes all entries with a tag (`tags = [..]`); see [`invalidate`](Self::invalidate).
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
        self.inner().invalidate_tag(tag);
    }

    /// Removes all entries; see [`invalidate`](Self::invalidate).
    pub fn clear(&self) {
        self.inner().clear();
    }

    /// The number of entries, including remembered failures (`error_ttl`, `none_ttl`) and excluding expired entries (see
    /// [tests](crate::cache#tests) that share a cache for an exception).
    pub fn len(&self) -> usize {
        self.inner().len()
    }

    /// Whether the cache has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of running computations, by callers or in the background, including those whose result will not be stored because
    /// the key has been invalidated in the meantime.
    pub fn in_flight(&self) -> usize {
        self.inner().computing()
    }

    /// A snapshot of the cache's statistics.
    pub fn stats(&self) -> Stats {
        self.inner().stats()
    }
}

/// The function name in reports of background computations.
const SPAWNED: &str = "Cache::get_or_spawn";

const MODE: Mode = Mode { refresh: false, single_flight: true };

/// What the closure of [`get_or_load`](Cache::get_or_load) may return for a cache of `V`: a `V`; a `Result<V, E>`, whose `Err` is
/// not stored and is cloned to all waiters (`E: Clone + Send + Sync + 'static`); or an `Option<V>`, whose `None` is not stored. `M`
/// is inferred and never written.
#[diagnostic::on_unimplemented(
    message = "cannot load a cache of `{V}` from `{Self}`",
    label = "neither the value, nor a `Result` or `Option` of it",
    note = "the error of a `Result` is shared by all waiters: it must be `Clone + Send + Sync + 'static` (otherwise wrap it in an `Arc`)"
)]
pub trait Loaded<V, M>: Sized {
    #[doc(hidden)]
    type ReturnKind: ReturnKind<Out = Self, Value = V>;

    #[doc(hidden)]
    fn kind() -> Self::ReturnKind;
}

/// Markers that make the impls of [`Loaded`] distinct; for inference only.
#[doc(hidden)]
#[derive(Debug)]
pub enum ValueMarker {}

#[doc(hidden)]
#[derive(Debug)]
pub struct ResultMarker<E>(E);

#[doc(hidden)]
#[derive(Debug)]
pub enum OptionMarker {}

impl<V> Loaded<V, ValueMarker> for V {
    type ReturnKind = Plain<V>;

    fn kind() -> Plain<V> {
        Plain::of_type()
    }
}

impl<V, E: Clone + Send + Sync + 'static> Loaded<V, ResultMarker<E>> for Result<V, E> {
    type ReturnKind = SharedResult<V, E>;

    fn kind() -> SharedResult<V, E> {
        SharedResult::of_type()
    }
}

impl<V> Loaded<V, OptionMarker> for Option<V> {
    type ReturnKind = Optional<V>;

    fn kind() -> Optional<V> {
        Optional::of_type()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// Returns the value of `key`, computing it with `load` if absent; concurrent callers share the computation.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// static LENGTHS: Cache<String, usize> = Cache::new(100);
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
    /// let plain = LENGTHS.get_or_load("steadfast".to_owned(), async || 9).await;
    /// let load = async || Err::<usize, _>("empty".to_owned());
    /// let fallible = LENGTHS.get_or_load("".to_owned(), load).await;
    /// assert_eq!((plain, fallible), (9, Err("empty".to_owned())));
    /// assert_eq!(LENGTHS.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// Single flight is that of [`async_cached`](macro@crate::async_cached): it is shared with the functions that use the same
    /// cache, and errors, invalidations, panics and dropped callers are handled in the same way.
    ///
    /// # Cancel safety
    ///
    /// If the call is dropped while it computes, the next waiter starts a new computation.
    ///
    /// # Panics
    ///
    /// If `load` requests the key that it is computing.
    pub async fn get_or_load<R, M>(&self, key: K, load: impl AsyncFnOnce() -> R) -> R
    where
        R: Loaded<V, M>,
        K: Key<K>,
    {
        let kind = R::kind();
        let turn = match lookup::begin(self, &key, owned(&key), kind, MODE) {
            Begin::Hit(out) => return out,
            Begin::Miss(turn) => turn,
            Begin::Recursion => panic_of_recursion(),
        };
        let lead = match turn {
            Role::Leader(lead) => lead,
            Role::Waiter(waiter) => match waiter.wait_as_set(kind).await {
                Waited::Done(out) => return out,
                Waited::Leader(lead) => lead,
            },
        };
        let out = lead.scope(load()).await;
        lead.complete(kind, out, self.inner().settings.by_hand())
    }

    /// Like [`get_or_load`](Self::get_or_load), but runs the computation on a task of its own: it completes even if the caller is
    /// dropped, and the cache's `stale_while_revalidate` and `refresh_ahead` apply. A panic that no caller receives is passed to
    /// [`on_report`](crate::on_report), and [`drain`](crate::drain) waits for running computations.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::Cache;
    ///
    /// static RATES: Cache<&str, u64> =
    ///     Cache::builder()
    ///         .ttl(Duration::from_secs(60))
    ///         .stale_while_revalidate(Duration::from_secs(600))
    ///         .build();
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert_eq!(RATES.get_or_spawn("eur", async || 100).await, 100);
    /// tokio::time::advance(Duration::from_secs(90)).await;
    /// // Returned at once, refreshed in the background.
    /// assert_eq!(RATES.get_or_spawn("eur", async || 101).await, 100);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If `load` requests the key that it is computing, if there is no Tokio runtime, or if the runtime shuts down before the
    /// computation ends.
    pub async fn get_or_spawn<R, M, F>(&self, key: K, load: impl FnOnce() -> F) -> R
    where
        R: Loaded<V, M, ReturnKind: 'static> + Send + 'static,
        F: Future<Output = R> + Send + 'static,
        K: Key<K> + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let kind = R::kind();
        let revalidate = self.inner().settings.by_hand().revalidate();
        let next = match lookup::begin_or_refresh(self, &key, owned(&key), kind, MODE, revalidate) {
            Begin::Hit(out) => return out,
            Begin::Miss(next) => next,
            Begin::Recursion => panic_of_recursion(),
        };
        let turn = match next {
            Next::Compute(turn) => turn,
            Next::Refresh(out, lead) => {
                drop(self.spawn(lead, kind, load()));
                return out;
            }
        };
        let lead = match turn {
            Role::Leader(lead) => lead,
            Role::Waiter(waiter) => match waiter.wait_as_set(kind).await {
                Waited::Done(out) => return out,
                Waited::Leader(lead) => lead,
            },
        };
        match self.spawn(lead, kind, load()).await {
            Ok(out) => out,
            Err(stopped) => panic!("{}", stopped.error(SPAWNED)),
        }
    }

    fn spawn<S, F>(&self, lead: Leader<K, V>, kind: S, load: F) -> Spawned<S::Out>
    where
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
        S: ReturnKind<Value = V, Out: Send + 'static> + 'static,
        F: Future<Output = S::Out> + Send + 'static,
    {
        let shared = Arc::clone(self.inner());
        lead.spawn(SPAWNED, kind, async move { (load.await, shared.settings.by_hand()) })
    }
}

fn owned<K: Clone>(key: &K) -> Owned<impl Fn() -> K + '_, impl FnOnce() -> Tags> {
    Owned { key: || key.clone(), tags: Tags::none }
}

#[cold]
fn panic_of_recursion() -> ! {
    panic!("{}", lookup::recursion("Cache::get_or_load"))
}
