//! Stacks of two and three attributes in every order: they compile, or are rejected with an error of the library's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use crate::compile::{Error, Program};

/// The attributes, with options that change the expansion.
const ATTRIBUTES: [&str; 30] = [
    "warn_slow_poll(1s)",
    "fallback(7)",
    "fallback(|error| Err(error))",
    "fallback(other().await)",
    "async_cached",
    "async_cached(single_flight = false, ttl = 1s)",
    "async_cached(detached)",
    "async_cached(ttl = 1min, refresh_ahead = 0.5, error_ttl = 1s)",
    "coalesce",
    "rate_limit(9 / 1s)",
    "rate_limit(9 / 1s, max_wait = 1s)",
    "rate_limit(9 / 1s, max_wait = 1s, key = id)",
    "concurrency_limit(2)",
    "concurrency_limit(2, max_wait = 0s)",
    "concurrency_limit(2, adaptive, max_wait = 1s)",
    "circuit_breaker",
    "cancellable(token = token())",
    "cancellable(token = token(), cleanup = cleanup())",
    "timeout(1s)",
    "timeout(1s, or_else = |_| Ok(7))",
    "retry",
    "retry(delay = 0s, when = |error| !error.0.is_empty())",
    "hedge(after = 1s)",
    "shield",
    "finally(cleanup())",
    "finally(|exit| told(id, exit))",
    "invalidates(CACHE, key = id)",
    "invalidates(CACHE, all, always)",
    "batched(delay = 1ms)",
    "offload_blocking",
];

const HEAD: &str = r#"#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(dead_code, unused_imports, reason = "nothing is called")]

use steadfast::{
    Cache, CancellationToken, Exit, async_cached, batched, cancellable, circuit_breaker, coalesce, concurrency_limit, fallback, finally, hedge,
    invalidates, offload_blocking, rate_limit, retry, shield, timeout, warn_slow_poll,
};

#[derive(Debug, Clone)]
struct Failure(String);

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self(error.to_string())
    }
}

static CACHE: Cache<u32, u32> = Cache::new(9);

fn token() -> CancellationToken {
    CancellationToken::new()
}

async fn cleanup() {}

async fn told(_id: u32, _exit: Exit) {}

async fn other() -> u32 {
    7
}

"#;

/// How many stacks there are.
pub(crate) fn count() -> usize {
    ATTRIBUTES.len().pow(2) + ATTRIBUTES.len().pow(3)
}

/// The stack with this number, outermost first. The stacks of two come first.
fn stack(number: usize) -> Vec<&'static str> {
    let all = ATTRIBUTES.len();
    let of_two = all.pow(2);
    let digits: Range<u32> = if number < of_two { 0..2 } else { 0..3 };
    let number = if number < of_two { number } else { number - of_two };
    digits.map(|digit| ATTRIBUTES[number / all.pow(digit) % all]).collect()
}

fn name(attribute: &str) -> &str {
    attribute.split('(').next().unwrap_or_default()
}

/// Whether the documentation rules it out.
fn is_rejected(stack: &[&str]) -> bool {
    let has = |wanted: &str| stack.iter().position(|attribute| name(attribute) == wanted);
    let twice = (1..stack.len()).any(|at| {
        !["timeout", "rate_limit", "invalidates"].contains(&name(stack[at]))
            && stack[..at].iter().any(|above| name(above) == name(stack[at]))
    });
    twice || has("offload_blocking").is_some_and(|at| at + 1 < stack.len())
}

/// Adapts an attribute to a batch: `above` it or below.
fn for_a_batch(attribute: &str, above: bool) -> String {
    let attribute = attribute.replace("key = id", "key = 7_u32").replace("told(id", "told(7");
    if above {
        return attribute;
    }
    attribute.replace("(7)", "(vec![7])").replace("other().await", "vec![other().await]")
}

/// A function with a stack.
fn function(number: usize) -> String {
    let stack = stack(number);
    let has = |wanted: &str| stack.iter().position(|attribute| name(attribute) == wanted);
    let batch = has("batched");
    let blocks = has("offload_blocking").is_some();
    let attributes = stack.iter().enumerate().map(|(at, attribute)| match batch {
        Some(batch) => for_a_batch(attribute, at < batch),
        None => (*attribute).to_owned(),
    });
    let attributes = attributes.fold(String::new(), |all, attribute| format!("{all}#[{attribute}]\n"));
    let (kind, waits) = if blocks { ("fn", "") } else { ("async fn", "    tokio::task::yield_now().await;\n") };
    let text = if blocks { "String" } else { "&str" };
    let function = if batch.is_some() {
        format!(
            "{kind} work(ids: Vec<u32>) -> Result<Vec<u32>, Failure> {{\n{waits}    Ok(ids.iter().map(|id| id + 1).collect())\n}}"
        )
    } else {
        format!(
            "{kind} work(id: u32, name: String, text: {text}) -> Result<u32, Failure> {{\n{waits}    \
             if id > 9 {{ Err(Failure(format!(\"{{name}} {{text}}\"))) }} else {{ Ok(id) }}\n}}"
        )
    };
    format!("mod stack_{number} {{\nuse super::*;\n{attributes}{function}\n}}\n")
}

/// The results of checking stacks.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) compiled: usize,
    /// How often each message rejected a stack.
    pub(crate) rejected: BTreeMap<String, usize>,
    /// The stacks that are wrong, with their errors.
    pub(crate) wrong: String,
}

/// Checks the stacks with these numbers.
pub(crate) fn check(numbers: &BTreeSet<usize>) -> Tally {
    let pieces = numbers.iter().map(|number| (*number, function(*number))).collect();
    let program = Program { name: "stacks", head: HEAD, pieces, tail: &|_| "fn main() {}\n".to_owned() };
    let (_, mut errors) = program.compile(true);
    let mut tally = Tally::default();
    for number in numbers {
        let errors = errors.remove(number).unwrap_or_default();
        let ours = errors.iter().all(|Error { code, .. }| code.is_none());
        match is_rejected(&stack(*number)) {
            true if ours && !errors.is_empty() => {
                for error in errors {
                    *tally.rejected.entry(error.message).or_default() += 1;
                }
            }
            false if errors.is_empty() => tally.compiled += 1,
            _ => {
                let said: Vec<_> = errors.into_iter().map(|error| error.rendered).collect();
                writeln!(tally.wrong, "--- stack {number}\n{}\n{}", function(*number), said.join("\n")).expect("text");
            }
        }
    }
    tally
}
