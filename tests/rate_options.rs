//! `#[rate_limit]` with several rates, a cost, a rate by key, and several times on one function.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures::executor::block_on;
use futures::future::{join, join_all};
use futures::poll;
use steadfast::testing::cancel_at_every_await;
use steadfast::{Error, RateLimiter, async_cached, batched, concurrency_limit, offload_blocking, rate_limit, retry, run, timeout};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn all_rates_agree_or_none_is_charged() {
    #[rate_limit(2 / 1s, 5 / 1h, handle = limits)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    let mut admitted = Vec::new();
    for _ in 0..4 {
        let mut count = 0;
        for _ in 0..100 {
            count += usize::from(work().await.is_ok());
        }
        admitted.push(count);
        advance(SECOND).await;
    }
    assert_eq!(admitted, [2, 2, 1, 0]);
    let rejected = work().await.unwrap_err();
    assert_eq!(rejected.limit(), Some(HOUR));
    assert_eq!(rejected.to_string(), "`work` was rejected: rate limit of 5 per 3600s exceeded; retry in 716s");
    assert_eq!(limits().rate(), (2, SECOND));
    limits().reset();
    assert_eq!((work().await, work().await, work().await.is_err()), (Ok(()), Ok(()), true));
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_that_of_the_latest_rate() {
    const CALLS: u32 = 2;
    #[rate_limit(CALLS / 1s, (CALLS + 1) / 60s, max_wait = 25s)]
    async fn work(started: Instant) -> Option<u128> {
        Some(started.elapsed().as_millis())
    }
    let started = Instant::now();
    let times = join_all((0..6).map(|_| work(started))).await;
    assert_eq!(times, [Some(0), Some(0), Some(500), Some(20_000), None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_cost_takes_that_many() {
    #[rate_limit(10 / 1s, max_wait = 500ms, cost = batch.len())]
    async fn send(batch: &[u8]) -> Result<usize, Error> {
        Ok(batch.len())
    }
    let started = Instant::now();
    assert_eq!(send(&[0; 8]).await, Ok(8));
    assert_eq!(send(&[]).await, Ok(0), "an empty batch takes nothing");
    assert_eq!(send(&[0; 4]).await, Ok(4));
    assert_eq!(started.elapsed(), 200 * MS);
    assert_eq!(send(&[0; 6]).await.unwrap_err().retry_after(), Some(600 * MS));
    let never = send(&[0; 11]).await.unwrap_err();
    assert_eq!(never.to_string(), "`send` was rejected: a cost of 11 exceeds the burst of 10 of the rate limit");
    assert_eq!((never.is_rate_limited(), never.retry_after(), started.elapsed()), (true, None, 200 * MS));
    assert_eq!(send(&[0; 5]).await, Ok(5));
    assert_eq!(started.elapsed(), 700 * MS);
}

#[tokio::test(start_paused = true)]
async fn everything_at_once() {
    thread_local!(static VIP: Cell<u32> = const { Cell::new(100) });
    fn plan(tenant: &str) -> (u32, Duration) {
        (if tenant == "vip" { VIP.get() } else { 10 }, SECOND)
    }
    #[rate_limit(10 / 1s, 1_000 / 1h, key = tenant, cost = batch.len(), rate = plan(tenant), handle = limits)]
    async fn ingest(tenant: &str, batch: Vec<u8>) -> Result<usize, Error> {
        Ok(batch.len())
    }
    let send = |tenant: &'static str, size: usize| ingest(tenant, vec![0; size]);
    assert_eq!((send("vip", 100).await, send("small", 10).await), (Ok(100), Ok(10)));
    assert_eq!(send("small", 1).await.unwrap_err().retry_after(), Some(100 * MS));
    assert_eq!(send("vip", 1).await.unwrap_err().retry_after(), Some(10 * MS));
    let never = send("small", 11).await.unwrap_err();
    assert_eq!(never.to_string(), "`ingest` was rejected: a cost of 11 exceeds the burst of 10 of the rate limit");
    for _ in 0..9 {
        advance(SECOND).await;
        assert_eq!((send("vip", 100).await, send("small", 10).await), (Ok(100), Ok(10)));
    }
    advance(SECOND).await;
    assert_eq!(send("vip", 100).await.unwrap_err().limit(), Some(HOUR), "a thousand were admitted");
    assert_eq!(limits().keys(), 2);
    // The plan changes: what is available remains, up to the new burst, and comes back at the new rate.
    VIP.set(4);
    advance(HOUR).await;
    assert_eq!((send("vip", 5).await.is_err(), send("vip", 4).await), (true, Ok(4)));
    assert_eq!(send("vip", 1).await.unwrap_err().retry_after(), Some(250 * MS));
    VIP.set(40);
    assert_eq!(send("vip", 1).await.unwrap_err().retry_after(), Some(25 * MS));
    // The rate of all keys does not concern one that has its own.
    limits().set_rate(1, HOUR);
    advance(SECOND).await;
    assert_eq!(send("vip", 40).await, Ok(40));
}

#[tokio::test(start_paused = true)]
async fn a_rate_by_key_is_a_quotient_or_a_pair() {
    struct Plan {
        calls: u64,
    }
    #[rate_limit(1 / 1h, burst = 1, key = user, rate = plan.calls / 1s, max_wait = 10s)]
    async fn quotient(user: u32, plan: &Plan) -> Option<()> {
        Some(())
    }
    static QUOTA: RateLimiter = RateLimiter::new(1, HOUR);
    #[rate_limit(QUOTA, key = user, rate = if user == 0 { (5_i32, 1min) } else { (2, 1min) })]
    async fn pair(user: u32) -> Option<()> {
        Some(())
    }
    let started = Instant::now();
    for _ in 0..3 {
        assert_eq!(quotient(1, &Plan { calls: 10 }).await, Some(()));
        assert_eq!(quotient(2, &Plan { calls: 5 }).await, Some(()));
    }
    assert_eq!(started.elapsed(), 400 * MS);
    let mut admitted = [0, 0];
    for user in [0, 1].repeat(10) {
        admitted[user as usize] += usize::from(pair(user).await.is_some());
    }
    assert_eq!(admitted, [5, 2]);
}

/// A call that waits is admitted at the new rate of its key, as soon as another call brings it along.
#[tokio::test(start_paused = true)]
async fn a_rate_that_rises_is_felt_by_those_who_wait() {
    #[rate_limit(1 / 1h, key = user, rate = (calls, HOUR), burst = 1, max_wait = 10h)]
    async fn work(user: u32, calls: u32) -> Option<()> {
        Some(())
    }
    let started = Instant::now();
    work(1, 1).await.unwrap();
    let faster = async {
        sleep(SECOND).await;
        assert!(poll!(Box::pin(work(1, 3_600))).is_pending());
    };
    let (waited, ()) = join(work(1, 1), faster).await;
    assert_eq!((waited, started.elapsed()), (Some(()), 2 * SECOND));
}

/// A call that waits at the rate of all keys, when its key is given one of its own: it goes by that from then on.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_given_a_rate_while_calls_wait() {
    static QUOTA: RateLimiter = RateLimiter::new(1_000, SECOND).burst(1);
    #[rate_limit(QUOTA, key = tenant, rate = 1 / 1s)]
    async fn slowly(tenant: &str) -> Option<()> {
        Some(())
    }
    QUOTA.key("a").acquire().await;
    let started = Instant::now();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(QUOTA.key("a").acquire())).collect();
    for call in &mut waiting {
        assert!(poll!(call).is_pending());
    }
    assert_eq!(slowly("a").await, None);
    join_all(waiting).await;
    assert_eq!(started.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn several_attributes_are_asked_from_the_top() {
    #[rate_limit(3 / 1s, key = tenant, handle = of_tenant)]
    #[rate_limit(4 / 1s, max_wait = max_wait, handle = of_all)]
    async fn work(tenant: &str, max_wait: Duration) -> Result<(), Error> {
        Ok(())
    }
    for _ in 0..3 {
        work("a", Duration::ZERO).await.unwrap();
    }
    assert_eq!(work("a", SECOND).await.unwrap_err().retry_after(), Some(SECOND / 3 + Duration::from_nanos(1)));
    work("b", Duration::ZERO).await.unwrap();
    assert_eq!(work("b", Duration::ZERO).await.unwrap_err().retry_after(), Some(250 * MS));
    // What the lower one rejects has been charged by the upper one.
    work("b", SECOND).await.unwrap();
    assert!(work("b", SECOND).await.is_err());
    assert_eq!((of_tenant().keys(), of_all().rate()), (2, (4, SECOND)));
}

#[tokio::test(start_paused = true)]
async fn max_keys_bounds_the_keys() {
    #[rate_limit(1 / 1h, key = user, max_keys = 100, handle = limits)]
    async fn work(user: u32) -> Option<()> {
        Some(())
    }
    for user in 0..100_000 {
        assert!(work(user).await.is_some() && limits().keys() <= 100);
    }
    assert!(limits().keys() > 50);
}

#[tokio::test(start_paused = true)]
async fn the_options_work_in_stacks_and_blocks() {
    static QUOTA: RateLimiter = RateLimiter::new(5, HOUR);
    #[async_cached]
    #[rate_limit(4 / 1s, cost = names.len(), max_wait = 5s)]
    #[concurrency_limit(3, max_wait = 1s)]
    #[timeout(1s)]
    #[retry(attempts = 2, delay = 0s)]
    #[rate_limit(6 / 1s, 7 / 1min, cost = names.len(), max_wait = 5s)]
    async fn stacked(names: Vec<String>, fails: bool) -> Result<usize, Error> {
        if fails { Err(steadfast::testing::error(steadfast::ErrorKind::Injected, None)) } else { Ok(names.len()) }
    }
    let names = |count| vec![String::from("name"); count];
    assert_eq!(stacked(names(3), false).await, Ok(3));
    assert_eq!(stacked(names(3), false).await, Ok(3), "cached");
    assert!(stacked(names(2), true).await.is_err());
    // Both attempts were charged below.
    assert_eq!(stacked(names(1), false).await.unwrap_err().limit(), Some(60 * SECOND));

    let batch = [1, 2, 3];
    let send = || {
        let batch = &batch;
        run! {
            #[rate_limit(QUOTA, cost = batch.len(), key = "a")]
            async move { Ok::<_, Error>(batch.len()) }
        }
    };
    assert_eq!((send().await.is_ok(), send().await.is_ok()), (true, false));
}

steadfast::policies! {
    /// Two rates, by tenant.
    fair = { #[rate_limit(4 / 1s, 6 / 1h, key = tenant, cost = cost)] };
}

#[steadfast::apply(fair)]
#[rate_limit(100 / 1s)]
async fn by_a_set(tenant: u8, cost: u32) -> Result<u32, Error> {
    Ok(u32::from(tenant) + cost)
}

#[tokio::test(start_paused = true)]
async fn the_options_see_the_arguments_of_any_function() {
    struct Api {
        weight: usize,
    }
    impl Api {
        fn plan(&self) -> (usize, Duration) {
            (self.weight * 10, SECOND)
        }

        #[rate_limit(5 / 1s, key = (&self.weight, tenant), cost = self.weight * batch.len(), rate = self.plan(), max_wait = 1s)]
        async fn send(&self, tenant: &str, mut batch: Vec<u8>) -> Result<Vec<u8>, Error> {
            batch.push(tenant.len().try_into().unwrap());
            Ok(batch)
        }
    }
    #[retry(attempts = 2, delay = 0s, clone(batch))]
    #[rate_limit(4 / 1s, cost = batch.len())]
    async fn retried(batch: Vec<u8>) -> Result<(), Error> {
        Err(steadfast::testing::error(steadfast::ErrorKind::Injected, None)).inspect_err(|_: &Error| drop(batch))
    }
    #[rate_limit(8 / 1s, cost = text.len())]
    #[offload_blocking]
    fn blocking(text: String) -> Result<usize, Error> {
        Ok(text.len())
    }
    #[batched(max_batch_size = 10, delay = 1ms)]
    #[rate_limit(5 / 1h, cost = ids.len(), or_else = |error| vec![error.retry_after().map(|_| 0); 3])]
    async fn load(ids: Vec<u64>) -> Vec<Option<u64>> {
        ids.into_iter().map(Some).collect()
    }

    let api = Api { weight: 2 };
    assert_eq!(api.send("acme", vec![1; 10]).await.unwrap().len(), 11);
    assert!(api.send("acme", vec![1; 11]).await.unwrap_err().to_string().contains("a cost of 22 exceeds the burst of 20"));
    assert!(retried(vec![1; 3]).await.unwrap_err().is_rate_limited(), "the second attempt is rejected");
    assert_eq!(blocking("text".to_owned()).await, Ok(4));
    assert_eq!(blocking("too long".to_owned()).await.unwrap_err().retry_after(), Some(500 * MS));
    assert_eq!(futures::join!(load(1), load(2), load(3)), (Some(1), Some(2), Some(3)));
    assert_eq!(futures::join!(load(1), load(2), load(3)), (Some(0), Some(0), Some(0)));
    assert_eq!((by_a_set(1, 4).await, by_a_set(1, 1).await.is_err(), by_a_set(2, 3).await), (Ok(5), true, Ok(5)));
}

#[tokio::test(start_paused = true)]
async fn dropped_at_any_await_it_takes_no_turn() {
    #[rate_limit(10 / 1s, 20 / 2s, max_wait = 10s, cost = cost, handle = limits)]
    async fn work(cost: u32) -> Option<()> {
        tokio::task::yield_now().await;
        Some(())
    }
    for (dropped, other) in [(10, 1), (1, 10), (3, 3)] {
        let awaits = cancel_at_every_await(
            async || {
                limits().reset();
                assert_eq!(work(10).await, Some(()));
            },
            async |(): &mut ()| {
                join(work(dropped), work(other)).await;
            },
            async |(): &()| {
                let started = Instant::now();
                assert_eq!(work(1).await, Some(()));
                assert!(started.elapsed() <= 103 * MS + 100 * MS * (dropped + other), "{:?}", started.elapsed());
                sleep(100 * SECOND).await;
                assert_eq!((0..50).filter(|_| limits().try_acquire().is_ok()).count(), 10);
            },
        )
        .await;
        assert!(awaits > 1);
    }
}

/// Callers of random costs, some of which give up: those who stay are admitted in the order in which they came, no rate is exceeded,
/// and the permits of those who have gone are not lost.
#[tokio::test(start_paused = true)]
async fn random_waiters_are_first_come_first_served() {
    struct Limit(RateLimiter);
    impl Limit {
        #[rate_limit(self.0, max_wait = 10_000h, cost = cost)]
        async fn take(&self, cost: u32) -> Option<Instant> {
            Some(Instant::now())
        }
    }
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let rates = [(random.u32(1..20), 100 * MS), (random.u32(5..40), SECOND)];
        let limiter = RateLimiter::new(rates[0].0, rates[0].1);
        let several = random.bool();
        let limiter = if several { limiter.and(rates[1].0, rates[1].1) } else { limiter };
        let limit = Limit(limiter);
        let most = rates[0].0.min(rates[1].0);
        let through = RefCell::new(Vec::new());
        let started = Instant::now();
        let calls = (0..40).map(|index| {
            let (cost, gives_up) = (random.u32(1..=most), random.u32(..4) == 0);
            let patience = random.u32(1..3_000) * MS;
            let (limit, through) = (&limit, &through);
            async move {
                // One after another.
                sleep(index * MS).await;
                let taken = tokio::time::timeout(if gives_up { patience } else { 10_000 * HOUR }, limit.take(cost)).await;
                if let Ok(at) = taken {
                    through.borrow_mut().push((index, at.unwrap() - started, cost));
                }
            }
        });
        join_all(calls).await;
        let through = through.into_inner();
        assert!(through.is_sorted_by_key(|(index, ..)| *index), "{seed}: {through:?}");
        assert!(through.len() >= 15);
        for (calls, period) in &rates[..=usize::from(several)] {
            for (index, (_, from, _)) in through.iter().enumerate() {
                let mut sum = 0;
                for (_, to, cost) in &through[index..] {
                    sum += cost;
                    // Less what is made up for of a timer's lateness.
                    let window = (to.saturating_sub(*from) + 3 * MS).as_secs_f64();
                    let allowed = window * f64::from(*calls) / period.as_secs_f64() + f64::from(*calls) + 1e-6;
                    assert!(f64::from(sum) <= allowed, "{seed}: {sum} in {window} s of {calls}: {through:?}");
                }
            }
        }
        // Nobody is left in the queue, and nothing is lost.
        sleep(100 * SECOND).await;
        assert_eq!(limit.0.cost(most).try_acquire(), Ok(()));
    }
}

#[test]
fn what_is_let_through_allocates_nothing() {
    #[rate_limit(1_000 / 1s, 10_000 / 1h, key = tenant, cost = batch.len(), rate = (1_000, SECOND), max_wait = 1s)]
    async fn keyed(tenant: &str, batch: &[u8]) -> Option<usize> {
        Some(batch.len())
    }
    #[rate_limit(1_000 / 1s, cost = 5)]
    async fn costly(n: u8) -> Option<u8> {
        n.checked_add(1)
    }
    let tenant = "a tenant with a name that is longer than any inline string";
    block_on(keyed(tenant, &[1, 2]));
    block_on(costly(1));
    assert_eq!(allocation_counter::measure(|| assert!(block_on(keyed(tenant, &[1, 2])).is_some())).count_total, 0);
    assert_eq!(allocation_counter::measure(|| assert!(block_on(costly(1)).is_some())).count_total, 0);
}
