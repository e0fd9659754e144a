//! Hashing the files of the checkout, on the blocking pool.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use steadfast::offload_blocking;

use crate::error::AppError;

/// The threads on which files were hashed.
pub(crate) static THREADS: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

/// Without attributes: it blocks the thread on which it is called.
pub(crate) fn hash_here(path: &Path) -> Result<String, AppError> {
    let content = std::fs::read(path)?;
    // More than once, so that the machine has something to do.
    let hash = (0..200).fold(blake3::hash(&content), |_, _| blake3::hash(&content));
    Ok(hash.to_hex().to_string())
}

#[offload_blocking(limit = 4)] // four at once
pub(crate) fn hash(path: PathBuf) -> Result<String, AppError> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner).push(thread::current().id());
    hash_here(&path)
}

/// The source files of this checkout.
#[offload_blocking]
pub(crate) fn sources() -> Result<Vec<PathBuf>, AppError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// How many threads have hashed.
pub(crate) fn threads() -> HashSet<ThreadId> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
}
