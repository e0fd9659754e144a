//! Cache hits.

use std::hint::black_box;
use std::sync::LazyLock;

use quick_cache::sync::Cache as QuickCache;
use steadfast::async_cached;

use super::{each, each_ready};
use crate::Case;

pub(super) const CASES: &[Case] = &[
    Case { group: "hit u64", name: "quick_cache_u64", run: |n| each(n, |n| QUICK.get(&black_box(n % 64))) },
    Case { group: "hit u64", name: "cached_u64", run: |n| each_ready(n, |n| cached_u64(black_box(n % 64))) },
    Case { group: "hit u64", name: "cached_ttl_u64", run: |n| each_ready(n, |n| cached_ttl_u64(black_box(n % 64))) },
    Case { group: "hit &str", name: "quick_cache_str", run: |n| each(n, |_| QUICK_STR.get(black_box("a key of some length"))) },
    Case { group: "hit &str", name: "cached_str", run: |n| each_ready(n, |_| cached_str(black_box("a key of some length"))) },
];

static QUICK: LazyLock<QuickCache<u64, u64>> = LazyLock::new(|| {
    let cache = QuickCache::new(10_000);
    (0..64).for_each(|n| cache.insert(n, n));
    cache
});

static QUICK_STR: LazyLock<QuickCache<String, u64>> = LazyLock::new(|| {
    let cache = QuickCache::new(10_000);
    cache.insert("a key of some length".to_owned(), 1);
    cache
});

#[async_cached]
async fn cached_u64(n: u64) -> u64 {
    n
}

#[async_cached(ttl = 1h)]
async fn cached_ttl_u64(n: u64) -> u64 {
    n
}

#[async_cached]
async fn cached_str(key: &str) -> usize {
    key.len()
}
