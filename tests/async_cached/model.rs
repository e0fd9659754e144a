//! Random histories, compared with a plain map that has a clock of its own.
//!
//! Calls are polled manually: a body waits until the history decides how it ends. After each step, every call in progress is
//! polled. Its result, the contents of the cache and the computations in flight must match the model.

use std::collections::BTreeMap;
use std::pin::Pin;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::sync::oneshot;

use super::*;

const TTL: u64 = 10;
const WINDOW: u64 = 15;
const ERROR_TTL: u64 = 3;

type Answer = Result<u32, u32>;
type Ending = oneshot::Receiver<Answer>;

#[derive(Debug, Clone)]
enum Step {
    Call(u8),
    /// Ends the run of a body: which of those under way, and whether well.
    End(prop::sample::Index, bool),
    /// Drops a call: which of those under way.
    Drop(prop::sample::Index),
    Insert(u8),
    Invalidate(u8),
    InvalidateTag(u8),
    Clear,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0_u8..4;
    prop_oneof![
        6 => key.clone().prop_map(Step::Call),
        5 => (any::<prop::sample::Index>(), prop::bool::weighted(0.6)).prop_map(|(which, well)| Step::End(which, well)),
        2 => any::<prop::sample::Index>().prop_map(Step::Drop),
        1 => key.clone().prop_map(Step::Insert),
        1 => key.clone().prop_map(Step::Invalidate),
        1 => (0_u8..2).prop_map(Step::InvalidateTag),
        1 => Just(Step::Clear),
        3 => (1_u64..12).prop_map(Step::Wait),
    ]
}

/// Where a body hears how it ends. Bodies are started one after another, so the last one pushed belongs to the call that was polled.
#[derive(Default)]
struct Bodies(std::cell::RefCell<Vec<oneshot::Sender<Answer>>>);

impl Bodies {
    fn start(&self) -> Ending {
        let (ends, ending) = oneshot::channel();
        self.0.borrow_mut().push(ends);
        ending
    }
}

#[async_cached(
    cache = cache, key = key, tags = [parity(key)], ttl = Duration::from_secs(TTL), error_ttl = Duration::from_secs(ERROR_TTL),
    stale_if_error = Duration::from_secs(WINDOW)
)]
async fn load(cache: &Cache<u8, u32>, bodies: &Bodies, key: u8) -> Answer {
    bodies.start().await.expect("the history ends every body")
}

fn parity(key: u8) -> &'static str {
    if key.is_multiple_of(2) { "even" } else { "odd" }
}

/// What is kept of a key.
#[derive(Debug, Clone, Copy)]
struct Kept {
    answer: Answer,
    fresh_until: u64,
}

/// A flight: who computes, who waits in order, and whether what it brings is to be stored.
#[derive(Debug)]
struct Flight {
    key: u8,
    leader: usize,
    waiters: Vec<usize>,
    current: bool,
}

#[derive(Debug, Default)]
struct Model {
    now: u64,
    kept: BTreeMap<u8, Kept>,
    flights: Vec<Flight>,
}

impl Model {
    fn fresh(&self, key: u8) -> Option<Answer> {
        self.kept.get(&key).filter(|kept| self.now < kept.fresh_until).map(|kept| kept.answer)
    }

    /// The answer of a call, if it has one at once.
    fn call(&mut self, call: usize, key: u8) -> Option<Answer> {
        let answer = self.fresh(key);
        if answer.is_none() {
            match self.flights.iter_mut().find(|flight| flight.key == key && flight.current) {
                Some(flight) => flight.waiters.push(call),
                None => self.flights.push(Flight { key, leader: call, waiters: Vec::new(), current: true }),
            }
        }
        answer
    }

    /// What all callers of a flight get when its body ends.
    fn end(&mut self, index: usize, answer: Answer) -> (Vec<usize>, Answer) {
        let flight = self.flights.remove(index);
        let old = self.kept.get(&flight.key).copied();
        let stands_in = old.filter(|old| old.answer.is_ok() && self.now < old.fresh_until + WINDOW);
        let answer = match (answer, stands_in) {
            (Err(_), Some(old)) => old.answer,
            (answer, _) => {
                if flight.current {
                    let ttl = if answer.is_ok() { TTL } else { ERROR_TTL };
                    self.kept.insert(flight.key, Kept { answer, fresh_until: self.now + ttl });
                }
                answer
            }
        };
        (flight.waiters.into_iter().chain([flight.leader]).collect(), answer)
    }

    /// Those that have an answer when the call is dropped.
    fn drop_call(&mut self, call: usize) -> Vec<(usize, Answer)> {
        let mut left = Vec::new();
        for flight in &mut self.flights {
            flight.waiters.retain(|waiter| *waiter != call);
            if flight.leader == call {
                // The first to be polled takes over, and calls are polled in order.
                flight.waiters.sort_unstable();
                flight.leader = usize::MAX;
                if flight.current && !flight.waiters.is_empty() {
                    flight.leader = flight.waiters.remove(0);
                } else {
                    // Of a flight that was superseded nobody takes over: they begin anew.
                    left.extend(flight.waiters.drain(..).map(|waiter| (waiter, flight.key)));
                }
            }
        }
        self.flights.retain(|flight| flight.leader != usize::MAX);
        left.into_iter().filter_map(|(waiter, key)| self.call(waiter, key).map(|answer| (waiter, answer))).collect()
    }

    fn forget(&mut self, such: impl Fn(u8) -> bool) {
        self.kept.retain(|key, _| !such(*key));
        for flight in self.flights.iter_mut().filter(|flight| such(flight.key)) {
            flight.current = false;
        }
    }
}

/// The calls under way, by number.
struct World<'w> {
    cache: &'w Cache<u8, u32>,
    bodies: &'w Bodies,
    model: Model,
    calls: BTreeMap<usize, Pin<Box<dyn Future<Output = Answer> + 'w>>>,
    ends: BTreeMap<usize, oneshot::Sender<Answer>>,
    made: usize,
}

impl World<'_> {
    /// Polls a call, and notes the body that it may have started.
    fn poll(&mut self, call: usize) -> Option<Answer> {
        let answer = self.calls.get_mut(&call).unwrap().as_mut().now_or_never();
        self.ends.extend(self.bodies.0.borrow_mut().pop().map(|ends| (call, ends)));
        assert!(self.bodies.0.borrow().is_empty());
        if answer.is_some() {
            self.calls.remove(&call);
        }
        answer
    }

    async fn step(&mut self, number: u32, step: &Step) {
        let mut expected = BTreeMap::new();
        match step {
            Step::Call(key) => {
                let call = self.made;
                self.made += 1;
                expected.extend(self.model.call(call, *key).map(|answer| (call, answer)));
                self.calls.insert(call, Box::pin(load(self.cache, self.bodies, *key)));
            }
            Step::End(which, well) if !self.model.flights.is_empty() => {
                let index = which.index(self.model.flights.len());
                let leader = self.model.flights[index].leader;
                let answer = if *well { Ok(number) } else { Err(number) };
                self.ends.remove(&leader).expect("a leader runs a body").send(answer).unwrap();
                // The one who computes goes first; the others follow in order.
                let (callers, answer) = self.model.end(index, answer);
                assert_eq!(self.poll(leader), Some(answer), "the caller that computes");
                expected.extend(callers.into_iter().filter(|call| *call != leader).map(|call| (call, answer)));
            }
            Step::Drop(which) if !self.calls.is_empty() => {
                let call = *self.calls.keys().nth(which.index(self.calls.len())).unwrap();
                expected.extend(self.model.drop_call(call));
                self.calls.remove(&call);
                self.ends.remove(&call);
            }
            Step::Insert(key) => {
                self.model.forget(|other| other == *key);
                self.model.kept.insert(*key, Kept { answer: Ok(number), fresh_until: u64::MAX - WINDOW });
                self.cache.insert(*key, number);
            }
            Step::Invalidate(key) => {
                self.model.forget(|other| other == *key);
                self.cache.invalidate(key);
            }
            Step::InvalidateTag(rest) => {
                // What is inserted by hand has no tag.
                let by_hand: Vec<(u8, Kept)> = self
                    .model
                    .kept
                    .iter()
                    .filter(|(_, kept)| kept.fresh_until > u64::MAX / 2)
                    .map(|(key, kept)| (*key, *kept))
                    .collect();
                self.model.forget(|key| key % 2 == *rest);
                self.model.kept.extend(by_hand);
                self.cache.invalidate_tag(parity(*rest));
            }
            Step::Clear => {
                self.model.forget(|_| true);
                self.cache.clear();
            }
            Step::Wait(seconds) => {
                self.model.now += seconds;
                advance(Duration::from_secs(*seconds)).await;
            }
            Step::End(..) | Step::Drop(_) => {}
        }
        let calls: Vec<usize> = self.calls.keys().copied().collect();
        for call in calls {
            assert_eq!(self.poll(call), expected.get(&call).copied(), "call {call} after {step:?}");
        }
        for key in 0..4 {
            let value = self.model.fresh(key).and_then(Result::ok);
            assert_eq!(self.cache.get(&key), value, "key {key} after {step:?}");
        }
        assert_eq!(self.cache.in_flight(), self.model.flights.len());
    }
}

/// On two threads: by one alone it would be the last test to end, by far.
#[test]
fn ten_thousand_histories() {
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| histories(5_000));
        }
    });
}

fn histories(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&vec(step(), 1..40), |steps| {
        let (cache, bodies) = (Cache::new(100), Bodies::default());
        let mut world = World {
            cache: &cache,
            bodies: &bodies,
            model: Model::default(),
            calls: BTreeMap::new(),
            ends: BTreeMap::new(),
            made: 0,
        };
        runtime.block_on(async {
            for (number, step) in (0..).zip(&steps) {
                world.step(number, step).await;
            }
        });
        world.calls.clear();
        drop(world);
        assert_eq!(cache.in_flight(), 0);
        let stats = cache.stats();
        assert_eq!(stats.loads + stats.coalesced, stats.misses);
        Ok(())
    });
    checked.unwrap();
}
