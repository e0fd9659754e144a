//! How long a value is fresh.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_value_is_fresh_for_its_ttl() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = 10s, handle = loads)]
    async fn load(id: u32) -> usize {
        let _ = id;
        RUNS.add()
    }
    assert_eq!(load(1).await, 1);
    advance(Duration::from_millis(9_999)).await;
    assert_eq!(load(1).await, 1);
    advance(Duration::from_millis(1)).await;
    assert_eq!(loads().get(&1), None);
    assert_eq!(load(1).await, 2);
    loads().insert(5, 50);
    assert_eq!(load(5).await, 50);
    advance(10 * SECOND).await;
    assert_eq!(load(5).await, 3);
}

#[tokio::test(start_paused = true)]
async fn the_ttl_may_name_the_arguments() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = Duration::from_secs(seconds), skip(name))]
    async fn load(name: String, seconds: u64) -> usize {
        drop(name);
        RUNS.add()
    }
    load(String::new(), 1).await;
    load(String::new(), 100).await;
    advance(2 * SECOND).await;
    load(String::new(), 100).await;
    assert_eq!(RUNS.get(), 2);
    load(String::new(), 1).await;
    assert_eq!(RUNS.get(), 3);
    // Nothing, and for ever.
    assert_eq!((load(String::new(), 0).await, load(String::new(), 0).await), (4, 5));
    assert_eq!((load(String::new(), u64::MAX).await, load(String::new(), u64::MAX).await), (6, 6));
}

#[tokio::test(start_paused = true)]
async fn expired_entries_leave_without_being_asked_for() {
    #[async_cached(ttl = 10s, handle = loads)]
    async fn load(id: u32) -> Arc<u32> {
        Arc::new(id)
    }
    let watched = load(0).await;
    for id in 1..1_000 {
        load(id).await;
    }
    assert_eq!(loads().len(), 1_000);
    advance(10 * SECOND).await;
    assert_eq!(Arc::strong_count(&watched), 2);
    // Each call that computes clears a few away; so does a hit.
    for id in 1_000..1_300 {
        load(id).await;
    }
    assert_eq!(Arc::strong_count(&watched), 1);
    assert_eq!(loads().len(), 300);
    assert_eq!(loads().stats().expirations, 1_000);
    advance(9 * SECOND).await;
    load(5_000).await;
    advance(2 * SECOND).await;
    for _ in 0..100 {
        load(5_000).await;
    }
    assert_eq!(loads().stats().expirations, 1_300);
}

#[tokio::test(start_paused = true)]
async fn errors_and_absences_are_remembered_for_a_time_of_their_own() {
    static RUNS: Runs = Runs::new();
    #[async_cached(error_ttl = 2s, ttl = 10s, handle = loads)]
    async fn load(id: usize) -> Result<usize, String> {
        let run = RUNS.add();
        if run == id { Ok(id) } else { Err(format!("run {run}")) }
    }
    #[async_cached(none_ttl = 2s)]
    async fn find(id: usize) -> Option<usize> {
        let run = RUNS.add();
        (run > id).then_some(run)
    }
    assert_eq!(load(2).await, Err("run 1".to_owned()));
    assert_eq!(load(2).await, Err("run 1".to_owned()));
    assert_eq!(loads().get(&2), None);
    advance(2 * SECOND).await;
    assert_eq!(load(2).await, Ok(2));
    assert_eq!(loads().stats().load_errors, 1);

    assert_eq!((find(3).await, find(3).await), (None, None));
    assert_eq!(RUNS.get(), 3);
    advance(2 * SECOND).await;
    assert_eq!((find(3).await, find(3).await), (Some(4), Some(4)));
}

#[tokio::test(start_paused = true)]
async fn refresh_if_computes_anew_under_the_same_key() {
    static RUNS: Runs = Runs::new();
    #[async_cached(refresh_if = force, handle = loads)]
    async fn load(id: u32, force: bool) -> Result<usize, ()> {
        let _ = id;
        let run = RUNS.add();
        if run == 3 { Err(()) } else { Ok(run) }
    }
    assert_eq!(load(1, false).await, Ok(1));
    assert_eq!(load(1, true).await, Ok(2));
    assert_eq!(load(1, false).await, Ok(2));
    // A failed refresh leaves what was there.
    assert_eq!(load(1, true).await, Err(()));
    assert_eq!(load(1, false).await, Ok(2));
    let _: &Cache<u32, usize> = loads();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_supersedes_a_load_under_way() {
    static RUNS: Runs = Runs::new();
    #[async_cached(refresh_if = force)]
    async fn load(id: u32, force: bool) -> usize {
        let _ = id;
        let run = RUNS.add();
        sleep(if run == 1 { 3 * SECOND } else { SECOND }).await;
        run
    }
    let slow = tokio::spawn(load(1, false));
    tokio::task::yield_now().await;
    assert_eq!(load(1, true).await, 2);
    assert_eq!(slow.await.unwrap(), 1);
    assert_eq!(load(1, false).await, 2);
}
