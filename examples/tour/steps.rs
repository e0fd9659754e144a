//! The steps: each shows one attribute, and checks what it shows.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use steadfast::{async_cached, offload_blocking, retry, timeout};
use tokio::time::{interval, sleep};

use crate::error::AppError;
use crate::files;
use crate::report::{Report, ms};
use crate::rows::Accounts;
use crate::server::Server;
use crate::upstream::{self, in_time, in_time_with_attempts, polite, quick_rate, quick_rates, rate, rates, stubborn};

pub(crate) async fn deadlines(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("timeout", "a deadline of 300 ms");
    let base = server.base();
    let answer = in_time(&format!("{base}/slow/10")).await?;
    report.line(format_args!("10 ms of work: \"{answer}\""));

    let began = Instant::now();
    let error = in_time(&format!("{base}/slow/5000")).await.err();
    let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
    let missed = error.is_some_and(|error| error.is_timeout()) && began.elapsed() < Duration::from_secs(4);
    report.check(missed, format_args!("5 s of work: {text}, given up after {}", ms(began.elapsed())))?;

    let began = Instant::now();
    let error = in_time_with_attempts(&format!("{base}/slow/6000")).await.err();
    let (attempts, time) = (server.requests.of("/slow/6000"), began.elapsed());
    let total = error.is_some_and(|error| error.is_timeout()) && (3..=4).contains(&attempts);
    report.check(total, format_args!("700 ms for all attempts, 200 ms for each: {attempts} attempts in {}", ms(time)))
}

pub(crate) async fn retries(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("retry", "again while it fails");
    let base = server.base();
    let answer = stubborn(&format!("{base}/flaky/tour/2")).await?;
    let requests = server.requests.of("/flaky/tour");
    report.check(requests == 3, format_args!("an endpoint that fails twice: \"{answer}\""))?;

    let error = stubborn(&format!("{base}/missing")).await.err();
    let once = server.requests.of("/missing") == 1;
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    report.check(once, format_args!("one that is not there: {text}, after 1 attempt, since `when` says that another is no use"))?;

    let began = Instant::now();
    let answer = polite(&format!("{base}/busy/tour")).await?;
    let waited = began.elapsed();
    report.check(
        waited >= Duration::from_secs(1) && answer == "now",
        format_args!("one that answers 429 with `Retry-After: 1`: \"{answer}\", after {}", ms(waited)),
    )
}

pub(crate) async fn caching(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("async_cached", "one caller computes, the others wait, and later ones find it");
    let base = server.base();
    let asked = |currency: &str| server.requests.of(&format!("/rate/{currency}"));

    let began = Instant::now();
    try_join_all((0..100).map(|_| upstream::get_rate(&base, "bare"))).await?;
    report.line(format_args!("without it: 100 callers, {} requests, {}", asked("bare"), ms(began.elapsed())));

    let began = Instant::now();
    try_join_all((0..1_000).map(|_| rate(&base, "eur"))).await?;
    let stats = rates().stats();
    report.check(
        asked("eur") == 1 && stats.coalesced == 999,
        format_args!(
            "1000 callers of a cold key: {} request, {} waited for it, {}",
            asked("eur"),
            stats.coalesced,
            ms(began.elapsed())
        ),
    )?;
    let began = Instant::now();
    for _ in 0..1_000 {
        rate(&base, "eur").await?;
    }
    let (requests, time) = (asked("eur"), began.elapsed() / 1_000);
    report.check(requests == 1, format_args!("1000 calls after that: no request, {time:?} a call"))?;

    for _ in 0..2 {
        let unknown = rate(&base, "none").await;
        anyhow::ensure!(unknown.is_err(), "there is no such currency");
    }
    report.check(asked("none") == 2, "an error is not kept: 2 calls, 2 requests")?;

    rates().insert("usd".to_owned(), "by hand".to_owned());
    let by_hand = rate(&base, "usd").await?;
    rates().invalidate("eur");
    rate(&base, "eur").await?;
    report.check(
        by_hand == "by hand" && asked("eur") == 2,
        "its handle: insert(\"usd\", ..) is found, invalidate(\"eur\") asks again",
    )?;

    let call = |base: String| tokio::spawn(async move { rate(&base, "chf").await });
    let (first, waiting) = (call(base.clone()), rates().stats().coalesced + 1);
    while asked("chf") == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let second = call(base.clone());
    while rates().stats().coalesced < waiting {
        sleep(Duration::from_millis(1)).await;
    }
    first.abort();
    second.await??;
    report
        .check(asked("chf") == 2, "the caller that computes is aborted: the one that waits goes on, with a request of its own")?;
    stale(&base, report).await
}

async fn stale(base: &str, report: &mut Report) -> anyhow::Result<()> {
    let first = quick_rate(base, "gbp").await?;
    sleep(Duration::from_millis(150)).await;
    let began = Instant::now();
    let stale = quick_rate(base, "gbp").await?;
    let time = began.elapsed();
    while quick_rates().in_flight() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let stats = quick_rates().stats();
    let fresh = quick_rates().get("gbp");
    report.check(
        stale == first && fresh.is_some_and(|fresh| fresh != first) && stats.refreshes == 1,
        format_args!("past its ttl: the old rate at once ({time:?}), and one refresh behind it"),
    )
}

pub(crate) async fn database(report: &mut Report) -> anyhow::Result<()> {
    report.step("async_cached", "rows of a SQLite file");
    let folder = std::env::temp_dir().join(format!("steadfast-tour-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = accounts(&folder.join("accounts.db"), report).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn accounts(file: &std::path::Path, report: &mut Report) -> anyhow::Result<()> {
    let accounts = Accounts::open(file).await?;
    accounts.set("ada", 100).await?;
    for _ in 0..50 {
        anyhow::ensure!(accounts.balance("ada").await? == Some(100), "the balance of ada is 100");
    }
    let queries = accounts.queries.load(Relaxed);
    report.check(queries == 1, format_args!("50 reads of a balance: {queries} query"))?;
    accounts.set("ada", 70).await?;
    let balance = accounts.balance("ada").await?;
    let queries = accounts.queries.load(Relaxed);
    report.check(balance == Some(70) && queries == 2, "after a write that invalidates: 1 more, and the new balance")?;
    accounts.close().await;
    Ok(())
}

pub(crate) async fn threads(report: &mut Report) -> anyhow::Result<()> {
    report.step("offload_blocking", "hashing the files of the checkout");
    let sources = files::sources().await?;
    let hash_all = || sources.iter().map(|path| files::hash_here(path)).collect::<Result<Vec<_>, _>>();
    hash_all()?; // so that neither side reads from a cold disk
    let began = Instant::now();
    let bare = hash_all()?;
    report.line(format_args!("without it: {} files, {}, and nothing else runs on that thread", sources.len(), ms(began.elapsed())));

    let ticks = AtomicU32::new(0);
    let ticking = async {
        let mut every = interval(Duration::from_millis(5));
        loop {
            every.tick().await;
            ticks.fetch_add(1, Relaxed);
        }
    };
    let began = Instant::now();
    let hashes = tokio::select! {
        hashes = try_join_all(sources.iter().map(|path| files::hash(path.clone()))) => hashes?,
        () = ticking => unreachable!("it ticks for ever"),
    };
    let (time, threads, ticks) = (began.elapsed(), files::threads().len(), ticks.load(Relaxed));
    report.check(hashes == bare, format_args!("with it: the same {} hashes, {}, on {threads} threads", hashes.len(), ms(time)))?;
    report.check(ticks > 0, format_args!("meanwhile the task that called them ticked {ticks} times"))
}

/// How often the whole stack came down to its body.
static RUNS: AtomicU32 = AtomicU32::new(0);

#[async_cached(ttl = 60s, skip(runtime), handle = digests)] // outermost: a hit runs nothing below
#[timeout(10s)] // the whole of what is below
#[retry(attempts = 3, delay = 10ms, when = AppError::is_transient)]
#[timeout(500ms)] // each attempt
#[offload_blocking(limit = 2)]
fn digest(runtime: tokio::runtime::Handle, url: String) -> Result<String, AppError> {
    RUNS.fetch_add(1, Relaxed);
    let text = runtime.block_on(upstream::get(&url))?;
    Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
}

pub(crate) async fn stack(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    report.step("all four on one function", "a report that fails, then hangs, then comes");
    let url = format!("{}/report/7", server.base());
    let began = Instant::now();
    let runtime = tokio::runtime::Handle::current();
    let all = join_all((0..20).map(|_| digest(runtime.clone(), url.clone()))).await;
    let first = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (runs, time) = (RUNS.load(Relaxed), began.elapsed());
    report.check(
        runs == 3 && first.windows(2).all(|pair| pair[0] == pair[1]),
        format_args!("20 callers, 1 computation, {runs} attempts (502, a timeout, an answer), {}", ms(time)),
    )?;
    digest(runtime, url).await?;
    report.check(digests().stats().hits == 1 && RUNS.load(Relaxed) == 3, "and the next caller finds it")
}
