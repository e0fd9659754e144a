//! All four on one function, one line each, from the outermost to the innermost.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use steadfast::{async_cached, offload_blocking, retry, timeout};

use crate::error::AppError;
use crate::report::{Report, note};
use crate::server::Server;

#[async_cached(ttl = 60s, skip(server), handle = digests)] // outermost: a hit skips everything below
#[timeout(10s)] // all attempts together
#[retry(attempts = 5, delay = 10ms, when = AppError::is_transient)]
#[timeout(300ms)] // each attempt
#[offload_blocking(limit = 2)]
fn digest(server: SocketAddr, day: u32) -> Result<blake3::Hash, AppError> {
    Ok(blake3::hash(download(server, day)?.as_bytes()))
}

/// A blocking client: it blocks its thread.
fn download(server: SocketAddr, day: u32) -> Result<String, AppError> {
    let mut connection = TcpStream::connect(server)?;
    // A thread cannot be dropped: this ends the job of an attempt that timed out.
    connection.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(connection, "GET /report/{day} HTTP/1.0\r\nhost: {server}\r\n\r\n")?;
    let mut reply = String::new();
    connection.read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    match head.split(' ').nth(1).and_then(|status| status.parse().ok()) {
        Some(200) => Ok(body.to_owned()),
        status => Err(AppError::Status { status: status.unwrap_or(0), retry_after: None }),
    }
}

pub(crate) async fn show(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("all four on one function: a report that fails, then hangs, then arrives");
    if let Err(error) = download(server.address, 1) {
        note(format_args!("baseline: {error}"));
    }

    let began = Instant::now();
    let all = try_join_all((0..20).map(|_| digest(server.address, 7))).await?;
    let (requests, stats, time) = (server.requests("/report/7"), digests().stats(), began.elapsed());
    report.check(
        requests >= 3 && stats.loads == 1 && stats.coalesced == 19 && all.iter().all(|one| *one == all[0]),
        format_args!(
            "20 callers: 1 computation, {} coalesced, {requests} attempts (502, timed out, ok), {time:.0?}",
            stats.coalesced
        ),
    )?;

    let again = digest(server.address, 7).await?;
    let (hits, later) = (digests().stats().hits, server.requests("/report/7"));
    report.check(again == all[0] && hits == 1 && later == requests, "the next call: 1 hit, no request")
}
