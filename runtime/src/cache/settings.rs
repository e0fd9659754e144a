//! The settings of a cache, fixed when it is built.

use std::sync::Arc;
use std::time::Duration;

use super::store::lifetime::Lifetime;
use super::store::removal::Listener;

/// The settings of a cache.
pub(super) struct Settings<K, V> {
    /// `None`: unbounded.
    pub(super) capacity: Option<usize>,
    /// For values stored without a lifetime of their own.
    pub(super) lifetime: Lifetime,
    /// Evaluated for each such value, if the lifetime is not constant.
    pub(super) times: Option<fn() -> Lifetime>,
    pub(super) ttl_of: Option<TtlOf<V>>,
    /// Which values `none_ttl` applies to.
    pub(super) is_none: Option<fn(&V) -> bool>,
    pub(super) load_timeout: Option<Duration>,
    pub(super) weight: Option<Weight<K, V>>,
    pub(super) on_evict: Option<Listener<K, V>>,
    pub(super) name: Option<&'static str>,
}

/// Computes the ttl of a value.
pub(super) enum TtlOf<V> {
    /// From the value.
    Value(fn(&V) -> Duration),
    /// From the value, and from the one that it replaces.
    Change(fn(&V, Option<&V>) -> Duration),
}

impl<V> Clone for TtlOf<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for TtlOf<V> {}

pub(super) type Weight<K, V> = Arc<dyn Fn(&K, &V) -> u64 + Send + Sync>;

impl<K, V> Settings<K, V> {
    /// For at most `capacity` entries, or any number.
    pub(super) const fn of_capacity(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            lifetime: Lifetime::new(),
            times: None,
            ttl_of: None,
            is_none: None,
            load_timeout: None,
            weight: None,
            on_evict: None,
            name: None,
        }
    }

    /// The lifetime of a value inserted by hand, if it is not constant.
    pub(super) fn by_hand(&self) -> Lifetime {
        self.times.map_or_else(Lifetime::new, |times| times())
    }
}

impl<K, V> Clone for Settings<K, V> {
    fn clone(&self) -> Self {
        let (weight, on_evict) = (self.weight.clone(), self.on_evict.clone());
        Self { weight, on_evict, ..*self }
    }
}
