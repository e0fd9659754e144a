//! Options that are evaluated once may bind names that are also those of arguments, and name an object at each call.

use std::sync::Arc;
use std::time::Duration;

use steadfast::{
    BlockingPool, CircuitBreaker, ConcurrencyLimiter, RateLimiter, batched, circuit_breaker, concurrency_limit, offload_blocking,
    rate_limit,
};

struct Plan {
    tenant: u32,
}

const PLAN: Plan = Plan { tenant: 2 };

mod tenant {
    pub(crate) const LIMIT: u32 = 3;
}

#[rate_limit(PLAN.tenant / 1s, burst = tenant::LIMIT, handle = rate)]
async fn rated(tenant: u32) -> Option<u32> {
    Some(tenant)
}

#[concurrency_limit([1, 2].into_iter().map(|tenant| tenant * 2).sum::<usize>(), queue = { let tenant = 2_u32; tenant + 1 }, handle = limiter)]
async fn limited(tenant: u32) -> Option<u32> {
    Some(tenant)
}

#[circuit_breaker(failures = { let Plan { tenant } = PLAN; tenant }, open_for = 1s, handle = breaker)]
async fn broken(tenant: u32) -> Option<u32> {
    (tenant > 0).then_some(tenant)
}

#[offload_blocking(limit = format!("{tenant}", tenant = 7).len())]
fn offloaded(tenant: u32) -> u32 {
    tenant
}

#[tokio::test]
async fn what_an_option_binds_itself_is_no_argument() {
    assert_eq!((rated(1).await, rated(1).await, rated(1).await, rated(1).await), (Some(1), Some(1), Some(1), None));
    assert_eq!(rate().rate(), (2, Duration::from_secs(1)));
    assert_eq!((limited(1).await, limiter().limit()), (Some(1), 6));
    assert_eq!((broken(0).await, broken(0).await, broken(1).await), (None, None, None));
    assert_eq!(breaker().state(), steadfast::CircuitState::Open);
    assert_eq!(offloaded(5).await, 5);
}

/// A limiter, a breaker, a pool of each instance, and of each type.
struct Client {
    rate: RateLimiter,
    limit: ConcurrencyLimiter,
    breaker: CircuitBreaker,
    pool: BlockingPool,
}

trait Shared {
    fn limit() -> &'static ConcurrencyLimiter;
}

struct One;
struct Two;

impl Shared for One {
    fn limit() -> &'static ConcurrencyLimiter {
        static LIMIT: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
        &LIMIT
    }
}

impl Shared for Two {
    fn limit() -> &'static ConcurrencyLimiter {
        static LIMIT: ConcurrencyLimiter = ConcurrencyLimiter::new(2);
        &LIMIT
    }
}

impl Client {
    fn new(count: u32) -> Self {
        Self {
            rate: RateLimiter::new(count, Duration::from_secs(60)),
            limit: ConcurrencyLimiter::new(1),
            breaker: CircuitBreaker::new().failures(count),
            pool: BlockingPool::new("client", 1),
        }
    }

    #[rate_limit(self.rate)]
    #[circuit_breaker(self.breaker)]
    #[concurrency_limit(self.limit)]
    async fn call(&self) -> Option<u32> {
        Some(1)
    }

    #[offload_blocking(pool = self.pool)]
    fn offloaded(self: Arc<Self>) -> u32 {
        2
    }
}

#[concurrency_limit(T::limit(), max_wait = 0s)]
async fn of_a_type<T: Shared>() -> Option<u32> {
    tokio::task::yield_now().await;
    Some(1)
}

#[concurrency_limit(if first { One::limit() } else { Two::limit() }, max_wait = 0s)]
async fn of_an_argument(first: bool) -> Option<bool> {
    tokio::task::yield_now().await;
    Some(first)
}

#[tokio::test]
async fn an_object_is_named_at_each_call() {
    let (one, two) = (Arc::new(Client::new(1)), Client::new(2));
    assert_eq!((one.call().await, one.call().await), (Some(1), None));
    assert_eq!((two.call().await, two.call().await, two.call().await), (Some(1), Some(1), None));
    assert_eq!(one.offloaded().await, 2);
    assert_eq!(tokio::join!(of_a_type::<Two>(), of_a_type::<Two>()), (Some(1), Some(1)));
    assert_eq!(tokio::join!(of_a_type::<One>(), of_a_type::<One>()), (Some(1), None));
    assert_eq!(tokio::join!(of_an_argument(false), of_an_argument(false)), (Some(false), Some(false)));
    assert_eq!(tokio::join!(of_an_argument(true), of_an_argument(true)), (Some(true), None));
}

struct Db {
    most: usize,
}

/// What a batch shares may say how large it is.
#[batched(share(db), max_batch_size = db.most)]
async fn load(db: Arc<Db>, ids: Vec<usize>) -> Vec<usize> {
    let (most, count) = (db.most, ids.len());
    ids.into_iter().map(|_| most * 10 + count).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_may_depend_on_what_it_shares() {
    let (one, two) = (Arc::new(Db { most: 1 }), Arc::new(Db { most: 2 }));
    assert_eq!(tokio::join!(load(one.clone(), 1), load(two.clone(), 1), load(one, 2), load(two, 2)), (11, 22, 11, 22));
}

/// `Self` in an `impl` without parameters is one type.
struct Limits;

impl Limits {
    const PLACES: usize = 1;

    /// A constant of another type is none of a parameter.
    #[concurrency_limit(Limits::PLACES * 2, max_wait = 0s)]
    async fn by_arithmetic() -> Option<u32> {
        tokio::task::yield_now().await;
        Some(1)
    }

    #[concurrency_limit(Self::PLACES, max_wait = 0s)]
    async fn by_a_constant() -> Option<u32> {
        tokio::task::yield_now().await;
        Some(1)
    }

    #[rate_limit(Self::PLACES / 1s)]
    async fn by_a_rate() -> Option<u32> {
        Some(1)
    }
}

#[tokio::test]
async fn self_stands_for_its_type() {
    assert_eq!(tokio::join!(Limits::by_a_constant(), Limits::by_a_constant()), (Some(1), None));
    let three = tokio::join!(Limits::by_arithmetic(), Limits::by_arithmetic(), Limits::by_arithmetic());
    assert_eq!(three, (Some(1), Some(1), None));
    assert_eq!((Limits::by_a_rate().await, Limits::by_a_rate().await), (Some(1), None));
}
