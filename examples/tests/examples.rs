//! The examples check themselves: each exits successfully within a time limit, and none is left out.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{Read, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far more than any of them takes, also where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Those with tests of their own: `.ci/run` runs the tour, and `tests/service.rs` uses the service.
const ELSEWHERE: [&str; 2] = ["service", "tour"];

macro_rules! examples {
    ($($example:ident)*) => {
        const EXAMPLES: &[&str] = &[$(stringify!($example)),*];

        $(
            #[test]
            fn $example() {
                run(stringify!($example));
            }
        )*
    };
}

examples! {
    fetch fan_out resource generator thread_pool queue cache web_endpoint database testing streaming error_handling cancellation
    slow_poll deadlines per_host token
}

/// The example of the database on a server, where there is one; above, it runs on a file.
#[test]
fn database_on_postgresql() {
    match env::var("DATABASE_URL") {
        Ok(url) if url.starts_with("postgres") => run_with("database", Some(&url)),
        // Not by `eprintln!`, which the test harness keeps to itself.
        _ => writeln!(stderr(), "skipped: the example `database` on PostgreSQL, for `DATABASE_URL` names no server").unwrap(),
    }
}

#[test]
fn every_example_is_run() {
    let files = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap().map(|file| file.unwrap().path());
    let programs = files.filter(|path| path.extension().is_some_and(|kind| kind == "rs") || path.join("main.rs").exists());
    let found: BTreeSet<String> = programs.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let known: BTreeSet<String> = EXAMPLES.iter().chain(&ELSEWHERE).map(|&name| name.to_owned()).collect();
    let forgotten: Vec<_> = found.difference(&known).collect();
    assert!(forgotten.is_empty(), "no test runs {forgotten:?}");
}

fn run(example: &str) {
    run_with(example, None);
}

fn run_with(example: &str, database: Option<&str>) {
    let binary = binary(example);
    let mut command = Command::new(&binary);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match database {
        Some(url) => command.env("DATABASE_URL", url),
        None => command.env_remove("DATABASE_URL"),
    };
    let spawned = command.spawn();
    let mut child =
        Ended(spawned.unwrap_or_else(|error| panic!("{}: {error}; `cargo build --examples` builds it", binary.display())));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "`{example}` is still running");
        sleep(Duration::from_millis(10));
    };
    // Their lines fit into the pipes, so that they are read when it has ended.
    let (mut out, mut err) = (String::new(), String::new());
    child.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(status.success(), "`{example}` ended with {status}\n{out}\n{err}");
}

/// Where cargo puts it: `target/debug/examples`, beside the `deps` that this test is in.
fn binary(example: &str) -> PathBuf {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join(example).with_extension(env::consts::EXE_EXTENSION)
}

/// A program that is not left running where the test fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has most often ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
