//! The start of a cached call: hit, miss or refresh.

use std::any::type_name;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::flight::flights::{self, Call};
use super::flight::leader::Leader;
use super::flight::waiter::{self, Role};
use super::handle::Cache;
use super::inner::Inner;
use super::return_kind::ReturnKind;
use super::stats::Count;
use super::store::entry::Age;
use super::store::tags::Tags;
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::report::{Report, ReportKind};

/// How a call uses its cache.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// Compute even if a value is stored (`refresh_if`).
    pub refresh: bool,
    /// Share computations with other callers.
    pub single_flight: bool,
}

/// The result of a lookup.
pub enum Begin<R, M> {
    /// The stored result.
    Hit(R),
    /// A miss, or a hit that starts a refresh.
    Miss(M),
    /// The call is part of the computation that it would wait for.
    Recursion,
}

impl<R, M> Begin<R, M> {
    fn map_miss<N>(self, next: impl FnOnce(M) -> N) -> Begin<R, N> {
        match self {
            Self::Hit(out) => Begin::Hit(out),
            Self::Miss(miss) => Begin::Miss(next(miss)),
            Self::Recursion => Begin::Recursion,
        }
    }
}

/// What a call does that was not simply a hit.
pub enum Next<R, K, V> {
    /// Returns the stored result and computes in the background.
    Refresh(R, Leader<K, V>),
    /// Computes, or waits for the leader.
    Compute(Role<K, V>),
}

/// Makes the owned key and the tags of a call; evaluated on a miss only.
pub struct Owned<O, T> {
    /// Makes the key to store.
    pub key: O,
    /// Makes the tags of the entry.
    pub tags: T,
}

/// Other callers may wait for a refresh.
const JOINABLE: Mode = Mode { refresh: false, single_flight: true };

/// Evaluates the tags.
fn call<O>(_: &O, tags: impl FnOnce() -> Tags, mode: Mode) -> Call {
    Call { closure: type_name::<O>(), tags: tags(), joinable: mode.single_flight }
}

/// Looks up `key`, and on a miss joins or starts a computation.
#[inline]
pub fn begin<K, V, Q, S>(
    cache: &Cache<K, V>,
    key: &Q,
    owned: Owned<impl Fn() -> K, impl FnOnce() -> Tags>,
    kind: S,
    mode: Mode,
) -> Begin<S::Out, Role<K, V>>
where
    K: Hash + Eq + Key<Q>,
    V: Clone,
    Q: Hash + ?Sized,
    S: ReturnKind<Value = V>,
{
    let inner = cache.inner();
    let hash = inner.hash(key);
    match hit(inner, (hash, key), kind, mode, None) {
        Some((out, _)) => Begin::Hit(out),
        None => miss(inner, (hash, key), &owned.key, call(&owned.key, owned.tags, mode), kind, mode),
    }
}

/// Like [`begin`], for a function whose hits may start a background computation: within `revalidate` after the ttl, or after the
/// `refresh_ahead` fraction of it.
pub fn begin_or_refresh<K, V, Q, S>(
    cache: &Cache<K, V>,
    key: &Q,
    owned: Owned<impl Fn() -> K, impl FnOnce() -> Tags>,
    kind: S,
    mode: Mode,
    revalidate: Option<Duration>,
) -> Begin<S::Out, Next<S::Out, K, V>>
where
    K: Hash + Eq + Key<Q>,
    V: Clone,
    Q: Hash + ?Sized,
    S: ReturnKind<Value = V>,
{
    let inner = cache.inner();
    let hash = inner.hash(key);
    let revalidate = revalidate.or(inner.settings.lifetime.revalidate());
    let Some((out, age)) = hit(inner, (hash, key), kind, mode, revalidate) else {
        return miss(inner, (hash, key), &owned.key, call(&owned.key, owned.tags, mode), kind, mode).map_miss(Next::Compute);
    };
    if age == Age::Fresh {
        return Begin::Hit(out);
    }
    if age == Age::Stale {
        inner.counters.add(Count::StaleHits);
    }
    match refresh(inner, (hash, key), &owned.key, call(&owned.key, owned.tags, JOINABLE), revalidate) {
        Some(lead) => Begin::Miss(Next::Refresh(out, lead)),
        None => Begin::Hit(out),
    }
}

/// The stored result, if the call may be served with it: fresh, or within `window` after its ttl.
#[inline]
fn hit<K, V, Q, S>(
    inner: &Inner<K, V>,
    (hash, key): (u64, &Q),
    kind: S,
    mode: Mode,
    window: Option<Duration>,
) -> Option<(S::Out, Age)>
where
    K: Hash + Eq + Key<Q>,
    V: Clone,
    Q: ?Sized,
    S: ReturnKind<Value = V>,
{
    if mode.refresh {
        return None;
    }
    let hit = inner.hit(hash, key, window, |found| kind.restore(found))?;
    inner.counters.add(Count::Hits);
    Some(hit)
}

// The closure that makes the key is behind a pointer, here and below, so that functions with the same types share this code.
#[cold]
#[inline(never)]
fn miss<K, V, Q, S>(
    inner: &Arc<Inner<K, V>>,
    (hash, key): (u64, &Q),
    own: &dyn Fn() -> K,
    call: Call,
    kind: S,
    mode: Mode,
) -> Begin<S::Out, Role<K, V>>
where
    K: Hash + Eq + Key<Q>,
    V: Clone,
    Q: ?Sized,
    S: ReturnKind<Value = V>,
{
    if mode.refresh {
        // A lookup in the store would have done both.
        inner.tidy_if_due();
        inner.touch(hash, key);
    }
    // Making the key runs user code: it happens without a lock, and only if there is no computation to wait for.
    let waits = !mode.refresh && mode.single_flight && flights::has_flight(&inner.flights.lock(hash), hash, key);
    let mut owned = if waits { None } else { Some(own()) };
    let mut shard = inner.flights.lock(hash);
    while owned.is_none() && !flights::has_flight(&shard, hash, key) {
        drop(shard);
        owned = Some(own());
        shard = inner.flights.lock(hash);
    }
    let superseded = if mode.refresh {
        flights::supersede(&mut shard, hash, key)
    } else if let Some(out) = inner.peek_hashed(hash, key, |found| kind.restore(found)) {
        // Stored by a computation that completed since the first lookup.
        drop(shard);
        inner.counters.add(Count::Hits);
        return Begin::Hit(out);
    } else {
        Vec::new()
    };
    let turn = waiter::join(inner, &mut shard, (hash, key), &mut owned, call);
    drop(shard);
    drop(superseded);
    let Some(turn) = turn else { return Begin::Recursion };
    inner.counters.add(Count::Misses);
    Begin::Miss(turn)
}

#[cold]
#[inline(never)]
fn refresh<K, V, Q>(
    inner: &Arc<Inner<K, V>>,
    (hash, key): (u64, &Q),
    own: &dyn Fn() -> K,
    call: Call,
    revalidate: Option<Duration>,
) -> Option<Leader<K, V>>
where
    K: Hash + Eq + Key<Q>,
    V: Clone,
    Q: ?Sized,
{
    if flights::has_flight(&inner.flights.lock(hash), hash, key) {
        return None;
    }
    // Made without a lock, as in `miss`.
    let mut owned = Some(own());
    let mut shard = inner.flights.lock(hash);
    // Checked again: a refresh may have completed in the meantime.
    let lead = match inner.age(hash, key, revalidate) {
        Age::Fresh | Age::Expired => None,
        Age::RefreshDue | Age::Stale => waiter::refresh(inner, &mut shard, (hash, key), &mut owned, call),
    };
    drop(shard);
    lead
}

/// Whether it has been reported that a function does not refresh although the cache named by `cache` is configured to.
pub struct RefreshWarning(AtomicBool);

impl RefreshWarning {
    /// Not reported yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Reports once that a function which computes within its caller cannot refresh in the background.
    pub fn check<K: Hash + Eq, V: Clone>(&self, cache: &Cache<K, V>, function: &'static str) {
        let asks = cache.inner().settings.lifetime.refreshes();
        if asks && !self.0.swap(true, Ordering::Relaxed) {
            let message = "does not refresh in the background, although its cache sets `stale_while_revalidate` or `refresh_ahead`: \
                           set the option on the function too, or add `detached`";
            Report::new(function, ReportKind::Inert, message).send();
        }
    }
}

/// The error of a call that would wait for itself.
#[cold]
#[must_use]
pub fn recursion(function: &'static str) -> Error {
    Error::new(ErrorKind::Recursion, function)
}
