//! `#[async_cached]`: what is stored and shared (`store_if`, `cache_if`, `shared_error`, `ttl = |value, previous|`), and a cache by hand.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{join_all, poll_immediate};
use steadfast::{Cache, ReportKind, Stats, async_cached, coalesce, on_report, retry, timeout};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Lets spawned tasks run, without moving the clock.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// What the documentation of `Stats` promises, when no call is running.
fn assert_consistent(stats: Stats, calls: u64) {
    assert_eq!(stats.hits + stats.misses, calls, "{stats:?}");
    assert_eq!(stats.loads + stats.coalesced, stats.misses, "{stats:?}");
    assert_eq!(stats.load_successes + stats.load_errors, stats.loads + stats.refreshes, "{stats:?}");
}

// --- store_if ---

#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_stored_is_returned_also_to_the_waiters() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[async_cached(store_if = |page| page.len() < least, skip(least), handle = pages)]
    async fn page(id: u32, least: usize) -> Result<String, String> {
        sleep(MS).await;
        RUNS.fetch_add(1, SeqCst);
        if id == 0 { Err("none".to_owned()) } else { Ok("x".repeat(id as usize)) }
    }
    let all = join_all((0..3).map(|_| page(5, 3))).await;
    assert_eq!((all, RUNS.load(SeqCst), pages().len()), (vec![Ok("xxxxx".to_owned()); 3], 1, 0));
    assert_eq!((page(2, 3).await.unwrap().len(), page(2, 3).await.unwrap().len()), (2, 2));
    assert_eq!((pages().len(), RUNS.load(SeqCst)), (1, 2));
    assert!(page(0, 3).await.is_err());
    assert_consistent(pages().stats(), 6);
    assert_eq!(pages().stats().coalesced, 2);
}

/// The newest value is known not to be the old one.
#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_stored_removes_the_old_one() {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    #[async_cached(ttl = 10s, stale_while_revalidate = 1h, store_if = |n| n % 2 == 0, handle = swr)]
    async fn revalidated() -> u32 {
        NEXT.fetch_add(1, SeqCst)
    }
    #[async_cached(store_if = |n| *n != 1, refresh_if = force, handle = forced)]
    async fn forcible(force: bool, n: u32) -> u32 {
        n
    }
    assert_eq!((revalidated().await, swr().len()), (0, 1));
    advance(11 * SECOND).await;
    assert_eq!(revalidated().await, 0, "the old value, and a refresh behind it");
    settle().await;
    assert_eq!((swr().len(), swr().in_flight()), (0, 0));
    assert_eq!((revalidated().await, swr().len()), (2, 1));
    assert_consistent(swr().stats(), 3);
    assert_eq!((forcible(false, 0).await, forcible(true, 1).await, forced().len()), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn store_if_with_other_options() {
    static STORED: AtomicU32 = AtomicU32::new(0);
    static OPTIONS: Cache<u32, Option<u32>> = Cache::new(10);
    // An `Err` and a `None` have their own times; the `None` of a `Result` is a value.
    #[async_cached(cache = OPTIONS, ttl = |n| if n.is_some() { 1min } else { unreachable!() }, none_ttl = 1s, store_if = |n| *n != Some(2))]
    #[retry(attempts = 2, delay = 0s)]
    async fn nested(id: u32) -> Result<Option<u32>, String> {
        Ok((id > 0).then_some(id))
    }
    #[async_cached(detached, error_ttl = 1h, store_if = |n| { STORED.fetch_add(1, SeqCst); *n > 5 }, handle = detached)]
    #[coalesce]
    async fn spawned(id: u32) -> Result<u32, String> {
        if id == 0 { Err("none".to_owned()) } else { Ok(id) }
    }
    #[async_cached(none_ttl = 1h, store_if = |_| false, handle = maybes)]
    async fn maybe(id: u32) -> Option<u32> {
        (id > 0).then_some(id)
    }
    for id in [0, 1, 2] {
        nested(id).await.unwrap();
    }
    assert_eq!((OPTIONS.get(&0), OPTIONS.get(&1), OPTIONS.get(&2)), (Some(None), Some(Some(1)), None));
    for id in [0, 1, 6] {
        let _ = (spawned(id).await, spawned(id).await);
    }
    // A remembered error, and a value: no closure for those. 1 was computed twice.
    assert_eq!((detached().len(), STORED.load(SeqCst)), (2, 3));
    assert_consistent(detached().stats(), 6);
    assert_eq!((maybe(0).await, maybe(1).await, maybes().len()), (None, Some(1), 1));
}

/// The ttl is not asked for a value that is not stored, and a panic in a closure is the caller's.
#[tokio::test(start_paused = true)]
async fn closures_in_their_order_and_their_panics() {
    static LEFT: Cache<u32, u32> = Cache::new(10);
    #[async_cached(cache = LEFT, key = id, store_if = |left| *left > 0, ttl = |left| Duration::from_secs(10 / u64::from(*left)))]
    async fn left(id: u32, left: u32) -> u32 {
        left
    }
    #[async_cached(store_if = |n| if panics { resume_unwind(Box::new("store_if")) } else { *n > 0 }, skip(panics), handle = panicking)]
    async fn panicking_condition(id: u32, panics: bool) -> u32 {
        sleep(SECOND).await;
        id
    }
    assert_eq!((left(1, 0).await, LEFT.len(), left(1, 2).await, LEFT.len()), (0, 0, 2, 1));
    let (first, second) =
        tokio::join!(AssertUnwindSafe(panicking_condition(1, true)).catch_unwind(), panicking_condition(1, false));
    assert_eq!((first.is_err(), second, panicking().get(&1)), (true, 1, Some(1)));
    assert_eq!(panicking().in_flight(), 0);
}

/// The attempt is read within the deadline, which is borrowed by the wait for the task.
#[tokio::test(start_paused = true)]
async fn a_task_below_a_retry_and_a_deadline() {
    #[timeout(1s, or_else = |_| Err(9))]
    #[retry(attempts = 2, delay = 0s)]
    #[async_cached(detached)]
    async fn work(id: u32) -> Result<u32, u32> {
        sleep(Duration::from_secs(u64::from(id))).await;
        Ok(id)
    }
    assert_eq!((work(0).await, work(2).await), (Ok(0), Err(9)));
}

// --- cache_if ---

#[tokio::test(start_paused = true)]
async fn a_call_that_bypasses_the_cache_runs_alone() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[async_cached(cache_if = !bypass, handle = users)]
    async fn user(id: u32, bypass: bool) -> u32 {
        sleep(SECOND).await;
        id * 100 + RUNS.fetch_add(1, SeqCst)
    }
    // `bypass` is not part of the key.
    assert_eq!((user(1, false).await, user(1, false).await, users().get(&1)), (100, 100, Some(100)));
    // Neither looked up, nor stored.
    assert_eq!((user(1, true).await, users().get(&1)), (101, Some(100)));
    assert_eq!((user(2, true).await, users().get(&2)), (202, None));
    // It neither waits nor is waited for.
    let (first, alone, second) = tokio::join!(user(3, false), user(3, true), user(3, false));
    assert!(first == second && first != alone, "{first} {alone} {second}");
    assert_eq!(users().get(&3), Some(first));
    let mut calls: Vec<_> = (0..2).map(|_| Box::pin(user(4, true))).collect();
    for call in &mut calls {
        assert!(poll_immediate(call).await.is_none());
    }
    assert_eq!(users().in_flight(), 0);
    drop(calls);
    assert_consistent(users().stats(), 4);
    assert_eq!(users().stats().coalesced, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_evaluated_of_a_call_that_runs_alone() {
    thread_local!(static LOG: Cell<Vec<&'static str>> = const { Cell::new(Vec::new()) });
    fn note<T>(what: &'static str, value: T) -> T {
        let mut log = LOG.take();
        log.push(what);
        LOG.set(log);
        value
    }
    #[async_cached(
        cache_if = note("cache_if", id.is_some()), key = note("key", id.unwrap()), tags = [note("tag", "tag")], refresh_if = note("refresh_if", false),
        store_if = |_| note("store_if", true), ttl = |_| note("ttl", 1min + extra), handle = alone: Cache<u32, u32>
    )]
    async fn work(id: Option<u32>, extra: Duration) -> u32 {
        note("body", id.unwrap_or(7))
    }
    assert_eq!((work(None, SECOND).await, LOG.take()), (7, vec!["cache_if", "body"]));
    assert_eq!(work(Some(1), SECOND).await, 1);
    assert_eq!(LOG.take(), ["cache_if", "key", "refresh_if", "tag", "body", "store_if", "ttl"]);
    assert_eq!(work(Some(1), SECOND).await, 1);
    assert_eq!(LOG.take(), ["cache_if", "key", "refresh_if"]);
    assert_eq!(alone().len(), 1);
}

/// In the background, with stale values, with errors, and with all of the closures.
#[tokio::test(start_paused = true)]
async fn cache_if_with_other_options() {
    static DOWN: AtomicU32 = AtomicU32::new(0);
    static SHARED: Cache<u32, u32> = Cache::builder().ttl(SECOND).stale_if_error(Duration::from_secs(3_600)).build();
    #[async_cached(detached, ttl = 10s, stale_while_revalidate = 1h, refresh_ahead = 0.5, cache_if = cached, handle = spawned)]
    async fn detached(id: u32, cached: bool) -> u32 {
        sleep(SECOND).await;
        DOWN.fetch_add(10, SeqCst);
        id
    }
    #[async_cached(cache = SHARED, key = id, cache_if = cached, error_ttl = 1s, shared_error = |error| *error, ttl = |_, previous| previous.map_or(10s, |_| 20s))]
    #[timeout(1h, or_else = |_| Err(9))]
    async fn fails(id: u32, cached: bool, well: bool) -> Result<u32, u32> {
        if well { Ok(id) } else { Err(id) }
    }
    // A computation of its own that goes on without its caller, and a hit that starts none.
    assert!(poll_immediate(detached(1, false)).await.is_none());
    sleep(2 * SECOND).await;
    assert_eq!((DOWN.load(SeqCst), spawned().len(), spawned().stats()), (10, 0, Stats::default()));
    assert_eq!(detached(1, true).await, 1);
    advance(20 * SECOND).await;
    assert_eq!((detached(1, false).await, spawned().stats().hits), (1, 0));
    assert_eq!((detached(1, true).await, spawned().stats().stale_hits), (1, 1));
    settle().await;
    sleep(2 * SECOND).await;
    assert_consistent(spawned().stats(), 2);
    // No stale value stands in for the error of a call that runs alone.
    assert_eq!(fails(1, true, true).await, Ok(1));
    advance(60 * SECOND).await;
    assert_eq!((fails(1, false, false).await, fails(1, true, false).await), (Err(1), Ok(1)));
    assert_consistent(SHARED.stats(), 2);
}

#[tokio::test]
async fn a_call_that_runs_alone_may_call_itself() {
    #[async_cached(cache_if = depth == 0, key = 0)]
    async fn nested(depth: u32) -> Result<u32, String> {
        if depth < 3 { Box::pin(nested(depth + 1)).await } else { Ok(depth) }
    }
    assert_eq!(nested(0).await, Ok(3));
}

// --- shared_error ---

/// Not `Clone`.
#[derive(Debug, PartialEq)]
struct Failure(String);

impl Failure {
    fn share(&self) -> Self {
        Self(format!("shared: {}", self.0))
    }
}

#[tokio::test(start_paused = true)]
async fn waiters_share_an_error_that_is_not_clone() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[async_cached(shared_error = |error| io::Error::new(error.kind(), error.to_string()), handle = files)]
    async fn file(id: u32) -> io::Result<u32> {
        RUNS.fetch_add(1, SeqCst);
        sleep(100 * MS).await;
        if id == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(id) }
    }
    let started = Instant::now();
    let all = join_all((0..100).map(|_| file(0))).await;
    assert!(started.elapsed() <= 110 * MS, "{:?}", started.elapsed());
    assert!(all.iter().all(|result| result.as_ref().unwrap_err().kind() == io::ErrorKind::NotFound));
    assert_eq!((RUNS.load(SeqCst), files().len(), files().in_flight()), (1, 0, 0));
    assert_consistent(files().stats(), 100);
    assert_eq!((files().stats().load_errors, files().stats().coalesced), (1, 99));
    assert_eq!(file(1).await.unwrap(), 1);
}

/// Without it they go one after another, and that is reported once.
#[tokio::test(start_paused = true)]
async fn waiters_that_cannot_share_an_error_are_reported() {
    static REPORTS: Mutex<Vec<(&'static str, ReportKind, String)>> = Mutex::new(Vec::new());
    #[async_cached(handle = unshared)]
    async fn one_by_one<T: Copy + std::hash::Hash + Eq + Send + Sync + 'static>(id: T) -> Result<T, Failure> {
        sleep(100 * MS).await;
        let _ = id;
        Err(Failure("no".to_owned()))
    }
    on_report(|report| {
        let report = (report.name(), report.kind(), report.message().to_owned());
        REPORTS.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    });
    assert!(one_by_one(0).await.is_err());
    let reports = || REPORTS.lock().unwrap().clone();
    assert!(reports().is_empty(), "no caller was waiting");
    let started = Instant::now();
    for _ in 0..2 {
        join_all((0..3).map(|_| one_by_one(1))).await;
    }
    assert_eq!(started.elapsed(), 600 * MS);
    let reports = reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!((reports[0].0, reports[0].1), ("one_by_one", ReportKind::Inert));
    assert!(reports[0].2.contains("shared_error"), "{reports:?}");
    assert_eq!(unshared::<i32>().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn shared_error_with_other_options() {
    #[async_cached(detached, error_ttl = 1h, shared_error = Failure::share, handle = remembered)]
    #[coalesce(key = id)]
    async fn detached(id: u32) -> Result<Option<u32>, Failure> {
        sleep(SECOND).await;
        Err(Failure(id.to_string()))
    }
    #[async_cached(ttl = 1s, stale_if_error = 1h, shared_error = Failure::share, handle = stale)]
    async fn stands_in(id: u32) -> Result<u32, Failure> {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        sleep(SECOND).await;
        if RUNS.fetch_add(1, SeqCst) == 0 { Ok(id) } else { Err(Failure(id.to_string())) }
    }
    // Remembered: the leader has its own, a waiter and a hit a copy of the copy.
    let mut outcomes = join_all((0..2).map(|_| detached(1))).await;
    outcomes.push(detached(1).await);
    let texts: Vec<String> = outcomes.into_iter().map(|outcome| outcome.unwrap_err().0).collect();
    assert_eq!(texts, ["1", "shared: shared: 1", "shared: shared: 1"]);
    assert_consistent(remembered().stats(), 3);
    assert_eq!(stands_in(1).await, Ok(1));
    advance(5 * SECOND).await;
    assert_eq!(join_all((0..3).map(|_| stands_in(1))).await, [Ok(1), Ok(1), Ok(1)]);
    assert_eq!(stale().stats().stale_hits, 3);
    assert_consistent(stale().stats(), 4);
}

/// A panic in the closure is that of the caller for whom it runs.
#[tokio::test(start_paused = true)]
async fn a_shared_error_that_panics() {
    static SHARES: AtomicU32 = AtomicU32::new(0);
    #[async_cached(
        shared_error = |error: &Failure| if SHARES.fetch_add(1, SeqCst) == 2 { resume_unwind(Box::new("shared_error")) } else { error.share() },
        handle = panicking
    )]
    async fn work(id: u32) -> Result<u32, Failure> {
        sleep(SECOND).await;
        Err(Failure(id.to_string()))
    }
    let outcomes = join_all((0..4).map(|_| AssertUnwindSafe(work(1)).catch_unwind())).await;
    assert_eq!(outcomes.iter().map(Result::is_err).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(panicking().in_flight(), 0);
}

// --- ttl = |value, previous| ---

/// A value that has not changed is fresh for longer: by the settings of the cache, with an argument, in another cache, and in the
/// background.
#[tokio::test(start_paused = true)]
async fn the_ttl_depends_on_the_value_that_was_there() {
    static SHARED: Cache<u32, u32> = Cache::new(10);
    fn ttl(value: u32, previous: Option<&u32>, base: Duration) -> Duration {
        if previous == Some(&value) { base * 10 } else { base }
    }
    macro_rules! test {
        ($id:ident $force:ident $base:ident [$($options:tt)*] $cache:expr) => {{
            #[async_cached(key = $id, refresh_if = $force, $($options)*)]
            async fn stock($id: u32, $force: bool, value: u32, $base: Duration) -> u32 {
                let _ = ($id, $base);
                value
            }
            assert_eq!(stock(1, false, 5, SECOND).await, 5, "none before");
            advance(2 * SECOND).await;
            assert_eq!($cache.get(&1), None);
            assert_eq!(stock(1, true, 5, SECOND).await, 5, "past its time");
            assert_eq!(stock(1, true, 5, SECOND).await, 5, "the same");
            advance(9 * SECOND).await;
            assert_eq!($cache.get(&1), Some(5));
            assert_eq!(stock(1, true, 6, SECOND).await, 6, "another one");
            advance(2 * SECOND).await;
            assert_eq!($cache.get(&1), None);
            assert_eq!(stock(1, true, 7, SECOND).await, 7);
            $cache.invalidate(&1);
            assert_eq!(stock(1, true, 7, SECOND).await, 7, "none before");
            advance(2 * SECOND).await;
            assert_eq!($cache.get(&1), None);
        }};
    }
    test!(id force base [ttl = |value, previous| ttl(*value, previous, SECOND), handle = own: Cache<u32, u32>] own());
    test!(id force base [ttl = |value, previous| ttl(*value, previous, base), handle = named: Cache<u32, u32>] named());
    test!(id force base [ttl = |value, previous| ttl(*value, previous, SECOND), cache = SHARED] SHARED);
    test!(id force base [
        ttl = |value, previous| ttl(*value, previous, base), detached, cache_if = id > 0, handle = spawned: Cache<u32, u32>
    ] spawned());
}

/// By hand, behind a stale hit, and of a `None`.
#[tokio::test(start_paused = true)]
async fn previous_values_elsewhere() {
    #[async_cached(
        ttl = |value: &Option<u32>, previous: Option<&Option<u32>>| if previous == Some(value) { 100s } else { 10s }, none_ttl = 1h,
        stale_while_revalidate = 1h, handle = users
    )]
    async fn user(id: u32) -> Result<Option<u32>, String> {
        Ok((id > 0).then_some(id))
    }
    users().insert(1, Some(1));
    users().insert(1, Some(1));
    advance(99 * SECOND).await;
    assert_eq!(users().get(&1), Some(Some(1)), "inserted twice");
    advance(2 * SECOND).await;
    assert_eq!((users().get(&1), user(1).await), (None, Ok(Some(1))));
    settle().await;
    advance(99 * SECOND).await;
    assert_eq!(users().get(&1), Some(Some(1)), "refreshed to the same, from a stale one");
    assert_eq!(user(0).await, Ok(None));
    advance(3_599 * SECOND).await;
    assert_eq!(users().get(&0), Some(None));
    assert_consistent(users().stats(), 2);
}

// --- A cache by hand ---

#[tokio::test(start_paused = true)]
async fn get_many_counts_each_key() {
    #[async_cached(ttl = 10s, none_ttl = 1h, tti = 5s, stale_while_revalidate = 1h, handle = users)]
    async fn user(id: u32) -> Option<u32> {
        (id > 0).then_some(id)
    }
    join_all([0, 1, 2].map(user)).await;
    let before = users().stats();
    // A remembered `None` is no value.
    assert_eq!(users().get_many(&[2, 0, 3, 1]), [Some(2), None, None, Some(1)]);
    assert_eq!((users().stats().hits - before.hits, users().stats().misses - before.misses), (2, 2));
    assert_eq!((users().stats().coalesced, users().stats().loads), (0, 3));
    // It is a use.
    advance(4 * SECOND).await;
    assert_eq!(users().get_many([&1]), [Some(1)]);
    advance(4 * SECOND).await;
    assert_eq!(users().get_many(&[1, 2]), [Some(1), None]);
    // Past its ttl.
    advance(4 * SECOND).await;
    assert_eq!((users().get_many(&[1]), users().stats().refreshes), (vec![None], 0));
    assert_eq!(users().get_many::<u32>(&[]), []);
    static NAMES: Cache<(u32, String), u32> = Cache::new(10);
    NAMES.insert((1, "a".to_owned()), 1);
    assert_eq!(NAMES.get_many(&[(1, "a"), (1, "b")]), [Some(1), None]);
}

#[tokio::test(start_paused = true)]
async fn remove_returns_the_value_and_supersedes_loads() {
    static LEFT: Mutex<Vec<(u32, u32)>> = Mutex::new(Vec::new());
    #[async_cached(ttl = 10s, stale_if_error = 1h, tags = ["users"], on_evict = |id, user, _| LEFT.lock().unwrap().push((*id, *user)), handle = users)]
    async fn user(id: u32) -> Result<u32, String> {
        sleep(SECOND).await;
        Ok(id)
    }
    user(1).await.unwrap();
    assert_eq!((users().remove(&1), users().remove(&1), users().len()), (Some(1), None, 0));
    assert_eq!(LEFT.lock().unwrap().as_slice(), [(1, 1)]);
    let mut call = Box::pin(user(1));
    assert!(poll_immediate(&mut call).await.is_none());
    assert_eq!(users().remove(&1), None);
    assert_eq!((call.await, users().get(&1)), (Ok(1), None));
    // A stale value is removed, and not returned.
    user(2).await.unwrap();
    advance(20 * SECOND).await;
    assert_eq!((users().remove(&2), users().len()), (None, 0));
    assert_eq!(LEFT.lock().unwrap().as_slice(), [(1, 1), (2, 2)]);
}

#[derive(Debug)]
struct Explosive(Arc<AtomicU32>);

impl Clone for Explosive {
    fn clone(&self) -> Self {
        if self.0.fetch_sub(1, SeqCst) == 1 {
            resume_unwind(Box::new("clone"));
        }
        Self(Arc::clone(&self.0))
    }
}

/// A value whose clone panics has been removed nevertheless, in all respects.
#[test]
fn remove_of_a_value_whose_clone_panics() {
    let evicted = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&evicted);
    let cache: Cache<u32, Explosive> = Cache::builder().on_evict(move |_, _, _| _ = counted.fetch_add(1, SeqCst)).build();
    let fuse = Arc::new(AtomicU32::new(100));
    cache.insert(1, Explosive(Arc::clone(&fuse)));
    fuse.store(1, SeqCst);
    assert!(std::panic::catch_unwind(AssertUnwindSafe(|| cache.remove(&1))).is_err());
    assert_eq!((cache.len(), evicted.load(SeqCst)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn iteration_is_a_snapshot() {
    #[async_cached(ttl = |n| Duration::from_secs(*n), none_ttl = 1h, stale_while_revalidate = 1h, unbounded, handle = numbers)]
    async fn number(id: u64) -> Option<u64> {
        (id > 0).then_some(id)
    }
    for id in 0..2_000 {
        number(id).await;
    }
    advance(100 * SECOND).await;
    let before = numbers().stats();
    let mut seen: Vec<_> = numbers().iter().collect();
    seen.sort_unstable();
    // Without the `None`, and without what is stale.
    assert_eq!(seen, (101..2_000).map(|id| (id, id)).collect::<Vec<_>>());
    assert_eq!(numbers().stats(), before);
    // The loop may do anything with the cache.
    let mut seen = 0;
    for (id, _) in numbers() {
        seen += 1;
        numbers().invalidate(&id);
        numbers().insert(id + 10_000, id);
    }
    assert!(seen >= 1_899, "{seen}");
    assert!(numbers().iter().all(|(id, _)| id >= 10_000));
    let cache: Cache<u8, u8> = Cache::new(0);
    cache.insert(1, 1);
    assert_eq!((cache.iter().next(), cache.iter().count()), (None, 0));
    // It keeps what it iterates over.
    let mut left = {
        let cache: Cache<u8, u8> = Cache::new(9);
        cache.insert(1, 1);
        cache.iter()
    };
    assert_eq!((left.next(), left.next(), left.next()), (Some((1, 1)), None, None));
}
