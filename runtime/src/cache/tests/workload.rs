//! Hit rates under a workload, compared with `quick_cache` alone, an LRU cache and the optimum.
//!
//! All traces use a fixed seed, and a cache of fewer than 1,024 entries has one shard, so the results are reproducible. To use your
//! own trace (one key per line):
//!
//! ```sh
//! STEADFAST_TRACE=trace.txt cargo test --release --lib trace_of_your_own -- --ignored --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use super::{Cache, poll};
use crate::async_cached;

/// How far the hit rate may be below that of `quick_cache`.
const MARGIN: f64 = 0.005;

/// How the capacity is set.
#[derive(Debug, Clone, Copy)]
enum Way {
    Attribute,
    AttributeWeight,
    New,
    Builder,
    Weight,
}

fn ours(way: Way, capacity: usize, trace: &[u32]) -> f64 {
    macro_rules! functions {
        ($($capacity:literal)*) => {
            match (way, capacity) {
                $((Way::Attribute, $capacity) => {
                    #[async_cached(capacity = $capacity, handle = values)]
                    async fn value(key: u32) -> u32 {
                        key
                    }
                    values().clear();
                    let before = values().stats().hits;
                    for key in trace {
                        assert_eq!(poll(std::pin::pin!(value(*key))), Some(*key));
                    }
                    values().stats().hits - before
                })*
                $((Way::AttributeWeight, $capacity) => {
                    #[async_cached(capacity = $capacity, weight = |_, _| 1, handle = values)]
                    async fn value(key: u32) -> u32 {
                        key
                    }
                    values().clear();
                    let before = values().stats().hits;
                    for key in trace {
                        assert_eq!(poll(std::pin::pin!(value(*key))), Some(*key));
                    }
                    values().stats().hits - before
                })*
                (Way::New, _) => by_hand(&Cache::new(capacity), trace),
                (Way::Builder, _) => by_hand(&Cache::builder().capacity(capacity).build(), trace),
                (Way::Weight, _) => by_hand(&Cache::builder().capacity(capacity * 3).weight(|_, _| 3).build(), trace),
                (Way::Attribute | Way::AttributeWeight, _) => unreachable!("there is a function for each capacity"),
            }
        };
    }
    let hits = functions!(2 10 100);
    share(usize::try_from(hits).unwrap(), trace)
}

fn by_hand(cache: &Cache<u32, u32>, trace: &[u32]) -> u64 {
    for key in trace {
        assert_eq!(poll(std::pin::pin!(cache.get_or_load(*key, async || *key))), Some(*key));
    }
    cache.stats().hits
}

fn peer(capacity: usize, trace: &[u32]) -> f64 {
    let mut cache = quick_cache::unsync::Cache::new(capacity);
    let hit = |key: &&u32| {
        let hit = cache.get(*key).is_some();
        if !hit {
            cache.insert(**key, ());
        }
        hit
    };
    share(trace.iter().filter(hit).count(), trace)
}

fn lru(capacity: usize, trace: &[u32]) -> f64 {
    let (mut used, mut in_order, mut hits) = (HashMap::new(), BTreeMap::new(), 0);
    for (turn, key) in trace.iter().enumerate() {
        if let Some(before) = used.insert(*key, turn) {
            in_order.remove(&before);
            hits += 1;
        } else if used.len() > capacity {
            let (_, oldest) = in_order.pop_first().unwrap();
            used.remove(&oldest);
        }
        in_order.insert(turn, *key);
    }
    share(hits, trace)
}

/// Belady's optimum: evicts the entry whose next use is furthest away.
fn oracle(capacity: usize, trace: &[u32]) -> f64 {
    let mut next = vec![usize::MAX; trace.len()];
    let mut seen = HashMap::new();
    for (turn, key) in trace.iter().enumerate().rev() {
        next[turn] = seen.insert(*key, turn).unwrap_or(usize::MAX);
    }
    let (mut kept, mut by_next, mut hits) = (HashMap::new(), BTreeSet::new(), 0);
    for (turn, key) in trace.iter().enumerate() {
        if let Some(at) = kept.remove(key) {
            by_next.remove(&(at, *key));
            hits += 1;
        }
        kept.insert(*key, next[turn]);
        by_next.insert((next[turn], *key));
        if kept.len() > capacity {
            let (_, last) = by_next.pop_last().unwrap();
            kept.remove(&last);
        }
    }
    share(hits, trace)
}

#[expect(clippy::cast_precision_loss, reason = "traces are short")]
fn share(hits: usize, trace: &[u32]) -> f64 {
    hits as f64 / trace.len() as f64
}

/// Numbers below `keys`, the n-th with a probability proportional to a power of 1/n.
fn zipf(random: &mut fastrand::Rng, keys: u32, exponent: f64, length: usize) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=keys)
        .map(|n| {
            sum += f64::from(n).powf(-exponent);
            sum
        })
        .collect();
    (0..length)
        .map(|_| {
            let at = random.f64() * sum;
            u32::try_from(sums.partition_point(|sum| *sum < at)).unwrap()
        })
        .collect()
}

fn traces(length: usize) -> Vec<(&'static str, Vec<u32>)> {
    let mut random = fastrand::Rng::with_seed(7);
    let popular = zipf(&mut random, 5_000, 0.9, length);
    let mut scanned = zipf(&mut random, 5_000, 0.9, length);
    // From time to time, a scan over a thousand keys that are not used otherwise.
    for (number, part) in (0..).zip(scanned.chunks_mut(4_000)) {
        for (n, key) in (0..1_000).zip(part) {
            *key = 1_000_000 + number * 1_000 + n;
        }
    }
    let moving = (0..u32::try_from(length).unwrap()).map(|n| n / 5_000 * 80 + random.u32(..100)).collect();
    // Disk blocks: files that are read from beginning to end, popular ones more often, and a log that is written and read back.
    let files = zipf(&mut random, 400, 0.8, length / 20);
    let blocks = files.iter().zip(0..).flat_map(|(file, n)| (0..16).map(move |block| file * 64 + block).chain([n, n, n / 2, n]));
    let blocks = blocks.take(length).collect();
    // The set of keys changes completely, as after a deployment.
    let changed = (0..length).map(|n| (if n < length / 5 { 0 } else { 10_000 }) + random.u32(..90)).collect();
    vec![
        ("zipf", popular),
        ("zipf with scans", scanned),
        ("a set that moves", moving),
        ("blocks", blocks),
        ("another set", changed),
        ("a loop of 12", (0..length).map(|n| u32::try_from(n % 12).unwrap()).collect()),
        ("a loop of 700", (0..length).map(|n| u32::try_from(n % 700).unwrap()).collect()),
    ]
}

#[test]
fn hits_are_not_below_those_of_quick_cache() {
    let mut below = Vec::new();
    for (name, trace) in traces(10_000) {
        for (capacity, ways) in [
            (1, &[Way::New, Way::Weight][..]),
            (2, &[Way::Builder, Way::AttributeWeight]),
            (10, &[Way::New, Way::Attribute, Way::Weight]),
            (100, &[Way::Attribute, Way::AttributeWeight]),
            (500, &[Way::Builder]),
            (2_000, &[Way::New]),
        ] {
            let (oracle, peer, lru) = (oracle(capacity, &trace), peer(capacity, &trace), lru(capacity, &trace));
            for way in ways {
                let ours = ours(*way, capacity, &trace);
                println!("{name}, {capacity}, {way:?}: {ours:.3}; quick_cache {peer:.3}, LRU {lru:.3}, oracle {oracle:.3}");
                assert!(ours <= oracle && lru <= oracle, "more than the optimum");
                if ours < peer - MARGIN {
                    below.push(format!("{name}, {capacity}, {way:?}: {ours:.3} of {peer:.3}"));
                }
            }
        }
    }
    assert!(below.is_empty(), "{below:#?}");
}

/// Entries of different weights, some as heavy as a cache that holds ten of the lightest.
#[test]
fn hits_of_entries_with_weights_are_not_below_those_of_quick_cache() {
    #[derive(Clone)]
    struct Weights;
    impl quick_cache::Weighter<u32, ()> for Weights {
        fn weight(&self, key: &u32, (): &()) -> u64 {
            weight(*key)
        }
    }
    fn weight(key: u32) -> u64 {
        u64::from(key.wrapping_mul(2_654_435_761) >> 28) + 1
    }
    for (name, trace) in traces(6_000) {
        for capacity in [17, 100, 1_000] {
            let cache = Cache::builder().capacity(capacity).weight(|key, _| weight(*key)).build();
            let ours = share(usize::try_from(by_hand(&cache, &trace)).unwrap(), &trace);
            let mut cache = quick_cache::unsync::Cache::with_weighter(capacity / 8, capacity as u64, Weights);
            let peer = trace.iter().filter(|key| {
                let hit = cache.get(*key).is_some();
                if !hit {
                    cache.insert(**key, ());
                }
                hit
            });
            let peer = share(peer.count(), &trace);
            println!("{name}, {capacity}: {ours:.3}; quick_cache {peer:.3}");
            assert!(ours >= peer - 2.0 * MARGIN, "{name}, {capacity}: {ours:.3} of {peer:.3}");
        }
    }
}

/// The keys that filled the cache first are replaced.
#[test]
fn a_full_cache_follows_the_keys_in_use() {
    for capacity in [10, 100, 1_000] {
        for cache in [Cache::new(capacity), Cache::builder().capacity(capacity).weight(|_, _| 1).build()] {
            for key in 0..u32::try_from(capacity).unwrap() {
                cache.insert(key, key);
            }
            let before = cache.stats().hits;
            let used: Vec<u32> = (0..200).map(|n| 10_000 + n % 2).collect();
            let hits = by_hand(&cache, &used) - before;
            assert!(hits > 190, "{hits} of 200 in a cache of {capacity}");
        }
    }
}

#[test]
#[ignore = "reads the trace that STEADFAST_TRACE names"]
fn trace_of_your_own() {
    let path = std::env::var("STEADFAST_TRACE").expect("STEADFAST_TRACE is the path of a trace");
    let text = fs::read_to_string(path).unwrap();
    let mut numbers = HashMap::new();
    let trace: Vec<u32> = text
        .lines()
        .map(|key| {
            let next = u32::try_from(numbers.len()).unwrap();
            *numbers.entry(key).or_insert(next)
        })
        .collect();
    for capacity in [500, 2_000, 10_000] {
        let (oracle, peer, lru) = (oracle(capacity, &trace), peer(capacity, &trace), lru(capacity, &trace));
        println!("{capacity}: oracle {oracle:.3}, quick_cache {peer:.3}, LRU {lru:.3}");
        for way in [Way::New, Way::Weight] {
            let ours = ours(way, capacity, &trace);
            println!("{capacity}: {way:?} {ours:.3}");
            assert!(ours >= peer - MARGIN);
        }
    }
}
