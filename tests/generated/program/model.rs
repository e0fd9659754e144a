//! The documentation of the attributes as a program: an interpreter of stacks, made of tokio's own parts and of nothing of the library's.
//!
//! Each layer is a function of what lies below it, as `guide::order` says it: the topmost is the outermost, an outcome passes upwards from layer
//! to layer, and dropping a layer drops what lies below.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use steadfast::ErrorKind;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::spec::{Argument, Fallback, Kind, Layer, Output, Retry, Spec, Usage, When, second};
use super::world::{self, Failure, Noisy, Outcome, ms, note, option_left};

/// What a layer returns.
#[derive(Debug, Clone)]
struct Out {
    value: Result<u32, Why>,
    /// Where it is a refusal that knows when to come again, whatever it was converted to: how long that is.
    hint: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Why {
    Application(u32),
    Policy(ErrorKind),
}

/// What a layer knows of the call.
#[derive(Clone)]
struct Context {
    call: u32,
    key: u32,
    /// The nearest deadline.
    deadline: Option<Instant>,
    /// Whether a `cancellable` bounds it.
    cancellable: bool,
    /// Where a panic waits for a cleanup, no deadline above ends the wait.
    panicking: Rc<Cell<bool>>,
    arguments: Rc<Arguments>,
}

impl Context {
    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// What is spawned: a deadline or a cancellation above bounds the caller, and not the work.
    fn on_another_task(self) -> Self {
        Self { deadline: None, cancellable: false, panicking: Rc::default(), ..self }
    }

    /// `cancellable`: "Nothing that stands below begins after the token was cancelled." What is polled in that moment is then dropped.
    async fn begins(&self) {
        if self.cancellable && world::token().is_cancelled() {
            std::future::pending::<()>().await;
        }
    }
}

/// The arguments of a call that tell when they are dropped: the last first.
struct Arguments {
    own: RefCell<Vec<Option<Noisy>>>,
    /// Where these are the clones of an attempt: what they were made of.
    originals: Option<Rc<Arguments>>,
}

impl Drop for Arguments {
    fn drop(&mut self) {
        let arguments = self.own.get_mut();
        while let Some(argument) = arguments.pop() {
            drop(argument);
        }
    }
}

impl Arguments {
    fn of(spec: &Spec, call: u32) -> Self {
        let noisy = spec.arguments.iter().flat_map(names);
        Self { own: RefCell::new(noisy.map(|name| Some(Noisy::new(call, name))).collect()), originals: None }
    }

    /// What `retry(clone(..))` makes for an attempt.
    fn cloned(self: &Rc<Self>, names: &[&'static str]) -> Self {
        Self { own: RefCell::new(names.iter().map(|name| self.cloned_one(name)).collect()), originals: Some(self.clone()) }
    }

    fn cloned_one(&self, name: &str) -> Option<Noisy> {
        let own = self.own.borrow().iter().flatten().find(|argument| argument.name() == name).cloned();
        own.or_else(|| self.originals.as_ref()?.cloned_one(name))
    }

    /// What a body consumes.
    fn consume(&self, name: &'static str) {
        let mut own = self.own.borrow_mut();
        let argument = own.iter_mut().find(|argument| argument.as_ref().is_some_and(|argument| argument.name() == name));
        let consumed = argument.and_then(Option::take);
        drop(own);
        match (&consumed, &self.originals) {
            (None, Some(originals)) => originals.consume(name),
            _ => drop(consumed),
        }
    }
}

/// What an argument binds that tells when it is dropped.
pub(crate) fn names(argument: &Argument) -> Vec<&'static str> {
    match argument.kind {
        Kind::Owned | Kind::Generic | Kind::Impl => vec![argument.name],
        Kind::Pair => vec![argument.name, second(argument.name)],
        Kind::Str | Kind::Number => vec![],
    }
}

/// A function: its specification, and what its layers keep from call to call.
pub(crate) struct Model {
    spec: Rc<Spec>,
    states: Vec<State>,
}

enum State {
    None,
    Cache(Rc<Cache>),
    Breaker(RefCell<Breaker>),
    Rate(RefCell<HashMap<u32, Rc<RateLine>>>),
    Limit(Permits),
}

impl Model {
    pub(crate) fn new(spec: Rc<Spec>) -> Rc<Self> {
        let states = spec.stack.iter().map(|layer| match layer {
            Layer::Cached { .. } | Layer::Coalesce { .. } => State::Cache(Rc::default()),
            Layer::Breaker { .. } => State::Breaker(RefCell::default()),
            Layer::Rate { .. } => State::Rate(RefCell::default()),
            Layer::Limit { permits, .. } => State::Limit(Permits { free: Cell::new(*permits), line: RefCell::default() }),
            _ => State::None,
        });
        Rc::new(Self { states: states.collect(), spec })
    }

    /// A call of the function, and what it returns.
    pub(crate) async fn call(self: Rc<Self>, call: u32, key: u32) -> String {
        let arguments = Rc::new(Arguments::of(&self.spec, call));
        let context = Context { call, key, deadline: None, cancellable: false, panicking: Rc::default(), arguments };
        let out = self.clone().layer(0, context).await;
        self.show(&out)
    }

    fn show(&self, out: &Out) -> String {
        match self.spec.output {
            Output::Result | Output::Unshared => {
                let outcome: Outcome = out.value.map_err(|why| match why {
                    Why::Application(number) => Failure::Application(number),
                    Why::Policy(kind) => Failure::Policy(kind),
                });
                format!("{outcome:?}")
            }
            Output::Option => format!("{:?}", out.value.ok()),
            Output::Plain => match out.value {
                Ok(value) => format!("{value:?}"),
                Err(Why::Application(number)) => format!("{:?}", 9_000 + number),
                Err(Why::Policy(kind)) => format!("a plain value cannot be {kind:?}"),
            },
        }
    }

    /// The stack from the layer `at` on.
    fn layer(self: Rc<Self>, at: usize, context: Context) -> LocalBoxFuture<'static, Out> {
        let Some(layer) = self.spec.stack.get(at).cloned() else { return self.body(context).boxed_local() };
        let here = Here { model: self, at };
        let begins = context.clone();
        let run = match layer {
            Layer::Timeout { limit, or_else } => here.timeout(context, limit, or_else).boxed_local(),
            Layer::Retry(retry) => here.retry(context, retry).boxed_local(),
            Layer::Fallback(fallback) => here.fallback(context, fallback).boxed_local(),
            Layer::Cached { ttl, error_ttl, single_flight, detached, skips } => {
                let keeps = Keeps {
                    ttl: Some(ttl.map_or(Duration::MAX, ms)),
                    error_ttl: error_ttl.map(ms),
                    single_flight,
                    detached,
                    tells: !skips,
                };
                here.cached(context, keeps).boxed_local()
            }
            Layer::Coalesce { skips } => {
                let keeps = Keeps { ttl: None, error_ttl: None, single_flight: true, detached: false, tells: !skips };
                here.cached(context, keeps).boxed_local()
            }
            Layer::Breaker { failures, open_for, when, or_else } => {
                here.breaker(context, failures, ms(open_for), when, or_else).boxed_local()
            }
            Layer::Rate { interval, burst, max_wait, keyed, or_else } => {
                let rate = Rate { interval: ms(interval), burst, keyed };
                here.rate(context, rate, max_wait, or_else).boxed_local()
            }
            Layer::Limit { max_wait, queue, or_else, .. } => here.limit(context, max_wait, queue, or_else).boxed_local(),
            Layer::Hedge { after, max } => here.hedge(context, ms(after), max).boxed_local(),
            Layer::Shield => here.shield(context).boxed_local(),
            Layer::Finally { takes } => here.finally(context, takes).boxed_local(),
            Layer::Cancellable { cleanup, or_else } => here.cancellable(context, cleanup, or_else).boxed_local(),
            Layer::Warn => here.warn(context).boxed_local(),
        };
        async move {
            begins.begins().await;
            run.await
        }
        .boxed_local()
    }

    async fn body(self: Rc<Self>, context: Context) -> Out {
        context.begins().await;
        let mut run = world::run(context.call, context.key, context.left());
        let _local = Noisy::new(context.call, "local");
        run.step().await;
        for argument in self.spec.arguments.iter().filter(|argument| argument.usage == Usage::Moved) {
            for name in names(argument) {
                context.arguments.consume(name);
            }
        }
        run.step().await;
        Out { value: run.outcome().map_err(Why::Application), hint: None }
    }

    /// Whether it is a failure to those who ask the type: a plain value cannot fail.
    fn is_failure(&self, out: &Out) -> bool {
        self.spec.output != Output::Plain && out.value.is_err()
    }
}

/// The layer that is run.
struct Here {
    model: Rc<Model>,
    at: usize,
}

impl Here {
    fn below(&self, context: Context) -> LocalBoxFuture<'static, Out> {
        self.model.clone().layer(self.at + 1, context)
    }

    fn state(&self) -> &State {
        &self.model.states[self.at]
    }

    /// An option that is evaluated at each call: in the turn of the attribute.
    fn evaluates(&self, context: &Context, option: &str) {
        if self.model.spec.notes {
            option_left(context.call, option, context.left());
            if self.model.spec.panics_at == Some(self.at) {
                world::trap(context.call);
            }
        }
    }

    /// Whether a failure is one that counts.
    fn counts(&self, context: &Context, when: When, out: &Out) -> bool {
        if when != When::Always && self.model.spec.notes {
            option_left(context.call, "when", context.left());
        }
        match when {
            When::Always => true,
            When::Application => matches!(out.value, Err(Why::Application(_))),
            When::Policy => matches!(out.value, Err(Why::Policy(_))),
        }
    }

    async fn warn(self, context: Context) -> Out {
        self.evaluates(&context, "warn");
        self.below(context).await
    }

    /// What a refused call returns.
    fn refuse(context: &Context, kind: ErrorKind, hint: Option<Duration>, or_else: Option<bool>) -> Out {
        let value = match or_else {
            None => Err(Why::Policy(kind)),
            Some(good) => {
                option_left(context.call, "or_else", context.left());
                if good { Ok(7_001) } else { Err(Why::Application(7_002)) }
            }
        };
        Out { value, hint }
    }

    // `timeout`: "At the deadline the body is dropped before `or_else` runs." "The body is polled before the clock is looked at."
    async fn timeout(self, context: Context, limit: u64, or_else: Option<bool>) -> Out {
        self.evaluates(&context, "limit");
        let deadline = Instant::now() + ms(limit);
        let nearest = context.deadline.map_or(deadline, |outer| outer.min(deadline));
        let mut below = self.below(Context { deadline: Some(nearest), ..context.clone() });
        match timeout(ms(limit), &mut below).await {
            Ok(out) => out,
            // `finally`: "A panic of the function reaches the caller when the cleanup has ended, also where a deadline above would not have
            // waited for that."
            Err(_) if context.panicking.get() => below.await,
            Err(_) => {
                drop(below);
                Self::refuse(&context, ErrorKind::Timeout, None, or_else)
            }
        }
    }

    async fn retry(self, context: Context, retry: Retry) -> Out {
        self.evaluates(&context, "attempts");
        let began = Instant::now();
        let mut wait = ms(retry.delay);
        for attempt in 1.. {
            let last = attempt == retry.attempts;
            // "Cloned for each attempt but the last."
            let clones = if last { context.arguments.clone() } else { Rc::new(context.arguments.cloned(&retry.clones)) };
            let out = self.below(Context { arguments: clones, ..context.clone() }).await;
            // `when` is evaluated "after each attempt that failed".
            if out.value.is_ok() || !self.counts(&context, retry.when, &out) || last {
                return out;
            }
            let computed = retry.max_delay.map_or(wait, |most| wait.min(ms(most)));
            wait *= retry.factor;
            // "A wait that the error asks for, instead of the computed one."
            let asked = retry.asked.filter(|_| matches!(out.value, Err(Why::Application(_))));
            let computed = asked.map_or(computed, ms);
            // "Where the failure is a refusal of this crate's own that knows when to come again, the wait is at least that long."
            let this = out.hint.map_or(computed, |hint| hint.max(computed));
            let ends = Instant::now() + this;
            // "No attempt starts later than this after the call began; a wait that could not end in time is not begun."
            let too_late = retry.max_elapsed.is_some_and(|most| ends > began + ms(most));
            // "No wait is begun that would not end before the deadline, and no attempt after it."
            if too_late || context.deadline.is_some_and(|deadline| ends >= deadline) {
                return out;
            }
            if retry.reports {
                option_left(context.call, &format!("again in {this:?}"), context.left());
            }
            if !this.is_zero() {
                sleep(this).await;
            }
        }
        unreachable!("an attempt is the last")
    }

    async fn fallback(self, context: Context, fallback: Fallback) -> Out {
        let out = self.below(context.clone()).await;
        if out.value.is_ok() {
            return out;
        }
        context.begins().await;
        option_left(context.call, "fallback", context.left());
        if let Some(takes) = fallback.takes {
            sleep(ms(takes)).await;
            option_left(context.call, "fallback is there", context.left());
        }
        assert!(!fallback.panics, "fallback");
        if fallback.fails { Out { value: Err(Why::Application(8_002)), ..out } } else { Out { value: Ok(8_001), hint: None } }
    }

    async fn hedge(self, context: Context, after: Duration, max: usize) -> Out {
        self.evaluates(&context, "after");
        let mut racers = FuturesUnordered::new();
        racers.push(self.below(context.clone()));
        let mut left = max;
        let mut next = Instant::now() + after;
        loop {
            let ended = tokio::select! {
                biased;
                Some(out) = racers.next() => Some(out),
                () = sleep_until(next), if left > 0 => None,
            };
            match ended {
                Some(out) if !self.model.is_failure(&out) => return out,
                // "When all have failed, the failure that came last is returned."
                Some(out) if left == 0 && racers.is_empty() => return out,
                // "An attempt that fails is followed by the next at once."
                Some(_) if left == 0 => continue,
                _ => {}
            }
            left -= 1;
            racers.push(self.below(context.clone()));
            next = Instant::now() + after;
        }
    }

    // "The body, with the attributes below this one, runs on a task of its own." A deadline above bounds the caller, and not the work.
    async fn shield(self, context: Context) -> Out {
        let task = spawn_local(self.below(context.on_another_task()));
        match task.await {
            Ok(out) => out,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    async fn finally(self, context: Context, takes: u64) -> Out {
        // "It has clones of those, made when the call begins, which live until it has ended."
        let clones = context.arguments.cloned(self.model.spec.mentions[self.at].as_slice());
        let mut cleanup = Cleanup { call: context.call, takes, clones: Some(clones) };
        let panicking = context.panicking.clone();
        let ended = AssertUnwindSafe(self.below(context)).catch_unwind().await;
        let exit = match &ended {
            Ok(out) if self.model.is_failure(out) => "Err",
            Ok(_) => "Ok",
            Err(_) => "Panicked",
        };
        // "A call that returns or panics waits for it."
        panicking.set(ended.is_err());
        if let Some(cleanup) = cleanup.run(exit) {
            _ = spawn_local(cleanup).await;
        }
        ended.unwrap_or_else(|panic: Box<dyn Any + Send>| resume_unwind(panic))
    }

    async fn cancellable(self, context: Context, cleanup: Option<u64>, or_else: Option<bool>) -> Out {
        self.evaluates(&context, "token");
        let token = world::token();
        // "Where the token is cancelled already when the call is first polled, the body never starts."
        if !token.is_cancelled() {
            // "A body that completes in the very poll in which the token is found cancelled has completed."
            let below = self.below(Context { cancellable: true, ..context.clone() });
            let ended = tokio::select! { biased; out = below => Some(out), () = token.cancelled() => None };
            if let Some(out) = ended {
                return out;
            }
        }
        if let Some(takes) = cleanup {
            option_left(context.call, "cancelled", context.left());
            sleep(ms(takes)).await;
            option_left(context.call, "cleaned", context.left());
        }
        Self::refuse(&context, ErrorKind::Cancelled, None, or_else)
    }

    async fn limit(self, context: Context, max_wait: Option<u64>, queue: Option<usize>, or_else: Option<bool>) -> Out {
        let State::Limit(permits) = self.state() else { unreachable!() };
        if max_wait.is_some() {
            self.evaluates(&context, "max_wait");
        }
        if !permits.acquire(max_wait.map(ms), queue).await {
            return Self::refuse(&context, ErrorKind::Saturated, None, or_else);
        }
        let _permit = Permit(permits);
        self.below(context.clone()).await
    }

    async fn rate(self, context: Context, rate: Rate, max_wait: Option<u64>, or_else: Option<bool>) -> Out {
        let State::Rate(lines) = self.state() else { unreachable!() };
        if max_wait.is_some() {
            self.evaluates(&context, "max_wait");
        }
        let key = if rate.keyed { context.key } else { 0 };
        let line = lines.borrow_mut().entry(key).or_insert_with(|| Rc::new(RateLine::new())).clone();
        if let Err(hint) = line.turn(rate.interval, rate.burst, ms(max_wait.unwrap_or_default())).await {
            return Self::refuse(&context, ErrorKind::RateLimited, Some(hint), or_else);
        }
        self.below(context.clone()).await
    }

    async fn breaker(self, context: Context, failures: u32, open_for: Duration, when: When, or_else: Option<bool>) -> Out {
        let State::Breaker(breaker) = self.state() else { unreachable!() };
        let admitted = breaker.borrow_mut().admit(open_for);
        let generation = match admitted {
            Ok(generation) => generation,
            Err(hint) => return Self::refuse(&context, ErrorKind::CircuitOpen, hint, or_else),
        };
        let mut probe = Probe { breaker, generation, open_for, pending: true };
        let ended = AssertUnwindSafe(self.below(context.clone())).catch_unwind().await;
        probe.pending = false;
        let failed = ended.as_ref().map_or(true, |out| out.value.is_err() && self.counts(&context, when, out));
        breaker.borrow_mut().record(generation, failed, failures, open_for);
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }

    async fn cached(self, context: Context, keeps: Keeps) -> Out {
        if keeps.tells {
            self.evaluates(&context, "key");
        }
        let State::Cache(cache) = self.state() else { unreachable!() };
        let key = context.key;
        loop {
            if let Some(out) = cache.fresh(key) {
                return out;
            }
            let flight = keeps.single_flight.then(|| cache.flights.borrow().get(&key).cloned()).flatten();
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
            // "If the computing caller is dropped or panics, the next waiter computes."
        }
        let leader = Leader::new(cache.clone(), key, keeps.single_flight);
        if !keeps.detached {
            return self.lead(context, keeps, leader).await;
        }
        match spawn_local(self.lead(context.on_another_task(), keeps, leader)).await {
            Ok(out) => out,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    async fn lead(self, context: Context, keeps: Keeps, leader: Leader) -> Out {
        let out = self.below(context).await;
        let failed = self.model.is_failure(&out);
        let kept = if failed { keeps.error_ttl } else { keeps.ttl };
        if let Some(time) = kept {
            leader.cache.store(leader.key, leader.began, &out, time);
        }
        // "Its error goes to all of them if the error is `Clone`; otherwise they try one after another."
        let shared = !failed || self.model.spec.output != Output::Unshared;
        *leader.flight.out.borrow_mut() = shared.then(|| out.clone());
        out
    }
}

/// `finally`: "One that is dropped leaves it to the runtime."
struct Cleanup {
    call: u32,
    takes: u64,
    /// Until it has begun.
    clones: Option<Arguments>,
}

impl Cleanup {
    fn run(&mut self, exit: &'static str) -> Option<impl Future<Output = ()> + use<>> {
        let (call, takes, clones) = (self.call, self.takes, self.clones.take()?);
        Some(async move {
            note(call, format!("finally {exit}"));
            if takes > 0 {
                sleep(ms(takes)).await;
            }
            note(call, "finally done");
            drop(clones);
        })
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let Some(cleanup) = self.run("Cancelled") {
            spawn_local(cleanup);
        }
    }
}

// --- `async_cached`, `coalesce` ---

struct Keeps {
    /// How long a value is kept, if it is kept.
    ttl: Option<Duration>,
    error_ttl: Option<Duration>,
    single_flight: bool,
    detached: bool,
    /// Whether it has a `key`.
    tells: bool,
}

#[derive(Default)]
struct Cache {
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

    /// "Of several computations of one key the one that began last is stored, in whatever order they end." "An `Err` takes the place of nothing
    /// that may still be served."
    fn store(&self, key: u32, began: u64, out: &Out, time: Duration) {
        let failed = out.value.is_err();
        let served = |entry: &Entry| entry.until.is_none_or(|until| Instant::now() < until);
        let mut entries = self.entries.borrow_mut();
        if entries.get(&key).is_some_and(|entry| entry.began > began || failed && !entry.failed && served(entry)) {
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

// --- `circuit_breaker` ---

#[derive(Default)]
struct Breaker {
    state: Circuit,
    /// What a call that was let through earlier comes to counts as nothing.
    generation: u64,
}

enum Circuit {
    Closed { in_a_row: u32 },
    Open { until: Instant },
    HalfOpen { probing_since: Option<Instant> },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { in_a_row: 0 }
    }
}

impl Breaker {
    fn turn(&mut self, state: Circuit) {
        self.state = state;
        self.generation += 1;
    }

    fn admit(&mut self, open_for: Duration) -> Result<u64, Option<Duration>> {
        let now = Instant::now();
        // `probe_timeout` is `open_for`: the circuit is as open as if a timer had fired.
        if let Circuit::HalfOpen { probing_since: Some(since) } = self.state
            && now >= since + open_for
        {
            self.turn(Circuit::Open { until: since + open_for + open_for });
        }
        if let Circuit::Open { until } = self.state {
            if now < until {
                return Err(Some(until - now));
            }
            self.turn(Circuit::HalfOpen { probing_since: None });
        }
        match &mut self.state {
            Circuit::HalfOpen { probing_since: Some(since) } => return Err(Some(*since + open_for - now)),
            Circuit::HalfOpen { probing_since } => *probing_since = Some(now),
            _ => {}
        }
        Ok(self.generation)
    }

    fn record(&mut self, generation: u64, failed: bool, failures: u32, open_for: Duration) {
        let now = Instant::now();
        if generation != self.generation {
            return;
        }
        match &mut self.state {
            Circuit::Closed { in_a_row } if !failed => *in_a_row = 0,
            Circuit::Closed { in_a_row } => {
                *in_a_row += 1;
                if *in_a_row >= failures {
                    self.turn(Circuit::Open { until: now + open_for });
                }
            }
            Circuit::HalfOpen { probing_since: Some(since) } if now >= *since + open_for => {
                let until = *since + open_for + open_for;
                self.turn(Circuit::Open { until });
            }
            Circuit::HalfOpen { .. } if failed => self.turn(Circuit::Open { until: now + open_for }),
            Circuit::HalfOpen { .. } => self.turn(Circuit::Closed { in_a_row: 0 }),
            Circuit::Open { .. } => {}
        }
    }
}

/// "A probe that is dropped gives its place to the next call."
struct Probe<'a> {
    breaker: &'a RefCell<Breaker>,
    generation: u64,
    open_for: Duration,
    pending: bool,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        let mut breaker = self.breaker.borrow_mut();
        if !self.pending || breaker.generation != self.generation {
            return;
        }
        if let Circuit::HalfOpen { probing_since } = &mut breaker.state
            && probing_since.is_some_and(|since| Instant::now() < since + self.open_for)
        {
            *probing_since = None;
        }
    }
}

// --- `concurrency_limit` ---

/// Permits, and those who wait for one, first come first served.
struct Permits {
    free: Cell<usize>,
    line: RefCell<VecDeque<Rc<Turn>>>,
}

#[derive(Default)]
struct Turn {
    /// It has a permit, and has not been polled since.
    granted: Cell<bool>,
    news: Notify,
}

impl Permits {
    async fn acquire(&self, max_wait: Option<Duration>, queue: Option<usize>) -> bool {
        if self.free.get() > 0 {
            self.free.set(self.free.get() - 1);
            return true;
        }
        if max_wait == Some(Duration::ZERO) || queue.is_some_and(|queue| self.line.borrow().len() >= queue) {
            return false;
        }
        let waits = InLine { permits: self, turn: Rc::default() };
        self.line.borrow_mut().push_back(waits.turn.clone());
        match max_wait {
            None => waits.turn.news.notified().await,
            Some(most) => _ = timeout(most, waits.turn.news.notified()).await,
        }
        waits.turn.granted.take()
    }

    fn release(&self) {
        match self.line.borrow_mut().pop_front() {
            Some(turn) => {
                turn.granted.set(true);
                turn.news.notify_one();
            }
            None => self.free.set(self.free.get() + 1),
        }
    }
}

/// "A call that is dropped gives back its permit, or its place in the line."
struct InLine<'a> {
    permits: &'a Permits,
    turn: Rc<Turn>,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.permits.line.borrow_mut().retain(|turn| !Rc::ptr_eq(turn, &self.turn));
        if self.turn.granted.get() {
            self.permits.release();
        }
    }
}

struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

// --- `rate_limit` ---

struct Rate {
    interval: Duration,
    burst: u32,
    keyed: bool,
}

/// The generic cell rate algorithm, and those who wait for their turn, first come first served.
struct RateLine {
    /// When the bucket is full again.
    full_at: Cell<Option<Instant>>,
    waiting: RefCell<VecDeque<u64>>,
    next: Cell<u64>,
    news: Notify,
}

impl RateLine {
    fn new() -> Self {
        Self { full_at: Cell::new(None), waiting: RefCell::default(), next: Cell::new(0), news: Notify::new() }
    }

    /// When the turn is of one with so many before it.
    fn turn_at(&self, before: usize, interval: Duration, burst: u32) -> Instant {
        let now = Instant::now();
        let full_at = self.full_at.get().map_or(now, |full_at| full_at.max(now)) + interval * u32::try_from(before).unwrap();
        full_at.checked_sub(interval * (burst - 1)).map_or(now, |turn| turn.max(now))
    }

    fn take(&self, interval: Duration) {
        let now = Instant::now();
        self.full_at.set(Some(self.full_at.get().map_or(now, |full_at| full_at.max(now)) + interval));
    }

    async fn turn(&self, interval: Duration, burst: u32, max_wait: Duration) -> Result<(), Duration> {
        let now = Instant::now();
        let before = self.waiting.borrow().len();
        let turn = self.turn_at(before, interval, burst);
        if before == 0 && turn <= now {
            self.take(interval);
            return Ok(());
        }
        if turn > now + max_wait {
            return Err(turn - now);
        }
        let place = Place { line: self, number: self.next.replace(self.next.get() + 1) };
        self.waiting.borrow_mut().push_back(place.number);
        loop {
            let news = self.news.notified();
            let before = self.waiting.borrow().iter().take_while(|number| **number != place.number).count();
            let turn = self.turn_at(before, interval, burst);
            if before == 0 && turn <= Instant::now() {
                self.take(interval);
                return Ok(());
            }
            tokio::select! { () = sleep_until(turn) => {}, () = news => {} }
        }
    }
}

struct Place<'a> {
    line: &'a RateLine,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.waiting.borrow_mut().retain(|number| *number != self.number);
        self.line.news.notify_waiters();
    }
}
