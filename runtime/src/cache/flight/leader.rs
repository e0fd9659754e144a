//! The leader: the caller that computes.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::flights::{Call, Flight, Phase, Superseded, remove, supersede_older};
use crate::cache::inner::{Inner, NewEntry};
use crate::cache::return_kind::{Outcome, ReturnKind};
use crate::cache::stats::Count;
use crate::cache::store::entry::Cached;
use crate::cache::store::lifetime::Lifetime;
use crate::cache::store::removal::{RemovalCause, Removed};
use crate::recursion::Scoped;
use crate::report::{Report, ReportKind};

/// The caller that computes. If it is dropped before it [completes](Leader::complete) the flight, the next waiter takes over.
pub struct Leader<K, V> {
    inner: Arc<Inner<K, V>>,
    flight: Arc<Flight<K, V>>,
    /// Whether a call receives the result, in addition to the waiters.
    answers: bool,
    completed: bool,
}

/// What happens to the entry of the key when a flight completes.
enum Change<V> {
    /// The new result replaces it.
    Store(NewEntry<V>),
    /// It is removed: the new result must not be stored.
    Remove,
    /// The error is stored, unless there is a value that a call may still receive.
    Remember(NewEntry<V>),
    Keep,
}

impl<K, V> Leader<K, V> {
    pub(crate) fn of_miss(inner: Arc<Inner<K, V>>, flight: Arc<Flight<K, V>>) -> Self {
        inner.counters.add(Count::Loads);
        Self::new(inner, flight, true)
    }

    pub(crate) fn of_refresh(inner: Arc<Inner<K, V>>, flight: Arc<Flight<K, V>>) -> Self {
        inner.counters.add(Count::Refreshes);
        Self::new(inner, flight, false)
    }

    fn new(inner: Arc<Inner<K, V>>, flight: Arc<Flight<K, V>>, answers: bool) -> Self {
        inner.computing.fetch_add(1, Ordering::Relaxed);
        Self { inner, flight, answers, completed: false }
    }

    /// Marks what is polled inside `future` as part of this computation.
    #[inline]
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(self.flight.id, future)
    }

    pub(crate) fn flight_id(&self) -> u64 {
        self.flight.id
    }

    fn abandon(&self) {
        let mut shard = self.inner.flights.lock(self.flight.hash);
        let mut state = self.flight.lock();
        state.phase = Phase::Abandoned;
        let abandoned = state.waiters == 0;
        drop(state);
        if abandoned {
            remove(&mut shard, &self.flight);
        }
        drop(shard);
        // Notifies all waiters, since a single one might not be polled: the first to be polled takes over.
        self.flight.changed.notify_waiters();
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Leader<K, V> {
    /// Completes the flight with the result of the body: stores it, notifies the waiters and returns it. Within `stale_if_error`,
    /// an error is replaced by the old value.
    pub fn complete<S: ReturnKind<Value = V>>(self, kind: S, out: S::Out, lifetime: Lifetime) -> S::Out {
        let outcome = kind.outcome(&out);
        self.inner.counters.add(if matches!(outcome, Outcome::Error) { Count::LoadErrors } else { Count::LoadSuccesses });
        let change = match outcome {
            Outcome::Value(value) | Outcome::Nothing(value) => {
                let is_none = matches!(outcome, Outcome::Nothing(_));
                self.inner
                    .new_entry((self.flight.hash, &self.flight.key), value, is_none, &lifetime)
                    .map_or(Change::Remove, Change::Store)
            }
            Outcome::None => {
                let ttl = lifetime.or(self.inner.settings.lifetime).of_none();
                let failure = ttl.and_then(|ttl| self.inner.new_failure(found(kind, &out)?, ttl));
                failure.map_or(Change::Remove, Change::Store)
            }
            Outcome::Error => {
                if let Some((old, out)) = self.stand_in(kind, lifetime) {
                    return self.end(Change::Keep, Some(old), out);
                }
                if !S::SHARES_ERRORS {
                    // The error belongs to this caller; the next waiter takes over.
                    self.report_unshared();
                    return out;
                }
                let ttl = lifetime.or(self.inner.settings.lifetime).of_error();
                let failure = ttl.and_then(|ttl| self.inner.new_failure(found(kind, &out)?, ttl));
                failure.map_or(Change::Keep, Change::Remember)
            }
        };
        let waited_for = self.flight.lock().waiters > 0;
        let share = if waited_for { found(kind, &out) } else { None };
        self.end_with(change, share, out, |out| found(kind, out))
    }

    /// The old value, and what is returned instead of the error.
    fn stand_in<S: ReturnKind<Value = V>>(&self, kind: S, lifetime: Lifetime) -> Option<(Cached<V>, S::Out)> {
        let window = lifetime.or(self.inner.settings.lifetime).on_error()?;
        let (old, is_stale) = self.inner.stand_in(self.flight.hash, &self.flight.key, window)?;
        let old = Cached::Value(old);
        let out = kind.restore(&old)?;
        if is_stale {
            // Each waiter counts itself.
            self.flight.lock().completes_stale = true;
            if self.answers {
                self.inner.counters.add(Count::StaleHits);
            }
        }
        Some((old, out))
    }

    /// Reports once that the waiters of a computation that failed cannot receive its error.
    fn report_unshared(&self) {
        let waits = self.flight.lock().waiters > 0;
        if waits && !self.inner.unshared_reported.swap(true, Ordering::Relaxed) {
            let message = "failed while other callers were waiting for its result, and each of them runs it again, one after another: \
                           its error is not `Clone + Send + Sync + 'static`. Derive `Clone` for it, or set `shared_error` on `#[async_cached]`";
            Report::new(self.flight.call.function(), ReportKind::Inert, message).send();
        }
    }

    fn end<R>(self, change: Change<V>, share: Option<Cached<V>>, out: R) -> R {
        self.end_with(change, share, out, |_| None)
    }

    /// Removes the flight from the table and notifies the waiters. `share` was made while callers could still join; `make` makes it
    /// if one has joined since.
    fn end_with<R>(mut self, change: Change<V>, share: Option<Cached<V>>, out: R, make: impl FnOnce(&R) -> Option<Cached<V>>) -> R {
        let (removed, superseded) = self.leave_table(change);
        drop(superseded);
        let share = if share.is_none() && self.flight.lock().waiters > 0 { make(&out) } else { share };
        let mut state = self.flight.lock();
        if let Some(found) = share {
            state.phase = Phase::Completed(found);
            self.completed = true;
        } else {
            self.completed = state.waiters == 0;
        }
        drop(state);
        if self.completed {
            self.flight.changed.notify_waiters();
        }
        let inner = Arc::clone(&self.inner);
        drop(self);
        inner.finish_removals(removed);
        inner.tidy_if_due();
        out
    }

    /// After this no caller joins. The entry changes only if the flight has not been superseded; in that case the flight supersedes
    /// those of the same key that started before it (`single_flight = false`).
    fn leave_table(&self, change: Change<V>) -> (Removed<K, V>, Superseded<K, V>) {
        let Flight { hash, key, call: Call { tags, .. }, .. } = &*self.flight;
        // Cloning the key runs user code and happens without a lock.
        let mut owned = matches!(change, Change::Store(_) | Change::Remember(_)).then(|| key.clone());
        let mut shard = self.inner.flights.lock(*hash);
        let current = remove(&mut shard, &self.flight);
        let mut store = |new_entry| match owned.take() {
            Some(key) => self.inner.store(*hash, key, tags.clone(), new_entry),
            None => Removed::nothing(),
        };
        let removed = match change {
            Change::Store(new_entry) if current => store(new_entry),
            // Reads first: normally there is no entry, and a removal would block readers.
            Change::Remove if current && self.inner.has(*hash, key) => self.inner.remove(*hash, key, RemovalCause::Replaced),
            Change::Remove if current => Removed::nothing(),
            Change::Remember(new_entry) if current && !self.inner.may_serve(*hash, key) => {
                return (store(new_entry), Vec::new());
            }
            // A result that is not stored must be dropped without a lock.
            unused => {
                drop(shard);
                drop((unused, owned));
                return (Removed::nothing(), Vec::new());
            }
        };
        let superseded = supersede_older(&mut shard, &self.flight);
        drop(shard);
        (removed, superseded)
    }
}

fn found<S: ReturnKind<Value: Clone>>(kind: S, out: &S::Out) -> Option<Cached<S::Value>> {
    match kind.outcome(out) {
        Outcome::Value(value) | Outcome::Nothing(value) => Some(Cached::Value(value.clone())),
        Outcome::Error | Outcome::None => kind.failure(out).map(Cached::Failure),
    }
}

impl<K, V> Drop for Leader<K, V> {
    fn drop(&mut self) {
        self.inner.computing.fetch_sub(1, Ordering::Relaxed);
        if !self.completed {
            self.abandon();
        }
    }
}
