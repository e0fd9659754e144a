//! What a program does with a cache by hand: look, store, invalidate, load.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use super::builder::CacheBuilder;
use super::flight::background::Spawned;
use super::flight::leader::Lead;
use super::flight::waiter::{Turn, Waited};
use super::handle::Cache;
use super::lookup::{self, Begin, Mode, Next, Owned};
use super::return_kind::{Optional, Plain, Shape, SharedResult};
use super::stats::Stats;
use super::store::tags::Tags;
use crate::key::Key;

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
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// The value of `key`, if it is there and fresh. A value past its ttl, which a call may still be served within
    /// `stale_while_revalidate` or `stale_if_error`, is not found, and neither is a remembered failure.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.inner().peek(key)
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
        self.inner().insert(key, &value, Tags::none());
    }

    /// Stores a value under tags, by which [`invalidate_tag`](Self::invalidate_tag) finds it.
    pub fn insert_tagged<T: AsRef<str>>(&self, key: K, value: V, tags: impl IntoIterator<Item = T>) {
        self.inner().insert(key, &value, tags.into_iter().collect());
    }

    /// Forgets the value of `key`. A computation of it that is under way still serves those who wait for it, and is not stored; a
    /// call that comes later computes anew.
    pub fn invalidate<Q>(&self, key: &Q)
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.inner().invalidate(key);
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
        self.inner().invalidate_if(such);
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
        self.inner().invalidate_tag(tag);
    }

    /// Forgets everything, in the way of [`invalidate`](Self::invalidate).
    pub fn clear(&self) {
        self.inner().clear();
    }

    /// How many entries there are, remembered failures (`error_ttl`, `none_ttl`) included, expired ones not (see there for
    /// [tests](crate::cache#tests) that share a cache).
    pub fn len(&self) -> usize {
        self.inner().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many computations are under way, in the background or by callers; also those whose value will not be stored, since the key was
    /// invalidated meanwhile.
    pub fn in_flight(&self) -> usize {
        self.inner().computing()
    }

    /// What the cached calls met so far.
    pub fn stats(&self) -> Stats {
        self.inner().stats()
    }
}

/// Under which name a computation in the background is reported.
const SPAWNED: &str = "Cache::get_or_spawn";

const MODE: Mode = Mode { refresh: false, single_flight: true };

/// What a loading closure may return, for a cache of `V`: a `V`; a `Result<V, E>`, whose `Err` is not stored and goes to all who wait
/// (`E: Clone + Send + Sync + 'static`); or an `Option<V>`, whose `None` is not stored. Which of them is inferred: `M` is never written.
#[diagnostic::on_unimplemented(
    message = "cannot load a cache of `{V}` from `{Self}`",
    label = "neither the value, nor a `Result` or `Option` of it",
    note = "the error of a `Result` is shared by all waiters: it must be `Clone + Send + Sync + 'static` (otherwise wrap it in an `Arc`)"
)]
pub trait Loaded<V, M>: Sized {
    #[doc(hidden)]
    type Shape: Shape<Out = Self, Value = V>;

    #[doc(hidden)]
    fn shape() -> Self::Shape;
}

/// How a return type is stored, told apart for inference only.
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
    type Shape = Plain<V>;

    fn shape() -> Plain<V> {
        Plain::of_type()
    }
}

impl<V, E: Clone + Send + Sync + 'static> Loaded<V, ResultMarker<E>> for Result<V, E> {
    type Shape = SharedResult<V, E>;

    fn shape() -> SharedResult<V, E> {
        SharedResult::of_type()
    }
}

impl<V> Loaded<V, OptionMarker> for Option<V> {
    type Shape = Optional<V>;

    fn shape() -> Optional<V> {
        Optional::of_type()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// The value of `key`; where it is not there, `load` computes it, once for all who ask meanwhile.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// static LENGTHS: Cache<String, usize> = Cache::new(100);
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
    /// let plain = LENGTHS.get_or_load("steadfast".to_owned(), async || 9).await;
    /// let fallible = LENGTHS.get_or_load("".to_owned(), async || Err::<usize, _>("empty".to_owned())).await;
    /// assert_eq!((plain, fallible), (9, Err("empty".to_owned())));
    /// assert_eq!(LENGTHS.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// The flights are those of [`async_cached`](macro@crate::async_cached): they are shared with the functions that use the same cache,
    /// and end in the same way for errors, invalidations, panics and callers that are dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call while it computes hands over to the next who waits.
    ///
    /// # Panics
    ///
    /// Where `load` asks for the key that it is computing.
    pub async fn get_or_load<R, M>(&self, key: K, load: impl AsyncFnOnce() -> R) -> R
    where
        R: Loaded<V, M>,
        K: Key<K>,
    {
        let shape = R::shape();
        let turn = match lookup::begin(self, &key, owned(&key), shape, MODE) {
            Begin::Hit(out) => return out,
            Begin::Miss(turn) => turn,
            Begin::Recursion => panic_of_recursion(),
        };
        let lead = match turn {
            Turn::Lead(lead) => lead,
            Turn::Wait(waiter) => match waiter.wait_as_set(shape).await {
                Waited::Done(out) => return out,
                Waited::Lead(lead) => lead,
            },
        };
        let out = lead.scope(load()).await;
        lead.land(shape, out, self.inner().settings.by_hand())
    }

    /// Like [`get_or_load`](Self::get_or_load), with the computation on a task of its own: a caller that is dropped does not throw it
    /// away, and `stale_while_revalidate` and `refresh_ahead` of the cache apply. A panic that no caller sees goes to [`on_report`](crate::on_report),
    /// and [`drain`](crate::drain) waits for what is under way.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::Cache;
    ///
    /// static RATES: Cache<&str, u64> =
    ///     Cache::builder().ttl(Duration::from_secs(60)).stale_while_revalidate(Duration::from_secs(600)).build();
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert_eq!(RATES.get_or_spawn("eur", async || 100).await, 100);
    /// tokio::time::advance(Duration::from_secs(90)).await;
    /// assert_eq!(RATES.get_or_spawn("eur", async || 101).await, 100); // at once, and refreshed behind it
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where `load` asks for the key that it is computing, and where there is no runtime or it shuts down meanwhile.
    pub async fn get_or_spawn<R, M, F>(&self, key: K, load: impl FnOnce() -> F) -> R
    where
        R: Loaded<V, M, Shape: 'static> + Send + 'static,
        F: Future<Output = R> + Send + 'static,
        K: Key<K> + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let shape = R::shape();
        let revalidate = self.inner().settings.by_hand().revalidate();
        let next = match lookup::begin_or_refresh(self, &key, owned(&key), shape, MODE, revalidate) {
            Begin::Hit(out) => return out,
            Begin::Miss(next) => next,
            Begin::Recursion => panic_of_recursion(),
        };
        let turn = match next {
            Next::Compute(turn) => turn,
            Next::Refresh(out, lead) => {
                drop(self.spawn(lead, shape, load()));
                return out;
            }
        };
        let lead = match turn {
            Turn::Lead(lead) => lead,
            Turn::Wait(waiter) => match waiter.wait_as_set(shape).await {
                Waited::Done(out) => return out,
                Waited::Lead(lead) => lead,
            },
        };
        match self.spawn(lead, shape, load()).await {
            Ok(out) => out,
            Err(stopped) => panic!("{}", stopped.error(SPAWNED)),
        }
    }

    fn spawn<S, F>(&self, lead: Lead<K, V>, shape: S, load: F) -> Spawned<S::Out>
    where
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
        S: Shape<Value = V, Out: Send + 'static> + 'static,
        F: Future<Output = S::Out> + Send + 'static,
    {
        let shared = Arc::clone(self.inner());
        lead.spawn(SPAWNED, shape, async move { (load.await, shared.settings.by_hand()) })
    }
}

fn owned<K: Clone>(key: &K) -> Owned<impl Fn() -> K + '_, impl FnOnce() -> Tags> {
    Owned { key: || key.clone(), tags: Tags::none }
}

#[cold]
fn panic_of_recursion() -> ! {
    panic!("{}", lookup::recursion("Cache::get_or_load"))
}
