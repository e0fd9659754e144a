//! `Cache` without an attribute.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_field_serves_functions_and_closures() {
    struct Users {
        cache: Cache<u64, String>,
        runs: Runs,
    }
    impl Users {
        #[async_cached(cache = self.cache)]
        async fn name(&self, id: u64) -> Result<String, String> {
            self.runs.add();
            Ok(format!("user {id}"))
        }
    }
    let users = Users { cache: Cache::builder().ttl(10 * SECOND).build(), runs: Runs::new() };
    assert_eq!(users.name(1).await.unwrap(), "user 1");
    let loaded = users.cache.get_or_load(1, async || "not asked".to_owned()).await;
    assert_eq!(loaded, "user 1");
    let other = users.cache.get_or_load(2, async || users.name(1).await).await;
    assert_eq!(other, Ok("user 1".to_owned()));
    advance(10 * SECOND).await;
    users.name(1).await.unwrap();
    assert_eq!(users.runs.get(), 2, "the ttl of the cache holds for the function too");
}

#[tokio::test(start_paused = true)]
async fn what_an_attribute_says_goes_before_what_the_cache_says() {
    static SHARED: Cache<u64, u64> =
        Cache::builder().capacity(100).ttl(Duration::from_secs(10)).tti(Duration::from_secs(8)).build();
    #[async_cached(cache = SHARED, ttl = 20s, tti = 30s)]
    async fn long(id: u64) -> u64 {
        id
    }
    #[async_cached(cache = SHARED)]
    async fn short(id: u64) -> u64 {
        id
    }
    long(1).await;
    short(2).await;
    advance(9 * SECOND).await;
    assert_eq!((SHARED.contains(&1), SHARED.contains(&2)), (true, false));
    advance(11 * SECOND).await;
    assert!(!SHARED.contains(&1));
}

#[tokio::test(start_paused = true)]
async fn loads_share_their_flights() {
    let (cache, runs) = (Cache::<u32, u32>::new(10), Runs::new());
    let load = |fails: bool| {
        let runs = &runs;
        cache.get_or_load(1, async move || {
            runs.add();
            sleep(SECOND).await;
            if fails { Err("failed".to_owned()) } else { Ok(5) }
        })
    };
    let all = join_all((0..1_000).map(|_| load(true))).await;
    assert!(all.iter().all(|one| *one == Err("failed".to_owned())));
    assert_eq!(runs.get(), 1);
    let all = join_all((0..1_000).map(|_| load(false))).await;
    assert!(all.iter().all(|one| *one == Ok(5)));
    assert_eq!((runs.get(), cache.len(), cache.in_flight()), (2, 1, 0));
    assert_eq!(cache.get_or_load(2, async || None).await, None);
    assert_eq!(cache.get_or_load(2, async || Some(7)).await, Some(7));
}

#[tokio::test(start_paused = true)]
async fn windows_of_the_cache_apply_by_hand() {
    let cache = Cache::<(), u32>::builder().ttl(SECOND).stale_if_error(10 * SECOND).stale_while_revalidate(5 * SECOND).build();
    assert_eq!(cache.get_or_load((), async || Ok::<_, String>(1)).await, Ok(1));
    advance(6 * SECOND).await;
    assert_eq!(cache.get_or_load((), async || Err("down".to_owned())).await, Ok(1));
    advance(5 * SECOND).await;
    assert_eq!(cache.get_or_load((), async || Err("down".to_owned())).await, Err("down".to_owned()));

    assert_eq!(cache.get_or_spawn((), async || 2).await, 2);
    advance(2 * SECOND).await;
    assert_eq!(cache.get_or_spawn((), async || 3).await, 2);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(cache.get_or_spawn((), async || 4).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_spawned_load_outlives_its_caller() {
    let cache = Arc::new(Cache::<u32, u32>::new(10));
    let waits = cache.get_or_spawn(1, async || {
        sleep(5 * SECOND).await;
        9
    });
    assert!(tokio::time::timeout(SECOND, waits).await.is_err());
    sleep(5 * SECOND).await;
    assert_eq!(cache.get(&1), Some(9));
}

#[tokio::test(start_paused = true)]
async fn stuck_loads_are_given_up() {
    let cache = Cache::<u32, u32>::builder().load_timeout(2 * SECOND).build();
    let mut parked = Box::pin(cache.get_or_load(1, async || {
        tokio::task::yield_now().await;
        1
    }));
    assert!(futures::poll!(&mut parked).is_pending());
    assert_eq!(cache.get_or_load(1, async || 2).await, 2);
    assert_eq!(parked.await, 1);
    assert_eq!(cache.get(&1), Some(2));
}

#[tokio::test]
#[should_panic(expected = "called itself recursively with the key")]
async fn a_load_that_asks_for_itself() {
    let cache = Cache::<u32, u32>::new(10);
    cache.get_or_load(1, async || cache.get_or_load(1, async || 2).await).await;
}

/// What the builder of a cache says holds for the functions over it, as far as they can do it.
mod what_a_named_cache_says {
    use std::sync::Mutex;

    use steadfast::{Report, ReportKind};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn load_timeout() {
        static SHARED: Cache<u32, u32> = Cache::builder().load_timeout(Duration::from_secs(2)).build();
        static RUNS: Runs = Runs::new();
        #[async_cached(cache = SHARED)]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            sleep(SECOND).await;
            id
        }
        #[async_cached(cache = SHARED, load_timeout = 1h)]
        async fn patient(id: u32) -> u32 {
            id
        }
        let mut parked = Box::pin(load(1));
        assert!(poll_immediate(&mut parked).await.is_none());
        let mut waiting = Box::pin(patient(1));
        assert!(poll_immediate(&mut waiting).await.is_none());
        let began = tokio::time::Instant::now();
        assert_eq!((load(1).await, RUNS.get()), (1, 2));
        assert_eq!(began.elapsed().as_secs(), 3, "two seconds of waiting, and one of its own");
        assert!(poll_immediate(&mut waiting).await.is_none(), "the function's own goes first");
    }

    #[tokio::test(start_paused = true)]
    async fn refreshes_where_the_function_computes_in_the_background() {
        static SHARED: Cache<u32, usize> = Cache::builder()
            .ttl(Duration::from_secs(10))
            .stale_while_revalidate(Duration::from_secs(60))
            .refresh_ahead(0.5)
            .build();
        static RUNS: Runs = Runs::new();
        #[async_cached(cache = SHARED, detached)]
        async fn detached(id: u32) -> usize {
            RUNS.add() + id as usize
        }
        #[async_cached(cache = SHARED, refresh_ahead = 0.9)]
        async fn ahead(id: u32) -> usize {
            RUNS.add() + id as usize
        }
        assert_eq!(detached(0).await, 1);
        advance(6 * SECOND).await;
        assert_eq!((detached(0).await, settle().await, detached(0).await), (1, (), 2), "ahead");
        advance(20 * SECOND).await;
        assert_eq!((detached(0).await, settle().await, detached(0).await), (2, (), 3), "behind");
        advance(20 * SECOND).await;
        assert_eq!((ahead(0).await, settle().await, ahead(0).await), (3, (), 4), "the window, which the function does not say");
    }

    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    /// One that computes within its caller cannot, and it is told, once.
    #[tokio::test(start_paused = true)]
    async fn a_function_that_cannot_refresh_is_reported() {
        static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());
        static SHARED: Cache<u32, usize> =
            Cache::builder().ttl(Duration::from_secs(10)).stale_while_revalidate(Duration::from_secs(60)).build();
        static PLAIN: Cache<u32, usize> = Cache::builder().ttl(Duration::from_secs(10)).build();
        #[async_cached(cache = SHARED)]
        async fn cannot_refresh(id: u32) -> usize {
            id as usize
        }
        #[async_cached(cache = PLAIN)]
        async fn need_not_refresh(id: u32) -> usize {
            id as usize
        }
        steadfast::on_report(|report| REPORTS.lock().unwrap().push(report.clone()));
        for id in 0..3 {
            cannot_refresh(id).await;
            need_not_refresh(id).await;
        }
        let reports = REPORTS.lock().unwrap();
        let told: Vec<_> = reports.iter().filter(|report| report.kind() == ReportKind::Inert).map(ToString::to_string).collect();
        let expected = "`cannot_refresh` does not refresh in the background, although its cache sets `stale_while_revalidate` or \
                        `refresh_ahead`: set the option on the function too, or add `detached`";
        assert_eq!(told, [expected]);
    }
}
