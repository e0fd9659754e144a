//! The name of a breaker, a limit or a budget, under which the registry lists it independently of a function.

#[cfg(not(feature = "registry"))]
use std::marker::PhantomData;
#[cfg(feature = "registry")]
use std::sync::{Arc, OnceLock};

/// An object that can be listed by name. The registry implements it for each kind of object.
#[cfg(feature = "registry")]
pub(crate) trait Listed: Sized {
    /// Adds `this` to the list, at its first use.
    fn list(this: &Arc<Self>, name: &'static str);
}

/// The name of a `T`, and the state of a `T` with a name.
///
/// A value in a field may be moved and dropped, so the registry can refer to it only through something shared: the state of a `T` with a name is
/// a second `T` on the heap, created at first use, and the field only points to it. Without a name, or without the feature `registry`, a `T` is
/// its own state.
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

    /// Sets the name, before first use.
    pub(crate) const fn set(&mut self, name: &'static str) {
        self.name = name;
        #[cfg(feature = "registry")]
        {
            self.shared = !name.is_empty();
        }
    }

    /// The name, if there is one.
    pub(crate) fn get(&self) -> Option<&'static str> {
        (!self.name.is_empty()).then_some(self.name)
    }
}

#[cfg(feature = "registry")]
impl<T: Listed> Name<T> {
    /// The state of `own`, whose name this is. `make` creates another one with the same settings.
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
    /// Its own state, see above.
    #[inline]
    #[expect(clippy::unused_self, reason = "the same call with the feature `registry`")]
    pub(crate) fn state<'a>(&self, own: &'a T, _: impl FnOnce() -> T) -> &'a T {
        own
    }
}
