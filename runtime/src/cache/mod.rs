//! `#[async_cached]` and the cache behind it.
//!
//! The store (which entry to keep) is `quick_cache`'s. How long an entry is fresh and who computes it is decided here.

mod call;
mod entry;
mod expiry;
mod flight;
mod key;
mod shape;
mod shared;
mod slot;
mod stats;
mod store;

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use key::Key;
pub use stats::Stats;

use entry::Found;
use shared::Shared;

/// Keeps what an async function returned, keyed by its arguments, and lets one caller compute while the others wait.
///
/// ```
/// use steadfast::async_cached;
///
/// #[async_cached(ttl = 60s, handle = names)]
/// async fn name(id: u64, locale: &str) -> std::io::Result<String> {
///     Ok(format!("user {id} in {locale}"))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// name(7, "eu").await?; // computes
/// name(7, "eu").await?; // a hit: the body does not run, nothing is allocated for the look-up
/// assert_eq!(names().stats().hits, 1);
/// names().invalidate(&(7, "eu")); // keyed as the function is called
/// assert!(!names().contains(&(7, "eu")));
/// # Ok(()) }
/// ```
///
/// # The key
///
/// All arguments, compared by `Eq`: each is `Hash + Eq + Clone + Send + Sync + 'static` in its owned form (`&str` is kept as `String`,
/// `&[T]` as `Vec<T>`, `&T` as `T`). A method says what `self` is: `skip(self)`, a `key`, or a `cache` that is a field of `self`.
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `handle = name` | none | makes `fn name() -> &'static Cache<K, V>` beside the function (`handle = Self::name` inside an `impl`; `handle = name: Cache<K, V>` where the types cannot be read off the signature) |
/// | `capacity = n` | 10 000 | how many entries are kept at most |
/// | `unbounded` | | entries are kept until they expire or are invalidated |
/// | `ttl = duration` | for ever | how long a value is fresh; an expression may name the arguments, and is evaluated when a value is computed |
/// | `key = expr` | all arguments | what the value depends on, as an owned value |
/// | `skip(arg, ..)` | none | arguments on which the value does not depend; they need no bound |
/// | `cache = expr` | its own | a [`Cache`] that may be shared: a `static`, or a field as in `cache = self.users` |
/// | `error_ttl = duration` | not stored | how long an `Err` is remembered (`E: Clone + Send + Sync + 'static`) |
/// | `none_ttl = duration` | not stored | how long a `None` is remembered |
/// | `refresh_if = bool` | `false` | where true, computes anew and stores under the same key; an argument used only there is not part of the key |
/// | `single_flight = bool` | `true` | whether callers of one key wait for the one that computes |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// # Who computes
///
/// The first caller of a cold key; all who come meanwhile wait for it, per key and never across keys. Its error goes to all of them if
/// the error is `Clone + Send + Sync + 'static`; otherwise they try one after another. If the computing caller is dropped or panics, the
/// next waiter computes. `invalidate`, `clear` and `insert` win over a computation that began before them: its value goes to those who
/// already wait for it, and is not stored.
///
/// A generic function (also one in a generic `impl`) has a cache for each instantiation.
///
/// # Errors
///
/// A function that calls itself with the key that it is computing would wait for itself: it gets an [`Error`](crate::Error) for which
/// [`is_recursion`](crate::Error::is_recursion) holds, if its return type can carry one, and panics otherwise. (A recursion that goes
/// through a spawned task is not seen.)
///
/// # Cancel safety
///
/// A caller that is dropped while it waits leaves the others alone; one that is dropped while it computes hands over to the next.
///
/// # Panics
///
/// A panic of the body is the computing caller's own.
///
/// # Bounds
///
/// The value (the `T` of a `Result<T, E>` or an `Option<T>`, else the whole return value) is `Clone + Send + Sync + 'static`: put
/// what is expensive to clone into an `Arc`.
pub use steadfast_macros::async_cached;

/// How many entries a cache keeps when nothing is said.
const DEFAULT_CAPACITY: usize = 10_000;

/// A bounded cache with single flight: what stands behind [`async_cached`](macro@async_cached).
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
pub struct Cache<K, V> {
    settings: Settings,
    // Made at first use, so that `new` can be `const`; shared with the callers that compute, so that they need not borrow the cache.
    shared: OnceLock<Arc<Shared<K, V>>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// `None`: unbounded.
    capacity: Option<usize>,
    /// For values inserted by hand.
    ttl: Option<Duration>,
}

impl<K, V> Cache<K, V> {
    /// A cache of at most `capacity` entries. Zero keeps nothing.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self::with(Settings { capacity: Some(capacity), ttl: None })
    }

    /// A cache that keeps everything until it expires or is invalidated. It grows with the number of distinct keys: ask for it only
    /// where those are known to be few.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self::with(Settings { capacity: None, ttl: None })
    }

    const fn with(settings: Settings) -> Self {
        Self { settings, shared: OnceLock::new() }
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared<K, V>> {
        self.shared.get_or_init(|| Arc::new(Shared::new(self.settings)))
    }

    /// The value that a call with `key` would find, if it is there and fresh.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        match self.shared().peek(key)? {
            Found::Value(value) => Some(value),
            Found::Failure(_) => None,
        }
    }

    /// Whether a call with `key` would find a value.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + ?Sized,
        K: Key<Q>,
    {
        self.get(key).is_some()
    }

    /// Stores a value. It wins over a computation of this key that is under way: that one's result is not stored.
    pub fn insert(&self, key: K, value: V) {
        self.shared().insert(key, value);
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

    /// Forgets everything, in the way of [`invalidate`](Self::invalidate).
    pub fn clear(&self) {
        self.shared().clear();
    }

    /// How many entries there are, remembered failures (`error_ttl`, `none_ttl`) included, expired ones not.
    pub fn len(&self) -> usize {
        self.shared().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the cached calls met so far.
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::call::{Begin, Mode, begin, recursion};
    pub use super::flight::{Freshness, Lead, Turn, Waited, Waiter};
    pub use super::key::{assert_argument, assert_option, assert_readable, assert_value};
    pub use super::shape::{Kind, Shape, remember_errors};
    pub use super::slot::{Capacity, Slot, settings};
}
