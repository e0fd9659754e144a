//! Tests of internals: nothing is left behind.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use super::handle::Cache;
use super::store::tags::Tags;
use crate::async_cached;

mod workload;

/// Yields this many times.
struct Yields(u32);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(out) => Some(out),
        Poll::Pending => None,
    }
}

#[test]
fn a_million_keys_leave_nothing_in_the_table() {
    let cache = Cache::<u32, u32>::new(1_000);
    for key in 0..1_000_000 {
        let mut leader = Box::pin(cache.get_or_load(key, async || {
            Yields(1).await;
            key
        }));
        assert_eq!(poll(leader.as_mut()), None);
        match key % 3 {
            0 => drop(leader),
            1 => assert_eq!(poll(leader.as_mut()), Some(key)),
            _ => {
                let mut waiter = Box::pin(cache.get_or_load(key, async || key + 1));
                assert_eq!(poll(waiter.as_mut()), None);
                drop(leader);
                assert_eq!(poll(waiter.as_mut()), Some(key + 1));
            }
        }
    }
    assert_eq!((cache.in_flight(), cache.inner().flights.len()), (0, 0));
    assert!(cache.len() <= 1_000);
}

/// The leader is dropped at each of its awaits, before or after the waiters have been polled, and one waiter is dropped as well:
/// some call completes, and nothing is left behind.
#[test]
fn somebody_finishes_whoever_is_dropped_and_when() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        RUNS.fetch_add(1, Relaxed);
        Yields(4).await;
        id
    }
    let mut id = 0;
    for dropped_after in 1..=5 {
        for waiters in 0..4 {
            for waiter_dropped in 0..=waiters {
                for polled_between in [false, true] {
                    id += 1;
                    let mut calls: Vec<_> = (0..=waiters).map(|_| Some(Box::pin(load(id)))).collect();
                    let mut finished = 0;
                    for call in calls.iter_mut().flatten() {
                        assert_eq!(poll(call.as_mut()), None);
                    }
                    for _ in 1..dropped_after {
                        finished += u32::from(calls[0].as_mut().and_then(|leader| poll(leader.as_mut())).is_some());
                    }
                    calls[0] = None;
                    if polled_between {
                        for call in calls.iter_mut().skip(1) {
                            if call.as_mut().is_some_and(|call| poll(call.as_mut()).is_some()) {
                                *call = None;
                                finished += 1;
                            }
                        }
                    }
                    if waiter_dropped > 0 {
                        calls[waiter_dropped] = None;
                    }
                    for mut call in calls.into_iter().flatten() {
                        assert_eq!((0..20).find_map(|_| poll(call.as_mut())), Some(id));
                        finished += 1;
                    }
                    assert_eq!((loads().in_flight(), loads().inner().flights.len()), (0, 0));
                    assert!(finished > 0 || waiters == 0 || (waiters == 1 && waiter_dropped == 1));
                }
            }
        }
    }
    let stats = loads().stats();
    assert_eq!(stats.loads + stats.coalesced, stats.misses);
    assert_eq!(stats.loads, u64::from(RUNS.load(Relaxed)));
}

#[test]
fn tags_of_entries_that_left_are_not_listed() {
    let cache = Cache::<u32, u32>::new(10);
    for key in 0..1_000 {
        cache.insert_tagged(key, key, [format!("tag {key}"), "all".to_owned()]);
    }
    assert_eq!(cache.inner().tags_listed(), cache.len() + 1);
    cache.invalidate_tag("tag 999");
    cache.clear();
    assert_eq!(cache.inner().tags_listed(), 0);
    cache.inner().insert(1, &1, Tags::none());
    assert_eq!(cache.inner().tags_listed(), 0);
}

#[test]
fn the_hash_has_a_seed_of_its_own() {
    let (one, other) = (Cache::<u64, u64>::new(10), Cache::<u64, u64>::new(10));
    let same = (0..64_u64).filter(|key| one.inner().hash(key) == other.inner().hash(key)).count();
    assert!(same < 4, "{same} of 64 keys hash alike in two caches");
}

#[tokio::test(start_paused = true)]
async fn an_unbounded_cache_gives_its_memory_back() {
    let second = std::time::Duration::from_secs(1);
    let cache = Cache::builder().unbounded().ttl(second).build();
    let fill = || (0..100_000).for_each(|key: u32| cache.insert(key, [0_u64; 16]));
    fill();
    let full = cache.inner().memory();
    tokio::time::advance(second).await;
    assert_eq!(cache.len(), 0);
    assert!(cache.inner().memory() * 20 < full, "{} of {full} bytes after all have expired", cache.inner().memory());
    fill();
    cache.clear();
    assert!(cache.inner().memory() * 20 < full, "{} of {full} bytes after all were cleared", cache.inner().memory());
    fill();
    (0..99_999).for_each(|key| cache.invalidate(&key));
    assert!(cache.inner().memory() * 20 < full, "{} of {full} bytes for one entry", cache.inner().memory());
    assert!(cache.contains(&99_999));
}

/// The number of remembered evicted keys is proportional to the number of entries and not to the capacity.
#[test]
fn large_entries_leave_no_long_memory_behind() {
    let cache = Cache::builder().capacity(1 << 30).weight(|_: &u32, _: &u32| 1 << 26).build();
    for key in 0..100_000 {
        cache.insert(key, key);
    }
    assert_eq!(cache.len(), 16);
    assert!(cache.inner().memory() < 20_000, "{} bytes for 16 entries", cache.inner().memory());
}
