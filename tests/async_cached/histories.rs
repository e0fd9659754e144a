//! Random histories of several functions that share one cache, with all options that are durations, compared with a naive model.
//!
//! Bodies wait until the history decides how they end. After each step, the clock stands still, background tasks run, and every
//! call in progress is polled in order. Its result, the contents of the cache and the statistics must match the model.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Mutex;

use fastrand::Rng;
use steadfast::Stats;
use tokio::sync::oneshot;

use super::*;

type Users = Cache<u8, Option<u32>>;
/// An error by the function's error type, and its number.
type Answer = Result<Option<u32>, (char, u32)>;

#[derive(Debug, Clone, PartialEq)]
struct A(u32);
#[derive(Debug, Clone, PartialEq)]
struct B(u32);

/// What a history makes of a body.
#[derive(Debug, Clone, Copy)]
enum End {
    Value(Option<u32>),
    Error(u32),
    Panic,
}

/// The bodies that have begun, each with its function and key.
#[derive(Default)]
struct Bodies(Mutex<Vec<(usize, u8, oneshot::Sender<End>)>>);

impl Bodies {
    async fn run<E>(&self, function: usize, key: u8, error: fn(u32) -> E) -> Result<Option<u32>, E> {
        let (ends, ending) = oneshot::channel();
        self.0.lock().unwrap().push((function, key, ends));
        match ending.await {
            Ok(End::Value(value)) => Ok(value),
            Ok(End::Error(number)) => Err(error(number)),
            Ok(End::Panic) => resume_unwind(Box::new("the history says so")),
            Err(_) => std::future::pending().await,
        }
    }
}

/// The times of a function, in seconds.
#[derive(Debug, Clone, Copy)]
struct Says {
    ttl: u64,
    tti: Option<u64>,
    error_ttl: Option<u64>,
    none_ttl: Option<u64>,
    window: u64,
    on_error: Option<u64>,
    ahead: bool,
    load_timeout: Option<u64>,
    single_flight: bool,
    runs: Where,
    error: char,
}

/// Where bodies run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Where {
    /// In the call.
    Call,
    /// There, and of a refresh on a task of its own.
    CallAndRefresh,
    /// On a task of its own.
    Task,
}

fn time(seconds: Option<u64>) -> Duration {
    seconds.map_or(Duration::MAX, Duration::from_secs)
}

fn time_or_none(seconds: Option<u64>) -> Duration {
    Duration::from_secs(seconds.unwrap_or(0))
}

/// Where the calls of a history meet.
#[derive(Clone, Copy)]
struct Place {
    cache: &'static Users,
    bodies: &'static Bodies,
}

#[async_cached(
    cache = *at.cache, key = key, refresh_if = force, ttl = time(Some(says.ttl)), tti = time(says.tti),
    error_ttl = time_or_none(says.error_ttl), none_ttl = time(says.none_ttl), load_timeout = time(says.load_timeout)
)]
async fn in_turn(at: Place, says: Says, key: u8, force: bool) -> Result<Option<u32>, A> {
    at.bodies.run(0, key, A).await
}

#[async_cached(
    cache = *at.cache, key = key, refresh_if = force, ttl = |_| time(Some(says.ttl)), tti = time(says.tti),
    error_ttl = time_or_none(says.error_ttl), none_ttl = time(says.none_ttl), stale_if_error = time(says.on_error),
    load_timeout = time(says.load_timeout)
)]
async fn with_old_values(at: Place, says: Says, key: u8, force: bool) -> Result<Option<u32>, B> {
    at.bodies.run(1, key, B).await
}

#[async_cached(
    cache = *at.cache, key = key, refresh_if = force, ttl = time(Some(says.ttl)), tti = time(says.tti),
    error_ttl = time_or_none(says.error_ttl), none_ttl = time(says.none_ttl), load_timeout = time(says.load_timeout),
    stale_while_revalidate = Duration::from_secs(says.window), refresh_ahead = if says.ahead { 0.5 } else { 0.999_999 }
)]
async fn behind_hits(at: Place, says: Says, key: u8, force: bool) -> Result<Option<u32>, A> {
    at.bodies.run(2, key, A).await
}

#[async_cached(
    cache = *at.cache, key = key, refresh_if = force, ttl = time(Some(says.ttl)), tti = time(says.tti),
    error_ttl = time_or_none(says.error_ttl), none_ttl = time(says.none_ttl), stale_if_error = time(says.on_error),
    load_timeout = time(says.load_timeout), detached
)]
async fn on_a_task(at: Place, says: Says, key: u8, force: bool) -> Result<Option<u32>, B> {
    at.bodies.run(3, key, B).await
}

#[async_cached(
    cache = *at.cache, key = key, refresh_if = force, ttl = time(Some(says.ttl)), tti = time(says.tti),
    error_ttl = time_or_none(says.error_ttl), none_ttl = time(says.none_ttl), single_flight = false
)]
async fn alone(at: Place, says: Says, key: u8, force: bool) -> Result<Option<u32>, A> {
    at.bodies.run(4, key, A).await
}

/// Of a cache of its own, all by literals.
#[async_cached(
    key = key, refresh_if = force, ttl = 10s, tti = 14s, error_ttl = 5s, none_ttl = 4s, stale_if_error = 12s, load_timeout = 7s,
    handle = literals: Users
)]
async fn by_literals(bodies: &'static Bodies, key: u8, force: bool) -> Result<Option<u32>, A> {
    bodies.run(0, key, A).await
}

const TTL: Duration = Duration::from_secs(10);

/// Of a cache of its own, behind hits.
#[async_cached(
    key = key, refresh_if = force, ttl = TTL, tti = 14s, error_ttl = TTL / 2, none_ttl = 4s, stale_if_error = 12s, load_timeout = 7s,
    stale_while_revalidate = 6s, refresh_ahead = 0.5, handle = mixed: Users
)]
async fn by_both(bodies: &'static Bodies, key: u8, force: bool) -> Result<Option<u32>, A> {
    bodies.run(0, key, A).await
}

#[derive(Debug, Clone, Copy)]
enum Kept {
    Value(Option<u32>),
    Error(char, u32),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    kept: Kept,
    fresh: u64,
    keep: u64,
    ripe: u64,
    tti: Option<u64>,
    asked: u64,
}

impl Entry {
    fn is_gone(&self, now: u64) -> bool {
        now >= self.keep || self.tti.is_some_and(|tti| now >= self.asked + tti)
    }

    fn is_fresh(&self, now: u64) -> bool {
        now < self.fresh && !self.is_gone(now)
    }

    /// What a function with such errors makes of it.
    fn answer(&self, error: char) -> Option<Answer> {
        match self.kept {
            Kept::Value(value) => Some(Ok(value)),
            Kept::Error(kind, number) => (kind == error).then_some(Err((kind, number))),
        }
    }
}

#[derive(Debug)]
struct Flight {
    key: u8,
    /// Whose body runs.
    function: usize,
    /// The call that computes. `None`: it goes on by itself.
    leader: Option<usize>,
    /// Whether the body is on a task of its own.
    spawned: bool,
    waiters: Vec<usize>,
    current: bool,
    joinable: bool,
    since: u64,
    order: u64,
    run: Option<oneshot::Sender<End>>,
}

/// What the documentation says.
struct Model {
    now: u64,
    functions: Vec<Says>,
    /// What comes by hand.
    by_hand: Says,
    entries: BTreeMap<u8, Entry>,
    flights: Vec<Flight>,
    /// The function of each call.
    calls: Vec<usize>,
    order: u64,
    stats: Stats,
}

impl Model {
    fn says(&self, call: usize) -> Says {
        self.functions[self.calls[call]]
    }

    fn begin(&mut self, key: u8, function: usize, leader: Option<usize>, joinable: bool) {
        self.order += 1;
        let spawned = leader.is_none() || self.functions[function].runs == Where::Task;
        self.flights.push(Flight {
            key,
            function,
            leader,
            spawned,
            waiters: Vec::new(),
            current: true,
            joinable,
            since: self.now,
            order: self.order,
            run: None,
        });
    }

    fn joinable(&mut self, key: u8) -> Option<usize> {
        self.flights.iter().position(|flight| flight.key == key && flight.current && flight.joinable)
    }

    fn fresh(&self, key: u8, error: char) -> Option<Answer> {
        self.entries.get(&key).filter(|entry| entry.is_fresh(self.now)).and_then(|entry| entry.answer(error))
    }

    fn supersede(&mut self, chosen: impl Fn(&Flight) -> bool) {
        self.flights.iter_mut().filter(|flight| chosen(flight)).for_each(|flight| flight.current = false);
    }

    /// The answer of a call, if it has one at once.
    fn call(&mut self, call: usize, key: u8, force: bool) -> Option<Answer> {
        let (says, now) = (self.says(call), self.now);
        let mut found = None;
        if let Some(entry) = self.entries.get_mut(&key).filter(|entry| !entry.is_gone(now)) {
            entry.asked = now;
            let entry = *entry;
            let is_stale = now >= entry.fresh;
            let serves = !is_stale || (says.runs != Where::Call && now < entry.fresh + says.window);
            found = entry.answer(says.error).filter(|_| serves && !force);
            if found.is_some() {
                self.stats.hits += 1;
                let refreshes = says.runs != Where::Call && now >= entry.ripe.min(entry.fresh);
                if refreshes && self.joinable(key).is_none() {
                    self.stats.refreshes += 1;
                    self.begin(key, self.calls[call], None, true);
                }
            }
        }
        if found.is_none() {
            self.stats.misses += 1;
            if force {
                self.supersede(|flight| flight.key == key);
            }
            let joined = self.joinable(key).filter(|_| says.single_flight);
            if let Some(index) = joined {
                self.flights[index].waiters.push(call);
            } else {
                self.stats.loads += 1;
                self.begin(key, self.calls[call], Some(call), says.single_flight);
            }
        }
        found
    }

    /// How one goes on who waited for nothing.
    fn go_on(&mut self, call: usize, key: u8) -> Option<Answer> {
        let answer = self.fresh(key, self.says(call).error);
        if answer.is_none() {
            if let Some(index) = self.joinable(key) {
                self.flights[index].waiters.push(call);
            } else {
                self.stats.loads += 1;
                self.begin(key, self.calls[call], Some(call), true);
            }
        }
        answer
    }

    fn all_go_on(&mut self, mut calls: Vec<usize>, key: u8) -> Vec<(usize, Answer)> {
        calls.sort_unstable();
        calls.into_iter().filter_map(|call| self.go_on(call, key).map(|answer| (call, answer))).collect()
    }

    /// Nobody computes any more.
    fn vacate(&mut self, index: usize) -> Vec<(usize, Answer)> {
        let flight = &mut self.flights[index];
        flight.waiters.sort_unstable();
        if !flight.current || flight.waiters.is_empty() {
            let Flight { waiters, key, .. } = self.flights.remove(index);
            return self.all_go_on(waiters, key);
        }
        let next = flight.waiters.remove(0);
        flight.function = self.calls[next];
        flight.spawned = self.functions[flight.function].runs == Where::Task;
        flight.leader = Some(next);
        flight.since = self.now;
        self.order += 1;
        flight.order = self.order;
        flight.run = None;
        self.stats.loads += 1;
        Vec::new()
    }

    fn entry(&self, kept: Kept, says: &Says) -> Option<Entry> {
        let now = self.now;
        let until = |end| Entry { kept, fresh: end, keep: end, ripe: u64::MAX, tti: None, asked: now };
        match kept {
            Kept::Error(..) => says.error_ttl.map(|ttl| until(now + ttl)),
            Kept::Value(None) if says.none_ttl.is_some() => says.none_ttl.map(|ttl| until(now + ttl)),
            Kept::Value(_) => {
                let fresh = now + says.ttl;
                let keep = fresh + says.window.max(says.on_error.unwrap_or(0));
                let ripe = if says.ahead { now + says.ttl / 2 } else { u64::MAX };
                Some(Entry { kept, fresh, keep, ripe, tti: says.tti, asked: now })
            }
        }
    }

    /// What those get who hear of the end of a body.
    fn end(&mut self, index: usize, end: End) -> Vec<(usize, Answer)> {
        let now = self.now;
        if matches!(end, End::Panic) {
            return self.vacate(index);
        }
        let Flight { key, function, leader, waiters, current, order, .. } = self.flights.remove(index);
        let says = self.functions[function];
        let old = self.entries.get_mut(&key).filter(|entry| matches!(entry.kept, Kept::Value(_)) && !entry.is_gone(now));
        let kept = match end {
            End::Value(value) => Kept::Value(value),
            End::Error(number) => Kept::Error(says.error, number),
            End::Panic => unreachable!("handled above"),
        };
        let mut answered = kept;
        let is_error = matches!(kept, Kept::Error(..));
        *(if is_error { &mut self.stats.load_errors } else { &mut self.stats.load_successes }) += 1;
        if let Some(old) = old.filter(|_| is_error) {
            // It stands in for the error, or at least is not replaced by it.
            if says.on_error.is_some_and(|window| now < old.fresh + window) {
                old.asked = now;
                answered = old.kept;
            }
        } else if current {
            if let Some(entry) = self.entry(kept, &says) {
                self.entries.insert(key, entry);
            }
            if !is_error {
                self.supersede(|flight| flight.key == key && flight.order < order);
            }
        }
        let answer_to = |error| match answered {
            Kept::Value(value) => Some(Ok(value)),
            Kept::Error(kind, number) => (kind == error).then_some(Err((kind, number))),
        };
        let mut answers: Vec<_> = leader.and_then(|leader| Some((leader, answer_to(says.error)?))).into_iter().collect();
        let mut left = Vec::new();
        for waiter in waiters {
            match answer_to(self.says(waiter).error) {
                Some(answer) => answers.push((waiter, answer)),
                None => left.push(waiter),
            }
        }
        answers.extend(self.all_go_on(left, key));
        answers
    }

    fn drop_call(&mut self, call: usize) -> Vec<(usize, Answer)> {
        self.flights.iter_mut().for_each(|flight| flight.waiters.retain(|waiter| *waiter != call));
        let Some(index) = self.flights.iter().position(|flight| flight.leader == Some(call)) else { return Vec::new() };
        if self.flights[index].spawned {
            self.flights[index].leader = None;
            return Vec::new();
        }
        self.vacate(index)
    }

    /// Those who wait give up, in order, where their time is over.
    fn give_up(&mut self) -> Vec<(usize, Answer)> {
        let mut answers = Vec::new();
        let mut waiting: Vec<usize> = self.flights.iter().flat_map(|flight| flight.waiters.clone()).collect();
        waiting.sort_unstable();
        for call in waiting {
            while let Some(index) = self.flights.iter().position(|flight| flight.waiters.contains(&call)) {
                let flight = &mut self.flights[index];
                if self.functions[self.calls[call]].load_timeout.is_none_or(|limit| self.now < flight.since + limit) {
                    break;
                }
                flight.current = false;
                flight.waiters.retain(|waiter| *waiter != call);
                let key = flight.key;
                answers.extend(self.go_on(call, key).map(|answer| (call, answer)));
            }
        }
        answers
    }

    fn insert(&mut self, key: u8, value: Option<u32>) {
        self.supersede(|flight| flight.key == key);
        let entry = self.entry(Kept::Value(value), &self.by_hand).expect("a value is kept");
        self.entries.insert(key, entry);
    }
}

type Call = Pin<Box<dyn Future<Output = Answer>>>;
type Calls = dyn Fn(Place, usize, Says, u8, bool) -> Call;

struct World<'w> {
    at: Place,
    call: &'w Calls,
    model: Model,
    /// Those under way, each with what it looked for.
    calls: BTreeMap<usize, Call>,
    said: Vec<String>,
}

impl World<'_> {
    /// Hands bodies that have begun to the flights that wait for one.
    fn attach(&mut self) {
        for (function, key, run) in self.at.bodies.0.lock().unwrap().drain(..) {
            let of_it = |flight: &&mut Flight| flight.run.is_none() && (flight.function, flight.key) == (function, key);
            let flight = self.model.flights.iter_mut().find(of_it);
            flight.unwrap_or_else(|| panic!("a body of function {function} for key {key}, and nobody asked")).run = Some(run);
        }
    }

    async fn settle(&mut self) {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        self.attach();
    }

    /// `Err`: the call panicked.
    fn poll(&mut self, call: usize) -> Result<Option<Answer>, ()> {
        let future = self.calls.get_mut(&call).expect("it is under way").as_mut();
        let answer = catch_unwind(AssertUnwindSafe(|| tokio::task::unconstrained(future).now_or_never())).map_err(drop);
        if !matches!(answer, Ok(None)) {
            self.calls.remove(&call);
        }
        self.attach();
        answer
    }

    async fn step(&mut self, rng: &mut Rng, number: u32) -> String {
        let key = rng.u8(0..3);
        let mut expected = BTreeMap::new();
        let mut panics = None;
        let said;
        match rng.u8(0..20) {
            0..6 => {
                let function = rng.usize(0..self.model.functions.len());
                let (call, force) = (self.model.calls.len(), function < 5 && rng.u8(0..8) == 0);
                said = format!("call {call} of {function} for {key}, {force}");
                self.model.calls.push(function);
                expected.extend(self.model.call(call, key, force).map(|answer| (call, answer)));
                self.calls.insert(call, (self.call)(self.at, function, self.model.functions[function], key, force));
            }
            6..12 if !self.model.flights.is_empty() => {
                let index = rng.usize(0..self.model.flights.len());
                let end = match rng.u8(0..10) {
                    0..4 => End::Value(Some(number)),
                    4..6 => End::Value(None),
                    6..9 => End::Error(number),
                    _ => End::Panic,
                };
                let flight = &mut self.model.flights[index];
                said = format!("{end:?} of {flight:?}");
                let (leader, spawned) = (flight.leader, flight.spawned);
                let run = flight.run.take().expect("a flight has a body");
                run.send(end).unwrap_or_else(|_| panic!("a body waits for its end: {said}"));
                if matches!(end, End::Panic) {
                    panics = leader;
                }
                let answers = self.model.end(index, end);
                // Who computes within a call ends before the others look.
                if let Some(leader) = leader.filter(|_| !spawned) {
                    let answer = self.poll(leader);
                    let expected = answers.iter().find(|(call, _)| *call == leader).map(|(_, answer)| *answer);
                    assert_eq!(answer, if panics.is_some() { Err(()) } else { Ok(expected) }, "the leader, after {said}");
                    panics = None;
                }
                expected.extend(answers.into_iter().filter(|(call, _)| spawned || Some(*call) != leader));
            }
            12..14 if !self.calls.is_empty() => {
                let call = *self.calls.keys().nth(rng.usize(0..self.calls.len())).expect("in range");
                said = format!("drop of {call}");
                expected.extend(self.model.drop_call(call));
                self.calls.remove(&call);
            }
            14 => {
                let value = rng.bool().then_some(number);
                said = format!("insertion of {value:?} under {key}");
                self.model.insert(key, value);
                self.at.cache.insert(key, value);
            }
            15 => {
                said = format!("invalidation of {key}");
                self.model.supersede(|flight| flight.key == key);
                self.model.entries.remove(&key);
                self.at.cache.invalidate(&key);
            }
            16 => {
                let all = rng.bool();
                said = format!("invalidation of all: {all}");
                self.model.supersede(|_| true);
                self.model.entries.retain(|other, entry| !all && *other != key && matches!(entry.kept, Kept::Value(_)));
                if all {
                    self.at.cache.clear();
                } else {
                    self.at.cache.invalidate_if(|other, _| *other == key);
                }
            }
            _ => {
                let seconds = rng.u64(1..7);
                said = format!("{seconds} seconds");
                self.model.now += seconds;
                advance(Duration::from_secs(seconds)).await;
            }
        }
        self.said.push(said.clone());
        // Also one that has come to a computation that is older than it would wait for.
        expected.extend(self.model.give_up());
        self.settle().await;
        let under_way: Vec<usize> = self.calls.keys().copied().collect();
        for call in under_way {
            let expected = if panics == Some(call) { Err(()) } else { Ok(expected.get(&call).copied()) };
            assert_eq!(self.poll(call), expected, "call {call} after {said}");
        }
        self.settle().await;
        said
    }

    fn check(&self, said: &str) {
        for key in 0..3 {
            let value =
                self.model.entries.get(&key).filter(|entry| entry.is_fresh(self.model.now)).and_then(|entry| match entry.kept {
                    Kept::Value(value) => Some(value),
                    Kept::Error(..) => None,
                });
            assert_eq!(self.at.cache.get(&key), value, "key {key} after {said}");
        }
        let (seen, counted) = (self.at.cache.stats(), self.model.stats);
        let figures =
            |stats: Stats| (stats.hits, stats.misses, stats.loads, stats.refreshes, stats.load_successes, stats.load_errors);
        assert_eq!(figures(seen), figures(counted), "hits, misses, loads, refreshes, load successes, errors after {said}");
    }
}

/// Histories of the functions `functions` over what `place` makes.
fn histories(count: u64, place: impl Fn(&mut Rng) -> (&'static Users, Vec<Says>, Says), call: &Calls) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for seed in 0..count {
        let mut rng = Rng::with_seed(seed);
        let (cache, functions, by_hand) = place(&mut rng);
        cache.clear();
        let at = Place { cache, bodies: Box::leak(Box::default()) };
        let model = Model {
            now: 0,
            functions,
            by_hand,
            entries: BTreeMap::new(),
            flights: Vec::new(),
            calls: Vec::new(),
            order: 0,
            stats: cache.stats(),
        };
        let mut world = World { at, call, model, calls: BTreeMap::new(), said: Vec::new() };
        runtime.block_on(async {
            let outcome = AssertUnwindSafe(async {
                for number in 0..60 {
                    let said = world.step(&mut rng, number).await;
                    world.check(&said);
                }
                // The rest is dropped; what goes on by itself is ended.
                world.calls.clear();
                for flight in world.model.flights.drain(..) {
                    flight.run.map(|run| run.send(End::Panic));
                }
                world.at.bodies.0.lock().unwrap().clear();
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                let stats = cache.stats();
                assert_eq!((cache.in_flight(), stats.loads + stats.coalesced), (0, stats.misses), "at the end");
            });
            if let Err(payload) = outcome.catch_unwind().await {
                println!("seed {seed}, {:?}:\n{}", world.model.functions, world.said.join("\n"));
                resume_unwind(payload);
            }
        });
    }
}

fn answer<E>(answer: Result<Option<u32>, E>, error: impl Fn(E) -> (char, u32)) -> Answer {
    answer.map_err(error)
}

#[test]
fn of_functions_over_one_cache() {
    let place = |rng: &mut Rng| {
        let mut some = |one_in: u8, from: u64, to: u64| (rng.u8(0..one_in) == 0).then(|| rng.u64(from..to));
        let mut says = |error: char| Says {
            ttl: 2 * some(1, 2, 6).unwrap_or(5),
            tti: some(2, 5, 15),
            error_ttl: some(2, 1, 12),
            none_ttl: some(1, 1, 12),
            window: 0,
            on_error: None,
            ahead: false,
            load_timeout: some(2, 2, 12),
            single_flight: true,
            runs: Where::Call,
            error,
        };
        let mut functions = vec![says('A'), says('B'), says('A'), says('B'), says('A'), says('B')];
        let by_hand = Says { none_ttl: None, ..functions[5] };
        functions[5] = by_hand;
        functions[1].on_error = Some(some(1, 1, 20).unwrap_or(5));
        functions[2].window = some(1, 1, 20).unwrap_or(5);
        functions[2].ahead = some(2, 0, 1).is_some();
        functions[2].runs = Where::CallAndRefresh;
        functions[3].on_error = Some(some(1, 1, 20).unwrap_or(5));
        functions[3].runs = Where::Task;
        functions[4].single_flight = false;
        functions[4].load_timeout = None;
        let mut builder = Cache::builder().capacity(100).ttl(Duration::from_secs(by_hand.ttl));
        if let Some(tti) = by_hand.tti {
            builder = builder.tti(Duration::from_secs(tti));
        }
        if let Some(time) = by_hand.error_ttl {
            builder = builder.error_ttl(Duration::from_secs(time));
        }
        if let Some(limit) = by_hand.load_timeout {
            builder = builder.load_timeout(Duration::from_secs(limit));
        }
        let cache: &'static Users = Box::leak(Box::new(builder.build()));
        (cache, functions, by_hand)
    };
    let call = |at: Place, function: usize, says: Says, key: u8, force: bool| -> Call {
        let (a, b) = (|A(number)| ('A', number), |B(number)| ('B', number));
        Box::pin(async move {
            match function {
                0 => answer(in_turn(at, says, key, force).await, a),
                1 => answer(with_old_values(at, says, key, force).await, b),
                2 => answer(behind_hits(at, says, key, force).await, a),
                3 => answer(on_a_task(at, says, key, force).await, b),
                4 => answer(alone(at, says, key, force).await, a),
                _ => answer(at.cache.get_or_load(key, async || at.bodies.run(5, key, B).await).await, b),
            }
        })
    };
    histories(800, place, &call);
}

const LITERALS: Says = Says {
    ttl: 10,
    tti: Some(14),
    error_ttl: Some(5),
    none_ttl: Some(4),
    window: 0,
    on_error: Some(12),
    ahead: false,
    load_timeout: Some(7),
    single_flight: true,
    runs: Where::Call,
    error: 'A',
};

#[test]
fn of_literals() {
    let call = |at: Place, _, _, key: u8, force: bool| -> Call {
        Box::pin(async move { answer(by_literals(at.bodies, key, force).await, |A(number)| ('A', number)) })
    };
    histories(300, |_| (literals(), vec![LITERALS], LITERALS), &call);
}

#[test]
fn of_literals_and_constants_behind_hits() {
    let says = Says { window: 6, ahead: true, runs: Where::CallAndRefresh, ..LITERALS };
    let call = |at: Place, _, _, key: u8, force: bool| -> Call {
        Box::pin(async move { answer(by_both(at.bodies, key, force).await, |A(number)| ('A', number)) })
    };
    histories(300, move |_| (mixed(), vec![says], says), &call);
}

/// With jitter a time lies between two bounds: none goes before the first, none stays to the second, and they spread.
#[tokio::test(start_paused = true)]
async fn of_jitter() {
    const JITTER: Duration = Duration::from_secs(5);
    macro_rules! check {
        ($key:ident $($name:ident: [$($options:tt)*])*) => {$({
            #[async_cached($($options)*, handle = values)]
            async fn $name($key: u32) -> Result<u32, String> {
                Ok($key)
            }
            let mut rng = Rng::with_seed(7);
            let (mut early, mut late, mut now, mut key) = (0, 0, 0, 0);
            let mut stored: Vec<(u32, u64)> = Vec::new();
            while early + late < 300 {
                match rng.u8(0..3) {
                    0 => {
                        key += 1;
                        stored.push((key, now));
                        $name(key).await.unwrap();
                    }
                    1 => {
                        key += 1;
                        stored.push((key, now));
                        values().insert(key, key);
                    }
                    _ => {
                        advance(SECOND).await;
                        now += 1;
                    }
                }
                stored.retain(|(key, at)| {
                    let (age, is_there) = (now - at, values().contains(key));
                    assert!(is_there || age >= 10, "{}: {key} went after {age} s", stringify!($name));
                    assert!(!is_there || age < 15, "{}: {key} is there after {age} s", stringify!($name));
                    *(if age < 13 { &mut early } else { &mut late }) += u32::from(!is_there);
                    is_there
                });
            }
            assert!(early > 60 && late > 60, "{}: {early} early, {late} late", stringify!($name));
        })*};
    }
    check! { key
        literal_literal: [ttl = 10s, ttl_jitter = 5s]
        constant_literal: [ttl = TTL, ttl_jitter = 5s]
        literal_constant: [ttl = 10s, ttl_jitter = JITTER]
        constant_constant: [ttl = TTL, ttl_jitter = JITTER]
        closure_literal: [ttl = |_| TTL, ttl_jitter = 5s]
        closure_constant: [ttl = |_| TTL, ttl_jitter = JITTER]
        with_a_window: [ttl = TTL, ttl_jitter = 5s, stale_if_error = 1h, tti = 1h]
    }
}
