//! `#[offload_blocking]`: hashes the files of the checkout on the blocking pool.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use steadfast::offload_blocking;
use tokio::time::sleep;

use crate::error::AppError;
use crate::report::{Report, note};

/// CPU-bound jobs get few threads, to leave processors for the rest of the program.
const LIMIT: usize = 2;

#[offload_blocking(limit = LIMIT)] // concurrent jobs
fn hash(path: PathBuf) -> Result<blake3::Hash, AppError> {
    let _working = Working::begin();
    hash_here(&path)
}

/// The same without attributes: it blocks the thread on which it is called.
fn hash_here(path: &Path) -> Result<blake3::Hash, AppError> {
    let content = fs::read(path)?;
    // Over and over, as a password would be: one pass over a source file is no work for a thread.
    Ok((0..200).fold(blake3::hash(&content), |hash, _| blake3::keyed_hash(hash.as_bytes(), &content)))
}

/// The texts of this checkout.
#[offload_blocking]
fn texts(root: PathBuf) -> Result<Vec<PathBuf>, AppError> {
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            if kind.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|kind| kind == "rs" || kind == "md" || kind == "toml") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// How many bodies run, and how many did so at most.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// The threads they ran on.
static THREADS: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

struct Working;

impl Working {
    fn begin() -> Self {
        MOST.fetch_max(NOW.fetch_add(1, Relaxed) + 1, Relaxed);
        THREADS.lock().unwrap_or_else(PoisonError::into_inner).push(thread::current().id());
        Self
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        NOW.fetch_sub(1, Relaxed);
    }
}

fn threads() -> HashSet<ThreadId> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
}

pub(crate) async fn show(report: &mut Report) -> anyhow::Result<()> {
    report.step("offload_blocking: hashing the texts of this checkout");
    let paths = texts(concat!(env!("CARGO_MANIFEST_DIR"), "/..").into()).await?;
    let hash_all = || paths.iter().map(|path| hash_here(path)).collect::<Result<Vec<_>, _>>();
    hash_all()?; // so that neither side reads from a cold disk

    let began = Instant::now();
    let (bare, ticks) = ticks_during(async { hash_all() }).await;
    let (bare, time) = (bare?, began.elapsed());
    note(format_args!("baseline: {} files, {time:.0?}, {ticks} timer ticks on the same task", bare.len()));

    let began = Instant::now();
    let (hashes, ticks) = ticks_during(try_join_all(paths.iter().map(|path| hash(path.clone())))).await;
    let (hashes, time) = (hashes?, began.elapsed());
    report.check(hashes == bare, format_args!("offloaded: the same {} hashes, {time:.0?}", hashes.len()))?;
    report.check(ticks > 0, format_args!("the task stayed responsive: {ticks} timer ticks"))?;

    let (most, threads) = (MOST.load(Relaxed), threads());
    let elsewhere = !threads.is_empty() && !threads.contains(&thread::current().id());
    report.check(
        elsewhere && most <= LIMIT,
        format_args!("{} pool threads used, at most {most} concurrently (limit {LIMIT})", threads.len()),
    )
}

/// Does the work next to a timer in the same task, which ticks only while nothing blocks the thread.
async fn ticks_during<T>(work: impl Future<Output = T>) -> (T, u32) {
    let mut ticks = 0;
    let clock = async {
        loop {
            sleep(Duration::from_millis(5)).await;
            ticks += 1;
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = clock => unreachable!("it ticks forever"),
    };
    (outcome, ticks)
}
