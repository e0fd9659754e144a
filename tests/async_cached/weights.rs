//! Entries with weights, and what a listener receives when they are removed.

use std::sync::Mutex;

use steadfast::RemovalCause;

use super::*;

#[tokio::test]
async fn weights_hold() {
    #[async_cached(capacity = 100, weight = |_, text| text.len(), handle = loads)]
    async fn load(length: usize) -> String {
        "x".repeat(length)
    }
    for length in [40, 30, 20, 35, 60, 10, 99, 3] {
        load(length).await;
        let held: usize = (0..=100).filter_map(|length| loads().get(&length)).map(|text| text.len()).sum();
        assert!(held <= 100, "{held} after {length}");
    }
    assert!(loads().stats().evictions > 0);
}

#[tokio::test]
async fn what_is_heavier_than_all_is_returned_counted_and_not_stored() {
    #[async_cached(capacity = 10, weight = |_, n| *n, handle = loads)]
    async fn load(n: u64) -> u64 {
        n
    }
    load(4).await;
    assert_eq!(load(11).await, 11);
    assert_eq!((loads().len(), loads().stats().oversized, loads().stats().evictions), (1, 1, 0));
    assert_eq!(load(10).await, 10);
    assert_eq!((loads().contains(&10), loads().contains(&4)), (true, false));
    loads().insert(10, 12);
    assert_eq!((loads().len(), loads().stats().oversized), (0, 2), "a newer value that is too heavy leaves none behind");
}

#[tokio::test]
async fn what_weighs_nothing_counts_as_one() {
    #[async_cached(capacity = 5, weight = |_, _| 0, handle = loads)]
    async fn load(n: u64) -> u64 {
        n
    }
    for n in 0..100 {
        load(n).await;
    }
    assert_eq!(loads().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_listener_is_told_why() {
    static TOLD: Mutex<Vec<(u32, u32, RemovalCause)>> = Mutex::new(Vec::new());
    #[async_cached(capacity = 2, ttl = 10s, on_evict = |key, value, cause| TOLD.lock().unwrap().push((*key, *value, cause)), handle = loads)]
    async fn load(id: u32) -> u32 {
        id * 10
    }
    let told = || std::mem::take(&mut *TOLD.lock().unwrap());
    for id in 1..=3 {
        load(id).await;
    }
    let size = told();
    assert!(matches!(size[..], [(_, _, RemovalCause::Size)]), "{size:?}");
    loads().clear();
    assert_eq!(told().iter().filter(|(_, _, cause)| *cause == RemovalCause::Explicit).count(), 2);
    load(5).await;
    loads().insert(5, 7);
    assert_eq!(told(), [(5, 50, RemovalCause::Replaced)]);
    loads().invalidate(&5);
    assert_eq!(told(), [(5, 7, RemovalCause::Explicit)]);
    load(6).await;
    advance(10 * SECOND).await;
    load(7).await;
    assert_eq!(told(), [(6, 60, RemovalCause::Expired)]);
    loads().invalidate_if(|id, _| *id == 7);
    assert_eq!(told(), [(7, 70, RemovalCause::Explicit)]);
}

#[tokio::test]
async fn the_listener_may_use_the_cache() {
    #[async_cached(capacity = 1, on_evict = |key, _, _| assert!(!loads().contains(key)), handle = loads)]
    async fn load(id: u32) -> u32 {
        id
    }
    for id in 0..10 {
        load(id).await;
        loads().invalidate(&id);
    }
}

/// Whatever the whole can hold finds room, and the newest entry is there.
#[tokio::test]
async fn the_newest_entry_stays_however_heavy_it_is() {
    let mut random = fastrand::Rng::with_seed(5);
    for capacity in [1_u64, 2, 10, 100, 1_000] {
        let cache: Cache<u32, u64> =
            Cache::builder().capacity(usize::try_from(capacity).unwrap()).weight(|_, weight| *weight).build();
        for _ in 0..5_000 {
            let (key, weight) = (random.u32(..20), if random.bool() { capacity } else { random.u64(1..=capacity) });
            cache.insert(key, weight);
            assert_eq!(cache.get(&key), Some(weight), "in a cache of {capacity}");
            let held: u64 = (0..20).filter_map(|key| cache.get(&key)).sum();
            assert!(held <= capacity, "{held} in a cache of {capacity}");
            // Some are in use.
            let _ = cache.get_or_load(random.u32(..20), async || random.u64(1..=capacity)).await;
        }
    }
}

#[tokio::test]
async fn without_a_bound_a_weight_bounds_nothing() {
    let cache: Cache<u32, u32> = Cache::builder().unbounded().weight(|_, _| u64::MAX).build();
    for key in 0..100 {
        cache.insert(key, key);
    }
    assert_eq!((cache.len(), cache.stats().oversized), (100, 0));
}

/// Whatever removes it before it is cleared away.
#[tokio::test(start_paused = true)]
async fn what_has_expired_is_told_of_as_expired() {
    type Act = fn(&Cache<u32, u32>);
    static TOLD: Mutex<Vec<RemovalCause>> = Mutex::new(Vec::new());
    let actions: [(&str, Act); 5] = [
        ("invalidate", |cache| cache.invalidate(&1)),
        ("insert", |cache| cache.insert(1, 2)),
        ("invalidate_if", |cache| cache.invalidate_if(|_, _| true)),
        ("clear", Cache::clear),
        ("a load", |cache| assert_eq!(cache.get_or_load(1, async || 2).now_or_never(), Some(2))),
    ];
    for (name, act) in actions {
        let cache: Cache<u32, u32> = Cache::builder().ttl(SECOND).on_evict(|_, _, cause| TOLD.lock().unwrap().push(cause)).build();
        // More than one call clears away.
        for key in 0..20 {
            cache.insert(key, key);
        }
        advance(SECOND).await;
        act(&cache);
        assert_eq!(cache.len(), usize::from(name == "insert" || name == "a load"));
        let told = std::mem::take(&mut *TOLD.lock().unwrap());
        assert_eq!(told, [RemovalCause::Expired; 20], "{name}");
        assert_eq!(cache.stats().expirations, 20, "{name}");
    }
    // A value within a window after its ttl has time left.
    let cache: Cache<u32, Result<u32, u32>> =
        Cache::builder().ttl(SECOND).stale_if_error(SECOND).on_evict(|_, _, cause| TOLD.lock().unwrap().push(cause)).build();
    cache.insert(1, Ok(1));
    advance(SECOND).await;
    cache.insert(1, Ok(2));
    assert_eq!(std::mem::take(&mut *TOLD.lock().unwrap()), [RemovalCause::Replaced]);
}

#[tokio::test]
async fn a_listener_that_panics_is_told_of_each_value() {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    let cache: Cache<u32, u32> = Cache::builder()
        .on_evict(|key, _, _| {
            TOLD.fetch_add(1, SeqCst);
            assert!(key % 3 != 0, "key {key}");
        })
        .build();
    for key in 0..10 {
        cache.insert(key, key);
    }
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cache.clear())).is_err());
    assert_eq!((TOLD.load(SeqCst), cache.len()), (10, 0));
    cache.insert(1, 1);
    cache.clear();
    assert_eq!(TOLD.load(SeqCst), 11);
}

#[tokio::test]
async fn a_remembered_failure_weighs_one() {
    #[async_cached(capacity = 10, weight = |_, n| *n, error_ttl = 1h, handle = loads)]
    async fn load(id: u32) -> Result<u64, String> {
        if id < 100 { Err("x".repeat(1_000)) } else { Ok(9) }
    }
    for id in 0..20 {
        load(id).await.unwrap_err();
    }
    assert_eq!(loads().len(), 10);
    load(100).await.unwrap();
    assert_eq!(loads().len(), 2, "a value of 9, and one failure");
}
