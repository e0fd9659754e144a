//! What a function and its model share: the trace they write, the script their bodies follow, and values that record when they are cloned
//! and dropped.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use steadfast::{CancellationToken, ErrorKind};
use tokio::time::{Instant, sleep};

use super::spec::{Spec, Step};

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

struct World {
    spec: Rc<Spec>,
    began: Instant,
    token: CancellationToken,
    runs: HashMap<u32, usize>,
    trace: Trace,
}

/// What happened in each call.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// For each call: the time in milliseconds and what happened.
    pub(crate) events: HashMap<u32, Vec<(u128, String)>>,
    /// For each call: what was dropped, in order.
    pub(crate) drops: HashMap<u32, Vec<(u128, &'static str)>>,
    /// For each call and name: how many values there were.
    pub(crate) made: HashMap<(u32, &'static str), usize>,
}

/// Begins a trace.
pub(crate) fn open(spec: Rc<Spec>) {
    let world =
        World { spec, began: Instant::now(), token: CancellationToken::new(), runs: HashMap::new(), trace: Trace::default() };
    WORLD.set(Some(world));
}

/// Ends the trace. What happens later is ignored.
pub(crate) fn close() -> Trace {
    WORLD.take().expect("a trace is open").trace
}

fn world<T>(look: impl FnOnce(&mut World) -> T) -> Option<T> {
    WORLD.with_borrow_mut(|world| world.as_mut().map(look))
}

pub(crate) fn token() -> CancellationToken {
    world(|world| world.token.clone()).unwrap_or_default()
}

pub(crate) fn began() -> Instant {
    world(|world| world.began).expect("a trace is open")
}

pub(crate) fn note(call: u32, text: impl Into<String>) {
    let text = text.into();
    world(|world| world.trace.events.entry(call).or_default().push((world.began.elapsed().as_millis(), text)));
}

/// Records `text` and the time left.
fn note_left(call: u32, text: &str, left: Option<Duration>) {
    note(call, left.map_or_else(|| text.to_owned(), |left| format!("{text}, {left:?} left")));
}

/// Records that an option is evaluated, by a function or its model.
pub(crate) fn option_left(call: u32, name: &str, left: Option<Duration>) {
    note_left(call, name, left);
}

/// Panics in every second call.
pub(crate) fn trap(call: u32) {
    assert!(call.is_multiple_of(2), "trap");
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One run of a body.
pub(crate) struct Run {
    call: u32,
    number: usize,
    step: usize,
    ended: bool,
}

/// Begins a run of the body of a function or its model.
pub(crate) fn run(call: u32, key: u32, left: Option<Duration>) -> Run {
    let number = world(|world| {
        let runs = world.runs.entry(call).or_default();
        *runs += 1;
        *runs
    });
    let run = Run { call, number: number.unwrap_or_default(), step: 0, ended: false };
    note_left(call, &format!("body {} of key {key}", run.number), left);
    run
}

impl Run {
    fn script(&self) -> super::spec::Run {
        world(|world| {
            let script = &world.spec.script;
            script[self.number.clamp(1, script.len()) - 1].clone()
        })
        .expect("a trace is open")
    }

    pub(crate) async fn step(&mut self) {
        let step = self.script().steps[self.step];
        self.step += 1;
        match step {
            Step::Nothing => {}
            Step::Yield => tokio::task::yield_now().await,
            Step::Sleep(time) => sleep(ms(time)).await,
            Step::Hang => std::future::pending().await,
            Step::Panic => panic!("scripted"),
        }
    }

    /// Ends the run with a success or a failure.
    pub(crate) fn outcome(mut self) -> Result<u32, u32> {
        self.ended = true;
        let number = u32::try_from(self.number).unwrap_or_default();
        note(self.call, format!("body {number} ends"));
        if self.script().succeeds { Ok(100 * self.call + number) } else { Err(100 * self.call + number) }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.ended {
            note(self.call, format!("body {} dropped", self.number));
        }
    }
}

/// The error of generated functions. It keeps the kind of a rejection and hides its source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    Application(u32),
    Policy(ErrorKind),
}

pub(crate) type Outcome = Result<u32, Failure>;

/// A value that records when it is cloned and dropped.
#[derive(Debug)]
pub(crate) struct Noisy {
    call: u32,
    name: &'static str,
}

impl Noisy {
    pub(crate) fn new(call: u32, name: &'static str) -> Self {
        world(|world| *world.trace.made.entry((call, name)).or_default() += 1);
        Self { call, name }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl Clone for Noisy {
    fn clone(&self) -> Self {
        note(self.call, format!("clone {}", self.name));
        Self::new(self.call, self.name)
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        let (call, name) = (self.call, self.name);
        world(|world| world.trace.drops.entry(call).or_default().push((world.began.elapsed().as_millis(), name)));
    }
}
