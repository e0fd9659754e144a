//! The README's lint block finds what it is intended for, even in attributed functions, and nothing else.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A lint that is to fire stands behind `//~` at the end of its line.
const SAMPLES: &str = r#"//! Samples.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use steadfast::{async_cached, coalesce, offload_blocking, retry, timeout};

pub async fn plain(id: u32) -> io::Result<u32> {
    tokio::task::yield_now().await;
    Ok(id)
}

#[async_cached]
#[timeout(1s)]
#[retry]
pub async fn stacked(id: u32) -> io::Result<u32> {
    plain(id).await
}

#[coalesce]
pub async fn shared(id: u32) -> io::Result<u32> {
    plain(id).await
}

#[offload_blocking]
pub fn offloaded(id: u32) -> io::Result<u32> {
    Ok(id)
}

pub async fn forgotten_await() {
    plain(1); //~ unused_must_use
    stacked(1); //~ unused_must_use
    shared(1); //~ unused_must_use
    offloaded(1); //~ unused_must_use
}

pub async fn forgotten_error() {
    stacked(1).await; //~ unused_must_use
}

pub async fn thrown_away() {
    let _ = plain(1); //~ clippy::let_underscore_future
    let _ = stacked(1); //~ clippy::let_underscore_future
    let _ = offloaded(1); //~ clippy::let_underscore_future
}

pub async fn forgotten_helpers() {
    steadfast::gather([plain(1)]); //~ unused_must_use
    steadfast::try_gather([plain(1)]); //~ unused_must_use
    steadfast::drain(Duration::ZERO); //~ unused_must_use
    steadfast::offload(|| 1); //~ unused_must_use
}

pub async fn locked(total: &Mutex<u32>) -> io::Result<()> {
    let mut total = total.lock().unwrap(); //~ clippy::await_holding_lock
    *total += plain(1).await?;
    Ok(())
}

#[timeout(1s)]
#[retry]
pub async fn locked_in_a_stack(total: &Mutex<u32>) -> io::Result<()> {
    let mut total = total.lock().unwrap(); //~ clippy::await_holding_lock
    *total += plain(1).await?;
    Ok(())
}

pub async fn borrowed(total: &RefCell<u32>) -> io::Result<()> {
    let mut total = total.borrow_mut(); //~ clippy::await_holding_refcell_ref
    *total += plain(1).await?;
    Ok(())
}

pub async fn unlocked(total: &Mutex<u32>) -> io::Result<()> {
    let one = plain(1).await?;
    *total.lock().unwrap() += one;
    Ok(())
}

pub async fn blocks() -> io::Result<String> {
    std::thread::sleep(Duration::from_millis(1)); //~ clippy::disallowed_methods
    std::fs::read_to_string("file") //~ clippy::disallowed_methods
}

#[timeout(1s)]
pub async fn blocks_in_a_stack() -> io::Result<Vec<u8>> {
    std::thread::sleep(Duration::from_millis(1)); //~ clippy::disallowed_methods
    std::fs::File::open("file")?; //~ clippy::disallowed_methods
    std::fs::File::create("file")?; //~ clippy::disallowed_methods
    std::fs::write("file", "")?; //~ clippy::disallowed_methods
    std::net::TcpStream::connect("127.0.0.1:1")?; //~ clippy::disallowed_methods
    std::process::Command::new("true").status()?; //~ clippy::disallowed_methods
    std::process::Command::new("true").output()?; //~ clippy::disallowed_methods
    tokio::runtime::Handle::current().block_on(std::future::ready(())); //~ clippy::disallowed_methods
    std::fs::read("file") //~ clippy::disallowed_methods
}

#[offload_blocking]
#[expect(clippy::disallowed_methods, reason = "on the blocking pool")]
pub fn meant_to_block(path: PathBuf) -> io::Result<String> {
    std::fs::read_to_string(path)
}
"#;

#[test]
fn the_lint_block_flags_the_samples() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    if !Command::new(&cargo).args(["clippy", "--version"]).output().is_ok_and(|version| version.status.success()) {
        // Not by `eprintln!`, which the test harness keeps to itself.
        writeln!(std::io::stderr(), "skipped: the README's lint block, for there is no clippy").unwrap();
        return;
    }

    let package = package();
    let output = Command::new(cargo)
        .args(["clippy", "--offline", "--quiet", "--message-format", "json"])
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        // Its own lints are what is tested, and cargo's caller may have some.
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let found: BTreeSet<(usize, String)> = String::from_utf8(output.stdout).unwrap().lines().filter_map(finding).collect();
    let expected: BTreeSet<(usize, String)> =
        (1..).zip(SAMPLES.lines()).filter_map(|(number, line)| Some((number, line.split_once("//~ ")?.1.to_owned()))).collect();
    let missed: Vec<_> = expected.difference(&found).collect();
    let too_much: Vec<_> = found.difference(&expected).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(missed.is_empty() && too_much.is_empty(), "not flagged: {missed:?}\nflagged: {too_much:?}\n{said}");
}

/// The line and the lint of a message, as cargo prints it. The block denies: what only warns would not stop a build.
fn finding(json: &str) -> Option<(usize, String)> {
    let message: Value = serde_json::from_str(json).ok()?;
    let message = message.get("message")?;
    let lint = message.pointer("/code/code")?.as_str()?;
    let at = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    let level = if message["level"] == "error" { "" } else { "only a warning: " };
    Some((at["line_start"].as_u64()?.try_into().ok()?, format!("{level}{lint}")))
}

/// A package as a reader of the README would have it, in the target directory, so that it is built once.
fn package() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lint_block");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let lints = readme.split_once("\n## Lints\n").expect("the README has a lint block").1;
    let lints = lints.split_once("\n## ").map_or(lints, |(lints, _)| lints);
    let mut blocks = lints.split("```toml\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    let (manifest, clippy) = (blocks.next().unwrap(), blocks.next().unwrap());

    let head = format!(
        "[package]\nname = \"samples\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nsteadfast = {{ path = '{}' }}\n\
         tokio = {{ version = \"1\", features = [\"rt\", \"time\"] }}\n\n",
        root.display()
    );
    fs::create_dir_all(package.join("src")).unwrap();
    fs::write(package.join("Cargo.toml"), head + manifest).unwrap();
    fs::write(package.join("clippy.toml"), clippy).unwrap();
    fs::write(package.join("src/lib.rs"), SAMPLES).unwrap();
    // The versions that are there: nothing is to be downloaded.
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}
