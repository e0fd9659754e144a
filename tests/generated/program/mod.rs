//! The fixed part of a generated program: runs each function and its model, and compares their traces.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, sleep_until, timeout};

pub(crate) mod known;
pub(crate) mod model;
pub(crate) mod spec;
pub(crate) mod world;

use known::tolerates;
use model::{Model, names};
use spec::{Layer, Shape, Spec, Usage};
use world::{Trace, ms, note};

/// A call that returns its outcome as text.
pub(crate) type Call = Pin<Box<dyn Future<Output = String>>>;

/// The seed of a function, and what calls it with the number of the call and the key.
pub(crate) type Function = (u64, fn(u32, u32) -> Call);

/// A call that takes this long hangs.
const HANGS: u64 = 60_000;

/// Runs the functions and describes those that differ from their models.
pub(crate) fn compare(functions: &[Function]) -> Vec<String> {
    let wrong = functions.iter().filter_map(|(seed, start)| {
        let spec = Rc::new(Spec::of(*seed));
        let difference = difference(&spec, &expected(&spec), &scenario(&spec, start))?;
        Some(format!("--- seed {seed}\n{difference}"))
    });
    wrong.collect()
}

/// What a function should do according to the documentation.
pub(crate) fn expected(spec: &Rc<Spec>) -> Trace {
    let model = Model::new(spec.clone());
    scenario(spec, |call, key| Box::pin(model.clone().call(call, key)))
}

/// Makes the calls of a specification on a runtime with a paused clock.
fn scenario(spec: &Rc<Spec>, start: impl Fn(u32, u32) -> Call) -> Trace {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        world::open(spec.clone());
        let began = world::began();
        let token = world::token();
        let cancelled_at = spec.cancelled_at;
        spawn_local(async move {
            if let Some(at) = cancelled_at {
                sleep_until(began + ms(at)).await;
                token.cancel();
            }
        });
        let start = &start;
        let calls = spec.calls.iter().enumerate().map(|(number, call)| async move {
            let number = u32::try_from(number).expect("few calls");
            sleep_until(began + ms(call.at)).await;
            let polled = AssertUnwindSafe(start(number, call.key)).catch_unwind();
            let end = match timeout(ms(call.dropped_after.unwrap_or(HANGS)), polled).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(panic)) => format!("panic {:?}", panic.downcast_ref::<&str>()),
                Err(_) => "dropped".to_owned(),
            };
            note(number, end);
        });
        each_on_its_own(calls).await;
        // For work that continues without its caller.
        sleep(Duration::from_millis(2 * HANGS)).await;
        world::close()
    })
}

/// Polls each call only when it is woken.
async fn each_on_its_own(calls: impl Iterator<Item = impl Future<Output = ()>>) {
    calls.collect::<FuturesUnordered<_>>().for_each(async |()| {}).await;
}

/// How a function differs from its model.
pub(crate) fn difference(spec: &Spec, expected: &Trace, seen: &Trace) -> Option<String> {
    let counted = |trace: &Trace| -> BTreeSet<u32> { trace.events.keys().copied().collect() };
    let mut text = String::new();
    let heard = Cell::new(false);
    for call in counted(expected).union(&counted(seen)) {
        let (should, is) = (events(spec, expected, *call), events(spec, seen, *call));
        if should != is {
            heard.set(true);
            writeln!(text, "call {call}:\n  expected {should:#?}\n  seen     {is:#?}").expect("text");
        }
        if let Some(drops) = wrong_drops(spec, expected, seen, *call) {
            heard.set(true);
            writeln!(text, "call {call}: {drops}").expect("text");
        }
    }
    heard.get().then_some(text)
}

/// The events of a call to compare. How often arguments are cloned for tasks is not documented.
fn events(spec: &Spec, trace: &Trace, call: u32) -> Vec<String> {
    let events = trace.events.get(&call).into_iter().flatten();
    let compared = events.filter(|(_, text)| !(clones_for_tasks(spec) && text.starts_with("clone ")));
    let mut compared: Vec<_> = compared.map(|(at, text)| (*at, text.as_str())).collect();
    // Racers that are dropped together are dropped in no documented order.
    for left in
        compared.chunk_by_mut(|(at, text), (then, next)| at == then && text.ends_with("dropped") && next.ends_with("dropped"))
    {
        left.sort_unstable();
    }
    compared.into_iter().map(|(at, text)| format!("{at} {text}")).collect()
}

/// Whether arguments are cloned for spawned work: something above it repeats it, or names an argument.
fn clones_for_tasks(spec: &Spec) -> bool {
    let spawned = spec.stack.iter().rposition(Layer::spawns);
    let above = |at: usize| matches!(spec.stack[at], Layer::Retry(_) | Layer::Hedge { .. }) || spec.stack[at].spawns();
    spawned.is_some_and(|spawned| (0..spawned).any(|at| above(at) || spec.mentions[at].is_some()))
}

/// Everything is dropped once, and in the order of a function without attributes.
fn wrong_drops(spec: &Spec, expected: &Trace, seen: &Trace, call: u32) -> Option<String> {
    let names = |trace: &Trace| -> Vec<&str> { trace.drops.get(&call).into_iter().flatten().map(|(_, name)| *name).collect() };
    let (should, is) = (names(expected), names(seen));
    for name in &is {
        let dropped = is.iter().filter(|other| *other == name).count();
        let made = seen.made.iter().find(|((of, made), _)| *of == call && made == name).map_or(0, |(_, made)| *made);
        // Work that hangs on its own task is still alive.
        if dropped > made || dropped < made && !spec.stack.iter().any(Layer::spawns) {
            return Some(format!("{made} of {name} were made, and {dropped} dropped"));
        }
    }
    let (should, is) = (in_order(spec, should), in_order(spec, is));
    (!clones_for_tasks(spec) && should != is).then(|| format!("expected drops {should:?}, seen {is:?}"))
}

/// The drops whose order is documented, and the others, sorted.
fn in_order<'a>(spec: &Spec, drops: Vec<&'a str>) -> (Vec<&'a str>, Vec<&'a str>) {
    // The captures of an `async` block have an order of their own.
    let block = matches!(spec.shape, Shape::Returned | Shape::Boxed);
    let consumed = |name: &str| {
        tolerates("consumed-drops")
            && spec.arguments.iter().any(|argument| argument.usage == Usage::Moved && names(argument).contains(&name))
    };
    // The clones of a cleanup live until it has ended.
    let cleaned = |name: &str| {
        spec.stack
            .iter()
            .zip(&spec.mentions)
            .any(|(layer, mention)| matches!(layer, Layer::Finally { .. }) && *mention == Some(name))
    };
    let has_order = |name: &&str| !block && !consumed(name) && !cleaned(name);
    let (ordered, mut rest): (Vec<_>, Vec<_>) = drops.into_iter().partition(has_order);
    rest.sort_unstable();
    (ordered, rest)
}
