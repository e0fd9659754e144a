//! The name of a breaker, a limit, a budget that stands in a field: by it, and not by a function, the registry knows it.

#[cfg(not(feature = "registry"))]
use std::marker::PhantomData;
#[cfg(feature = "registry")]
use std::sync::{Arc, OnceLock};

/// What can be listed by its name. The registry, which knows all kinds of objects, implements it for each of them.
#[cfg(feature = "registry")]
pub(crate) trait Listed: Sized {
    /// Puts `this` into the list, at its first use.
    fn list(this: &Arc<Self>, name: &'static str);
}

/// The name of a `T`, and where the state of a `T` with a name is.
///
/// What stands in a field may be moved and dropped, so that the registry can only know it by something shared: the state of a `T` that has a
/// name is a second `T` on the heap, made when it is first used, and the field no more than the way to it. One without a name, or without
/// the feature `registry`, is its own state.
pub(crate) struct Name<T> {
    name: &'static str,
    /// Whether the state is in `state`.
    #[cfg(feature = "registry")]
    shared: bool,
    #[cfg(feature = "registry")]
    state: OnceLock<Arc<T>>,
    #[cfg(not(feature = "registry"))]
    state: PhantomData<fn() -> T>,
}

impl<T> Name<T> {
    pub(crate) const fn none() -> Self {
        Self {
            name: "",
            #[cfg(feature = "registry")]
            shared: false,
            #[cfg(feature = "registry")]
            state: OnceLock::new(),
            #[cfg(not(feature = "registry"))]
            state: PhantomData,
        }
    }

    /// Gives the name, before first use.
    pub(crate) const fn set(&mut self, name: &'static str) {
        self.name = name;
        #[cfg(feature = "registry")]
        {
            self.shared = !name.is_empty();
        }
    }

    /// The name, where there is one.
    pub(crate) fn get(&self) -> Option<&'static str> {
        (!self.name.is_empty()).then_some(self.name)
    }
}

#[cfg(feature = "registry")]
impl<T: Listed> Name<T> {
    /// The state of `own`, which this is the name of. `make` makes another one of the same settings.
    #[inline]
    pub(crate) fn state<'a>(&'a self, own: &'a T, make: impl FnOnce() -> T) -> &'a T {
        if self.shared { self.listed(make) } else { own }
    }

    #[inline]
    fn listed(&self, make: impl FnOnce() -> T) -> &T {
        self.state.get_or_init(|| {
            let state = Arc::new(make());
            T::list(&state, self.name);
            state
        })
    }
}

#[cfg(not(feature = "registry"))]
impl<T> Name<T> {
    /// See above: it is its own.
    #[inline]
    #[expect(clippy::unused_self, reason = "the same call with the feature `registry`")]
    pub(crate) fn state<'a>(&self, own: &'a T, _: impl FnOnce() -> T) -> &'a T {
        own
    }
}
