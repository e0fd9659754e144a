//! `ttl = |value, previous| ..`: the value that a new one replaces.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::handle::Cache;
use super::inner::Inner;

/// Where the value is that a computation replaces. `None`: the call runs alone.
pub struct Previous<K, V>(Option<Place<K, V>>);

struct Place<K, V> {
    inner: Arc<Inner<K, V>>,
    hash: u64,
    key: K,
}

impl<K: Hash + Eq, V: Clone> Previous<K, V> {
    /// For a computation of `key`.
    pub fn new(cache: &Cache<K, V>, key: K) -> Self {
        let inner = cache.inner();
        Self(Some(Place { inner: Arc::clone(inner), hash: inner.hash(&key), key }))
    }
}

impl<K, V> Previous<K, V> {
    /// For a call that runs alone.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }
}

/// Applies `ttl = |value, previous| ..` to a value, and to the one that it replaces, which is read now.
pub fn ttl_of_change<K, V>(previous: &Previous<K, V>, value: &V, ttl: impl FnOnce(&V, Option<&V>) -> Duration) -> Duration
where
    K: Hash + Eq,
    V: Clone,
{
    let previous = previous.0.as_ref().and_then(|place| place.inner.previous(place.hash, &place.key));
    ttl(value, previous.as_ref())
}
