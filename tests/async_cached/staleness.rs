//! Values past their ttl: served while they are recomputed, or if that fails.

use super::*;

/// A source that can be told to fail, and how long to take.
struct Source {
    runs: Runs,
    fails: std::sync::atomic::AtomicBool,
    takes: std::sync::atomic::AtomicU64,
}

impl Source {
    const fn new() -> Self {
        Self { runs: Runs::new(), fails: std::sync::atomic::AtomicBool::new(false), takes: std::sync::atomic::AtomicU64::new(0) }
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    fn take(&self, seconds: u64) {
        self.takes.store(seconds, SeqCst);
    }

    async fn get(&self) -> Result<usize, String> {
        let run = self.runs.add();
        sleep(SECOND * u32::try_from(self.takes.load(SeqCst)).unwrap()).await;
        if self.fails.load(SeqCst) { Err(format!("run {run}")) } else { Ok(run) }
    }
}

/// Lets spawned tasks run, without moving the clock.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_returned_at_once_and_refreshed_once() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, stale_while_revalidate = 60s, handle = loads)]
    async fn load(id: u32) -> Result<usize, String> {
        let _ = id;
        SOURCE.get().await
    }
    assert_eq!(load(1).await, Ok(1));
    advance(15 * SECOND).await;
    SOURCE.take(2);
    for _ in 0..100 {
        assert_eq!(load(1).now_or_never(), Some(Ok(1)), "at once, and the old value");
    }
    settle().await;
    assert_eq!(SOURCE.runs.get(), 2, "exactly one refresh");
    assert_eq!(loads().in_flight(), 1);
    sleep(3 * SECOND).await;
    assert_eq!(load(1).now_or_never(), Some(Ok(2)));
    let stats = loads().stats();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.refreshes, stats.stale_hits), (101, 1, 1, 1, 100));
    assert_eq!(loads().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failing_refresh_does_not_renew_and_the_window_ends() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, stale_while_revalidate = 20s, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.fail(true);
    advance(12 * SECOND).await;
    assert_eq!(load().await, Ok(1));
    settle().await;
    assert_eq!(loads().stats().load_errors, 1);
    advance(10 * SECOND).await;
    assert_eq!(load().await, Ok(1), "each stale hit tries again");
    settle().await;
    assert_eq!(SOURCE.runs.get(), 3);
    advance(8 * SECOND).await;
    assert_eq!(load().await, Err("run 4".to_owned()), "30 s after the load the value is gone");
    assert_eq!(loads().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_slower_than_its_interval_still_lands() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 1s, stale_while_revalidate = 100s, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.take(30);
    for _ in 0..29 {
        sleep(SECOND + Duration::from_millis(1)).await;
        assert_eq!(load().await, Ok(1));
    }
    sleep(SECOND * 5 / 2).await;
    assert_eq!(loads().get(&()), Some(2), "for a second after it has landed");
    assert_eq!(SOURCE.runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_after_the_window_joins_the_refresh_under_way() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 1s, stale_while_revalidate = 2s, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.take(10);
    sleep(2 * SECOND).await;
    assert_eq!(load().await, Ok(1));
    sleep(5 * SECOND).await;
    assert_eq!(load().await, Ok(2), "waits for the refresh, and begins none of its own");
    let stats = loads().stats();
    assert_eq!((stats.loads, stats.refreshes, stats.coalesced, stats.misses), (1, 1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_wins_over_a_refresh() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 1s, stale_while_revalidate = 60s, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.take(10);
    sleep(2 * SECOND).await;
    assert_eq!(load().await, Ok(1));
    settle().await;
    loads().invalidate(&());
    sleep(20 * SECOND).await;
    assert_eq!((loads().get(&()), loads().in_flight()), (None, 0), "what the refresh brought is not stored");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_leaves_the_old_value() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = 1s, stale_while_revalidate = 60s, handle = loads)]
    async fn load() -> usize {
        let run = RUNS.add();
        assert!(run != 2, "the second run panics");
        run
    }
    assert_eq!(load().await, 1);
    sleep(2 * SECOND).await;
    assert_eq!(load().await, 1);
    settle().await;
    assert_eq!((RUNS.get(), loads().in_flight()), (2, 0));
    assert_eq!(load().await, 1);
    settle().await;
    assert_eq!(load().await, 3);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_exchanged_for_the_old_value_while_the_window_lasts() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, stale_if_error = 1h, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.fail(true);
    for minute in 1..=60 {
        sleep(60 * SECOND).await;
        assert_eq!(load().await, Ok(1), "minute {minute}");
    }
    assert_eq!(SOURCE.runs.get(), 61, "each call tries again");
    sleep(10 * SECOND).await;
    assert_eq!(load().await, Err("run 62".to_owned()), "an hour and ten seconds after the load");
    let stats = loads().stats();
    assert_eq!((stats.stale_hits, stats.load_errors, stats.misses, stats.loads), (60, 61, 62, 62));
    SOURCE.fail(false);
    assert_eq!(load().await, Ok(63));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_get_the_old_value_too() {
    static SOURCE: Source = Source::new();
    #[derive(Debug, PartialEq)]
    struct NotClone;
    #[async_cached(ttl = 10s, stale_if_error = 1h)]
    async fn load() -> Result<usize, NotClone> {
        SOURCE.get().await.map_err(|_| NotClone)
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.fail(true);
    SOURCE.take(1);
    advance(20 * SECOND).await;
    let all = join_all((0..100).map(|_| load())).await;
    assert!(all.iter().all(|one| *one == Ok(1)));
    assert_eq!(SOURCE.runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_value_stands_in_for_no_error() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, stale_if_error = 1h, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.fail(true);
    loads().invalidate(&());
    assert!(load().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn both_windows_together() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, stale_while_revalidate = 10s, stale_if_error = 1h)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.fail(true);
    SOURCE.take(1);
    advance(15 * SECOND).await;
    assert_eq!(load().now_or_never(), Some(Ok(1)), "at once");
    sleep(10 * SECOND).await;
    let runs = SOURCE.runs.get();
    assert_eq!(load().await, Ok(1), "after it has been tried");
    assert_eq!(SOURCE.runs.get(), runs + 1);
}

#[tokio::test(start_paused = true)]
async fn a_hit_late_in_the_ttl_refreshes_ahead() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, refresh_ahead = 0.8, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    SOURCE.take(1);
    sleep(Duration::from_millis(7_900)).await;
    assert_eq!(load().await, Ok(1));
    settle().await;
    assert_eq!(SOURCE.runs.get(), 1, "too early");
    sleep(Duration::from_millis(200)).await;
    for _ in 0..10 {
        assert_eq!(load().now_or_never(), Some(Ok(1)));
    }
    settle().await;
    assert_eq!(SOURCE.runs.get(), 2, "exactly one");
    sleep(5 * SECOND).await;
    assert_eq!(load().now_or_never(), Some(Ok(2)), "no caller ever waited for it");
    let stats = loads().stats();
    assert_eq!((stats.misses, stats.refreshes, stats.stale_hits), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_and_nothing_is_refreshed() {
    static SOURCE: Source = Source::new();
    #[async_cached(ttl = 10s, refresh_ahead = 0.5, handle = loads)]
    async fn load() -> Result<usize, String> {
        SOURCE.get().await
    }
    assert_eq!(load().await, Ok(1));
    sleep(60 * SECOND).await;
    assert_eq!((SOURCE.runs.get(), loads().len()), (1, 0));
}

/// What `error_ttl` remembers never takes the place of a value that may still be served.
mod failed_refreshes {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ahead_of_the_end() {
        static SOURCE: Source = Source::new();
        #[async_cached(ttl = 100s, refresh_ahead = 0.5, error_ttl = 1min)]
        async fn load() -> Result<usize, String> {
            SOURCE.get().await
        }
        assert_eq!(load().await, Ok(1));
        advance(60 * SECOND).await;
        SOURCE.fail(true);
        for _ in 0..3 {
            assert_eq!(load().await, Ok(1), "fresh for 40 s more");
            settle().await;
        }
        assert_eq!(SOURCE.runs.get(), 4);
        advance(40 * SECOND).await;
        assert_eq!(load().await, Err("run 5".to_owned()));
        assert_eq!(load().await, Err("run 5".to_owned()), "remembered, now that there is nothing else");
    }

    #[tokio::test(start_paused = true)]
    async fn within_the_window() {
        static SOURCE: Source = Source::new();
        // The window is longer than the one for errors.
        #[async_cached(ttl = 10s, stale_while_revalidate = 100s, stale_if_error = 10s, error_ttl = 1min)]
        async fn load() -> Result<usize, String> {
            SOURCE.get().await
        }
        assert_eq!(load().await, Ok(1));
        SOURCE.fail(true);
        for second in [15, 30, 50] {
            advance(15 * SECOND).await;
            assert_eq!(load().await, Ok(1), "at {second}");
            settle().await;
        }
        advance(65 * SECOND).await;
        assert_eq!(load().await, Err("run 5".to_owned()), "the window is over");
    }

    #[tokio::test(start_paused = true)]
    async fn by_hand() {
        let cache = Cache::<(), u32>::builder().ttl(SECOND).stale_while_revalidate(60 * SECOND).error_ttl(60 * SECOND).build();
        assert_eq!(cache.get_or_spawn((), async || Ok::<_, String>(1)).await, Ok(1));
        advance(2 * SECOND).await;
        for _ in 0..3 {
            assert_eq!(cache.get_or_spawn((), async || Err("down".to_owned())).await, Ok(1));
            settle().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_another_function_over_the_same_cache() {
        static SHARED: Cache<u32, u32> = Cache::new(10);
        #[async_cached(cache = SHARED, ttl = 10s, stale_if_error = 1h, skip(fails))]
        async fn patient(id: u32, fails: bool) -> Result<u32, String> {
            if fails { Err("down".to_owned()) } else { Ok(id) }
        }
        #[async_cached(cache = SHARED, error_ttl = 1h)]
        async fn hasty(id: u32) -> Result<u32, String> {
            Err(format!("{id} is down"))
        }
        assert_eq!(patient(1, false).await, Ok(1));
        advance(20 * SECOND).await;
        assert_eq!(hasty(1).await, Err("1 is down".to_owned()));
        assert_eq!(patient(1, true).await, Ok(1));
    }

    /// A forced call asked for it anew. Its error is its own, and no reason to forget what is there.
    #[tokio::test(start_paused = true)]
    async fn of_a_forced_call() {
        static SOURCE: Source = Source::new();
        #[async_cached(ttl = 100s, error_ttl = 1min, refresh_if = force)]
        async fn load(force: bool) -> Result<usize, String> {
            SOURCE.get().await
        }
        assert_eq!(load(false).await, Ok(1));
        SOURCE.fail(true);
        assert_eq!(load(true).await, Err("run 2".to_owned()));
        assert_eq!(load(false).await, Ok(1));
    }
}

/// A `None` is an answer, and the newest: the value before it is not served any more.
mod absences {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_a_forced_call() {
        static THERE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
        #[async_cached(ttl = 100s, refresh_if = force, handle = loads)]
        async fn load(id: u32, force: bool) -> Option<u32> {
            THERE.load(SeqCst).then_some(id)
        }
        assert_eq!(load(1, false).await, Some(1));
        THERE.store(false, SeqCst);
        assert_eq!((load(1, false).await, load(1, true).await), (Some(1), None));
        assert_eq!((load(1, false).await, loads().len()), (None, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_refresh() {
        static RUNS: Runs = Runs::new();
        #[async_cached(ttl = 10s, stale_while_revalidate = 1h, none_ttl = 1min)]
        async fn load() -> Option<usize> {
            Some(RUNS.add()).filter(|run| *run == 1)
        }
        assert_eq!(load().await, Some(1));
        advance(15 * SECOND).await;
        assert_eq!(load().await, Some(1), "at once, and a refresh");
        settle().await;
        assert_eq!((load().await, load().await, RUNS.get()), (None, None, 2));
    }
}

/// Who is given an old value instead of an error asked for it.
mod idle_values {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stay_while_they_stand_in() {
        static SOURCE: Source = Source::new();
        #[async_cached(ttl = 10s, tti = 20s, stale_if_error = 1h)]
        async fn load() -> Result<usize, String> {
            SOURCE.get().await
        }
        assert_eq!(load().await, Ok(1));
        SOURCE.fail(true);
        for second in 1..=600 {
            advance(SECOND).await;
            assert_eq!(load().await, Ok(1), "second {second}");
        }
        advance(20 * SECOND).await;
        assert!(load().await.is_err(), "nobody asked for 20 s");
    }

    #[tokio::test(start_paused = true)]
    async fn stay_by_hand() {
        let cache = Cache::<(), u32>::builder().ttl(SECOND).tti(5 * SECOND).stale_if_error(60 * SECOND).build();
        cache.get_or_load((), async || 1).await;
        for _ in 0..10 {
            advance(4 * SECOND).await;
            assert_eq!(cache.get_or_load((), async || Err("down")).await, Ok(1));
        }
    }

    /// It was asked for when the call came, and not when the source gave up.
    #[tokio::test(start_paused = true)]
    async fn are_asked_for_when_a_call_comes() {
        static SOURCE: Source = Source::new();
        #[async_cached(ttl = 10s, tti = 20s, stale_if_error = 1h)]
        async fn load() -> Result<usize, String> {
            SOURCE.get().await
        }
        assert_eq!(load().await, Ok(1));
        advance(15 * SECOND).await;
        SOURCE.fail(true);
        SOURCE.take(15);
        assert_eq!(load().await, Ok(1), "at 30 s, and asked for at 15 s");
    }

    #[tokio::test(start_paused = true)]
    async fn stay_while_forced_calls_ask() {
        static SOURCE: Source = Source::new();
        #[async_cached(tti = 10s, refresh_if = force, handle = loads)]
        async fn load(force: bool) -> Result<usize, String> {
            SOURCE.get().await
        }
        assert_eq!(load(false).await, Ok(1));
        SOURCE.fail(true);
        for _ in 0..5 {
            advance(6 * SECOND).await;
            assert!(load(true).await.is_err());
        }
        assert_eq!(loads().get(&()), Some(1));
    }
}
