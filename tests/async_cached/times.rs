//! Times beyond a plain ttl.

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
