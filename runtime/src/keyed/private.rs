//! What expansions call for a `key`.

use std::hash::Hash;
use std::sync::OnceLock;

pub use super::by_key::{Keyed, KeyedRef};
use super::map::KeyedMap;
pub use super::map::MAX_KEYS;
use super::retain::Retain;
use crate::key::Key;

/// The static of a function's own policies. The type of its keys is only inferred, and may differ between its instantiations.
pub struct KeyedSlot<P>(OnceLock<KeyedMap<P>>);

impl<P: Retain + Send + Sync + 'static> KeyedSlot<P> {
    /// Not initialized.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Calls `look` with each policy.
    #[cfg(feature = "registry")]
    pub(crate) fn for_each(&self, look: &mut dyn FnMut(&P)) {
        self.0.get().map(|map| map.filter(|_| true)).into_iter().flatten().for_each(|entry| look(&entry));
    }

    /// The policy of a key. The maximum is evaluated by the first call.
    #[inline]
    pub fn of<K, Q>(
        &'static self,
        max_keys: impl FnOnce() -> usize,
        make: impl FnOnce() -> P,
        query: &Q,
        own: impl FnOnce() -> K,
    ) -> KeyedRef<P>
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        KeyedRef::new(self.0.get_or_init(|| KeyedMap::new(max_keys())).of(query, own, make))
    }
}

/// The policy of a key in a map that is created elsewhere.
#[inline]
pub fn of<K, Q, P>(keyed: &Keyed<K, P>, query: &Q, own: impl FnOnce() -> K) -> KeyedRef<P>
where
    K: Key<Q> + Hash + Eq + Send + Sync + 'static,
    Q: Hash + ?Sized,
    P: Retain + Send + Sync + 'static,
{
    keyed.find(query, own)
}

/// The map itself: anything else is an error where it is named.
#[inline]
pub fn map<K, P>(keyed: &Keyed<K, P>) -> &Keyed<K, P> {
    keyed
}
