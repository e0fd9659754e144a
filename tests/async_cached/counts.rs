//! Statistics, and computations in flight.

use std::future::pending;
use std::sync::atomic::AtomicBool;

use super::*;

/// Lets spawned tasks run, without moving the clock.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn stale_hits_are_the_calls_that_were_answered_with_a_stale_value() {
    static DOWN: AtomicBool = AtomicBool::new(false);
    async fn source() -> Result<u32, String> {
        sleep(SECOND).await;
        if DOWN.load(SeqCst) { Err("down".to_owned()) } else { Ok(1) }
    }
    #[async_cached(ttl = 100s, refresh_ahead = 0.5, stale_if_error = 100s, handle = aheads)]
    async fn ahead() -> Result<u32, String> {
        source().await
    }
    #[async_cached(ttl = 10s, stale_if_error = 100s, refresh_if = force, handle = forced)]
    async fn forcible(force: bool) -> Result<u32, String> {
        source().await
    }
    #[async_cached(ttl = 10s, stale_while_revalidate = 100s, stale_if_error = 100s, handle = revalidated)]
    async fn revalidate() -> Result<u32, String> {
        source().await
    }
    #[async_cached(ttl = 10s, stale_if_error = 100s, handle = waited)]
    async fn wait() -> Result<u32, String> {
        source().await
    }
    // A refresh that fails answers nobody, and the value is fresh.
    ahead().await.unwrap();
    advance(60 * SECOND).await;
    DOWN.store(true, SeqCst);
    for _ in 0..5 {
        assert_eq!(ahead().await, Ok(1));
        sleep(2 * SECOND).await;
    }
    assert_eq!((aheads().stats().stale_hits, aheads().stats().refreshes), (0, 5));
    // A forced call that fails returns a value that is fresh, and later one that is not.
    DOWN.store(false, SeqCst);
    forcible(false).await.unwrap();
    DOWN.store(true, SeqCst);
    assert_eq!(forcible(true).await, Ok(1));
    assert_eq!(forced().stats().stale_hits, 0);
    advance(10 * SECOND).await;
    assert_eq!((forcible(true).await, forcible(false).await), (Ok(1), Ok(1)));
    assert_eq!(forced().stats().stale_hits, 2);
    // Hits, and refreshes behind them that fail.
    DOWN.store(false, SeqCst);
    revalidate().await.unwrap();
    advance(20 * SECOND).await;
    DOWN.store(true, SeqCst);
    for _ in 0..5 {
        assert_eq!(revalidate().await, Ok(1));
        sleep(2 * SECOND).await;
    }
    let stats = revalidated().stats();
    // A source that is down is asked again by each hit that finds no refresh under way.
    assert_eq!((stats.stale_hits, stats.refreshes), (5, 5));
    // Each of those who wait for one load that fails.
    DOWN.store(false, SeqCst);
    wait().await.unwrap();
    advance(20 * SECOND).await;
    DOWN.store(true, SeqCst);
    assert_eq!(join_all((0..5).map(|_| wait())).await, vec![Ok(1); 5]);
    assert_eq!((waited().stats().stale_hits, waited().stats().loads), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn in_flight_counts_what_was_superseded() {
    #[async_cached(detached, handle = loads)]
    async fn load(id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    let actions: [(&str, fn()); 5] = [
        ("invalidate", || loads().invalidate(&1)),
        ("insert", || loads().insert(1, 7)),
        ("clear", || loads().clear()),
        ("invalidate_if", || loads().invalidate_if(|_, _| false)),
        ("invalidate_tag", || loads().invalidate_tag("none")),
    ];
    for (name, act) in actions {
        loads().invalidate(&1);
        let mut call = Box::pin(load(1));
        assert_eq!(poll_immediate(&mut call).await, None);
        settle().await;
        assert_eq!(loads().in_flight(), 1);
        act();
        assert_eq!(loads().in_flight(), 1, "{name}: the body runs");
        assert_eq!(call.await, 1);
        assert_eq!(loads().in_flight(), 0, "{name}: it has ended");
    }
}

/// A forced call beside one that is under way, and one that waited for too long.
#[tokio::test(start_paused = true)]
async fn in_flight_counts_all_computations_of_a_key() {
    #[async_cached(refresh_if = force, load_timeout = 1s, handle = stuck)]
    async fn hang(force: bool) -> u32 {
        pending().await
    }
    let mut calls = vec![Box::pin(hang(false)), Box::pin(hang(true))];
    for call in &mut calls {
        assert_eq!(poll_immediate(call).await, None);
    }
    assert_eq!(stuck().in_flight(), 2);
    calls.push(Box::pin(hang(false)));
    assert_eq!(poll_immediate(&mut calls[2]).await, None);
    assert_eq!(stuck().in_flight(), 2, "it waits");
    sleep(SECOND).await;
    assert_eq!(poll_immediate(&mut calls[2]).await, None);
    assert_eq!(stuck().in_flight(), 3, "it computes");
    calls.clear();
    assert_eq!(stuck().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_given_up_count_and_refused_ones_do_not() {
    #[async_cached(handle = recursions)]
    async fn recursive(id: u32) -> Result<u32, steadfast::Error> {
        Box::pin(recursive(id)).await
    }
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    let (mut leader, mut waiter) = (Box::pin(load(1)), Box::pin(load(1)));
    assert_eq!((poll_immediate(&mut leader).await, poll_immediate(&mut waiter).await), (None, None));
    drop(waiter);
    drop(leader);
    let stats = loads().stats();
    assert_eq!((stats.misses, stats.loads, stats.coalesced, stats.load_successes), (2, 1, 1, 0));
    assert!(recursive(1).await.is_err());
    let stats = recursions().stats();
    assert_eq!((stats.hits, stats.misses, stats.loads), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn contains_is_whether_there_is_a_fresh_value() {
    #[async_cached(ttl = 10s, stale_while_revalidate = 60s, handle = loads)]
    async fn load(id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    load(1).await;
    assert!(loads().contains(&1));
    advance(15 * SECOND).await;
    assert_eq!(load(1).now_or_never(), Some(1), "a call is answered at once");
    assert_eq!((loads().contains(&1), loads().get(&1), loads().len()), (false, None, 1));
}

#[tokio::test]
#[should_panic(expected = "greater than 0 and at most 1")]
async fn a_share_that_is_none_panics() {
    const SHARE: f64 = 80.0;
    #[async_cached(ttl = 10s, refresh_ahead = SHARE)]
    async fn load(id: u32) -> u32 {
        id
    }
    load(1).await;
}
