//! Durations other than a plain ttl.

use super::*;

#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    expires_in: Duration,
}

#[tokio::test(start_paused = true)]
async fn a_token_carries_its_own_expiry() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = |token| token.expires_in, handle = tokens)]
    async fn token(scope: &str) -> Result<Token, String> {
        RUNS.add();
        Ok(Token { text: scope.to_owned(), expires_in: Duration::from_secs(scope.len() as u64) })
    }
    token("four").await.unwrap();
    token("sevenly").await.unwrap();
    advance(4 * SECOND).await;
    assert_eq!((tokens().contains("four"), tokens().contains("sevenly"), tokens().len()), (false, true, 1));
    let by_hand = Token { text: "by hand".to_owned(), expires_in: SECOND };
    tokens().insert("hand".to_owned(), by_hand.clone());
    assert_eq!(token("hand").await, Ok(by_hand));
    advance(SECOND).await;
    assert!(!tokens().contains("hand"));
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_ttl_may_look_at_value_and_arguments() {
    #[async_cached(ttl = |text: &String| Duration::from_secs(text.len() as u64) * times, skip(name), handle = loads)]
    async fn load(times: u32, name: String) -> Option<String> {
        Some(name)
    }
    load(3, "ab".to_owned()).await;
    advance(5 * SECOND).await;
    assert!(loads().contains(&3));
    advance(SECOND).await;
    assert!(!loads().contains(&3));
}

#[tokio::test(start_paused = true)]
async fn a_value_leaves_that_nobody_asks_for() {
    static RUNS: Runs = Runs::new();
    #[async_cached(tti = 10s, handle = loads)]
    async fn load(id: u32) -> usize {
        let _ = id;
        RUNS.add()
    }
    load(1).await;
    load(2).await;
    for _ in 0..5 {
        advance(6 * SECOND).await;
        assert_eq!(load(1).await, 1, "each hit begins the time anew");
    }
    assert!(!loads().contains(&2));
    assert_eq!(loads().len(), 1);
    advance(9 * SECOND).await;
    assert!(loads().contains(&1), "a peek is no use");
    advance(SECOND).await;
    assert!(!loads().contains(&1));
    assert_eq!(loads().len(), 0);
    assert_eq!(loads().stats().expirations, 2);
}

#[tokio::test(start_paused = true)]
async fn the_sooner_of_ttl_and_tti_ends_it() {
    #[async_cached(tti = 10s, ttl = 15s, handle = loads)]
    async fn load(id: u32) -> u32 {
        id
    }
    load(1).await;
    for _ in 0..2 {
        advance(7 * SECOND).await;
        load(1).await;
    }
    assert_eq!(loads().stats().loads, 1);
    advance(SECOND).await;
    load(1).await;
    assert_eq!(loads().stats().loads, 2);
}

#[tokio::test(start_paused = true)]
async fn jitter_stays_in_its_range_and_spreads() {
    #[async_cached(ttl = 10s, ttl_jitter = 10s, handle = loads)]
    async fn load(id: u32) -> u32 {
        id
    }
    for id in 0..1_000 {
        load(id).await;
    }
    advance(Duration::from_millis(9_999)).await;
    assert_eq!(loads().len(), 1_000);
    advance(5 * SECOND).await;
    let half = loads().len();
    assert!((350..650).contains(&half), "{half} are left in the middle");
    advance(5 * SECOND + Duration::from_millis(1)).await;
    assert_eq!(loads().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn zero_by_an_expression_stores_nothing() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = Duration::ZERO.max(at_least), handle = loads)]
    async fn load(at_least: Duration) -> usize {
        RUNS.add()
    }
    load(Duration::ZERO).await;
    assert_eq!((load(Duration::ZERO).await, loads().len()), (2, 0));
    load(SECOND).await;
    assert_eq!(loads().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn huge_times_do_not_overflow() {
    #[async_cached(ttl = Duration::MAX, ttl_jitter = Duration::MAX, tti = Duration::MAX, stale_if_error = Duration::MAX, handle = loads)]
    async fn load(id: u32) -> Result<u32, String> {
        Ok(id)
    }
    load(1).await.unwrap();
    advance(Duration::from_secs(365 * 86_400 * 100)).await;
    assert_eq!((load(1).await, loads().stats().loads), (Ok(1), 1));
}

#[tokio::test(start_paused = true)]
async fn memory_returns_after_a_burst() {
    static DROPS: Runs = Runs::new();
    #[derive(Clone)]
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.add();
        }
    }
    #[async_cached(ttl = 10s, capacity = 100_000, handle = loads)]
    async fn load(id: u32) -> Arc<Counted> {
        let _ = id;
        Arc::new(Counted)
    }
    for id in 0..10_000 {
        load(id).await;
    }
    advance(10 * SECOND).await;
    for _ in 0..5_000 {
        // Neither the keys of the burst nor `len`: a few other calls.
        load(1_000_000).await;
    }
    assert_eq!(DROPS.get(), 10_000);
}

/// Jitter is added to each ttl, however the two are written.
mod jitter {
    use super::*;

    const TTL: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);

    macro_rules! spreads {
        ($id:ident $($name:ident: [$($options:tt)*])*) => {$(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                #[async_cached($($options)*, handle = values)]
                async fn value($id: u32) -> u32 {
                    $id
                }
                for id in 0..200 {
                    value(id).await;
                }
                check(|id| values().contains(&id)).await;
                for id in 0..200 {
                    values().get_or_load(id, async || id).await;
                }
                check(|id| values().contains(&id)).await;
            }
        )*};
    }

    /// Of 200 that are fresh for a minute and up to an hour more.
    async fn check(is_there: impl Fn(u32) -> bool) {
        let left = || (0..200).filter(|id| is_there(*id)).count();
        assert_eq!(left(), 200);
        advance(TTL).await;
        assert!(left() > 150, "{} after the ttl", left());
        advance(HOUR / 2).await;
        assert!((50..150).contains(&left()), "{} in the middle", left());
        advance(HOUR / 2).await;
        assert_eq!(left(), 0);
    }

    spreads! { id
        both_are_literals: [ttl = 60s, ttl_jitter = 1h]
        both_are_expressions: [ttl = TTL, ttl_jitter = HOUR]
        the_ttl_is_a_constant: [ttl = TTL, ttl_jitter = 1h]
        the_jitter_is_a_constant: [ttl = 60s, ttl_jitter = HOUR]
        the_ttl_is_of_the_value: [ttl = |_| TTL, ttl_jitter = 1h]
        both_are_no_literals: [ttl = |_| TTL, ttl_jitter = HOUR]
    }

    #[tokio::test(start_paused = true)]
    async fn what_names_an_argument() {
        #[async_cached(ttl = patience, ttl_jitter = 1h, skip(patience), handle = values)]
        async fn value(id: u32, patience: Duration) -> u32 {
            id
        }
        #[async_cached(ttl = |_| patience, ttl_jitter = patience * 60, skip(patience), handle = others)]
        async fn other(id: u32, patience: Duration) -> u32 {
            id
        }
        for id in 0..200 {
            value(id, TTL).await;
            other(id, TTL).await;
        }
        check(|id| values().contains(&id)).await;
        for id in 0..200 {
            other(id, TTL).await;
        }
        check(|id| others().contains(&id)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_cache_by_hand() {
        let cache = Cache::<u32, u32>::builder().ttl_of(|_| TTL).ttl_jitter(HOUR).build();
        for id in 0..200 {
            cache.insert(id, id);
        }
        check(|id| cache.contains(&id)).await;
        let cache = Cache::<u32, u32>::builder().ttl(TTL).ttl_jitter(HOUR).build();
        for id in 0..200 {
            cache.get_or_load(id, async || id).await;
        }
        check(|id| cache.contains(&id)).await;
    }

    /// The jitter of a named cache belongs to the ttl of that cache: it would be many times a shorter one.
    #[tokio::test(start_paused = true)]
    async fn of_a_named_cache() {
        static SHARED: Cache<u32, u32> = Cache::builder().ttl(TTL).ttl_jitter(HOUR).build();
        #[async_cached(cache = SHARED)]
        async fn as_the_cache(id: u32) -> u32 {
            id
        }
        #[async_cached(cache = SHARED, ttl = 10s)]
        async fn own(id: u32) -> u32 {
            id
        }
        #[async_cached(cache = SHARED, ttl = |_| SECOND)]
        async fn of_value(id: u32) -> u32 {
            id
        }
        #[async_cached(cache = SHARED, ttl_jitter = 2h)]
        async fn longer(id: u32) -> u32 {
            id
        }
        for id in 0..200 {
            own(id).await;
            of_value(id + 1_000).await;
        }
        advance(10 * SECOND).await;
        assert_eq!(SHARED.len(), 0);
        for id in 0..200 {
            as_the_cache(id).await;
        }
        check(|id| SHARED.contains(&id)).await;
        for id in 0..200 {
            longer(id).await;
        }
        advance(TTL + HOUR).await;
        assert!(SHARED.len() > 50);
    }
}

/// What comes by the handle is kept for as long as what is computed.
mod by_the_handle {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[tokio::test(start_paused = true)]
    async fn times_are_those_of_now() {
        static SECONDS: AtomicU64 = AtomicU64::new(100);
        fn now() -> Duration {
            Duration::from_secs(SECONDS.load(SeqCst))
        }
        #[async_cached(ttl = now(), handle = by_ttl)]
        async fn ttl(id: u32) -> u32 {
            id
        }
        #[async_cached(tti = now(), handle = by_tti)]
        async fn tti(id: u32) -> u32 {
            id
        }
        #[async_cached(error_ttl = now(), handle = by_error)]
        async fn error(id: u32) -> Result<u32, String> {
            Err(id.to_string())
        }
        #[async_cached(ttl = |id: &u32| now() * (*id), handle = by_value)]
        async fn of_value(id: u32) -> u32 {
            id
        }
        ttl(0).await;
        tti(0).await;
        assert!(error(0).await.is_err());
        of_value(1).await;
        SECONDS.store(10, SeqCst);
        by_ttl().insert(1, 1);
        by_ttl().get_or_load(2, async || 2).await;
        by_ttl().get_or_spawn(3, async || 3).await;
        by_tti().insert(1, 1);
        by_tti().insert_tagged(2, 2, ["tag"]);
        assert!(by_error().get_or_load(1, async || Err::<u32, _>("1".to_owned())).await.is_err());
        by_value().insert(2, 2);
        advance(9 * SECOND).await;
        assert_eq!((by_ttl().len(), by_tti().len(), by_error().len(), by_value().len()), (4, 3, 2, 2));
        advance(SECOND).await;
        assert_eq!((by_ttl().len(), by_tti().len(), by_error().len(), by_value().len()), (1, 1, 1, 2));
        advance(10 * SECOND).await;
        assert_eq!(by_value().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn windows_are_those_of_now() {
        static SECONDS: AtomicU64 = AtomicU64::new(0);
        fn now() -> Duration {
            Duration::from_secs(SECONDS.load(SeqCst))
        }
        #[async_cached(ttl = 10s, stale_if_error = now(), handle = values)]
        async fn value(id: u32) -> Result<u32, String> {
            if id > 1_000 { Ok(id) } else { Err("down".to_owned()) }
        }
        assert!(value(1).await.is_err());
        SECONDS.store(100, SeqCst);
        values().insert(1, 7);
        advance(50 * SECOND).await;
        assert_eq!(value(1).await, Ok(7));
    }

    /// What depends on the arguments is not known there.
    #[tokio::test(start_paused = true)]
    async fn times_that_name_an_argument_are_not_known() {
        #[async_cached(ttl = Duration::from_secs(id.into()), handle = values)]
        async fn value(id: u32) -> u32 {
            id
        }
        value(1).await;
        values().insert(2, 2);
        advance(10 * SECOND).await;
        assert_eq!((values().get(&1), values().get(&2)), (None, Some(2)));
    }
}

/// A time that ends at a point in time is said by a closure, which is evaluated when the value is there.
#[tokio::test(start_paused = true)]
async fn times_are_counted_from_the_end_of_a_computation() {
    #[async_cached(key = id, ttl = noon.duration_since(tokio::time::Instant::now()), handle = early: Cache<u32, u32>)]
    async fn before(id: u32, noon: tokio::time::Instant) -> u32 {
        sleep(30 * SECOND).await;
        id
    }
    #[async_cached(key = id, ttl = |_| noon.duration_since(tokio::time::Instant::now()), handle = late: Cache<u32, u32>)]
    async fn after(id: u32, noon: tokio::time::Instant) -> u32 {
        sleep(30 * SECOND).await;
        id
    }
    let noon = tokio::time::Instant::now() + 60 * SECOND;
    join!(before(1, noon), after(1, noon));
    advance(30 * SECOND).await;
    assert_eq!((early().get(&1), late().get(&1)), (Some(1), None));
    advance(30 * SECOND).await;
    assert_eq!(early().get(&1), None);
}
