//! A caller that waits for another's computation.

use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout_at;

use super::flights::{self, Flight, Phase, Shard, remove};
use super::leader::Lead;
use crate::cache::inner::Inner;
use crate::cache::return_kind::Shape;
use crate::cache::stats::Count;
use crate::cache::store::tags::Tags;
use crate::key::Key;
use crate::recursion;

/// A caller that waits for another's computation.
pub struct Waiter<K, V> {
    inner: Arc<Inner<K, V>>,
    flight: Arc<Flight<K, V>>,
}

/// How a wait ended.
pub enum Waited<R, K, V> {
    /// With the result of the one who computed.
    Done(R),
    /// With nobody left who computes but this caller.
    Lead(Lead<K, V>),
}

/// What a waiter does next. `Err`: it waits for another flight.
type Next<R, K, V> = Result<Waited<R, K, V>, Waiter<K, V>>;

impl<K, V> Waiter<K, V> {
    /// The flight counts it already.
    pub(crate) fn new(inner: Arc<Inner<K, V>>, flight: Arc<Flight<K, V>>) -> Self {
        Self { inner, flight }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Waiter<K, V> {
    /// Waits. Cancel safe.
    pub async fn wait<S: Shape<Value = V>>(mut self, shape: S) -> Waited<S::Out, K, V> {
        loop {
            match self.completion(shape).await {
                Ok(waited) => return waited,
                Err(next) => self = next,
            }
        }
    }

    /// The same, where the cache may say for how long.
    pub async fn wait_as_set<S: Shape<Value = V>>(self, shape: S) -> Waited<S::Out, K, V> {
        match self.inner.settings.load_timeout {
            None => self.wait(shape).await,
            Some(limit) => self.wait_at_most(shape, limit).await,
        }
    }

    /// Waits for a computation that has been under way for no longer than `limit`; then begins another, or waits for one that has been
    /// begun meanwhile.
    pub async fn wait_at_most<S: Shape<Value = V>>(mut self, shape: S, limit: Duration) -> Waited<S::Out, K, V> {
        loop {
            let since = self.flight.lock().since;
            let Some(deadline) = since.checked_add(limit) else { return self.wait(shape).await };
            let went_on = match timeout_at(deadline, self.completion(shape)).await {
                Ok(completed) => completed,
                // Another may have taken over meanwhile, and deserves its time.
                Err(_) if self.flight.lock().since != since => continue,
                Err(_) => self.give_up(shape),
            };
            match went_on {
                Ok(waited) => return waited,
                Err(next) => self = next,
            }
        }
    }

    /// Until the flight has landed, or nobody computes any more.
    async fn completion<S: Shape<Value = V>>(&self, shape: S) -> Next<S::Out, K, V> {
        loop {
            let mut completed = pin!(self.flight.changed.notified());
            // Before the look at the phase, so that no change falls between the two.
            completed.as_mut().enable();
            if let Some(waited) = self.look(shape) {
                return waited;
            }
            completed.await;
        }
    }

    fn look<S: Shape<Value = V>>(&self, shape: S) -> Option<Next<S::Out, K, V>> {
        {
            let state = self.flight.lock();
            match &state.phase {
                Phase::Running => return None,
                Phase::Abandoned => {}
                Phase::Completed(found) => {
                    let out = shape.restore(found);
                    if out.is_some() && state.completes_stale {
                        self.inner.counters.add(Count::StaleHits);
                    }
                    drop(state);
                    // Else it is the error of a function with another error type, which shares the cache.
                    if let Some(out) = out {
                        return Some(Ok(Waited::Done(out)));
                    }
                }
            }
        }
        self.go_on(shape)
    }

    /// Goes on where nobody computes any more: takes over, or begins anew, or waits for somebody who has begun.
    fn go_on<S: Shape<Value = V>>(&self, shape: S) -> Option<Next<S::Out, K, V>> {
        let mut owned = None;
        loop {
            let mut shard = self.inner.flights.lock(self.flight.hash);
            let mut state = self.flight.lock();
            match state.phase {
                // Another who waited was first.
                Phase::Running => return None,
                Phase::Abandoned if flights::is_current(&shard, &self.flight) => {
                    state.take_over();
                    drop(state);
                    drop(shard);
                    return Some(Ok(Waited::Lead(self.take_over(Arc::clone(&self.flight)))));
                }
                // What would be computed under a flight that was superseded would not be stored, though it began after that.
                Phase::Abandoned | Phase::Completed(_) => {}
            }
            drop(state);
            if owned.is_some() {
                let joined = self.join_another(&mut shard, shape, &mut owned);
                drop(shard);
                return Some(joined);
            }
            // Looked at again once the key is made, under no lock.
            drop(shard);
            owned = Some(self.flight.key.clone());
        }
    }

    /// Leaves a flight that takes too long, and takes it out of the table, so that what it may still bring is not stored.
    fn give_up<S: Shape<Value = V>>(&self, shape: S) -> Next<S::Out, K, V> {
        let mut owned = Some(self.flight.key.clone());
        let mut shard = self.inner.flights.lock(self.flight.hash);
        remove(&mut shard, &self.flight);
        let joined = self.join_another(&mut shard, shape, &mut owned);
        drop(shard);
        joined
    }

    /// The value that has been stored meanwhile, or a flight that this caller begins or joins.
    fn join_another<S: Shape<Value = V>>(&self, shard: &mut Shard<K, V>, shape: S, owned: &mut Option<K>) -> Next<S::Out, K, V> {
        let Flight { hash, key, tags, joinable, .. } = &*self.flight;
        if let Some(out) = self.inner.peek_hashed(*hash, key, |found| shape.restore(found)) {
            return Ok(Waited::Done(out));
        }
        match join(&self.inner, shard, (*hash, key), owned, tags.clone(), *joinable) {
            Some(Turn::Wait(next)) => Err(next),
            Some(Turn::Lead(lead)) => {
                self.inner.counters.take_back(Count::Coalesced);
                Ok(Waited::Lead(lead))
            }
            None => {
                let key = owned.take().expect("a call that waits for itself begins no flight");
                Ok(Waited::Lead(self.take_over(self.flight.unlisted_copy(key))))
            }
        }
    }

    fn take_over(&self, flight: Arc<Flight<K, V>>) -> Lead<K, V> {
        self.inner.counters.take_back(Count::Coalesced);
        Lead::of_miss(Arc::clone(&self.inner), flight)
    }
}

impl<K, V> Drop for Waiter<K, V> {
    fn drop(&mut self) {
        let mut state = self.flight.lock();
        state.waiters -= 1;
        let deserted = state.waiters == 0 && matches!(state.phase, Phase::Abandoned);
        drop(state);
        if deserted {
            let mut shard = self.inner.flights.lock(self.flight.hash);
            let state = self.flight.lock();
            // Looked at again: with the shard locked nobody joins in between.
            if state.waiters == 0 && matches!(state.phase, Phase::Abandoned) {
                drop(state);
                remove(&mut shard, &self.flight);
            }
        }
    }
}

const KEY: &str = "whoever begins a flight has made its key";

/// What a caller does who missed.
pub enum Turn<K, V> {
    /// It computes.
    Lead(Lead<K, V>),
    /// It waits for the one who does.
    Wait(Waiter<K, V>),
}

/// Joins the flight of `key`, or begins one with the key that is taken out of `own`. `None`: the flight is one that this very call is part of.
pub(crate) fn join<K: Key<Q> + Hash + Eq, V: Clone, Q: ?Sized>(
    inner: &Arc<Inner<K, V>>,
    shard: &mut Shard<K, V>,
    (hash, key): (u64, &Q),
    own: &mut Option<K>,
    tags: Tags,
    joinable: bool,
) -> Option<Turn<K, V>> {
    let joined = if joinable { flights::find(shard, hash, key) } else { None };
    let Some(flight) = joined else {
        let flight = flights::begin(shard, hash, own.take().expect(KEY), tags, joinable);
        return Some(Turn::Lead(Lead::of_miss(Arc::clone(inner), flight)));
    };
    let mut state = flight.lock();
    match state.phase {
        Phase::Abandoned => {
            state.take_over();
            drop(state);
            Some(Turn::Lead(Lead::of_miss(Arc::clone(inner), Arc::clone(flight))))
        }
        Phase::Running if recursion::is_computing(flight.id) => None,
        // A flight that has landed is not in the table any more.
        Phase::Running | Phase::Completed(_) => {
            state.waiters += 1;
            drop(state);
            Some(Turn::Wait(Waiter::new(Arc::clone(inner), Arc::clone(flight))))
        }
    }
}

/// Begins a flight of `key` that nobody waits for, if there is none.
pub(crate) fn refresh<K: Key<Q>, V, Q: ?Sized>(
    inner: &Arc<Inner<K, V>>,
    shard: &mut Shard<K, V>,
    (hash, key): (u64, &Q),
    own: &mut Option<K>,
    tags: Tags,
) -> Option<Lead<K, V>> {
    if flights::find(shard, hash, key).is_some() {
        return None;
    }
    let flight = flights::begin(shard, hash, own.take().expect(KEY), tags, true);
    Some(Lead::of_refresh(Arc::clone(inner), flight))
}
