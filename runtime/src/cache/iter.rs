//! Iteration over the entries of a cache.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::vec;

use super::handle::Cache;
use super::inner::Inner;

/// An iterator over clones of the entries of a [`Cache`], in no particular order; created by [`Cache::iter`].
pub struct Iter<K, V> {
    inner: Arc<Inner<K, V>>,
    /// The next shard of the store.
    next: usize,
    /// What is left of the previous one.
    fresh: vec::IntoIter<(K, V)>,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// Iterates over clones of the entries: the values that [`get`](Self::get) would return. Expired values and remembered failures
    /// are not among them. Counts neither as hits nor as uses.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// let cache: Cache<u64, String> = Cache::new(10);
    /// cache.insert(1, "one".to_owned());
    /// cache.insert(2, "two".to_owned());
    /// for (key, value) in &cache {
    ///     if value.len() == 3 && key > 1 {
    ///         cache.invalidate(&key); // no lock is held here
    ///     }
    /// }
    /// assert_eq!(cache.iter().collect::<Vec<_>>(), [(1, "one".to_owned())]);
    /// ```
    ///
    /// The iteration is weakly consistent: it sees each part of the cache at the moment it arrives there, so an entry that is stored
    /// or removed meanwhile may or may not be returned, and one that is replaced may be returned in its old form; no key is returned
    /// twice. Keys and values are cloned under a lock of the cache, part by part, and must not use the cache in their `Clone`; the
    /// caller holds no lock.
    #[must_use]
    pub fn iter(&self) -> Iter<K, V> {
        Iter { inner: Arc::clone(self.inner()), next: 0, fresh: Vec::new().into_iter() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Iterator for Iter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        loop {
            if let Some(entry) = self.fresh.next() {
                return Some(entry);
            }
            if self.next == self.inner.shards() {
                return None;
            }
            self.fresh = self.inner.fresh_in(self.next).into_iter();
            self.next += 1;
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> std::iter::FusedIterator for Iter<K, V> {}

impl<K: Hash + Eq + Clone, V: Clone> IntoIterator for &Cache<K, V> {
    type Item = (K, V);
    type IntoIter = Iter<K, V>;

    fn into_iter(self) -> Iter<K, V> {
        self.iter()
    }
}

impl<K, V> fmt::Debug for Iter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
