//! When options are evaluated: the table of the documentation.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

/// How often each option was evaluated.
struct Seen(Mutex<BTreeMap<&'static str, usize>>);

impl Seen {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn note<T>(&self, option: &'static str, value: T) -> T {
        *self.0.lock().unwrap().entry(option).or_default() += 1;
        value
    }

    /// What was seen since the last look.
    fn take(&self) -> Vec<(&'static str, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().collect()
    }
}

/// Lets spawned tasks run, without moving the clock.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_callers_task() {
    static SEEN: Seen = Seen::new();
    #[async_cached(
        key = SEEN.note("key", id), refresh_if = SEEN.note("refresh_if", force), tags = [SEEN.note("tags", "tag")],
        ttl = SEEN.note("ttl", SECOND * 100), ttl_jitter = SEEN.note("ttl_jitter", SECOND), tti = SEEN.note("tti", SECOND * 50),
        error_ttl = SEEN.note("error_ttl", SECOND), none_ttl = SEEN.note("none_ttl", SECOND),
        stale_if_error = SEEN.note("stale_if_error", SECOND), load_timeout = SEEN.note("load_timeout", SECOND * 10),
        capacity = SEEN.note("capacity", 100), weight = SEEN.note("weight", |_: &u32, _: &Option<u32>| SEEN.note("weight closure", 1)),
        on_evict = SEEN.note("on_evict", |_: &u32, _: &Option<u32>, _| {}), handle = values: Cache<u32, Option<u32>>
    )]
    async fn value(id: u32, force: bool) -> Result<Option<u32>, String> {
        SEEN.note("body", ());
        sleep(SECOND).await;
        Ok(Some(id))
    }
    let computing = [
        ("body", 1),
        ("error_ttl", 1),
        ("key", 1),
        ("none_ttl", 1),
        ("refresh_if", 1),
        ("stale_if_error", 1),
        ("tags", 1),
        ("tti", 1),
        ("ttl", 1),
        ("ttl_jitter", 1),
        ("weight closure", 1),
    ];
    let mut first = computing.to_vec();
    first.extend([("capacity", 1), ("weight", 1), ("on_evict", 1)]);
    first.sort_unstable();
    value(1, false).await.unwrap();
    assert_eq!(SEEN.take(), first, "the first call of all");
    value(2, false).await.unwrap();
    assert_eq!(SEEN.take(), computing, "a miss");
    value(2, false).await.unwrap();
    assert_eq!(SEEN.take(), [("key", 1), ("refresh_if", 1)], "a hit");
    value(2, true).await.unwrap();
    assert_eq!(SEEN.take(), computing, "a forced call");

    let mut leader = Box::pin(value(3, false));
    assert!(poll_immediate(&mut leader).await.is_none());
    SEEN.take();
    let mut waiter = Box::pin(value(3, false));
    assert!(poll_immediate(&mut waiter).await.is_none());
    let mut waiting: Vec<_> = computing
        .into_iter()
        .filter(|(option, _)| !["body", "weight closure"].contains(option))
        .chain([("load_timeout", 1)])
        .collect();
    waiting.sort_unstable();
    assert_eq!(SEEN.take(), waiting, "one who waits, when it comes");
    let _ = join!(leader, waiter);
    assert_eq!(SEEN.take(), [("weight closure", 1)], "and nothing afterwards");

    values().insert(9, Some(9));
    let by_hand =
        ["error_ttl", "none_ttl", "stale_if_error", "tti", "ttl", "ttl_jitter", "weight closure"].map(|option| (option, 1));
    assert_eq!(SEEN.take(), by_hand, "a value by the handle");
}

#[tokio::test(start_paused = true)]
async fn in_the_background() {
    static SEEN: Seen = Seen::new();
    #[async_cached(
        key = SEEN.note("key", id), refresh_if = SEEN.note("refresh_if", false), tags = [SEEN.note("tags", "tag")],
        ttl = SEEN.note("ttl", SECOND * 100), refresh_ahead = SEEN.note("refresh_ahead", 0.5),
        stale_while_revalidate = SEEN.note("window", SECOND * 100)
    )]
    async fn value(id: u32) -> u32 {
        SEEN.note("body", ());
        sleep(SECOND).await;
        id
    }
    let looking = [("key", 1), ("refresh_if", 1), ("window", 1)];
    let computing = ["body", "key", "refresh_ahead", "refresh_if", "tags", "ttl", "window"].map(|option| (option, 1));
    value(1).await;
    assert_eq!(SEEN.take(), computing, "a miss");
    value(1).await;
    assert_eq!(SEEN.take(), looking, "a hit");
    advance(60 * SECOND).await;
    value(1).await;
    settle().await;
    assert_eq!(SEEN.take(), computing, "a hit that refreshes");
    value(1).await;
    assert_eq!(SEEN.take(), [("key", 1), ("refresh_if", 1), ("tags", 1), ("window", 1)], "one while that is under way");
    sleep(2 * SECOND).await;
    advance(150 * SECOND).await;
    value(1).await;
    settle().await;
    assert_eq!(SEEN.take(), computing, "a stale hit");
}

#[tokio::test(start_paused = true)]
async fn closures_of_the_value() {
    static SEEN: Seen = Seen::new();
    #[async_cached(ttl = |_| SEEN.note("ttl", SECOND), handle = values)]
    async fn value(id: u32) -> Option<u32> {
        sleep(SECOND).await;
        Some(id).filter(|id| *id < 10)
    }
    let waiting = join!(value(1), value(1));
    assert_eq!((waiting, SEEN.take()), ((Some(1), Some(1)), vec![("ttl", 1)]), "once, where a value came");
    value(1).await;
    value(10).await;
    assert_eq!(SEEN.take(), []);
    values().insert(2, 2);
    assert_eq!(SEEN.take(), [("ttl", 1)]);
}
