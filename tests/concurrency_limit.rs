//! `#[concurrency_limit]`: how many calls run, which ones wait, and which are rejected.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, clippy::unchecked_time_subtraction, reason = "each function stands where it is tested")]

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{join, join_all};
use futures::poll;
use steadfast::{CircuitBreaker, ConcurrencyLimiter, Error, Keyed, circuit_breaker, concurrency_limit, timeout};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

/// How many run now, and how many ever did at once.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    async fn run(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let _running = Running(self);
        tokio::task::yield_now().await;
    }
}

/// A run, also one that is dropped: its place is free only when it has gone.
struct Running<'a>(&'a Gauge);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_exceeded_with_a_thousand_tasks_on_two_threads() {
    #[concurrency_limit(8)]
    async fn work(gauge: Arc<Gauge>) -> Result<(), Error> {
        gauge.run().await;
        gauge.run().await;
        Ok(())
    }
    let gauge = Arc::new(Gauge::default());
    let tasks: Vec<_> = (0..1_000).map(|_| tokio::spawn(work(Arc::clone(&gauge)))).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(gauge.most.load(Ordering::SeqCst), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raised_lowered_and_abandoned_while_full() {
    static SHARED: ConcurrencyLimiter = ConcurrencyLimiter::new(4);
    #[concurrency_limit(SHARED)]
    async fn work(gauge: Arc<Gauge>) -> Result<(), Error> {
        gauge.run().await;
        Ok(())
    }
    let gauge = Arc::new(Gauge::default());
    let tasks: Vec<_> = (0..1_000)
        .map(|index: u64| {
            let call = work(Arc::clone(&gauge));
            tokio::spawn(async move {
                if index.is_multiple_of(3) {
                    let _ = tokio::time::timeout(Duration::from_micros(index), call).await;
                } else {
                    call.await.unwrap();
                }
            })
        })
        .collect();
    for limit in [1, 16, 2, 9, 3].into_iter().cycle().take(200) {
        SHARED.set_limit(limit);
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert!(gauge.most.load(Ordering::SeqCst) <= 16);
    assert_eq!((SHARED.running(), SHARED.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_new_limit_holds_at_once() {
    #[concurrency_limit(2, handle = limiter)]
    async fn work(running: &Cell<usize>) -> Result<(), Error> {
        running.set(running.get() + 1);
        sleep(100 * MS).await;
        running.set(running.get() - 1);
        Ok(())
    }
    let running = Cell::new(0);
    let calls = join_all((0..20).map(|_| work(&running)));
    let watch = async {
        let mut seen = Vec::new();
        for limit in [5, 1, 1, 3] {
            limiter().set_limit(limit);
            sleep(5 * MS).await;
            seen.push(running.get());
            sleep(85 * MS).await;
        }
        seen
    };
    let (outcomes, seen) = join(calls, watch).await;
    assert!(outcomes.iter().all(Result::is_ok));
    // Nobody is thrown out, but nobody comes in either before enough have left.
    assert_eq!(seen, [5, 5, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served() {
    #[concurrency_limit(1)]
    async fn work(log: &RefCell<Vec<u32>>, name: u32) -> Option<()> {
        log.borrow_mut().push(name);
        sleep(MS).await;
        Some(())
    }
    let log = RefCell::default();
    let early = join_all((0..20).map(|name| work(&log, name)));
    let late = async {
        for name in 20..25 {
            sleep(4 * MS).await;
            work(&log, name).await;
        }
    };
    join(early, late).await;
    assert!(log.borrow().is_sorted(), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_back_its_place_or_its_place_in_the_line() {
    #[concurrency_limit(1, handle = limiter)]
    async fn work(time: Duration) -> Option<()> {
        sleep(time).await;
        Some(())
    }
    let mut calls: Vec<_> = (0..4).map(|_| Box::pin(work(MS))).collect();
    for call in &mut calls {
        assert!(poll!(call).is_pending());
    }
    assert_eq!((limiter().running(), limiter().waiting()), (1, 3));
    drop(calls.remove(1)); // waits
    assert_eq!((limiter().running(), limiter().waiting()), (1, 2));
    drop(calls.remove(0)); // runs: the next is let in, but not polled yet
    assert_eq!((limiter().running(), limiter().waiting()), (1, 1));
    drop(calls.remove(0)); // was let in
    assert_eq!((limiter().running(), limiter().waiting()), (1, 0));
    assert_eq!(calls.remove(0).await, Some(()));
    assert_eq!((limiter().running(), limiter().waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn max_wait_and_queue() {
    #[concurrency_limit(1, max_wait = patience, queue = 2)]
    async fn work(time: Duration, patience: Duration) -> Result<(), Error> {
        sleep(time).await;
        Ok(())
    }
    let started = Instant::now();
    let timed = |patience: u32| async move {
        let outcome = work(100 * MS, patience * MS).await;
        (outcome.is_ok(), started.elapsed().as_millis())
    };
    let outcomes = join_all([timed(0), timed(150), timed(150), timed(150), timed(0)]).await;
    assert_eq!(outcomes, [(true, 100), (true, 200), (false, 150), (false, 0), (false, 0)]);
}

/// Where each call waits for as long as it takes, none needs a value for a refusal.
#[tokio::test(start_paused = true)]
async fn any_return_type_where_nobody_is_refused() {
    #[concurrency_limit(1)]
    async fn nothing(log: &RefCell<Vec<u32>>, n: u32) {
        sleep(MS).await;
        log.borrow_mut().push(n);
    }
    #[concurrency_limit(1, handle = limiter)]
    async fn opaque(n: u32) -> impl Iterator<Item = u32> {
        0..n
    }
    let log = RefCell::default();
    join_all((0..3).map(|n| nothing(&log, n))).await;
    assert_eq!(log.take(), [0, 1, 2]);
    assert_eq!((opaque(3).await.count(), limiter().limit()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn who_will_not_wait_is_refused_at_once() {
    #[concurrency_limit(1, max_wait = 0s)]
    async fn at_once(_argument: String) -> Result<(), Error> {
        sleep(MS).await;
        Ok(())
    }
    let (first, second) = join(at_once(String::new()), at_once(String::new())).await;
    let refused = second.unwrap_err();
    assert!(first.is_ok() && refused.is_saturated());
    assert_eq!(refused.to_string(), "`at_once` was rejected: concurrency limit of 1 reached");
}

#[tokio::test(start_paused = true)]
async fn adaptive_falls_with_failures_and_rises_with_successes() {
    #[concurrency_limit(20, adaptive, handle = limiter)]
    #[timeout(50ms)]
    async fn work(time: Duration) -> Result<(), Error> {
        sleep(time).await;
        Ok(())
    }
    join_all((0..10).map(|_| work(100 * MS))).await;
    assert!(limiter().limit() <= 11, "{:?}", limiter());
    for _ in 0..10 {
        join_all((0..20).map(|_| work(MS))).await;
    }
    assert_eq!(limiter().limit(), 20);
}

#[tokio::test(start_paused = true)]
async fn limits_of_any_kind() {
    const COUNT: u8 = 1;
    static SHARED: std::sync::LazyLock<ConcurrencyLimiter> = std::sync::LazyLock::new(|| ConcurrencyLimiter::new(1));
    struct Pool {
        limiter: Arc<ConcurrencyLimiter>,
    }
    impl Pool {
        #[concurrency_limit(self.limiter, max_wait = 0s)]
        async fn work(&self) -> Option<()> {
            sleep(MS).await;
            Some(())
        }
        #[concurrency_limit(usize::from(COUNT), max_wait = 0s, handle = Self::limiter)]
        async fn own<T: Default>(&self) -> Option<T> {
            sleep(MS).await;
            Some(T::default())
        }
    }
    #[concurrency_limit(COUNT, max_wait = 0s)]
    async fn by_count() -> Option<()> {
        sleep(MS).await;
        Some(())
    }
    #[concurrency_limit(SHARED, max_wait = 0s)]
    async fn by_static() -> Option<()> {
        sleep(MS).await;
        Some(())
    }
    fn places() -> u8 {
        1
    }
    fn shared() -> Arc<ConcurrencyLimiter> {
        static SHARED: std::sync::LazyLock<Arc<ConcurrencyLimiter>> =
            std::sync::LazyLock::new(|| Arc::new(ConcurrencyLimiter::new(1)));
        Arc::clone(&SHARED)
    }
    #[concurrency_limit(places(), max_wait = 0s)]
    async fn by_call() -> Option<()> {
        sleep(MS).await;
        Some(())
    }
    #[concurrency_limit(shared(), max_wait = 0s)]
    async fn by_pointer() -> Option<()> {
        sleep(MS).await;
        Some(())
    }
    #[concurrency_limit(shared())]
    #[circuit_breaker(breaker())]
    async fn waits_for_it(n: u8) -> Option<u8> {
        sleep(MS).await;
        Some(n)
    }
    fn breaker() -> Arc<CircuitBreaker> {
        static BREAKER: std::sync::LazyLock<Arc<CircuitBreaker>> = std::sync::LazyLock::new(Arc::default);
        Arc::clone(&BREAKER)
    }
    assert_eq!(join(waits_for_it(1), waits_for_it(2)).await, (Some(1), Some(2)));
    let pool = Pool { limiter: Arc::new(ConcurrencyLimiter::new(1)) };
    assert_eq!(join(by_call(), by_call()).await, (Some(()), None));
    assert_eq!(join(by_pointer(), by_pointer()).await, (Some(()), None));
    assert_eq!(join(by_count(), by_count()).await, (Some(()), None));
    assert_eq!(join(by_static(), by_static()).await, (Some(()), None));
    assert_eq!(join(pool.work(), pool.work()).await, (Some(()), None));
    assert_eq!(join(pool.own::<u8>(), pool.own::<u16>()).await, (Some(0), None));
    assert_eq!(Pool::limiter().limit(), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_become_what_the_function_returns() {
    static CLOSED: ConcurrencyLimiter = ConcurrencyLimiter::new(0);
    #[concurrency_limit(CLOSED, max_wait = 0s)]
    async fn io() -> io::Result<()> {
        Ok(())
    }
    #[concurrency_limit(CLOSED, max_wait = 5ms)]
    async fn anyhow() -> anyhow::Result<()> {
        Ok(())
    }
    #[concurrency_limit(CLOSED, max_wait = 5ms, or_else = |error| !error.is_saturated())]
    async fn plain(_name: String) -> bool {
        true
    }
    assert_eq!(io().await.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    assert!(anyhow().await.unwrap_err().downcast::<Error>().unwrap().is_saturated());
    assert!(!plain(String::new()).await);
    CLOSED.set_limit(1);
    assert!(plain(String::new()).await);
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_wait_leaves_behind_is_dropped_before_or_else_runs() {
    struct Noisy<'a>(&'a Cell<bool>);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    static CLOSED: ConcurrencyLimiter = ConcurrencyLimiter::new(0);
    #[concurrency_limit(CLOSED, max_wait = 1ms, or_else = |_| dropped.get())]
    async fn work(argument: Noisy<'_>, dropped: &Cell<bool>) -> bool {
        drop(argument);
        false
    }
    let dropped = Cell::new(false);
    assert!(work(Noisy(&dropped), &dropped).await);
}

#[tokio::test]
async fn a_dropped_call_gives_its_place_back_after_its_body_has_gone() {
    struct Sees<'a>(&'a Cell<usize>);
    impl Drop for Sees<'_> {
        fn drop(&mut self) {
            self.0.set(limiter().running());
        }
    }
    #[concurrency_limit(1, handle = limiter)]
    async fn work(seen: &Cell<usize>) -> Result<(), Error> {
        let _last = Sees(seen);
        std::future::pending().await
    }
    #[timeout(1s)]
    #[concurrency_limit(1, max_wait = 0s, handle = other)]
    async fn at_once(seen: &Cell<usize>) -> Result<(), Error> {
        struct Sees<'a>(&'a Cell<usize>);
        impl Drop for Sees<'_> {
            fn drop(&mut self) {
                self.0.set(other().running());
            }
        }
        let _last = Sees(seen);
        std::future::pending().await
    }
    let seen = Cell::new(0);
    let mut call = Box::pin(work(&seen));
    assert!(poll!(&mut call).is_pending());
    drop(call);
    assert_eq!((seen.take(), limiter().running()), (1, 0));
    let mut call = Box::pin(at_once(&seen));
    assert!(poll!(&mut call).is_pending());
    drop(call);
    assert_eq!((seen.take(), other().running()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_limit() {
    #[concurrency_limit(1, max_wait = 0s, key = tenant, handle = tenants)]
    async fn work(tenant: &str) -> Option<usize> {
        sleep(Duration::from_millis(10)).await;
        Some(tenant.len())
    }
    assert_eq!(futures::join!(work("a"), work("a"), work("bb")), (Some(1), None, Some(2)));
    let tenants: &'static Keyed<String, ConcurrencyLimiter> = tenants();
    assert_eq!((tenants.len(), tenants.of("a").running()), (2, 0));
    static SHARED: Keyed<u64, ConcurrencyLimiter> = Keyed::new(|| ConcurrencyLimiter::new(1)).max_keys(4);
    #[concurrency_limit(SHARED, key = id % 4)]
    async fn waits(id: u64) -> Option<u64> {
        sleep(Duration::from_millis(10)).await;
        Some(id)
    }
    let started = Instant::now();
    assert_eq!(futures::join!(waits(0), waits(4), waits(1)), (Some(0), Some(4), Some(1)));
    assert_eq!(started.elapsed(), Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn a_key_of_what_the_body_takes_along() {
    #[concurrency_limit(1, key = (tenant.clone(), id))]
    #[timeout(1s)]
    async fn work(tenant: String, id: u64) -> Option<String> {
        sleep(Duration::from_millis(10)).await;
        Some(format!("{tenant}{id}"))
    }
    assert_eq!(futures::join!(work("a".to_owned(), 1), work("a".to_owned(), 1)).1.as_deref(), Some("a1"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_of_a_key_leaves_no_place() {
    static LIMITS: Keyed<u64, ConcurrencyLimiter> = Keyed::new(|| ConcurrencyLimiter::new(1));
    #[concurrency_limit(LIMITS, key = id)]
    async fn work(id: u64) -> Option<u64> {
        sleep(Duration::from_millis(10)).await;
        Some(id)
    }
    let awaits = steadfast::testing::cancel_at_every_await(
        async || (),
        async |(): &mut ()| {
            let _ = futures::join!(work(1), work(1), work(2));
        },
        async |(): &()| {
            for id in [1, 2] {
                assert_eq!((LIMITS.of(&id).running(), LIMITS.of(&id).waiting()), (0, 0));
            }
        },
    )
    .await;
    assert!(awaits > 0);
}

/// A limit that is in use, or that a call waits for, is that of its key however many other keys come.
#[tokio::test(start_paused = true)]
async fn a_limit_in_use_stays_and_the_number_of_keys_is_bounded() {
    #[concurrency_limit(1, key = tenant, max_keys = 10, handle = tenants)]
    async fn work(tenant: u32, time: Duration) -> Option<u32> {
        sleep(time).await;
        Some(tenant)
    }
    let (mut runs, mut waits) = (Box::pin(work(7, Duration::from_secs(9))), Box::pin(work(7, Duration::ZERO)));
    assert!(poll!(&mut runs).is_pending() && poll!(&mut waits).is_pending());
    for tenant in 100..10_000 {
        assert_eq!(work(tenant, Duration::ZERO).await, Some(tenant));
        assert!(tenants().len() <= 10, "{}", tenants().len());
    }
    assert_eq!((tenants().of(&7).running(), tenants().of(&7).waiting()), (1, 1));
    drop(runs);
    // Now it belongs to the call that waits, which is not polled.
    for tenant in 100..1_000 {
        assert_eq!(work(tenant, Duration::ZERO).await, Some(tenant));
    }
    assert_eq!((tenants().of(&7).running(), waits.await), (1, Some(7)));
    assert_eq!(tenants().of(&7).running(), 0);
}

#[test]
fn a_known_key_allocates_nothing() {
    #[concurrency_limit(2, max_wait = 1s, key = tenant)]
    async fn work(tenant: &str) -> Option<usize> {
        Some(tenant.len())
    }
    let call = || assert_eq!(futures::executor::block_on(work("a tenant with a name that is long")), Some(33));
    call();
    assert_eq!(allocation_counter::measure(call).count_total, 0);
}
