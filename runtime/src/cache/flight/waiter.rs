//! A caller that waits for the leader.

use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout_at;

use super::flights::{self, Call, Flight, Phase, Shard, remove};
use super::leader::Leader;
use crate::cache::inner::Inner;
use crate::cache::return_kind::ReturnKind;
use crate::cache::stats::Count;
use crate::key::Key;
use crate::recursion;

/// A caller that waits for the leader.
pub struct Waiter<K, V> {
    inner: Arc<Inner<K, V>>,
    flight: Arc<Flight<K, V>>,
}

/// The result of a wait.
pub enum Waited<R, K, V> {
    /// The leader's result.
    Done(R),
    /// The leader is gone, and this caller takes over.
    Leader(Leader<K, V>),
}

/// What a waiter does next. `Err`: it waits for another flight.
type Next<R, K, V> = Result<Waited<R, K, V>, Waiter<K, V>>;

impl<K, V> Waiter<K, V> {
    /// The flight has already counted this waiter.
    pub(crate) fn new(inner: Arc<Inner<K, V>>, flight: Arc<Flight<K, V>>) -> Self {
        Self { inner, flight }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Waiter<K, V> {
    /// Waits for the result. Cancel safe.
    pub async fn wait<S: ReturnKind<Value = V>>(mut self, kind: S) -> Waited<S::Out, K, V> {
        loop {
            match self.completion(kind).await {
                Ok(waited) => return waited,
                Err(next) => self = next,
            }
        }
    }

    /// Like [`wait`](Self::wait), with the cache's `load_timeout` if it is set.
    pub async fn wait_as_set<S: ReturnKind<Value = V>>(self, kind: S) -> Waited<S::Out, K, V> {
        match self.inner.settings.load_timeout {
            None => self.wait(kind).await,
            Some(limit) => self.wait_at_most(kind, limit).await,
        }
    }

    /// Waits until the computation has been running for `limit`, then starts another one or joins one that has started in the
    /// meantime.
    pub async fn wait_at_most<S: ReturnKind<Value = V>>(mut self, kind: S, limit: Duration) -> Waited<S::Out, K, V> {
        loop {
            let since = self.flight.lock().since;
            let Some(deadline) = since.checked_add(limit) else { return self.wait(kind).await };
            let went_on = match timeout_at(deadline, self.completion(kind)).await {
                Ok(completed) => completed,
                // Another caller has taken over in the meantime and gets the full time.
                Err(_) if self.flight.lock().since != since => continue,
                Err(_) => self.give_up(kind),
            };
            match went_on {
                Ok(waited) => return waited,
                Err(next) => self = next,
            }
        }
    }

    /// Waits until the flight has completed or has no leader.
    async fn completion<S: ReturnKind<Value = V>>(&self, kind: S) -> Next<S::Out, K, V> {
        loop {
            let mut completed = pin!(self.flight.changed.notified());
            // Registered before the phase is read, so that no change in between is missed.
            completed.as_mut().enable();
            if let Some(waited) = self.look(kind) {
                return waited;
            }
            completed.await;
        }
    }

    fn look<S: ReturnKind<Value = V>>(&self, kind: S) -> Option<Next<S::Out, K, V>> {
        {
            let state = self.flight.lock();
            match &state.phase {
                Phase::Running => return None,
                Phase::Abandoned => {}
                Phase::Completed(found) => {
                    let out = kind.restore(found);
                    if out.is_some() && state.completes_stale {
                        self.inner.counters.add(Count::StaleHits);
                    }
                    drop(state);
                    // Otherwise it is the error of a function with a different error type that shares the cache.
                    if let Some(out) = out {
                        return Some(Ok(Waited::Done(out)));
                    }
                }
            }
        }
        self.go_on(kind)
    }

    /// Continues without a leader: takes over, starts a new flight, or waits for one that has started.
    fn go_on<S: ReturnKind<Value = V>>(&self, kind: S) -> Option<Next<S::Out, K, V>> {
        let mut owned = None;
        loop {
            let mut shard = self.inner.flights.lock(self.flight.hash);
            let mut state = self.flight.lock();
            match state.phase {
                // Another waiter took over first.
                Phase::Running => return None,
                Phase::Abandoned if flights::is_current(&shard, &self.flight) => {
                    state.take_over();
                    drop(state);
                    drop(shard);
                    return Some(Ok(Waited::Leader(self.take_over(Arc::clone(&self.flight)))));
                }
                // A result computed under a superseded flight would not be stored, although the computation starts after the
                // invalidation.
                Phase::Abandoned | Phase::Completed(_) => {}
            }
            drop(state);
            if owned.is_some() {
                let joined = self.join_another(&mut shard, kind, &mut owned);
                drop(shard);
                return Some(joined);
            }
            // Checked again once the key has been cloned, without a lock.
            drop(shard);
            owned = Some(self.flight.key.clone());
        }
    }

    /// Abandons a flight that takes too long and removes it from the table, so that its result is not stored.
    fn give_up<S: ReturnKind<Value = V>>(&self, kind: S) -> Next<S::Out, K, V> {
        let mut owned = Some(self.flight.key.clone());
        let mut shard = self.inner.flights.lock(self.flight.hash);
        remove(&mut shard, &self.flight);
        let joined = self.join_another(&mut shard, kind, &mut owned);
        drop(shard);
        joined
    }

    /// Returns the value stored in the meantime, or starts or joins another flight.
    fn join_another<S: ReturnKind<Value = V>>(
        &self,
        shard: &mut Shard<K, V>,
        kind: S,
        owned: &mut Option<K>,
    ) -> Next<S::Out, K, V> {
        let Flight { hash, key, call, .. } = &*self.flight;
        if let Some(out) = self.inner.peek_hashed(*hash, key, |found| kind.restore(found)) {
            return Ok(Waited::Done(out));
        }
        match join(&self.inner, shard, (*hash, key), owned, call.clone()) {
            Some(Role::Waiter(next)) => Err(next),
            Some(Role::Leader(lead)) => Ok(Waited::Leader(lead)),
            None => {
                let key = owned.take().expect("not consumed: a call that would wait for itself starts no flight");
                Ok(Waited::Leader(self.take_over(self.flight.unlisted_copy(key))))
            }
        }
    }

    fn take_over(&self, flight: Arc<Flight<K, V>>) -> Leader<K, V> {
        Leader::of_miss(Arc::clone(&self.inner), flight)
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
            // Checked again: while the shard is locked no caller can join.
            if state.waiters == 0 && matches!(state.phase, Phase::Abandoned) {
                drop(state);
                remove(&mut shard, &self.flight);
            }
        }
    }
}

const KEY: &str = "the key is made before a flight is started";

/// The role of a caller after a miss.
pub enum Role<K, V> {
    /// It computes.
    Leader(Leader<K, V>),
    /// It waits for the leader.
    Waiter(Waiter<K, V>),
}

/// Joins the flight of `key`, or starts one with the key taken out of `own`. `None`: the call is part of that flight's computation.
pub(crate) fn join<K: Key<Q> + Hash + Eq, V: Clone, Q: ?Sized>(
    inner: &Arc<Inner<K, V>>,
    shard: &mut Shard<K, V>,
    (hash, key): (u64, &Q),
    own: &mut Option<K>,
    call: Call,
) -> Option<Role<K, V>> {
    let joined = if call.joinable { flights::find(shard, hash, key) } else { None };
    let Some(flight) = joined else {
        let flight = flights::begin(shard, hash, own.take().expect(KEY), call);
        return Some(Role::Leader(Leader::of_miss(Arc::clone(inner), flight)));
    };
    let mut state = flight.lock();
    match state.phase {
        Phase::Abandoned => {
            state.take_over();
            drop(state);
            Some(Role::Leader(Leader::of_miss(Arc::clone(inner), Arc::clone(flight))))
        }
        Phase::Running if recursion::is_computing(flight.id) => None,
        // A flight that has completed is no longer in the table.
        Phase::Running | Phase::Completed(_) => {
            state.waiters += 1;
            drop(state);
            Some(Role::Waiter(Waiter::new(Arc::clone(inner), Arc::clone(flight))))
        }
    }
}

/// Starts a flight of `key` without a waiter, if there is none.
pub(crate) fn refresh<K: Key<Q>, V, Q: ?Sized>(
    inner: &Arc<Inner<K, V>>,
    shard: &mut Shard<K, V>,
    (hash, key): (u64, &Q),
    own: &mut Option<K>,
    call: Call,
) -> Option<Leader<K, V>> {
    if flights::find(shard, hash, key).is_some() {
        return None;
    }
    let flight = flights::begin(shard, hash, own.take().expect(KEY), call);
    Some(Leader::of_refresh(Arc::clone(inner), flight))
}
