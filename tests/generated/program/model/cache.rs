//! `async_cached` and `coalesce`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::Instant;

use super::{Context, Here, Out, State};
use crate::program::spec::Output;

pub(super) struct CacheOptions {
    /// How long a value is kept, if it is kept.
    pub(super) ttl: Option<Duration>,
    pub(super) error_ttl: Option<Duration>,
    pub(super) single_flight: bool,
    pub(super) detached: bool,
    /// Whether it has the option `key`.
    pub(super) keyed: bool,
}

#[derive(Default)]
pub(super) struct Cache {
    entries: RefCell<HashMap<u32, Entry>>,
    flights: RefCell<HashMap<u32, Rc<Flight>>>,
    begun: Cell<u64>,
}

struct Entry {
    out: Out,
    began: u64,
    until: Option<Instant>,
    failed: bool,
}

#[derive(Default)]
struct Flight {
    out: RefCell<Option<Out>>,
    ended: Cell<bool>,
    news: Notify,
}

impl Cache {
    fn next(&self) -> u64 {
        self.begun.set(self.begun.get() + 1);
        self.begun.get()
    }

    fn fresh(&self, key: u32) -> Option<Out> {
        let entries = self.entries.borrow();
        let entry = entries.get(&key)?;
        entry.until.is_none_or(|until| Instant::now() < until).then(|| entry.out.clone())
    }

    /// The computation that started last is stored, whatever the order in which they end. An `Err` replaces no value that may still be served.
    fn store(&self, key: u32, began: u64, out: &Out, time: Duration) {
        let failed = out.value.is_err();
        let served = |entry: &Entry| entry.until.is_none_or(|until| Instant::now() < until);
        let mut entries = self.entries.borrow_mut();
        // Only a remembered error gives way to the value of a computation that started earlier.
        let newer = |entry: &Entry| entry.began > began && !entry.failed;
        if entries.get(&key).is_some_and(|entry| newer(entry) || failed && !entry.failed && served(entry)) {
            return;
        }
        let until = Instant::now().checked_add(time);
        entries.insert(key, Entry { out: out.clone(), began, until, failed });
    }
}

/// The one who computes.
struct Leader {
    cache: Rc<Cache>,
    key: u32,
    flight: Rc<Flight>,
    began: u64,
}

impl Leader {
    fn new(cache: Rc<Cache>, key: u32, single_flight: bool) -> Self {
        let (began, flight) = (cache.next(), Rc::<Flight>::default());
        if single_flight {
            cache.flights.borrow_mut().insert(key, flight.clone());
        }
        Self { cache, key, flight, began }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let mut flights = self.cache.flights.borrow_mut();
        if flights.get(&self.key).is_some_and(|flight| Rc::ptr_eq(flight, &self.flight)) {
            flights.remove(&self.key);
        }
        self.flight.ended.set(true);
        self.flight.news.notify_waiters();
    }
}

impl Here {
    pub(super) async fn cached(self, context: Context, options: CacheOptions) -> Out {
        if options.keyed {
            self.evaluates(&context, "key");
        }
        let State::Cache(cache) = self.state() else { unreachable!() };
        let key = context.key;
        loop {
            if let Some(out) = cache.fresh(key) {
                return out;
            }
            let flight = options.single_flight.then(|| cache.flights.borrow().get(&key).cloned()).flatten();
            let Some(flight) = flight else { break };
            loop {
                let news = flight.news.notified();
                if flight.ended.get() {
                    break;
                }
                news.await;
            }
            if let Some(out) = flight.out.borrow().clone() {
                return out;
            }
            // The leader was dropped or panicked, or its error cannot be shared: the next waiter computes.
        }
        let leader = Leader::new(cache.clone(), key, options.single_flight);
        if !options.detached {
            return self.lead(context, options, leader).await;
        }
        match spawn_local(self.lead(context.on_another_task(), options, leader)).await {
            Ok(out) => out,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    async fn lead(self, context: Context, options: CacheOptions, leader: Leader) -> Out {
        let out = self.below(context).await;
        let failed = self.model.is_failure(&out);
        let kept = if failed { options.error_ttl } else { options.ttl };
        if let Some(time) = kept {
            leader.cache.store(leader.key, leader.began, &out, time);
        }
        // The error goes to all waiters if it is `Clone`; otherwise they compute one after another.
        let shared = !failed || self.model.spec.output != Output::Unshared;
        *leader.flight.out.borrow_mut() = shared.then(|| out.clone());
        out
    }
}
