//! Streaming: a file of 256 MiB in constant memory, read on the blocking pool and processed on the event loop.
//!
//! `cargo run --example streaming`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use steadfast::{BlockingStream, blocking_stream, offload};
use tempfile::tempdir;
use tokio::task::consume_budget;

const SIZE: usize = 256 << 20;
const CHUNK: usize = 256 << 10;

/// `async def read_large_file_in_chunks(..)`, but the reads are not on the event loop. At most four chunks are read ahead: the reader waits
/// for the consumer.
fn read_in_chunks(path: PathBuf) -> BlockingStream<Vec<u8>, io::Error> {
    blocking_stream(4, move |tx| {
        let mut file = File::open(path)?;
        loop {
            let mut chunk = vec![0; CHUNK];
            let length = file.read(&mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            chunk.truncate(length);
            tx.send(chunk)?; // fails if the stream was dropped, which ends the reading
        }
    })
}

async fn checksum(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut chunks = read_in_chunks(path.to_owned());
    while let Some(chunk) = chunks.next().await {
        hasher.update(&chunk?);
        consume_budget().await; // yields to other tasks now and then
    }
    Ok(hasher.finalize())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let directory = tempdir()?;
    let path = directory.path().join("large");
    let target = path.clone();
    let expected = offload(move || write_large_file(&target)).await?;

    let start = Instant::now();
    let before = memory("VmRSS")?;
    let found = checksum(&path).await?;
    println!("{} MiB in {:?}", SIZE >> 20, start.elapsed());
    assert_eq!(found, expected);

    if let (Some(before), Some(peak)) = (before, memory("VmHWM")?) {
        let growth = peak.saturating_sub(before);
        println!("memory grew by at most {growth} KiB");
        assert!(growth < 16 << 10, "grew by {growth} KiB");
    }

    // Stopping early stops the reader.
    let first = read_in_chunks(path).next().await.transpose()?;
    assert_eq!(first.map(|chunk| chunk.len()), Some(CHUNK));

    // An error is the last item.
    let error = checksum(Path::new("no such file")).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    Ok(())
}

fn write_large_file(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::create(path)?;
    let mut chunk = vec![0; CHUNK];
    for number in 0..SIZE / CHUNK {
        chunk.fill(number.to_le_bytes()[0]);
        hasher.update(&chunk);
        file.write_all(&chunk)?;
    }
    Ok(hasher.finalize())
}

/// A memory figure of this process in KiB, on Linux; `None` elsewhere.
fn memory(name: &str) -> io::Result<Option<u64>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.and_then(|line| line.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()))
}
