//! Flights: who computes a key, who waits for it, and who goes on when the one who computes is gone.
//!
//! A flight is in the table from the first miss to its landing, and nothing is kept afterwards. An invalidation takes it out earlier:
//! those who wait are still served, but what it brings is not stored, and whoever comes later begins another.
//!
//! Locks are taken in this order: a shard of the table, then a flight, then the store. User code (`Hash`, `Eq` of keys) runs under the
//! first only; values are cloned and dropped under none.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hashbrown::HashTable;
use pin_project_lite::pin_project;
use tokio::sync::Notify;

use super::entry::{Entry, Found};
use super::key::Key;
use super::shape::{Outcome, Shape};
use super::shared::Shared;

/// One computation of one key.
pub(super) struct Flight<K, V> {
    hash: u64,
    key: K,
    /// Whether callers may wait for it (`single_flight`).
    joinable: bool,
    state: Mutex<State<V>>,
    changed: Notify,
}

struct State<V> {
    phase: Phase<V>,
    waiters: usize,
}

enum Phase<V> {
    /// Somebody computes.
    Running,
    /// Nobody computes, and the next waiter to look takes over.
    Vacant,
    Landed(Found<V>),
}

impl<K, V> Flight<K, V> {
    fn new(hash: u64, key: K, joinable: bool) -> Arc<Self> {
        let state = State { phase: Phase::Running, waiters: 0 };
        Arc::new(Self { hash, key, joinable, state: Mutex::new(state), changed: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// A flight of the same key that is in no table: nobody joins it, and what it brings is not stored.
    fn apart(&self) -> Arc<Self>
    where
        K: Clone,
    {
        Self::new(self.hash, self.key.clone(), false)
    }
}

/// The flights of a cache that have not landed.
pub(super) struct Flights<K, V> {
    shards: [Mutex<Shard<K, V>>; SHARDS],
}

pub(super) type Shard<K, V> = HashTable<Arc<Flight<K, V>>>;

const SHARDS: usize = 16;

/// A shard that is empty gives its memory back when it once held more than this.
const KEPT_FLIGHTS: usize = 64;

impl<K, V> Flights<K, V> {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(HashTable::new())) }
    }

    pub(super) fn lock(&self, hash: u64) -> MutexGuard<'_, Shard<K, V>> {
        // The top bits choose the store's shard and the table's tag; the lowest choose the slot.
        let shard = usize::try_from((hash >> 24) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All shards, in one order for everybody.
    pub(super) fn lock_all(&self) -> Vec<MutexGuard<'_, Shard<K, V>>> {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}

/// Takes every flight of `key` out of the table: what it brings will not be stored.
pub(super) fn supersede<K: Key<Q>, V, Q: ?Sized>(shard: &mut Shard<K, V>, hash: u64, key: &Q) -> Vec<Arc<Flight<K, V>>> {
    let mut superseded = Vec::new();
    while let Ok(found) = shard.find_entry(hash, |flight| flight.hash == hash && flight.key.matches(key)) {
        superseded.push(found.remove().0);
    }
    superseded
}

fn take_out<K, V>(shard: &mut Shard<K, V>, flight: &Arc<Flight<K, V>>) -> bool {
    let found = shard.find_entry(flight.hash, |other| Arc::ptr_eq(other, flight));
    let current = found.map(|found| drop(found.remove())).is_ok();
    if shard.is_empty() && shard.capacity() > KEPT_FLIGHTS {
        shard.shrink_to(0, |flight| flight.hash);
    }
    current
}

/// What a caller does who missed.
pub enum Turn<K, V> {
    /// It computes.
    Lead(Lead<K, V>),
    /// It waits for the one who does.
    Wait(Waiter<K, V>),
}

/// Joins the flight of `key`, or begins one. `None`: the flight is one that this very call is part of.
pub(super) fn join<K: Key<Q>, V, Q: ?Sized>(
    shared: &Arc<Shared<K, V>>,
    shard: &mut Shard<K, V>,
    (hash, key): (u64, &Q),
    owned: impl FnOnce() -> K,
    joinable: bool,
) -> Option<Turn<K, V>> {
    let joined =
        if joinable { shard.find(hash, |flight| flight.joinable && flight.hash == hash && flight.key.matches(key)) } else { None };
    let Some(flight) = joined else {
        let flight = Flight::new(hash, owned(), joinable);
        shard.insert_unique(hash, Arc::clone(&flight), |flight| flight.hash);
        return Some(Turn::Lead(Lead::new(Arc::clone(shared), flight)));
    };
    let mut state = flight.lock();
    match state.phase {
        Phase::Vacant => {
            state.phase = Phase::Running;
            drop(state);
            Some(Turn::Lead(Lead::new(Arc::clone(shared), Arc::clone(flight))))
        }
        Phase::Running if under_way(flight.id()) => None,
        // A flight that has landed is not in the table any more.
        Phase::Running | Phase::Landed(_) => {
            state.waiters += 1;
            drop(state);
            Some(Turn::Wait(Waiter { shared: Arc::clone(shared), flight: Arc::clone(flight) }))
        }
    }
}

/// The caller that computes. Dropped before it [lands](Lead::land), it hands over to the next waiter.
pub struct Lead<K, V> {
    shared: Arc<Shared<K, V>>,
    flight: Arc<Flight<K, V>>,
    landed: bool,
}

/// For how long each outcome is kept. `None` for an error or an absence: not at all; for a value: for ever.
#[derive(Debug, Clone, Copy)]
pub struct Freshness {
    /// `ttl`
    pub value: Option<Duration>,
    /// `error_ttl`
    pub error: Option<Duration>,
    /// `none_ttl`
    pub none: Option<Duration>,
}

impl<K, V> Lead<K, V> {
    fn new(shared: Arc<Shared<K, V>>, flight: Arc<Flight<K, V>>) -> Self {
        shared.counters.loads.add(1);
        Self { shared, flight, landed: false }
    }

    /// Marks what is polled inside `future` as part of this computation.
    #[inline]
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { flight: self.flight.id(), future }
    }

    fn abandon(&self) {
        let mut shard = self.shared.flights.lock(self.flight.hash);
        let mut state = self.flight.lock();
        state.phase = Phase::Vacant;
        let abandoned = state.waiters == 0;
        drop(state);
        if abandoned {
            take_out(&mut shard, &self.flight);
        }
        drop(shard);
        self.flight.changed.notify_one();
    }
}

impl<K: Clone + Eq + std::hash::Hash, V: Clone> Lead<K, V> {
    /// Ends the flight with what the body returned: stores it, tells those who wait, and gives it back.
    pub fn land<S: Shape<Value = V>>(mut self, shape: S, out: S::Out, fresh: Freshness) -> S::Out {
        let (ttl, stored) = match shape.outcome(&out) {
            Outcome::Value(_) => (fresh.value, true),
            Outcome::None => (fresh.none, fresh.none.is_some()),
            Outcome::Error => {
                self.shared.counters.load_errors.add(1);
                if !S::SHARES_ERRORS {
                    // Its caller's own: the next waiter tries.
                    return out;
                }
                (fresh.error, fresh.error.is_some())
            }
        };
        let stored = stored && ttl.is_none_or(|ttl| !ttl.is_zero());
        let entry = if stored { found(shape, &out).map(|found| Entry::new(found, ttl)) } else { None };
        self.leave_table(entry);
        if self.flight.lock().waiters > 0 {
            if let Some(found) = found(shape, &out) {
                self.flight.lock().phase = Phase::Landed(found);
                self.flight.changed.notify_waiters();
                self.landed = true;
            }
        } else {
            self.landed = true;
        }
        out
    }

    /// From here on nobody joins. The entry is stored only where nothing has superseded the flight.
    fn leave_table(&self, entry: Option<Entry<V>>) {
        let mut shard = self.shared.flights.lock(self.flight.hash);
        let current = take_out(&mut shard, &self.flight);
        let entry = entry.filter(|_| current);
        let left = entry.map(|entry| self.shared.store(self.flight.hash, self.flight.key.clone(), entry));
        drop(shard);
        drop(left);
    }
}

fn found<S: Shape<Value: Clone>>(shape: S, out: &S::Out) -> Option<Found<S::Value>> {
    match shape.outcome(out) {
        Outcome::Value(value) => Some(Found::Value(value.clone())),
        Outcome::Error | Outcome::None => shape.failure(out).map(Found::Failure),
    }
}

impl<K, V> Drop for Lead<K, V> {
    fn drop(&mut self) {
        if !self.landed {
            self.abandon();
        }
    }
}

/// A caller that waits for another's computation.
pub struct Waiter<K, V> {
    shared: Arc<Shared<K, V>>,
    flight: Arc<Flight<K, V>>,
}

/// How a wait ended.
pub enum Waited<R, K, V> {
    /// With the result of the one who computed.
    Done(R),
    /// With nobody left who computes but this caller.
    Lead(Lead<K, V>),
}

impl<K: Clone, V: Clone> Waiter<K, V> {
    /// Waits. Cancel safe: a waiter that is dropped just after it was chosen to go on passes the choice to the next.
    pub async fn wait<S: Shape<Value = V>>(self, shape: S) -> Waited<S::Out, K, V> {
        loop {
            let mut landed = pin!(self.flight.changed.notified());
            // Before the look at the phase, so that no change falls between the two.
            landed.as_mut().enable();
            if let Some(waited) = self.look(shape) {
                return waited;
            }
            landed.await;
        }
    }

    fn look<S: Shape<Value = V>>(&self, shape: S) -> Option<Waited<S::Out, K, V>> {
        let mut state = self.flight.lock();
        match &state.phase {
            Phase::Running => None,
            Phase::Vacant => {
                state.phase = Phase::Running;
                drop(state);
                Some(Waited::Lead(self.take_over(Arc::clone(&self.flight))))
            }
            Phase::Landed(found) => {
                let found = found.clone();
                drop(state);
                Some(match shape.restore(found) {
                    Some(out) => Waited::Done(out),
                    // The error of a function with another error type, which shares the cache: this one tries on its own.
                    None => Waited::Lead(self.take_over(self.flight.apart())),
                })
            }
        }
    }

    fn take_over(&self, flight: Arc<Flight<K, V>>) -> Lead<K, V> {
        self.shared.counters.coalesced.take_back(1);
        Lead::new(Arc::clone(&self.shared), flight)
    }
}

impl<K, V> Drop for Waiter<K, V> {
    fn drop(&mut self) {
        let mut state = self.flight.lock();
        state.waiters -= 1;
        let deserted = state.waiters == 0 && matches!(state.phase, Phase::Vacant);
        drop(state);
        if deserted {
            let mut shard = self.shared.flights.lock(self.flight.hash);
            let state = self.flight.lock();
            // Looked at again: with the shard locked nobody joins in between.
            if state.waiters == 0 && matches!(state.phase, Phase::Vacant) {
                drop(state);
                take_out(&mut shard, &self.flight);
            }
        }
    }
}

thread_local! {
    /// The computations that are being polled on this thread, outermost first.
    static UNDER_WAY: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Whether the caller is polled by the one that computes `flight`: to wait for it would be to wait for itself.
fn under_way(flight: usize) -> bool {
    UNDER_WAY.with_borrow(|flights| flights.contains(&flight))
}

pin_project! {
    /// A future that is part of a computation.
    pub struct Scoped<F> {
        flight: usize,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                UNDER_WAY.with_borrow_mut(Vec::pop);
            }
        }
        let this = self.project();
        UNDER_WAY.with_borrow_mut(|flights| flights.push(*this.flight));
        let _leave = Leave;
        this.future.poll(cx)
    }
}
