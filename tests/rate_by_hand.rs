//! Rate limiters without an attribute: permits by hand, of keys, several at once, and of several rates.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use allocation_counter::measure;
use futures::executor::block_on;
use futures::future::{join, join_all};
use futures::poll;
use steadfast::testing::cancel_at_every_await;
use steadfast::{Error, RateLimiter, rate_limit};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn permits_by_hand() {
    let limiter = RateLimiter::new(10, SECOND).burst(2);
    assert_eq!((limiter.try_acquire(), limiter.try_acquire()), (Ok(()), Ok(())));
    let rejected = limiter.try_acquire().unwrap_err();
    assert_eq!(rejected.to_string(), "`rate_limit` was rejected: rate limit of 10 per 1s exceeded; retry in 100ms");
    assert!(rejected.is_rate_limited());
    let started = Instant::now();
    limiter.acquire().await;
    assert_eq!(started.elapsed(), 100 * MS);
    assert!(limiter.acquire_within(99 * MS).await.is_err());
    assert_eq!(started.elapsed(), 100 * MS, "it is rejected at once");
    assert_eq!(limiter.acquire_within(100 * MS).await, Ok(()));
    assert_eq!(started.elapsed(), 200 * MS);
    assert_eq!(limiter.acquire_within(Duration::ZERO).await.unwrap_err().retry_after(), Some(100 * MS));
}

#[tokio::test(start_paused = true)]
async fn errors_name_the_limiter() {
    static NAMED: RateLimiter = RateLimiter::new(1, HOUR).name("geocoder");
    NAMED.acquire().await;
    NAMED.key(&7).acquire().await;
    for rejected in [
        NAMED.try_acquire(),
        NAMED.acquire_within(SECOND).await,
        NAMED.key(&7).try_acquire(),
        NAMED.key(&7).acquire_within(SECOND).await,
        NAMED.cost(2).try_acquire(),
        NAMED.key(&8).cost(2).acquire_within(SECOND).await,
    ] {
        assert_eq!(rejected.unwrap_err().function(), "geocoder");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_that_of_the_attribute() {
    static QUOTA: RateLimiter = RateLimiter::new(2, HOUR);
    #[rate_limit(QUOTA, key = tenant)]
    async fn work(tenant: &str) -> Option<()> {
        Some(())
    }
    #[rate_limit(QUOTA, key = (tenant, shard))]
    async fn pair(tenant: &str, shard: u8) -> Option<()> {
        Some(())
    }
    QUOTA.key("a").acquire().await;
    assert_eq!((work("a").await, work("a").await), (Some(()), None));
    assert!(QUOTA.key("a").try_acquire().is_err());
    assert_eq!(QUOTA.key("b").cost(2).try_acquire(), Ok(()));
    assert_eq!(work("b").await, None);
    QUOTA.key(&("a".to_owned(), 1_u8)).cost(2).try_acquire().unwrap();
    assert_eq!((pair("a", 1).await, pair("a", 2).await), (None, Some(())));
    assert_eq!(QUOTA.keys(), 4);
    // Of the limiter itself nothing was taken.
    assert_eq!(QUOTA.cost(2).try_acquire(), Ok(()));
    let of_a = QUOTA.cost(1).key("a");
    assert!(of_a.clone().try_acquire().is_err() && of_a.acquire_within(SECOND).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_can_be_spawned() {
    static QUOTA: RateLimiter = RateLimiter::new(1, SECOND);
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(QUOTA.key("a").acquire())).collect();
    let started = Instant::now();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(started.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_cost_above_the_burst_is_an_error_at_once() {
    let limiter = RateLimiter::new(10, SECOND).and(5, HOUR);
    for rejected in [
        limiter.cost(6).try_acquire(),
        limiter.cost(6_u64).acquire_within(Duration::MAX).await,
        limiter.key("a").cost(6_usize).try_acquire(),
        limiter.cost(-6).key("a").acquire_within(HOUR).await,
        limiter.cost(u64::MAX).try_acquire(),
    ] {
        let rejected = rejected.unwrap_err();
        assert!(rejected.is_rate_limited() && rejected.retry_after().is_none(), "{rejected:?}");
        assert!(rejected.to_string().ends_with("exceeds the burst of 5 of the rate limit"), "{rejected}");
    }
    assert_eq!(limiter.cost(5).try_acquire(), Ok(()), "nothing was taken");
    assert_eq!(limiter.cost(0).try_acquire(), Ok(()), "nothing is needed");
    let panics = tokio::spawn(async { RateLimiter::new(1, SECOND).cost(2).acquire().await }).await.unwrap_err();
    let message = panics.into_panic().downcast::<String>().unwrap();
    assert_eq!(*message, "`rate_limit` was rejected: a cost of 2 exceeds the burst of 1 of the rate limit");
}

/// A big one at the front is not overtaken, and those behind it have their turn right after it.
#[tokio::test(start_paused = true)]
async fn costs_are_served_first_come_first_served() {
    let limiter = RateLimiter::new(10, SECOND);
    limiter.cost(5).try_acquire().unwrap();
    let (started, log) = (Instant::now(), RefCell::new(Vec::new()));
    let call = |cost: u32| {
        let (limiter, log) = (&limiter, &log);
        async move {
            limiter.cost(cost).acquire().await;
            log.borrow_mut().push((cost, started.elapsed().as_millis()));
        }
    };
    let late = async {
        sleep(10 * MS).await;
        // There are five permits, which the big one waits for.
        assert_eq!(limiter.try_acquire().unwrap_err().retry_after(), Some(2_190 * MS));
        assert!(limiter.cost(5).acquire_within(SECOND).await.is_err());
        join_all([call(1), call(4)]).await;
    };
    join(join_all([call(10), call(3), call(2), call(10), call(1)]), late).await;
    assert_eq!(*log.borrow(), [(10, 500), (3, 800), (2, 1_000), (10, 2_000), (1, 2_100), (1, 2_200), (4, 2_600)]);
}

/// Whoever is dropped leaves nothing behind, wherever it stands, and those behind it move up.
#[tokio::test(start_paused = true)]
async fn a_dropped_waiter_leaves_its_permits_to_the_next() {
    for dropped in 0..4 {
        let limiter = RateLimiter::new(10, SECOND).burst(4);
        limiter.cost(4).try_acquire().unwrap();
        let started = Instant::now();
        let mut calls: Vec<_> = [4_u32, 1, 3, 2].map(|cost| Box::pin(limiter.cost(cost).acquire())).into_iter().collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }
        drop(calls.remove(dropped));
        let last = calls.pop().unwrap();
        join(join_all(calls), last).await;
        let sum = 10 - [4, 1, 3, 2][dropped];
        assert_eq!(started.elapsed(), sum * 100 * MS, "without the call at {dropped}");
        assert_eq!(limiter.try_acquire().unwrap_err().retry_after(), Some(100 * MS));
        advance(SECOND).await;
        assert_eq!(limiter.cost(4).try_acquire(), Ok(()), "no permit is lost");
    }
}

/// One that is offered its permits and is not polled: they go to the next, who needs another number of them.
#[tokio::test(start_paused = true)]
async fn one_that_is_not_polled_holds_up_none_of_another_cost() {
    for (stalled_cost, next_cost) in [(3_u32, 1_u32), (1, 3), (2, 2)] {
        let limiter = RateLimiter::new(10, SECOND).burst(3);
        limiter.cost(3).try_acquire().unwrap();
        let mut lead = Box::pin(limiter.cost(1).acquire());
        let mut stalled = Box::pin(limiter.cost(stalled_cost).acquire());
        assert!(poll!(&mut lead).is_pending() && poll!(&mut stalled).is_pending());
        let started = Instant::now();
        lead.await;
        let next = limiter.cost(next_cost).acquire_within(SECOND);
        assert_eq!(next.await, Ok(()), "{stalled_cost} {next_cost}");
        assert!(started.elapsed() <= 900 * MS, "{:?}", started.elapsed());
        // Polled again, it is the first in the queue.
        let others = join(limiter.acquire(), limiter.acquire());
        let order = RefCell::new(Vec::new());
        join(
            async {
                stalled.await;
                order.borrow_mut().push("stalled");
            },
            async {
                others.await;
                order.borrow_mut().push("others");
            },
        )
        .await;
        assert_eq!(*order.borrow(), ["stalled", "others"]);
        sleep(SECOND).await;
        assert_eq!((0..10).filter(|_| limiter.try_acquire().is_ok()).count(), 3, "{stalled_cost} {next_cost}");
    }
}

/// The wait is that of the latest of several rates.
#[tokio::test(start_paused = true)]
async fn waits_for_the_latest_of_several_rates() {
    let limiter = RateLimiter::new(2, SECOND).and(3, 60 * SECOND);
    let started = Instant::now();
    let times = join_all((0..5).map(|_| {
        let limiter = &limiter;
        async move {
            limiter.acquire().await;
            started.elapsed().as_millis()
        }
    }));
    assert_eq!(times.await, [0, 0, 500, 20_000, 40_000]);
    let rejected = limiter.acquire_within(19_999 * MS).await.unwrap_err();
    assert_eq!((rejected.retry_after(), rejected.limit()), (Some(20 * SECOND), Some(60 * SECOND)));
    assert_eq!(limiter.acquire_within(20 * SECOND).await, Ok(()));
    assert_eq!(started.elapsed(), 60 * SECOND);
}

/// Timers of whole milliseconds, and rates that are none: the lowest rate is reached, and not exceeded.
#[tokio::test(start_paused = true)]
async fn the_lowest_of_several_rates_is_reached() {
    for (rates, lowest) in
        [([2_000, 10_000, 7_200_000], 2_000_u32), ([9_999, 3_333, 36_000_000], 3_333), ([5_000, 4_000, 3_600_000], 1_000)]
    {
        for (callers, cost) in [(1, 1), (7, 1), (50, 3), (3, 10)] {
            let [first, second, hour] = rates;
            let limiter = RateLimiter::new(first, SECOND).burst(10).and(second, SECOND).burst(10).and(hour, HOUR).burst(10);
            let (calls, started) = (700 / callers, Instant::now());
            let caller = |_| async {
                for _ in 0..calls {
                    limiter.cost(cost).acquire().await;
                }
            };
            join_all((0..callers).map(caller)).await;
            let ideal = f64::from(calls * callers * cost - 10) / f64::from(lowest);
            let took = started.elapsed().as_secs_f64();
            assert!(took <= ideal * 1.01 + 0.002, "{rates:?}, {callers} callers of {cost}: {took} s, and not {ideal}");
            assert!(took >= ideal - 0.003, "{rates:?}, {callers} callers of {cost}: {took} s, and not {ideal}");
        }
    }
}

/// What one rate rejects takes nothing from the other.
#[tokio::test(start_paused = true)]
async fn a_rejection_by_one_rate_takes_nothing_from_the_other() {
    let limiter = RateLimiter::new(2, SECOND).and(100, HOUR);
    assert_eq!((0..1_000).filter(|_| limiter.try_acquire().is_ok()).count(), 2);
    for _ in 0..49 {
        advance(SECOND).await;
        assert_eq!((0..1_000).filter(|_| limiter.try_acquire().is_ok()).count(), 2);
    }
    // 100 have been admitted in 49 seconds, and one more has come back.
    advance(SECOND).await;
    assert_eq!((0..1_000).filter(|_| limiter.try_acquire().is_ok()).count(), 1);
    limiter.reset();
    assert_eq!((0..1_000).filter(|_| limiter.try_acquire().is_ok()).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_with_several_rates_have_one_record() {
    let limiter = RateLimiter::new(2, SECOND).and(3, HOUR).max_keys(100);
    for tenant in 0..10_000_u32 {
        assert_eq!((0..5).filter(|_| limiter.key(&tenant).try_acquire().is_ok()).count(), 2);
        assert!(limiter.keys() <= 100);
    }
    advance(SECOND).await;
    assert_eq!((0..5).filter(|_| limiter.key(&9_999_u32).try_acquire().is_ok()).count(), 1);
}

/// The burst is lowered below what a call waits for: it is rejected, and those behind it go on.
#[tokio::test(start_paused = true)]
async fn a_burst_that_is_lowered_rejects_who_needs_more() {
    let limiter = RateLimiter::new(10, SECOND);
    limiter.cost(10).try_acquire().unwrap();
    let lower = async {
        sleep(10 * MS).await;
        limiter.set_rate(4, SECOND);
    };
    let first = limiter.cost(2).acquire_within(HOUR);
    let big = limiter.cost(8).acquire_within(HOUR);
    let small = limiter.cost(2).acquire_within(HOUR);
    let ((first, big), (small, ())) = join(join(first, big), join(small, lower)).await;
    assert_eq!((first, small), (Ok(()), Ok(())));
    let big = big.unwrap_err();
    assert!(big.retry_after().is_none() && big.to_string().contains("a cost of 8 exceeds the burst of 4"), "{big}");
}

/// Drops `wait` at each await. Before and after, no permit is lost and none is too many.
async fn dropped_at_each_await<F: Future>(limiter: &RateLimiter, wait: impl Fn() -> F) {
    let awaits = cancel_at_every_await(
        async || {
            limiter.reset();
            limiter.cost(3).try_acquire().unwrap();
            limiter.key("a").cost(3).try_acquire().unwrap();
        },
        async |(): &mut ()| {
            let _ = wait().await;
        },
        async |(): &()| {
            let started = Instant::now();
            limiter.acquire().await;
            assert!(started.elapsed() <= 103 * MS, "nobody is left in the queue: {:?}", started.elapsed());
            sleep(10 * SECOND).await;
            assert_eq!((0..10).filter(|_| limiter.try_acquire().is_ok()).count(), 3);
            assert_eq!((0..10).filter(|_| limiter.key("a").try_acquire().is_ok()).count(), 3);
        },
    )
    .await;
    assert!(awaits > 0, "it waits");
}

#[tokio::test(start_paused = true)]
async fn dropped_at_any_await_it_takes_no_turn() {
    for limiter in [RateLimiter::new(10, SECOND).burst(3), RateLimiter::new(10, SECOND).burst(3).and(10, SECOND).burst(3)] {
        dropped_at_each_await(&limiter, || limiter.acquire()).await;
        dropped_at_each_await(&limiter, || limiter.acquire_within(SECOND)).await;
        dropped_at_each_await(&limiter, || limiter.key("a").acquire()).await;
        dropped_at_each_await(&limiter, || limiter.key("a").acquire_within(SECOND)).await;
        dropped_at_each_await(&limiter, || limiter.cost(1).acquire()).await;
        dropped_at_each_await(&limiter, || limiter.cost(1).acquire_within(SECOND)).await;
        dropped_at_each_await(&limiter, || limiter.key("a").cost(3).acquire()).await;
        dropped_at_each_await(&limiter, || limiter.cost(3).key("a").acquire_within(SECOND)).await;
    }
}

/// Two that wait, of different costs, dropped at each await of one of them: the other has its permits in time.
#[tokio::test(start_paused = true)]
async fn a_drop_does_not_hold_up_the_other() {
    for (dropped, other) in [(1_u32, 3_u32), (3, 1), (2, 2)] {
        let limiter = RateLimiter::new(10, SECOND).burst(3);
        let awaits = cancel_at_every_await(
            async || {
                limiter.reset();
                limiter.cost(3).try_acquire().unwrap();
            },
            async |(): &mut ()| {
                join(limiter.cost(dropped).acquire(), limiter.cost(other).acquire()).await;
            },
            async |(): &()| {
                let started = Instant::now();
                limiter.cost(other).acquire().await;
                assert!(started.elapsed() <= other * 100 * MS + 3 * MS, "{:?}", started.elapsed());
                sleep(10 * SECOND).await;
                assert_eq!((0..10).filter(|_| limiter.try_acquire().is_ok()).count(), 3);
            },
        )
        .await;
        assert!(awaits > 0);
    }
}

/// Tasks on several threads, of random costs, some of which give up: the others are all admitted, at no more than the rates.
#[test]
fn many_tasks_of_random_costs_on_several_threads() {
    static QUOTA: RateLimiter = RateLimiter::new(100_000, SECOND).burst(100).and(1_000_000, Duration::from_secs(10)).burst(1_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    for keyed in [false, true] {
        let started = std::time::Instant::now();
        let mut random = fastrand::Rng::with_seed(5);
        let calls: Vec<_> = (0..3_000_u32)
            .map(|_| {
                let (cost, gives_up) = (random.u32(1..=100), random.u32(..4) == 0);
                let patience = random.u32(1..200) * MS;
                runtime.spawn(async move {
                    let request = QUOTA.cost(cost);
                    let request = if keyed { request.key("key") } else { request };
                    if gives_up {
                        tokio::time::timeout(patience, request.acquire()).await.map_or(0, |()| u64::from(cost))
                    } else {
                        request.acquire().await;
                        u64::from(cost)
                    }
                })
            })
            .collect();
        let admitted = runtime.block_on(async {
            let all = tokio::time::timeout(60 * SECOND, join_all(calls)).await.expect("no call is forgotten");
            all.into_iter().map(Result::unwrap).sum::<u64>()
        });
        let most = 100 + u64::try_from(started.elapsed().as_micros()).unwrap() / 10;
        assert!(admitted <= most, "{admitted} and not {most}");
        assert!(admitted > 90_000, "{admitted}");
    }
}

#[test]
fn a_permit_that_is_there_allocates_nothing() {
    fn allocations<F: Future>(call: impl Fn() -> F) -> u64 {
        block_on(call());
        measure(|| drop(block_on(call()))).count_total
    }
    for limiter in [RateLimiter::new(1_000, SECOND), RateLimiter::new(1_000, SECOND).and(2_000, HOUR).name("named")] {
        let ready = |result: Result<(), Error>| std::future::ready(result.is_ok());
        assert_eq!(allocations(|| limiter.acquire()), 0);
        assert_eq!(allocations(|| limiter.acquire_within(SECOND)), 0);
        assert_eq!(allocations(|| ready(limiter.try_acquire())), 0);
        assert_eq!(allocations(|| limiter.key("a key that is longer than any inline string").acquire()), 0);
        assert_eq!(allocations(|| limiter.key("a").acquire_within(SECOND)), 0);
        assert_eq!(allocations(|| ready(limiter.key("a").cost(2).try_acquire())), 0);
        assert_eq!(allocations(|| limiter.cost(2).acquire()), 0);
        assert_eq!(allocations(|| limiter.cost(3).key("a").acquire_within(SECOND)), 0);
    }
}
