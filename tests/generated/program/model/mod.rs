//! The documentation of the attributes as a program: an interpreter of stacks, built on tokio and not on the library.
//!
//! Each layer is an async function that awaits the layer below it, as `guide::order` describes: the topmost is the outermost, outcomes pass
//! upward, and dropping a layer drops everything below it.

mod arguments;
mod attempts;
mod breaker;
mod cache;
mod cleanup;
mod limit;
mod rate;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use steadfast::ErrorKind;
use tokio::time::Instant;

use super::spec::{Layer, Output, Spec, Usage, When};
use super::world::{self, Failure, Noisy, Outcome, ms, option_left};
use arguments::Arguments;
use breaker::Breaker;
use cache::{Cache, CacheOptions};
use limit::Permits;
use rate::{Rate, RateLine};

pub(crate) use arguments::names;

/// What a layer returns.
#[derive(Debug, Clone)]
struct Out {
    value: Result<u32, Why>,
    /// For a rejection that knows when to retry: how long that is, whatever the rejection was converted to.
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
    /// Whether there is a `cancellable` above.
    cancellable: bool,
    /// Set while a panic waits for a cleanup: no deadline above ends that wait.
    panicking: Rc<Cell<bool>>,
    arguments: Rc<Arguments>,
}

impl Context {
    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// For spawned work: a deadline or a cancellation above it bounds the caller, and not the work.
    fn on_another_task(self) -> Self {
        Self { deadline: None, cancellable: false, panicking: Rc::default(), ..self }
    }

    /// Nothing below a `cancellable` starts once the token is cancelled. What is polled at that moment is dropped right after.
    async fn may_begin(&self) {
        if self.cancellable && world::token().is_cancelled() {
            std::future::pending::<()>().await;
        }
    }
}

/// A function: its specification, and the state that its layers keep between calls.
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
            Layer::Limit { permits, .. } => State::Limit(Permits::new(*permits)),
            _ => State::None,
        });
        Rc::new(Self { states: states.collect(), spec })
    }

    /// Calls the function and returns what it returns, as text.
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

    /// Runs the stack from the layer `at` on.
    fn layer(self: Rc<Self>, at: usize, context: Context) -> LocalBoxFuture<'static, Out> {
        let Some(layer) = self.spec.stack.get(at).cloned() else { return self.body(context).boxed_local() };
        let here = Here { model: self, at };
        let entry = context.clone();
        let run = match layer {
            Layer::Timeout { limit, or_else } => here.timeout(context, limit, or_else).boxed_local(),
            Layer::Retry(retry) => here.retry(context, retry).boxed_local(),
            Layer::Fallback(fallback) => here.fallback(context, fallback).boxed_local(),
            Layer::Cached { ttl, error_ttl, single_flight, detached, skips } => {
                let options = CacheOptions {
                    ttl: Some(ttl.map_or(Duration::MAX, ms)),
                    error_ttl: error_ttl.map(ms),
                    single_flight,
                    detached,
                    keyed: !skips,
                };
                here.cached(context, options).boxed_local()
            }
            Layer::Coalesce { skips } => {
                let options = CacheOptions { ttl: None, error_ttl: None, single_flight: true, detached: false, keyed: !skips };
                here.cached(context, options).boxed_local()
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
            entry.may_begin().await;
            run.await
        }
        .boxed_local()
    }

    async fn body(self: Rc<Self>, context: Context) -> Out {
        context.may_begin().await;
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

    /// Whether the return type shows a failure: a plain value cannot.
    fn is_failure(&self, out: &Out) -> bool {
        self.spec.output != Output::Plain && out.value.is_err()
    }
}

/// The layer that runs.
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

    /// Evaluates an option that is evaluated at every call, in the attribute's turn.
    fn evaluates(&self, context: &Context, option: &str) {
        if self.model.spec.notes {
            option_left(context.call, option, context.left());
            if self.model.spec.panics_at == Some(self.at) {
                world::trap(context.call);
            }
        }
    }

    /// Whether `when` accepts a failure.
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

    /// What a rejected call returns.
    fn reject(context: &Context, kind: ErrorKind, hint: Option<Duration>, or_else: Option<bool>) -> Out {
        let value = match or_else {
            None => Err(Why::Policy(kind)),
            Some(good) => {
                option_left(context.call, "or_else", context.left());
                if good { Ok(7_001) } else { Err(Why::Application(7_002)) }
            }
        };
        Out { value, hint }
    }
}
