//! Where a function's own cache is stored: in a `static`, one cache per instantiation of a generic function.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{OnceLock, PoisonError, RwLock};

use super::builder::CacheBuilder;
use super::handle::Cache;
use super::lookup::Owned;
use super::return_kind::ReturnKind;

type AnyCache = &'static (dyn Any + Send + Sync);

/// The caches of one function.
///
/// A `static` is shared by all instantiations of the function it is in, and an attribute cannot see the generics of an `impl`.
/// Instantiations are distinguished by the type of a closure written in the function, which captures all type parameters in scope.
pub struct CacheSlot {
    /// The instantiation that is called first, usually the only one.
    first: OnceLock<(TypeId, AnyCache)>,
    others: OnceLock<RwLock<HashMap<(TypeId, TypeId), AnyCache>>>,
}

/// A closure that configures a cache.
pub trait Settings<K, V>: FnOnce(CacheBuilder<K, V>) -> CacheBuilder<K, V> {}

impl<K, V, F: FnOnce(CacheBuilder<K, V>) -> CacheBuilder<K, V>> Settings<K, V> for F {}

/// The types of a cache, fixed before its settings are evaluated, so that closures among them need no type annotations.
pub struct Types<K, V>(PhantomData<fn() -> (K, V)>);

impl<K, V> Types<K, V> {
    /// Returns a cache of these types unchanged.
    #[inline]
    pub fn pass<'c>(&self, cache: &'c Cache<K, V>) -> &'c Cache<K, V> {
        cache
    }

    /// The types of a call.
    #[inline]
    pub fn of_call<T, S: ReturnKind<Value = V>>(_owned: &Owned<impl Fn() -> K, T>, _shape: S) -> Self {
        Self(PhantomData)
    }

    /// The cache of the instantiation that wrote the closure `instance`.
    #[inline]
    pub fn cache<I: Fn()>(self, slot: &'static CacheSlot, instance: I, settings: impl Settings<K, V>) -> &'static Cache<K, V>
    where
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        slot.cache(instance, settings)
    }
}

/// Bound check: the type given to a handle.
#[diagnostic::on_unimplemented(
    message = "the type of a handle must be `steadfast::Cache<K, V>`, found `{Self}`",
    label = "not a `steadfast::Cache<K, V>`"
)]
pub trait IsCache<T> {
    /// Its types.
    fn types() -> T;
}

#[diagnostic::do_not_recommend]
impl<K, V> IsCache<Types<K, V>> for Cache<K, V> {
    fn types() -> Types<K, V> {
        Types(PhantomData)
    }
}

impl CacheSlot {
    /// No cache yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self { first: OnceLock::new(), others: OnceLock::new() }
    }

    #[inline]
    fn cache<K, V, I: Fn()>(&'static self, _instance: I, settings: impl Settings<K, V>) -> &'static Cache<K, V>
    where
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let instance = typeid::of::<I>();
        if let Some((first, cache)) = self.first.get()
            && *first == instance
            && let Some(cache) = cache.downcast_ref()
        {
            return cache;
        }
        let mut settings = Some(settings);
        self.find(instance, &mut |builder| settings.take().expect("called at most once")(builder))
    }

    // The settings are behind a pointer, so that functions with the same types share this code.
    #[inline(never)]
    fn find<K, V>(
        &'static self,
        instance: TypeId,
        settings: &mut dyn FnMut(CacheBuilder<K, V>) -> CacheBuilder<K, V>,
    ) -> &'static Cache<K, V>
    where
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let mut make = || -> AnyCache { Box::leak(Box::new(settings(CacheBuilder::new()).build())) };
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
