//! `#[async_cached]`: concurrent callers share one computation, and later calls are hits.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use steadfast::async_cached;
use tokio::time::sleep;

use crate::error::AppError;
use crate::http;
use crate::report::{Report, note};
use crate::server::Server;

#[async_cached(ttl = 60s, skip(base), handle = rates)]
async fn rate(base: &str, currency: &str) -> Result<String, AppError> {
    bare_rate(base, currency).await
}

#[async_cached(ttl = 100ms, stale_while_revalidate = 1min, skip(base), handle = quick_rates)]
async fn quick_rate(base: &str, currency: &str) -> Result<String, AppError> {
    bare_rate(base, currency).await
}

async fn bare_rate(base: &str, currency: &str) -> Result<String, AppError> {
    http::get(&format!("{base}/rate/{currency}")).await
}

pub(crate) async fn show(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("async_cached: concurrent callers share one computation, later calls are hits");
    callers(server, report).await?;
    by_hand(server, report).await?;
    aborted(server, report).await?;
    stale(server, report).await
}

async fn callers(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let base = server.base();
    // Not 1000: each has a connection, which is two of the files that a process may open.
    let began = Instant::now();
    try_join_all((0..100).map(|_| bare_rate(&base, "sek"))).await?;
    note(format_args!("baseline, 100 callers: {} requests, {:.0?}", server.requests("/rate/sek"), began.elapsed()));

    let began = Instant::now();
    try_join_all((0..1_000).map(|_| rate(&base, "eur"))).await?;
    let (requests, stats, time) = (server.requests("/rate/eur"), rates().stats(), began.elapsed());
    report.check(
        requests == 1 && stats.loads == 1 && stats.coalesced == 999,
        format_args!("1000 callers of a cold key: {requests} request, {} coalesced, {time:.0?}", stats.coalesced),
    )?;

    let began = Instant::now();
    for _ in 0..1_000 {
        rate(&base, "eur").await?;
    }
    let (requests, hits, time) = (server.requests("/rate/eur"), rates().stats().hits, began.elapsed() / 1_000);
    report.check(requests == 1 && hits == 1_000, format_args!("1000 more calls: no request, {hits} hits, {time:.1?} each"))
}

async fn by_hand(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let base = server.base();
    let failed = rate(&base, "xxx").await.is_err() && rate(&base, "xxx").await.is_err();
    let requests = server.requests("/rate/xxx");
    report.check(failed && requests == 2, format_args!("errors are not cached: 2 calls, {requests} requests"))?;

    rates().insert("usd".to_owned(), "usd 1".to_owned());
    let found = rate(&base, "usd").await?;
    let requests = server.requests("/rate/usd");
    report.check(found == "usd 1" && requests == 0, format_args!("handle, `insert`: \"{found}\", {requests} requests"))?;

    rates().invalidate("eur");
    let again = rate(&base, "eur").await?;
    let requests = server.requests("/rate/eur");
    report.check(requests == 2, format_args!("handle, `invalidate`: \"{again}\", from a second request"))?;

    let stats = rates().stats();
    report.check(
        stats.loads == 4 && stats.load_errors == 2,
        format_args!("handle, `stats`: {} hits, {} loads, {} load errors", stats.hits, stats.loads, stats.load_errors),
    )
}

async fn aborted(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let call = || {
        let base = server.base();
        tokio::spawn(async move { rate(&base, "chf").await })
    };
    let (computing, waited_for) = (call(), rates().stats().coalesced);
    until(|| server.requests("/rate/chf") == 1).await;
    let waiting = call();
    until(|| rates().stats().coalesced > waited_for).await;
    computing.abort();
    let answer = waiting.await??;
    let requests = server.requests("/rate/chf");
    let gone = computing.await.is_err_and(|error| error.is_cancelled());
    report.check(
        gone && requests == 2,
        format_args!("the leader is aborted; a waiter takes over with request {requests}: \"{answer}\""),
    )
}

async fn stale(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let base = server.base();
    let first = quick_rate(&base, "gbp").await?;
    sleep(Duration::from_millis(150)).await;
    let began = Instant::now();
    let stale = quick_rate(&base, "gbp").await?;
    let time = began.elapsed();
    until(|| server.requests("/rate/gbp") == 2 && quick_rates().in_flight() == 0).await;
    let stats = quick_rates().stats();
    // By a call, not by the handle: on a slow machine the new rate may have expired as well, and still is the new one.
    let fresh = quick_rate(&base, "gbp").await?;
    report.check(
        stale == first && fresh != first && stats.stale_hits == 1 && stats.refreshes == 1,
        format_args!("expired: stale \"{stale}\" served in {time:.1?}, {} background refresh, then \"{fresh}\"", stats.refreshes),
    )
}

/// Waits for what another task does; the deadline of the whole tour ends it.
async fn until(such: impl Fn() -> bool) {
    while !such() {
        sleep(Duration::from_millis(1)).await;
    }
}
