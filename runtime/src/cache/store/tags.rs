//! Tags: names for groups of entries, by which a group can be invalidated at once.

use std::sync::Arc;

/// The tags of one entry.
#[derive(Debug, Clone, Default)]
pub struct Tags(Option<Arc<[Arc<str>]>>);

impl Tags {
    /// No tags.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// `tags = [..]`
    #[must_use]
    pub fn new<const N: usize>(tags: [Arc<str>; N]) -> Self {
        Self(if N == 0 { None } else { Some(Arc::new(tags)) })
    }

    pub(crate) fn contains(&self, tag: &str) -> bool {
        self.iter().any(|own| **own == *tag)
    }

    /// Whether there are no tags.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().flat_map(|tags| tags.iter())
    }
}

impl<T: AsRef<str>> FromIterator<T> for Tags {
    fn from_iter<I: IntoIterator<Item = T>>(tags: I) -> Self {
        let tags: Arc<[Arc<str>]> = tags.into_iter().map(|tag| tag.as_ref().into()).collect();
        Self((!tags.is_empty()).then_some(tags))
    }
}

/// Bound check: anything that is text can be a tag.
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
