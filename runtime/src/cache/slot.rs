//! Where a function's own cache lives: in a static, one for each instantiation of a generic function.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::{Cache, DEFAULT_CAPACITY, Settings};

type AnyCache = &'static (dyn Any + Send + Sync);

/// The caches of one function.
///
/// A static is shared by all instantiations of the function around it, and an attribute cannot see the generics of an `impl`. What tells
/// instantiations apart is the type of a closure written in the function: it has all type parameters that are in scope there.
pub struct Slot {
    /// That of a function with one instantiation, which is nearly every one.
    first: OnceLock<(TypeId, AnyCache)>,
    others: OnceLock<RwLock<HashMap<(TypeId, TypeId), AnyCache>>>,
}

/// How the cache of a function is made.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    settings: Settings,
}

/// The settings of a function's own cache: `capacity`, and the `ttl` of what is inserted by hand.
#[must_use]
pub fn settings() -> Capacity {
    Capacity { settings: Settings { capacity: Some(DEFAULT_CAPACITY), ttl: None } }
}

impl Capacity {
    /// `capacity = n`.
    #[must_use]
    pub fn capacity(self, capacity: usize) -> Self {
        Self { settings: Settings { capacity: Some(capacity), ..self.settings } }
    }

    /// `unbounded`.
    #[must_use]
    pub fn unbounded(self) -> Self {
        Self { settings: Settings { capacity: None, ..self.settings } }
    }

    /// `ttl`, where it does not depend on the arguments.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { settings: Settings { ttl: Some(ttl), ..self.settings } }
    }
}

impl Slot {
    /// No cache yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub const fn new() -> Self {
        Self { first: OnceLock::new(), others: OnceLock::new() }
    }

    /// The cache of the instantiation that wrote the closure `_instance`.
    #[inline]
    pub fn cache<K, V, I: Fn()>(&'static self, _instance: I, settings: impl FnOnce() -> Capacity) -> &'static Cache<K, V>
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let instance = typeid::of::<I>();
        if let Some((first, cache)) = self.first.get()
            && *first == instance
            && let Some(cache) = cache.downcast_ref()
        {
            return cache;
        }
        self.find(instance, settings)
    }

    #[inline(never)]
    fn find<K, V>(&'static self, instance: TypeId, settings: impl FnOnce() -> Capacity) -> &'static Cache<K, V>
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let mut settings = Some(settings);
        let mut make = move || -> AnyCache {
            let settings = settings.take().expect("a call makes one cache at most");
            Box::leak(Box::new(Cache::<K, V>::with(settings().settings)))
        };
        let (first, cache) = self.first.get_or_init(|| (instance, make()));
        if *first == instance
            && let Some(cache) = cache.downcast_ref()
        {
            return cache;
        }
        let others = self.others.get_or_init(RwLock::default);
        let id = (instance, TypeId::of::<Cache<K, V>>());
        let known = others.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
        let cache = known.unwrap_or_else(|| *others.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert_with(make));
        cache.downcast_ref().expect("the type is part of the id")
    }
}
