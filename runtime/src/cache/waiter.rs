//! A caller that waits for another's computation.

use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout_at;

use super::flight::{self, Flight, Phase, Turn, take_out};
use super::lead::Lead;
use super::shape::Shape;
use super::shared::Shared;
use super::stats::Count;

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

impl<K, V> Waiter<K, V> {
    /// The flight counts it already.
    pub(super) fn new(shared: Arc<Shared<K, V>>, flight: Arc<Flight<K, V>>) -> Self {
        Self { shared, flight }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Waiter<K, V> {
    /// Waits. Cancel safe: a waiter that is dropped just after it was chosen to go on passes the choice to the next.
    pub async fn wait<S: Shape<Value = V>>(self, shape: S) -> Waited<S::Out, K, V> {
        self.landing(shape).await
    }

    /// Waits for a computation that has been under way for no longer than `limit`; then begins another, or waits for one that has been
    /// begun meanwhile.
    pub async fn wait_at_most<S: Shape<Value = V>>(mut self, shape: S, limit: Duration) -> Waited<S::Out, K, V> {
        loop {
            let since = self.flight.lock().since;
            let Some(deadline) = since.checked_add(limit) else { return self.landing(shape).await };
            if let Ok(waited) = timeout_at(deadline, self.landing(shape)).await {
                return waited;
            }
            // Another may have taken over meanwhile, and deserves its time.
            if self.flight.lock().since == since {
                match self.give_up(shape) {
                    Ok(waited) => return waited,
                    Err(next) => self = next,
                }
            }
        }
    }

    async fn landing<S: Shape<Value = V>>(&self, shape: S) -> Waited<S::Out, K, V> {
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
                state.take_over();
                drop(state);
                Some(Waited::Lead(self.take_over(Arc::clone(&self.flight))))
            }
            Phase::Landed(found) => {
                let out = shape.restore(found);
                drop(state);
                Some(match out {
                    Some(out) => Waited::Done(out),
                    // The error of a function with another error type, which shares the cache: this one tries on its own.
                    None => Waited::Lead(self.take_over(self.flight.apart())),
                })
            }
        }
    }

    /// Leaves a flight that takes too long, and takes it out of the table, so that what it may still bring is not stored.
    fn give_up<S: Shape<Value = V>>(&self, shape: S) -> Result<Waited<S::Out, K, V>, Self> {
        let Flight { hash, key, tags, joinable, .. } = &*self.flight;
        let mut shard = self.shared.flights.lock(*hash);
        if !take_out(&mut shard, &self.flight)
            && let Some(out) = self.shared.peek_hashed(*hash, key, |found| shape.restore(found))
        {
            return Ok(Waited::Done(out));
        }
        let turn = flight::join(&self.shared, &mut shard, (*hash, key), &|| key.clone(), tags.clone(), *joinable);
        drop(shard);
        match turn {
            Some(Turn::Wait(next)) => Err(next),
            Some(Turn::Lead(lead)) => {
                self.shared.counters.take_back(Count::Coalesced);
                Ok(Waited::Lead(lead))
            }
            None => Ok(Waited::Lead(self.take_over(self.flight.apart()))),
        }
    }

    fn take_over(&self, flight: Arc<Flight<K, V>>) -> Lead<K, V> {
        self.shared.counters.take_back(Count::Coalesced);
        Lead::of_miss(Arc::clone(&self.shared), flight)
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
