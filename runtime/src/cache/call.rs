//! The beginning of a cached call.

use std::hash::Hash;

use super::Cache;
use super::flight::Turn;
use super::key::Key;
use super::shape::Shape;
use super::shared::Miss;
use crate::{Error, ErrorKind};

/// How a call looks at its cache.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// Compute, whatever is stored (`refresh_if`).
    pub refresh: bool,
    /// Let others wait, and wait for others.
    pub single_flight: bool,
}

/// How a call goes on.
pub enum Begin<R, K, V> {
    /// With the stored result.
    Hit(R),
    /// By computing, or by waiting for the one who does.
    Miss(Turn<K, V>),
    /// The call is part of the computation that it would wait for.
    Recursion,
}

/// Looks `key` up; where it is not found, finds out who computes. `owned` makes the key that is stored, on a miss only.
#[inline]
pub fn begin<K, V, Q, S>(cache: &Cache<K, V>, key: &Q, owned: impl FnOnce() -> K, shape: S, mode: Mode) -> Begin<S::Out, K, V>
where
    K: Hash + Eq + Key<Q>,
    V: Clone,
    Q: Hash + ?Sized,
    S: Shape<Value = V>,
{
    let shared = cache.shared();
    let hash = shared.hash(key);
    if !mode.refresh
        && let Some(out) = shared.hit(hash, key).and_then(|found| shape.restore(found))
    {
        shared.counters.hits.add(1);
        return Begin::Hit(out);
    }
    match shared.miss((hash, key), owned, |found| shape.restore(found), mode) {
        Miss::Found(out) => {
            shared.counters.hits.add(1);
            Begin::Hit(out)
        }
        Miss::Turn(turn) => {
            shared.counters.misses.add(1);
            if matches!(turn, Turn::Wait(_)) {
                shared.counters.coalesced.add(1);
            }
            Begin::Miss(turn)
        }
        Miss::Recursion => Begin::Recursion,
    }
}

/// The error of a call that would wait for itself.
#[cold]
#[must_use]
pub fn recursion(function: &'static str) -> Error {
    Error::new(ErrorKind::Recursion, function)
}
