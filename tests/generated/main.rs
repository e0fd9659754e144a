//! Functions with random stacks, signatures, bodies and callers, compared with an interpreter of the documentation.
//!
//! `program::spec` is a function as data, `source` writes it as Rust, `program::model` interprets it. A generated program runs both under a
//! paused clock and compares what they did and when: bodies, clones, drops, evaluated options, outcomes.
//!
//! `cargo test` runs a sample. To run more, starting at seed 1000:
//!
//! ```text
//! GENERATED_FIRST=1000 GENERATED_COUNT=3000 cargo test --test generated -- --nocapture
//! ```
//!
//! `stacks` checks that stacks of two and three attributes compile: a sample, or all of them, from any number on:
//!
//! ```text
//! GENERATED_FIRST=0 GENERATED_COUNT=30000 cargo test --test generated stacks -- --nocapture
//! ```
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::rc::Rc;

mod compile;
mod program;
mod source;
mod stacks;

use compile::Program;
use program::spec::Spec;
use program::{Call, Function, known};

/// The number of functions or stacks in a program.
const PROGRAM: usize = 200;

/// The size of the samples that `cargo test` runs.
const SAMPLE: usize = 150;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn functions_do_what_their_model_does() {
    let (first, count) = (number("GENERATED_FIRST", 0), number("GENERATED_COUNT", SAMPLE));
    let known = |seed: &usize| known::fault(&Spec::of(*seed as u64)).is_some();
    let seeds: Vec<usize> = (first..first + count).filter(|seed| !known(seed)).collect();
    let mut wrong = String::new();
    for seeds in seeds.chunks(PROGRAM) {
        wrong += &run(seeds);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn stacks_of_two_and_three_compile() {
    let all = stacks::count();
    let numbers: BTreeSet<usize> = if std::env::var_os("GENERATED_COUNT").is_some() {
        let first = number("GENERATED_FIRST", 0);
        (first..all.min(first + number("GENERATED_COUNT", 0))).collect()
    } else {
        let mut random = fastrand::Rng::with_seed(number("GENERATED_SEED", 12) as u64);
        (0..number("GENERATED_STACKS", SAMPLE)).map(|_| random.usize(..all)).collect()
    };
    let numbers: Vec<usize> = numbers.into_iter().collect();
    let mut wrong = String::new();
    let (mut compiled, mut rejected) = (0, BTreeMap::new());
    for part in numbers.chunks(PROGRAM) {
        let tally = stacks::check(&part.iter().copied().collect());
        compiled += tally.compiled;
        for (message, times) in tally.rejected {
            *rejected.entry(message).or_insert(0) += times;
        }
        print!("{}", tally.wrong);
        wrong += &tally.wrong;
        println!("up to stack {} of {all}: {compiled} compile", part.last().expect("a part"));
    }
    println!("{rejected:#?}");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Removing an attribute changes what some function of the sample does, whichever attribute it is.
#[test]
fn the_sample_depends_on_each_attribute() {
    let mut unseen: BTreeSet<&str> = source::NAMES.into_iter().filter(|name| *name != "warn_slow_poll").collect();
    for seed in 0..SAMPLE as u64 {
        let spec = Rc::new(Spec::of(seed));
        for at in 0..spec.stack.len() {
            let mut other = Spec::of(seed);
            let name = source::name(&other.stack.remove(at));
            if unseen.contains(name)
                && program::difference(&spec, &program::expected(&spec), &program::expected(&Rc::new(other))).is_some()
            {
                unseen.remove(name);
            }
        }
    }
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn a_function_that_does_nothing_is_found() {
    let functions: Vec<Function> = (0..20).map(|seed| (seed, nothing as _)).collect();
    assert_eq!(program::compare(&functions).len(), functions.len());
}

fn nothing(_call: u32, _key: u32) -> Call {
    Box::pin(async { String::new() })
}

/// Compiles and runs the functions of these seeds, and describes those that are wrong.
fn run(seeds: &[usize]) -> String {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/generated");
    let head = format!(
        "#![forbid(unsafe_code)]\n#![deny(warnings)]\n#[allow(dead_code)]\n#[path = {:?}]\nmod program;\n#[allow(dead_code)]\n#[path = {:?}]\n\
         mod prelude;\n",
        format!("{here}/program/mod.rs"),
        format!("{here}/prelude.rs")
    );
    let module = |seed: usize| source::module(seed as u64, &Spec::of(seed as u64));
    let tail = |seeds: &BTreeSet<usize>| {
        let functions = seeds.iter().fold(String::new(), |all, seed| format!("{all}({seed}, f{seed}::start), "));
        format!("fn main() {{\n    prelude::main(&[{functions}]);\n}}\n")
    };
    let pieces = seeds.iter().map(|seed| (*seed, module(*seed))).collect();
    let (program, errors) = Program { name: "functions", head: &head, pieces, tail: &tail }.compile(false);

    let mut wrong = String::new();
    for (seed, errors) in errors {
        let said: Vec<_> = errors.into_iter().map(|error| error.rendered).collect();
        writeln!(wrong, "--- seed {seed} does not compile\n{}\n{}", module(seed), said.join("\n")).expect("text");
    }
    let output = Command::new(program).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout);
    for difference in said.split("--- seed ").skip(1) {
        let seed = difference.split_whitespace().next().and_then(|seed| seed.parse().ok()).expect("a seed");
        writeln!(wrong, "--- seed {difference}\n{}", module(seed)).expect("text");
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    wrong
}
