//! Throughput of hits on several threads, and how it scales with their number.

use std::hint::black_box;
use std::sync::{Barrier, LazyLock};
use std::task::{Context, Waker};
use std::time::Instant;

use quick_cache::sync::Cache as QuickCache;
use steadfast::async_cached;

use crate::cases::at_once;

/// So many keys, of which each is asked for in inverse proportion to its rank (Zipf's law).
const KEYS: u32 = 1_000;
const CALLS: usize = 2_000_000;
const ROUNDS: usize = 5;

/// Prints millions of hits in a second, with one thread and with two: the best of a few rounds.
pub(crate) fn compare() {
    let keys = zipf();
    for (name, hit) in [("cached", hit as fn(u64) -> u64), ("quick_cache", quick_hit)] {
        for key in 0..u64::from(KEYS) {
            black_box(hit(key));
        }
        let best = |threads| (0..ROUNDS).map(|_| measure(threads, &keys, hit)).fold(0.0, f64::max);
        let (one, two) = (best(1), best(2));
        println!("{name:16} {one:>8.1} Mops/s, two threads {two:>8.1} Mops/s, {:.2} times as much", two / one);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few million")]
fn measure(threads: usize, keys: &[u64], hit: fn(u64) -> u64) -> f64 {
    let barrier = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for key in keys.iter().cycle().skip(thread * 7_919).take(CALLS) {
                    black_box(hit(*key));
                }
                barrier.wait();
            });
        }
        barrier.wait();
        let started = Instant::now();
        barrier.wait();
        (threads * CALLS) as f64 / started.elapsed().as_secs_f64() / 1e6
    })
}

fn zipf() -> Vec<u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=KEYS)
        .map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        })
        .collect();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        f64::from((random >> 32) as u32) / f64::from(u32::MAX) * sum
    };
    (0..65_536)
        .map(|_| {
            let at = draw();
            sums.partition_point(|sum| *sum < at) as u64
        })
        .collect()
}

fn hit(key: u64) -> u64 {
    at_once(cached(key), &mut Context::from_waker(Waker::noop()))
}

#[async_cached]
async fn cached(key: u64) -> u64 {
    key
}

static QUICK: LazyLock<QuickCache<u64, u64>> = LazyLock::new(|| QuickCache::new(10_000));

fn quick_hit(key: u64) -> u64 {
    QUICK.get(&key).unwrap_or_else(|| {
        QUICK.insert(key, key);
        key
    })
}
