//! Names for groups of entries, so that a group can be forgotten at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::store::Place;

/// The tags of one entry.
#[derive(Debug, Clone, Default)]
pub struct Tags(Option<Arc<[Arc<str>]>>);

impl Tags {
    /// No tag.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// `tags = [..]`
    #[must_use]
    pub fn new<const N: usize>(tags: [Arc<str>; N]) -> Self {
        Self(if N == 0 { None } else { Some(Arc::new(tags)) })
    }

    pub(super) fn contains(&self, tag: &str) -> bool {
        self.iter().any(|own| **own == *tag)
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().flat_map(|tags| tags.iter())
    }
}

impl<T: AsRef<str>> FromIterator<T> for Tags {
    fn from_iter<I: IntoIterator<Item = T>>(tags: I) -> Self {
        let tags: Arc<[Arc<str>]> = tags.into_iter().map(|tag| tag.as_ref().into()).collect();
        Self((!tags.is_empty()).then_some(tags))
    }
}

/// What can be a tag: anything that is text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tag",
    label = "not text",
    note = "a tag is a `&str` or a `String`: write `format!(\"tenant:{{tenant}}\")`"
)]
pub trait Tag {
    /// The text.
    fn text(&self) -> Arc<str>;
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized> Tag for T {
    fn text(&self) -> Arc<str> {
        self.as_ref().into()
    }
}

/// One element of `tags = [..]`.
pub fn tag<T: Tag + ?Sized>(tag: &T) -> Arc<str> {
    tag.text()
}

/// Where the entries with a tag are.
#[derive(Debug, Default)]
pub(super) struct TagIndex(Mutex<HashMap<Arc<str>, HashSet<Place>>>);

impl TagIndex {
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, HashSet<Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists an entry, before it is stored: it may leave the store at any time after.
    pub(super) fn list(&self, tags: &Tags, place: Place) {
        if tags.0.is_none() {
            return;
        }
        let mut index = self.lock();
        for tag in tags.iter() {
            index.entry(Arc::clone(tag)).or_default().insert(place);
        }
    }

    pub(super) fn strike_off(&self, tags: &Tags, place: Place) {
        if tags.0.is_none() {
            return;
        }
        let mut index = self.lock();
        for tag in tags.iter() {
            if let Some(places) = index.get_mut(tag) {
                places.remove(&place);
                if places.is_empty() {
                    index.remove(tag);
                }
            }
        }
        if index.capacity() > 4 * index.len() + 64 {
            index.shrink_to_fit();
        }
    }

    pub(super) fn places(&self, tag: &str) -> Vec<Place> {
        self.lock().get(tag).map(|places| places.iter().copied().collect()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}
