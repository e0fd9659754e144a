//! A call that may run alone: `cache_if`.

use std::future::Future;
use std::hash::Hash;

use super::background::Spawned;
use super::leader::Leader;
use crate::background;
use crate::cache::return_kind::ReturnKind;
use crate::cache::store::lifetime::Lifetime;
use crate::inherit::Inherited;
use crate::recursion::Scoped;

/// What runs the body of a call that may bypass the cache.
pub enum Lead<K, V> {
    /// The leader of a computation.
    Of(Leader<K, V>),
    /// A call that is neither looked up, nor stored, nor counted.
    Alone,
}

/// The id of no flight.
const NO_FLIGHT: u64 = u64::MAX;

impl<K, V> Lead<K, V> {
    /// See [`Leader::scope`].
    #[inline]
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        match self {
            Self::Of(leader) => leader.scope(future),
            Self::Alone => Scoped::new(NO_FLIGHT, future),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Lead<K, V> {
    /// See [`Leader::complete`].
    pub fn complete<S: ReturnKind<Value = V>>(self, kind: S, out: S::Out, lifetime: Lifetime) -> S::Out {
        match self {
            Self::Of(leader) => leader.complete(kind, out, lifetime),
            Self::Alone => out,
        }
    }
}

impl<K, V> Lead<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// See [`Leader::spawn`].
    pub fn spawn<S, F>(self, function: &'static str, kind: S, load: F) -> Spawned<S::Out>
    where
        S: ReturnKind<Value = V, Out: Send + 'static> + 'static,
        F: Future<Output = (S::Out, Lifetime)> + Send + 'static,
    {
        match self {
            Self::Of(leader) => leader.spawn(function, kind, load),
            Self::Alone => {
                let (inherited, awaiting) = Inherited::while_awaited();
                let load = inherited.enter(load);
                Spawned::new(background::spawn(function, async move { load.await.0 }, |_| None), awaiting)
            }
        }
    }
}
