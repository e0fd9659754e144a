//! `#[rate_limit]`: which calls are admitted, which ones wait, and which are rejected.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, clippy::unchecked_time_subtraction, reason = "each function stands where it is tested")]

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use futures::future::{join, join_all};
use futures::poll;
use steadfast::{Error, RateLimiter, rate_limit, retry, timeout};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_burst_and_then_an_even_pace() {
    #[rate_limit(10 / 1s)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    for _ in 0..10 {
        assert_eq!(work().await, Ok(()));
    }
    let refused = work().await.unwrap_err();
    assert!(refused.is_rate_limited());
    assert_eq!((refused.function(), refused.limit(), refused.retry_after()), ("work", Some(S), Some(100 * MS)));
    assert_eq!(refused.to_string(), "`work` was rejected: rate limit of 10 per 1s exceeded; retry in 100ms");
    advance(99 * MS).await;
    assert_eq!(work().await.unwrap_err().retry_after(), Some(MS));
    advance(MS).await;
    assert_eq!(work().await, Ok(()));
    assert!(work().await.is_err());
    advance(100 * S).await;
    for allowed in 0..15 {
        assert_eq!(work().await.is_ok(), allowed < 10);
    }
}

#[tokio::test(start_paused = true)]
async fn burst_and_rates_may_be_expressions() {
    const RATE: u32 = 4;
    fn minute() -> Duration {
        60 * S
    }
    #[rate_limit(RATE * 2 / (minute() / 2), burst = RATE - 2)]
    async fn work() -> Option<()> {
        Some(())
    }
    assert_eq!((work().await, work().await, work().await), (Some(()), Some(()), None));
    advance(3_750 * MS).await;
    assert_eq!((work().await, work().await), (Some(()), None));
}

/// Runs the calls at once, and says when each got through, in milliseconds.
async fn times<F: Future<Output = Result<(), Error>>>(calls: impl IntoIterator<Item = F>) -> Vec<Option<u128>> {
    let started = Instant::now();
    let timed = |call: F| async move { call.await.ok().map(|()| started.elapsed().as_millis()) };
    join_all(calls.into_iter().map(timed)).await
}

#[tokio::test(start_paused = true)]
async fn waits_up_to_max_wait_first_come_first_served() {
    #[rate_limit(10 / 1s, burst = 1, max_wait = 300ms)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    assert_eq!(times((0..6).map(|_| work())).await, [Some(0), Some(100), Some(200), Some(300), None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_those_who_wait() {
    #[rate_limit(10 / 1s, burst = 1, max_wait = patience)]
    async fn work(patience: Duration) -> Result<(), Error> {
        Ok(())
    }
    assert!(work(S).await.is_ok());
    let (mut first, mut second) = (Box::pin(work(S)), Box::pin(work(S)));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    assert_eq!(work(Duration::ZERO).await.unwrap_err().retry_after(), Some(300 * MS));
    assert_eq!(work(299 * MS).await.unwrap_err().retry_after(), Some(300 * MS));
    drop(first);
    drop(second);
    assert_eq!(work(Duration::ZERO).await.unwrap_err().retry_after(), Some(100 * MS));
}

#[tokio::test(start_paused = true)]
async fn the_turn_of_a_dropped_waiter_goes_to_the_next() {
    #[rate_limit(10 / 1s, burst = 1, max_wait = 10s)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    work().await.unwrap();
    let started = Instant::now();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(work())).collect();
    for call in &mut waiting {
        assert!(poll!(call).is_pending());
    }
    // The first, who watches the clock, and the second, who stands behind it.
    drop(waiting.remove(0));
    drop(waiting.remove(0));
    waiting.remove(0).await.unwrap();
    assert_eq!(started.elapsed(), 100 * MS);
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes() {
    #[rate_limit(10 / 1s, burst = 1, max_wait = 10s)]
    async fn work(log: &RefCell<Vec<u32>>, name: u32) -> Result<(), Error> {
        log.borrow_mut().push(name);
        Ok(())
    }
    let log = RefCell::default();
    let early = join_all((0..20).map(|name| work(&log, name)));
    let late = async {
        for name in 20..30 {
            sleep(47 * MS).await;
            work(&log, name).await.unwrap();
        }
    };
    join(early, late).await;
    assert!(log.borrow()[..20].is_sorted(), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn the_rate_changes_while_calls_wait() {
    static SHARED: RateLimiter = RateLimiter::new(1, S);
    #[rate_limit(SHARED, max_wait = 10s)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    work().await.unwrap();
    let started = Instant::now();
    let calls = join_all((0..4).map(|_| work()));
    let faster = async {
        sleep(500 * MS).await;
        SHARED.set_rate(10, S);
    };
    let (outcomes, ()) = join(calls, faster).await;
    assert!(outcomes.iter().all(Result::is_ok));
    // Half of the first turn had come, the other half takes 50 ms, and each of the others 100.
    assert_eq!(started.elapsed(), 850 * MS);
    assert_eq!(SHARED.rate(), (10, S));
}

#[tokio::test(start_paused = true)]
async fn a_raised_rate_is_felt_at_once_and_for_each_key() {
    static SHARED: RateLimiter = RateLimiter::new(1, Duration::from_secs(3_600));
    #[rate_limit(SHARED, key = user)]
    async fn work(user: &str) -> Option<()> {
        Some(())
    }
    assert_eq!((work("a").await, work("a").await), (Some(()), None));
    SHARED.set_rate(1_000, S);
    sleep(MS).await;
    assert_eq!((work("a").await, work("a").await, work("b").await), (Some(()), None, Some(())));
    SHARED.set_rate(2, S);
    sleep(500 * MS).await;
    assert_eq!((work("a").await, work("a").await), (Some(()), None));
}

#[tokio::test(start_paused = true)]
async fn keys_of_any_kind() {
    struct Request {
        user: String,
    }
    #[rate_limit(1 / 1h, key = request.user.as_str())]
    async fn by_reference(request: &Request) -> Option<()> {
        Some(())
    }
    #[rate_limit(1 / 1h, key = (path.split('/').next(), path.len() > 3))]
    async fn by_parts(path: &'static str) -> Option<()> {
        Some(())
    }
    // Each of those who share a quota may have a part of it.
    static QUOTA: RateLimiter = RateLimiter::new(1, Duration::from_secs(3_600));
    #[rate_limit(QUOTA, key = "search")]
    async fn search() -> Option<()> {
        Some(())
    }
    #[rate_limit(QUOTA, key = "suggest")]
    async fn suggest() -> Option<()> {
        Some(())
    }
    assert_eq!((search().await, suggest().await, search().await), (Some(()), Some(()), None));
    let request = |user: &str| Request { user: user.to_owned() };
    assert_eq!((by_reference(&request("a")).await, by_reference(&request("a")).await), (Some(()), None));
    assert_eq!(by_reference(&request("b")).await, Some(()));
    assert_eq!((by_parts("a/b").await, by_parts("a/c").await, by_parts("a/bc").await), (Some(()), None, Some(())));
}

#[tokio::test(start_paused = true)]
async fn reset_by_hand() {
    #[rate_limit(1 / 1h, handle = all)]
    async fn work() -> Option<()> {
        Some(())
    }
    #[rate_limit(1 / 1h, key = user, max_wait = 1h, handle = each)]
    async fn by_user(user: &str) -> Option<Instant> {
        Some(Instant::now())
    }
    assert_eq!((work().await, work().await), (Some(()), None));
    all().reset();
    assert_eq!((work().await, work().await), (Some(()), None));
    by_user("a").await;
    let waits = by_user("a");
    let reset = async {
        sleep(S).await;
        each().reset();
    };
    let started = Instant::now();
    let (turn, ()) = join(waits, reset).await;
    assert_eq!(turn, Some(started + S), "who waits goes on at once");
}

/// It waits for its turn, and then nobody polls it: a branch of a `select!`, a stream that nobody reads.
#[tokio::test(start_paused = true)]
async fn one_that_nobody_polls_holds_nobody_up() {
    #[rate_limit(10 / 1s, burst = 1, max_wait = patience)]
    async fn work(patience: Duration) -> Result<(), Error> {
        Ok(())
    }
    work(S).await.unwrap();
    let (mut stalled, started) = (Box::pin(work(S)), Instant::now());
    assert!(poll!(&mut stalled).is_pending());
    // Its turn comes after 100 ms, and is kept for it for as long again.
    sleep(150 * MS).await;
    assert!(work(Duration::ZERO).await.unwrap_err().is_rate_limited());
    sleep(50 * MS).await;
    for _ in 0..5 {
        work(Duration::ZERO).await.unwrap();
        assert_eq!(work(Duration::ZERO).await.unwrap_err().retry_after(), Some(200 * MS));
        sleep(100 * MS).await;
    }
    // One that waits stands behind it for no longer than it said, and a little.
    let waits = Instant::now();
    work(S).await.unwrap();
    assert!(waits.elapsed() <= 1_100 * MS, "{:?}", waits.elapsed());
    // Polled again, it has its place again.
    stalled.await.unwrap();
    assert_eq!(work(Duration::ZERO).await.unwrap_err().retry_after(), Some(100 * MS));
    assert!(started.elapsed() < 3 * S);
}

#[tokio::test(start_paused = true)]
async fn a_limit_for_each_key() {
    struct Client {
        tenant: String,
    }
    impl Client {
        #[rate_limit(1 / 1s, key = (&self.tenant, user), handle = Self::limits)]
        async fn call(&self, user: u32) -> Option<()> {
            Some(())
        }
    }
    #[rate_limit(1 / 1s, key = user, max_wait = 1s)]
    async fn by_name(user: &str, big: [u8; 64]) -> Option<usize> {
        Some(user.len() + big.len())
    }
    let client = |tenant: &str| Client { tenant: tenant.to_owned() };
    assert_eq!(client("a").call(1).await, Some(()));
    assert_eq!((client("a").call(1).await, client("a").call(2).await, client("b").call(1).await), (None, Some(()), Some(())));
    assert_eq!(Client::limits().keys(), 3);
    let started = Instant::now();
    assert_eq!(by_name("a", [0; 64]).await, Some(65));
    assert_eq!(by_name("bc", [0; 64]).await, Some(66));
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(join(by_name("a", [0; 64]), by_name("a", [0; 64])).await, (Some(65), None));
    assert_eq!(started.elapsed(), S);
}

#[tokio::test(start_paused = true)]
async fn inside_a_retry_attempts_count_outside_calls() {
    #[retry(attempts = 5, delay = 0s, when = |error| !error.is_rate_limited())]
    #[rate_limit(3 / 1s)]
    async fn inside(runs: &RefCell<u32>) -> Result<(), Error> {
        *runs.borrow_mut() += 1;
        fails().await
    }
    #[rate_limit(3 / 1s)]
    #[retry(attempts = 5, delay = 0s)]
    async fn outside(runs: &RefCell<u32>) -> Result<(), Error> {
        *runs.borrow_mut() += 1;
        fails().await
    }
    #[timeout(1ms)]
    async fn fails() -> Result<(), Error> {
        std::future::pending().await
    }
    let runs = RefCell::default();
    assert!(inside(&runs).await.unwrap_err().is_rate_limited());
    assert_eq!(runs.replace(0), 3);
    assert!(outside(&runs).await.unwrap_err().is_timeout());
    assert_eq!(runs.take(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_above_cuts_the_wait_short() {
    #[timeout(50ms)]
    #[rate_limit(10 / 1s, burst = 1, max_wait = 10s)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    work().await.unwrap();
    assert!(work().await.unwrap_err().is_timeout());
    sleep(50 * MS).await;
    work().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refusals_become_what_the_function_returns() {
    static NONE_LEFT: RateLimiter = RateLimiter::new(1, S);
    #[rate_limit(NONE_LEFT)]
    async fn io() -> io::Result<()> {
        Ok(())
    }
    #[rate_limit(NONE_LEFT)]
    async fn anyhow() -> anyhow::Result<()> {
        Ok(())
    }
    #[rate_limit(NONE_LEFT, or_else = |error| error.retry_after().unwrap())]
    async fn plain(_name: String) -> Duration {
        Duration::ZERO
    }
    assert_eq!(plain(String::new()).await, Duration::ZERO);
    assert_eq!(plain(String::new()).await, S);
    assert_eq!(io().await.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    assert!(anyhow().await.unwrap_err().downcast::<Error>().unwrap().is_rate_limited());
}

#[tokio::test(start_paused = true)]
async fn never_more_than_rate_times_window_and_burst_with_waiters() {
    #[rate_limit(100 / 1s, burst = 5, max_wait = 200ms)]
    async fn work() -> Result<(), Error> {
        Ok(())
    }
    let through = RefCell::new(Vec::new());
    let started = Instant::now();
    let caller = |seed: u64| {
        let through = &through;
        async move {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..200 {
                sleep(random.u32(0..100) * MS).await;
                if work().await.is_ok() {
                    through.borrow_mut().push(started.elapsed());
                }
            }
        }
    };
    join_all((0..10).map(caller)).await;
    let through = through.take();
    assert!(through.len() > 900, "{}", through.len());
    for (index, from) in through.iter().enumerate() {
        for (more, to) in through[index..].iter().enumerate() {
            let most = to.saturating_sub(*from).as_millis() / 10 + 5;
            assert!((more as u128) < most, "{more} from {from:?} to {to:?}");
        }
    }
}

/// `Clone`, `Eq`, `Hash` and `Drop` of a key are the user's code, and may ask the limiter that the key is of.
#[tokio::test(start_paused = true)]
async fn a_key_may_use_its_limiter() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static QUOTA: RateLimiter = RateLimiter::new(1, MS);
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    #[derive(Debug)]
    struct User(u32);
    impl User {
        /// Counts all keys, and for that looks into each of the tables that they are in.
        fn ask(&self) {
            assert!(QUOTA.keys() <= self.0 as usize + 3_000);
        }
    }
    impl Clone for User {
        fn clone(&self) -> Self {
            self.ask();
            Self(self.0)
        }
    }
    impl PartialEq for User {
        fn eq(&self, other: &Self) -> bool {
            self.ask();
            self.0 == other.0
        }
    }
    impl Eq for User {}
    impl std::hash::Hash for User {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.ask();
            // Keys of the same hash are told apart.
            (self.0 % 1_000).hash(state);
        }
    }
    impl Drop for User {
        fn drop(&mut self) {
            self.ask();
            DROPPED.fetch_add(1, Ordering::Relaxed);
            // A panic of an old key is no panic of the call that makes room.
            assert!(self.0 != 5 || std::thread::panicking(), "five");
        }
    }
    #[rate_limit(QUOTA, key = user)]
    async fn work(user: &User) -> Option<()> {
        let _ = user;
        Some(())
    }
    let users: Vec<_> = (0..1_500).map(|user| std::mem::ManuallyDrop::new(User(user))).collect();
    for user in &users {
        assert_eq!((work(user).await, work(user).await), (Some(()), None));
    }
    assert_eq!((QUOTA.keys(), DROPPED.load(Ordering::Relaxed)), (1_500, 0));
    sleep(S).await;
    for user in 10_000..11_500 {
        work(&std::mem::ManuallyDrop::new(User(user))).await.unwrap();
    }
    assert!(QUOTA.keys() < 2_500, "{}", QUOTA.keys());
    assert!(DROPPED.load(Ordering::Relaxed) > 500);
}
