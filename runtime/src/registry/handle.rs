//! Handles for control at runtime: the state of a policy, found by the name of its function.

use std::fmt;
use std::hash::Hash;

use crate::cache::inner::Inner;
use crate::cache::{Cache, Stats};
use crate::circuit_breaker::CircuitBreaker;
use crate::concurrency_limit::ConcurrencyLimiter;
use crate::keyed::private::KeyedSlot;
use crate::keyed::{Keyed, Retain};
use crate::rate_limit::RateLimiter;

/// The state of a policy.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Handle {
    /// Of an `#[async_cached]`.
    Cache(&'static dyn CacheHandle),
    /// Of a `#[circuit_breaker]`.
    CircuitBreaker(&'static CircuitBreaker),
    /// Of a `#[rate_limit]`.
    RateLimiter(&'static RateLimiter),
    /// Of a `#[concurrency_limit]`.
    ConcurrencyLimiter(&'static ConcurrencyLimiter),
    /// Of a `#[circuit_breaker]` with a `key`.
    CircuitBreakers(&'static dyn PoliciesByKey<CircuitBreaker>),
    /// Of a `#[concurrency_limit]` with a `key`.
    ConcurrencyLimiters(&'static dyn PoliciesByKey<ConcurrencyLimiter>),
}

/// The policies of a [`Keyed`] whose type of keys is unknown.
pub trait PoliciesByKey<P>: Send + Sync {
    /// Calls `look` with each policy, in no particular order, without a lock.
    fn for_each_policy(&self, look: &mut dyn FnMut(&P));
}

impl<K, P> PoliciesByKey<P> for Keyed<K, P>
where
    K: Hash + Eq + Send + Sync + 'static,
    P: Retain + Send + Sync + 'static,
{
    fn for_each_policy(&self, look: &mut dyn FnMut(&P)) {
        self.for_each(|_, policy| look(policy));
    }
}

impl<P: Retain + Send + Sync + 'static> PoliciesByKey<P> for KeyedSlot<P> {
    fn for_each_policy(&self, look: &mut dyn FnMut(&P)) {
        self.for_each(look);
    }
}

fn count<P>(policies: &dyn PoliciesByKey<P>) -> usize {
    let mut count = 0;
    policies.for_each_policy(&mut |_| count += 1);
    count
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cache(cache) => f.debug_tuple("Cache").field(&cache.stats()).finish(),
            Self::CircuitBreaker(breaker) => f.debug_tuple("CircuitBreaker").field(&breaker.state()).finish(),
            Self::RateLimiter(limiter) => f.debug_tuple("RateLimiter").field(&limiter.rate()).finish(),
            Self::ConcurrencyLimiter(limiter) => f.debug_tuple("ConcurrencyLimiter").field(&limiter.limit()).finish(),
            Self::CircuitBreakers(breakers) => f.debug_tuple("CircuitBreakers").field(&count(*breakers)).finish(),
            Self::ConcurrencyLimiters(limiters) => f.debug_tuple("ConcurrencyLimiters").field(&count(*limiters)).finish(),
        }
    }
}

/// A cache of unknown types.
pub trait CacheHandle: Send + Sync {
    /// See [`Cache::clear`].
    fn clear(&self);

    /// See [`Cache::len`].
    fn len(&self) -> usize;

    /// Whether there is no entry.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// See [`Cache::in_flight`].
    fn in_flight(&self) -> usize;

    /// See [`Cache::stats`].
    fn stats(&self) -> Stats;

    /// See [`CacheBuilder::name`](crate::CacheBuilder::name).
    fn name(&self) -> Option<&'static str> {
        None
    }
}

impl<K: Hash + Eq + Send + Sync, V: Clone + Send + Sync> CacheHandle for Cache<K, V> {
    fn clear(&self) {
        Self::clear(self);
    }

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn in_flight(&self) -> usize {
        Self::in_flight(self)
    }

    fn stats(&self) -> Stats {
        Self::stats(self)
    }

    fn name(&self) -> Option<&'static str> {
        self.given_name()
    }
}

// The registry's view of a named cache: the state that its callers share.
impl<K: Hash + Eq + Send + Sync, V: Clone + Send + Sync> CacheHandle for Inner<K, V> {
    fn clear(&self) {
        Self::clear(self);
    }

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn in_flight(&self) -> usize {
        Self::computing(self)
    }

    fn stats(&self) -> Stats {
        Self::stats(self)
    }
}

/// A policy that has a handle.
#[doc(hidden)]
pub trait Attach: Copy {
    /// The handle.
    fn handle(self) -> Handle;
}

impl<K: Hash + Eq + Send + Sync, V: Clone + Send + Sync> Attach for &'static Cache<K, V> {
    fn handle(self) -> Handle {
        Handle::Cache(self)
    }
}

impl Attach for &'static CircuitBreaker {
    fn handle(self) -> Handle {
        Handle::CircuitBreaker(self)
    }
}

impl Attach for &'static RateLimiter {
    fn handle(self) -> Handle {
        Handle::RateLimiter(self)
    }
}

impl Attach for &'static ConcurrencyLimiter {
    fn handle(self) -> Handle {
        Handle::ConcurrencyLimiter(self)
    }
}

impl<K: Hash + Eq + Send + Sync + 'static> Attach for &'static Keyed<K, CircuitBreaker> {
    fn handle(self) -> Handle {
        Handle::CircuitBreakers(self)
    }
}

impl<K: Hash + Eq + Send + Sync + 'static> Attach for &'static Keyed<K, ConcurrencyLimiter> {
    fn handle(self) -> Handle {
        Handle::ConcurrencyLimiters(self)
    }
}

impl Attach for &'static KeyedSlot<CircuitBreaker> {
    fn handle(self) -> Handle {
        Handle::CircuitBreakers(self)
    }
}

impl Attach for &'static KeyedSlot<ConcurrencyLimiter> {
    fn handle(self) -> Handle {
        Handle::ConcurrencyLimiters(self)
    }
}
