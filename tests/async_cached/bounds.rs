//! Bounds of a cache: capacity and eviction.

use super::*;

#[tokio::test]
async fn a_tiny_capacity_holds_what_it_says() {
    for capacity in [1, 2, 3, 10, 100, 257, 1_000] {
        let cache: Cache<usize, usize> = Cache::new(capacity);
        for n in 0..capacity * 4 {
            cache.insert(n, n);
            assert_eq!(cache.get(&n), Some(n), "the newest entry of {capacity} is there");
            assert!(cache.len() <= capacity, "{} of {capacity}", cache.len());
        }
        assert!(cache.len() * 2 >= capacity, "{} of {capacity} are used", cache.len());
        assert_eq!(cache.stats().evictions, (capacity * 4 - cache.len()) as u64);
    }
}

#[tokio::test]
async fn a_capacity_that_cannot_be_divided_is_used_to_the_last_entry() {
    for capacity in [127, 257, 1_003, 10_007] {
        let cache: Cache<usize, usize> = Cache::new(capacity);
        for n in 0..capacity * 10 {
            cache.insert(n, n);
        }
        assert_eq!(cache.len(), capacity);
    }
}

/// Two threads that look at the same entries, while a third writes.
#[test]
fn looks_and_writes_of_several_threads_do_not_lose_each_other() {
    let cache: Arc<Cache<usize, usize>> = Arc::new(Cache::new(1_000));
    let stop = Arc::new(AtomicU32::new(0));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (cache, stop) = (Arc::clone(&cache), Arc::clone(&stop));
            std::thread::spawn(move || {
                while stop.load(SeqCst) == 0 {
                    for n in 0..100 {
                        assert!(cache.get(&n).is_none_or(|value| value % 100 == n));
                    }
                }
            })
        })
        .collect();
    for round in 0..500 {
        for n in 0..100 {
            cache.insert(n, round * 100 + n);
            assert_eq!(cache.get(&n), Some(round * 100 + n));
        }
    }
    stop.store(1, SeqCst);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(cache.len(), 100);
}

#[tokio::test]
async fn capacity_is_an_expression_and_unbounded_must_be_asked_for() {
    const FEW: u8 = 3;
    #[async_cached(capacity = FEW, handle = few)]
    async fn small(n: u32) -> u32 {
        n
    }
    #[async_cached(unbounded, handle = all)]
    async fn large(n: u32) -> u32 {
        n
    }
    #[async_cached(handle = usual)]
    async fn default(n: u32) -> u32 {
        n
    }
    for n in 0..20_000 {
        small(n).await;
        large(n).await;
        default(n).await;
    }
    assert_eq!((few().len(), all().len()), (3, 20_000));
    assert_eq!(usual().len(), 10_000);
}

#[tokio::test]
async fn values_are_dropped_outside_of_the_locks() {
    static CACHE: Cache<u32, Arc<Dropped>> = Cache::new(1);
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Dropped;
    impl Drop for Dropped {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
            CACHE.invalidate(&99);
            let _ = CACHE.len();
        }
    }
    for n in 0..10 {
        CACHE.insert(n, Arc::new(Dropped));
    }
    CACHE.insert(9, Arc::new(Dropped));
    CACHE.invalidate(&9);
    CACHE.insert(1, Arc::new(Dropped));
    CACHE.clear();
    assert_eq!(DROPPED.load(SeqCst), 12);
}

/// Those that filled the cache first do not stay for ever.
#[tokio::test]
async fn a_full_cache_follows_a_set_of_most_of_its_size() {
    #[async_cached(capacity = 10, handle = values)]
    async fn value(n: u32) -> u32 {
        n
    }
    for n in 0..10 {
        value(n).await;
    }
    for _ in 0..100 {
        for n in 100..108 {
            value(n).await;
        }
    }
    let hits = values().stats().hits;
    assert!(hits > 700, "{hits} of 800");
}

#[tokio::test]
async fn a_full_cache_follows_the_keys_in_use() {
    #[async_cached(capacity = 10, handle = values)]
    async fn value(n: u64) -> u64 {
        n
    }
    #[async_cached(capacity = 10, weight = |_, _| 1, handle = weighted)]
    async fn with_weight(n: u64) -> u64 {
        n
    }
    for n in 0..10 {
        value(n).await;
        with_weight(n).await;
    }
    for _ in 0..100 {
        for n in [100, 101] {
            value(n).await;
            with_weight(n).await;
        }
    }
    for stats in [values().stats(), weighted().stats()] {
        assert!(stats.hits > 190, "{} of 200", stats.hits);
    }
}
