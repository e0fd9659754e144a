//! The index from tags to entries.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::EntryId;
use super::tags::Tags;

/// The locations of the entries with a tag.
#[derive(Debug, Default)]
pub(crate) struct TagIndex(Mutex<HashMap<Arc<str>, HashSet<EntryId>>>);

impl TagIndex {
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, HashSet<EntryId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry, before it is stored, since it may be removed from the store at any time after that.
    pub(crate) fn list(&self, tags: &Tags, id: EntryId) {
        if tags.is_empty() {
            return;
        }
        let mut index = self.lock();
        for tag in tags.iter() {
            index.entry(Arc::clone(tag)).or_default().insert(id);
        }
    }

    pub(crate) fn remove(&self, tags: &Tags, id: EntryId) {
        if tags.is_empty() {
            return;
        }
        let mut index = self.lock();
        for tag in tags.iter() {
            if let Some(ids) = index.get_mut(tag) {
                ids.remove(&id);
                if ids.is_empty() {
                    index.remove(tag);
                }
            }
        }
        if index.capacity() > 4 * index.len() + 64 {
            index.shrink_to_fit();
        }
    }

    pub(crate) fn ids(&self, tag: &str) -> Vec<EntryId> {
        self.lock().get(tag).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}
