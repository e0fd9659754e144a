//! The cost of a call, compared with the same work by hand and with other crates.
//!
//! `cargo run --release -p steadfast-benches` prints the median time of a call for every case, with the cases of a group interleaved.
//! `cargo run --release -p steadfast-benches -- CASE N` runs one case N times and nothing else: under `valgrind --tool=callgrind`, the
//! difference between two values of N is the number of instructions of that many calls.
//!
//! `cargo run --release -p steadfast-benches -- threads` compares the throughput of hits on one thread and on two.
//!
//! With `--features observed`, calls are counted and events emitted, without a recorder or subscriber.

mod cases;
mod threads;

use std::time::{Duration, Instant};

/// One thing that is measured: a name, and a function that does it so many times.
struct Case {
    group: &'static str,
    name: &'static str,
    run: fn(u64),
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => compare(),
        [mode] if mode == "threads" => threads::compare(),
        [name, count] => one(name, count.parse().expect("the second argument is a number of calls")),
        _ => panic!("no arguments, `threads`, or the name of a case and a number of calls"),
    }
}

fn one(name: &str, count: u64) {
    let case = cases::all().find(|case| case.name == name).expect("the name of a case");
    (case.run)(count);
}

/// Rounds in which every case runs once: what slows the machine down for a while slows all of them.
const ROUNDS: usize = 31;
const CALLS: u64 = 20_000;

fn compare() {
    let mut times = vec![Vec::new(); cases::all().count()];
    for _ in 0..ROUNDS {
        for (case, times) in cases::all().zip(&mut times) {
            let started = Instant::now();
            (case.run)(CALLS);
            times.push(started.elapsed());
        }
    }
    for (case, mut times) in cases::all().zip(times) {
        times.sort_unstable();
        println!("{:16} {:28} {:>10.1} ns", case.group, case.name, nanos_per_call(times[ROUNDS / 2]));
    }
}

#[expect(clippy::cast_precision_loss, reason = "both are small")]
fn nanos_per_call(time: Duration) -> f64 {
    time.as_nanos() as f64 / CALLS as f64
}
