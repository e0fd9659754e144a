//! The public form of a map of policies.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::OnceLock;

use super::map::{KeyedEntry, KeyedMap, MAX_KEYS};
use super::retain::Retain;
use crate::key::Key;

/// A separate policy for each key: a [`CircuitBreaker`](crate::CircuitBreaker) for each host, a
/// [`ConcurrencyLimiter`](crate::ConcurrencyLimiter) for each tenant.
///
/// Put it into a `static` and name it in [`#[circuit_breaker(HOSTS, key = host)]`](macro@crate::circuit_breaker#options), or use it by hand.
/// The object of a key is made when the key is [first used](Self::of), by the function that [`new`](Self::new) takes.
///
/// The number of keys is bounded ([`max_keys`](Self::max_keys)). To make room, idle objects are forgotten first, which a new object would
/// equal, then the least recently used of the others. An open circuit is never forgotten before its `open_for` is over, and no limit
/// while it is in use or waited for. If no object can be forgotten, a further key gets an object that only its caller has.
///
/// ```
/// use steadfast::{CircuitBreaker, CircuitState, Keyed};
///
/// static HOSTS: Keyed<String, CircuitBreaker> = Keyed::new(|| CircuitBreaker::new().failures(1));
///
/// async fn fetch(host: &str) -> std::io::Result<u64> {
///     let fetched = async || if host == "down" { Err(std::io::ErrorKind::ConnectionRefused.into()) } else { Ok(1) };
///     HOSTS.of(host).call(fetched).await
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// assert!(fetch("down").await.is_err());
/// assert_eq!(HOSTS.of("down").state(), CircuitState::Open);
/// assert_eq!(fetch("up").await.unwrap(), 1);
/// assert_eq!(HOSTS.len(), 2);
/// # }
/// ```
pub struct Keyed<K, P> {
    make: fn() -> P,
    max_keys: usize,
    map: OnceLock<KeyedMap<P>>,
    keys: PhantomData<fn() -> K>,
}

impl<K, P> Keyed<K, P> {
    /// Policies that `make` creates, one for each key.
    #[must_use]
    pub const fn new(make: fn() -> P) -> Self {
        Self { make, max_keys: MAX_KEYS, map: OnceLock::new(), keys: PhantomData }
    }

    /// Sets how many keys have an object at most, besides those whose [`KeyedRef`] a caller holds right now. Default: 65,536. Zero counts
    /// as 1.
    #[must_use]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }
}

impl<K, P> Keyed<K, P>
where
    K: Hash + Eq + Send + Sync + 'static,
    P: Retain + Send + Sync + 'static,
{
    /// The policy of a key, which is created if the key is new. A `String` key can be looked up by a `&str`, a `Vec<T>` by a `&[T]`;
    /// only a new key is copied.
    ///
    /// While the returned reference exists, the policy is not forgotten.
    ///
    /// # Panics
    ///
    /// If the function that makes a policy, or the `Hash`, `Eq` or `ToOwned` of the key panics. No lock is held while they run: they may use
    /// the same `Keyed`.
    ///
    /// ```
    /// use steadfast::{ConcurrencyLimiter, Keyed};
    ///
    /// static TENANTS: Keyed<String, ConcurrencyLimiter> = Keyed::new(|| ConcurrencyLimiter::new(2));
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let limiter = TENANTS.of("a");
    /// let _permit = limiter.acquire().await;
    /// assert_eq!(TENANTS.of("a").running(), 1);
    /// assert_eq!(TENANTS.of("b").running(), 0);
    /// # }
    /// ```
    pub fn of<Q>(&self, key: &Q) -> KeyedRef<P>
    where
        K: Key<Q>,
        Q: Hash + ToOwned<Owned = K> + ?Sized,
    {
        self.find(key, || key.to_owned())
    }

    /// The same with another way to make the owned key.
    pub(crate) fn find<Q>(&self, key: &Q, own: impl FnOnce() -> K) -> KeyedRef<P>
    where
        K: Key<Q>,
        Q: Hash + ?Sized,
    {
        let map = self.map.get_or_init(|| KeyedMap::new(self.max_keys));
        KeyedRef(map.of(key, own, self.make))
    }

    /// The number of keys that have a policy now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.get().map_or(0, KeyedMap::len)
    }

    /// Whether no key has a policy now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `look` with each key and its policy, in no particular order. No lock is held meanwhile; keys that come or go during the call may be
    /// missed.
    pub fn for_each(&self, mut look: impl FnMut(&K, &P)) {
        for entry in self.map.get().map(|map| map.filter(|_| true)).into_iter().flatten() {
            if let Some(key) = entry.key::<K>() {
                look(key, &entry);
            }
        }
    }
}

/// The policy of a key, from [`Keyed::of`].
pub struct KeyedRef<P>(KeyedEntry<P>);

impl<P> KeyedRef<P> {
    pub(super) fn new(entry: KeyedEntry<P>) -> Self {
        Self(entry)
    }
}

impl<P> Deref for KeyedRef<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P: fmt::Debug> fmt::Debug for KeyedRef<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<K, P> fmt::Debug for Keyed<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("max_keys", &self.max_keys).finish_non_exhaustive()
    }
}
