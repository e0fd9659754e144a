//! Objects with a name of their own: a cache, a circuit, a limit in a field.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::handle::CacheHandle;
use crate::cache::inner::Inner;
use crate::circuit_breaker::CircuitBreaker;
use crate::concurrency_limit::ConcurrencyLimiter;
use crate::name::Listed;
use crate::rate_limit::RateLimiter;
use crate::retry::RetryBudget;

/// A cache, a circuit, a limit or a budget with a name: [`Registry::named`](super::Registry::named).
///
/// This keeps the object alive, and gives access to its controls.
#[derive(Debug, Clone)]
pub struct Named {
    pub(super) name: &'static str,
    pub(super) object: Object,
}

impl Named {
    /// Its name, which need not be unique.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.object
    }
}

/// An object with a name.
#[derive(Clone)]
#[non_exhaustive]
pub enum Object {
    /// [`CacheBuilder::name`](crate::CacheBuilder::name)
    Cache(Arc<dyn CacheHandle>),
    /// [`CircuitBreaker::name`]
    CircuitBreaker(Arc<CircuitBreaker>),
    /// [`RateLimiter::name`]
    RateLimiter(Arc<RateLimiter>),
    /// [`ConcurrencyLimiter::name`]
    ConcurrencyLimiter(Arc<ConcurrencyLimiter>),
    /// [`RetryBudget::name`]
    RetryBudget(Arc<RetryBudget>),
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cache(cache) => f.debug_tuple("Cache").field(&cache.stats()).finish(),
            Self::CircuitBreaker(breaker) => f.debug_tuple("CircuitBreaker").field(&breaker.state()).finish(),
            Self::RateLimiter(limiter) => f.debug_tuple("RateLimiter").field(&limiter.rate()).finish(),
            Self::ConcurrencyLimiter(limiter) => f.debug_tuple("ConcurrencyLimiter").field(&limiter.limit()).finish(),
            Self::RetryBudget(budget) => f.debug_tuple("RetryBudget").field(&budget.balance()).finish(),
        }
    }
}

/// The same without keeping it alive.
#[derive(Debug, Clone)]
pub(crate) enum WeakObject {
    Cache(Weak<dyn CacheHandle>),
    CircuitBreaker(Weak<CircuitBreaker>),
    RateLimiter(Weak<RateLimiter>),
    ConcurrencyLimiter(Weak<ConcurrencyLimiter>),
    RetryBudget(Weak<RetryBudget>),
}

impl WeakObject {
    pub(super) fn upgrade(&self) -> Option<Object> {
        Some(match self {
            Self::Cache(cache) => Object::Cache(cache.upgrade()?),
            Self::CircuitBreaker(breaker) => Object::CircuitBreaker(breaker.upgrade()?),
            Self::RateLimiter(limiter) => Object::RateLimiter(limiter.upgrade()?),
            Self::ConcurrencyLimiter(limiter) => Object::ConcurrencyLimiter(limiter.upgrade()?),
            Self::RetryBudget(budget) => Object::RetryBudget(budget.upgrade()?),
        })
    }

    fn lives(&self) -> bool {
        match self {
            Self::Cache(cache) => cache.strong_count() > 0,
            Self::CircuitBreaker(breaker) => breaker.strong_count() > 0,
            Self::RateLimiter(limiter) => limiter.strong_count() > 0,
            Self::ConcurrencyLimiter(limiter) => limiter.strong_count() > 0,
            Self::RetryBudget(budget) => budget.strong_count() > 0,
        }
    }
}

macro_rules! listed {
    ($($object:ident)*) => {$(
        impl Listed for $object {
            fn list(this: &Arc<Self>, name: &'static str) {
                list(name, WeakObject::$object(Arc::downgrade(this)));
            }
        }
    )*};
}

listed!(CircuitBreaker RateLimiter ConcurrencyLimiter RetryBudget);

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Listed for Inner<K, V> {
    fn list(this: &Arc<Self>, name: &'static str) {
        let this = Arc::downgrade(this);
        list(name, WeakObject::Cache(this));
    }
}

static NAMED: Mutex<Vec<(&'static str, WeakObject)>> = Mutex::new(Vec::new());

/// Adds an object to the list, at its first use.
fn list(name: &'static str, object: WeakObject) {
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    // Only a list that would grow removes the dead: their values are gone already, so no user code runs here.
    if named.len() == named.capacity() {
        named.retain(|(_, object)| object.lives());
    }
    named.push((name, object));
}

pub(super) fn all() -> Vec<(&'static str, WeakObject)> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
