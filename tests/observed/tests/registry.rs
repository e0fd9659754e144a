//! Every attributed function that has run, and its handles.

use std::time::Duration;

use steadfast::registry::{Handle, Object};
use steadfast::{
    Cache, CircuitBreaker, CircuitState, ConcurrencyLimiter, RateLimiter, RetryBudget, async_cached, circuit_breaker,
    concurrency_limit, offload_blocking, rate_limit, registry, retry, timeout,
};

mod shop {
    use super::*;

    #[async_cached(ttl = 60s, capacity = 100)]
    #[timeout(1s)]
    pub(super) async fn price(article: u64) -> Result<u64, std::io::Error> {
        if article == 0 { Err(std::io::Error::other("no such article")) } else { Ok(article * 100) }
    }
}

#[tokio::test]
async fn functions_are_listed_with_their_policies_and_calls() {
    assert!(registry().find("price").is_none(), "it has not run");
    for article in [1, 1, 2, 0] {
        let _ = shop::price(article).await;
    }
    let price = registry().find("shop::price").expect("it has run");
    assert_eq!((price.name(), price.module(), price.file()), ("price", "registry::shop", "tests/observed/tests/registry.rs"));
    assert!(price.line() > 10);
    let policies: Vec<_> = price.policies().iter().map(|policy| (policy.attribute, policy.settings)).collect();
    assert_eq!(policies, [("async_cached", "ttl = 60s, capacity = 100"), ("timeout", "1s")]);
    let calls = price.calls();
    assert_eq!((calls.started, calls.ok, calls.failed, calls.running()), (4, 3, 1, 0));
    assert!(registry().find("elsewhere::price").is_none());
    let place = format!("{}:{}", price.file(), price.line());
    assert_eq!(registry().find(&place).map(|found| (found.name(), found.line())), Some((price.name(), price.line())));
    assert!(registry().find(&format!("{place}0")).is_none());
}

#[tokio::test]
async fn caches_are_reached_by_the_name_of_their_function() {
    #[async_cached]
    async fn square(n: u64) -> u64 {
        n * n
    }
    for n in 0..5 {
        square(n).await;
    }
    let cache = registry().find("square").unwrap().caches().next().unwrap();
    assert_eq!((cache.len(), cache.stats().misses, cache.in_flight()), (5, 5, 0));
    cache.clear();
    assert!(cache.is_empty());
}

#[tokio::test]
async fn breakers_can_be_forced() {
    static SHARED: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(SHARED)]
    async fn charge() -> Option<u32> {
        Some(1)
    }
    #[circuit_breaker(failures = 2)]
    async fn refund() -> Option<u32> {
        Some(2)
    }
    // A static is one whatever letters it has, and an argument is none.
    #[allow(non_upper_case_globals)]
    static small: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(small)]
    async fn audit() -> Option<u32> {
        Some(3)
    }
    #[allow(non_snake_case)]
    #[circuit_breaker(OWN)]
    async fn ship(OWN: &CircuitBreaker) -> Option<u32> {
        Some(4)
    }
    assert_eq!((charge().await, refund().await), (Some(1), Some(2)));
    assert_eq!((audit().await, ship(&CircuitBreaker::new()).await), (Some(3), Some(4)));
    assert_eq!(registry().find("ship").unwrap().circuit_breakers().count(), 0);
    for name in ["charge", "refund", "audit"] {
        let breaker = registry().find(name).unwrap().circuit_breakers().next().unwrap();
        breaker.force_open();
        assert_eq!(breaker.state(), CircuitState::Isolated);
    }
    assert_eq!((charge().await, refund().await), (None, None));
    assert_eq!(SHARED.state(), CircuitState::Isolated);
    for function in registry().functions() {
        for handle in function.handles() {
            if let Handle::CircuitBreaker(breaker) = handle {
                breaker.reset();
            }
        }
    }
    assert_eq!((charge().await, refund().await), (Some(1), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn limits_can_be_changed() {
    static SHARED: ConcurrencyLimiter = ConcurrencyLimiter::new(4);
    const CALLS: usize = 3;
    #[concurrency_limit(SHARED)]
    async fn one() -> Option<u32> {
        Some(1)
    }
    #[concurrency_limit(CALLS)]
    async fn two() -> Option<u32> {
        Some(2)
    }
    #[rate_limit(1 / 1s)]
    async fn three() -> Option<u32> {
        Some(3)
    }
    assert_eq!((one().await, two().await, three().await, three().await), (Some(1), Some(2), Some(3), None));
    for (name, limit) in [("one", 4), ("two", 3)] {
        let limiter = registry().find(name).unwrap().concurrency_limiters().next().unwrap();
        assert_eq!(limiter.limit(), limit);
        limiter.set_limit(7);
    }
    assert_eq!(SHARED.limit(), 7);
    let rate = registry().find("three").unwrap().rate_limiters().next().unwrap();
    rate.set_rate(1_000_000, Duration::from_secs(1));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(three().await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn dropped_and_panicking_calls_are_counted_as_such() {
    #[timeout(1s)]
    async fn fragile(how: u32) -> Option<u32> {
        assert!(how != 1, "as it was asked to");
        std::future::pending::<()>().await;
        None
    }
    assert!(tokio::spawn(fragile(1)).await.unwrap_err().is_panic());
    assert!(tokio::time::timeout(Duration::from_millis(1), fragile(2)).await.is_err());
    assert_eq!(fragile(3).await, None);
    drop(fragile(4));
    let beside = async {
        tokio::task::yield_now().await;
        panic!("beside it")
    };
    assert!(tokio::spawn(async { tokio::join!(fragile(5), beside) }).await.unwrap_err().is_panic());
    let calls = registry().find("fragile").unwrap().calls();
    assert_eq!((calls.started, calls.panicked, calls.cancelled, calls.failed), (4, 1, 2, 1), "one that was never polled is none");
}

#[tokio::test]
async fn blocking_functions_and_methods_are_listed_too() {
    struct Db;
    impl Db {
        #[retry]
        async fn get(&self) -> Option<u32> {
            Some(1)
        }
    }
    #[offload_blocking(limit = 2)]
    fn digest(text: String) -> usize {
        text.len()
    }
    Db.get().await;
    digest("abc".to_owned()).await;
    assert_eq!(registry().find("get").unwrap().calls().ok, 1);
    assert_eq!(registry().find("digest").unwrap().policies()[0].settings, "limit = 2");
}

#[tokio::test]
async fn raw_identifiers_are_found_as_they_are_written_and_without() {
    #[timeout(1s)]
    async fn r#match() -> Option<u32> {
        Some(1)
    }
    assert_eq!(r#match().await, Some(1));
    for name in ["match", "r#match", "registry::match", "registry::r#match"] {
        assert_eq!(registry().find(name).map(steadfast::registry::Function::name), Some("match"), "{name}");
    }
    assert!(registry().find("r#r#match").is_none());
}

#[tokio::test]
async fn strings_in_settings_are_not_shown() {
    #[async_cached(key = ("hunter2", n), ttl = 60s)]
    async fn secretive(n: u32) -> Option<u32> {
        Some(n)
    }
    secretive(1).await;
    assert_eq!(registry().find("secretive").unwrap().policies()[0].settings, r#"key = ("..", n), ttl = 60s"#);
}

/// What a client of some service has of its own.
struct Client {
    breaker: CircuitBreaker,
    limit: ConcurrencyLimiter,
    rate: RateLimiter,
    budget: RetryBudget,
    cache: Cache<u32, u32>,
}

impl Client {
    const fn new() -> Self {
        Self {
            breaker: CircuitBreaker::new().name("client").failures(1).open_for(Duration::from_secs(7)),
            limit: ConcurrencyLimiter::new(3).name("client").queue(1),
            rate: RateLimiter::new(5, Duration::from_secs(1)).name("client").burst(2),
            budget: RetryBudget::new().retry_ratio(1.0).min_per_second(0).name("client"),
            cache: Cache::builder().capacity(10).name("client").build(),
        }
    }

    #[async_cached(cache = self.cache)]
    #[retry(attempts = 2, delay = 0s, budget = self.budget)]
    #[rate_limit(self.rate)]
    #[concurrency_limit(self.limit, max_wait = 0s)]
    #[circuit_breaker(self.breaker)]
    async fn call(&self, n: u32) -> Option<u32> {
        Some(n).filter(|n| *n > 0)
    }
}

fn named(name: &str) -> Vec<Object> {
    registry().named().filter(|named| named.name() == name).map(|named| named.object().clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_has_a_name_is_known_while_it_lives() {
    let client = Client::new();
    assert!(named("client").is_empty(), "nothing has been used");
    assert_eq!(client.call(1).await, Some(1));
    // It may move.
    let client = Box::new(client);
    assert_eq!(named("client").len(), 5);
    for object in named("client") {
        match object {
            Object::CircuitBreaker(breaker) => {
                assert_eq!(breaker.state(), CircuitState::Closed);
                breaker.force_open();
            }
            Object::ConcurrencyLimiter(limit) => {
                assert_eq!((limit.limit(), limit.running()), (3, 0));
                limit.set_limit(0);
            }
            Object::RateLimiter(rate) => assert_eq!((rate.rate(), rate.check()), ((5, Duration::from_secs(1)), Ok(()))),
            Object::RetryBudget(budget) => assert_eq!(budget.balance(), 1),
            Object::Cache(cache) => assert_eq!((cache.len(), cache.stats().misses), (1, 1)),
            other => panic!("{other:?}"),
        }
    }
    // Both turns of the burst are taken.
    assert_eq!(client.rate.check(), Err(Duration::from_millis(200)));
    assert_eq!((client.breaker.state(), client.limit.limit(), client.budget.balance()), (CircuitState::Isolated, 0, 1));
    client.breaker.reset();
    client.limit.set_limit(3);
    client.rate.reset();
    // Its own settings hold.
    assert_eq!(client.call(0).await, None);
    assert_eq!(client.breaker.state(), CircuitState::Open);
    tokio::time::advance(Duration::from_secs(7)).await;
    assert_eq!(client.breaker.state(), CircuitState::HalfOpen);

    let other = Client::new();
    assert_eq!((other.call(2).await, named("client").len()), (Some(2), 10));
    drop(client);
    assert_eq!(named("client").len(), 5);
    let held = named("client");
    drop(other);
    assert_eq!(named("client").len(), 5, "they are held");
    drop(held);
    assert!(named("client").is_empty());
}

#[test]
fn what_has_gone_leaves_no_room_taken() {
    for _ in 0..1_000 {
        assert_eq!(CircuitBreaker::new().name("short-lived").state(), CircuitState::Closed);
    }
    assert!(named("short-lived").is_empty());
    // Without a name nothing is listed.
    let nameless = [CircuitBreaker::new(), CircuitBreaker::new().name("")];
    assert!(nameless.iter().all(|breaker| breaker.state() == CircuitState::Closed) && named("").is_empty());
}
