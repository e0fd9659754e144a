//! `policies!` and `#[apply]`: sets of attributes on functions, `impl` blocks, traits and in `run!`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use steadfast::{CircuitBreaker, CircuitState, Error, apply, policies, run};
use tokio::time::{Instant, sleep};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum AppError {
    #[error("transient")]
    Transient,
    #[error(transparent)]
    Steadfast(#[from] Error),
}

impl AppError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Transient)
    }
}

static WAREHOUSE: CircuitBreaker = CircuitBreaker::new().failures(100);

policies! {
    /// What every call to the warehouse gets.
    pub(crate) warehouse = {
        #[timeout(2s)]
        #[retry(attempts = 3, when = AppError::is_transient, delay = 0s)]
        #[circuit_breaker(WAREHOUSE)]
        #[timeout(500ms)]
    };

    /// A set of sets.
    careful = {
        #[concurrency_limit(1)]
        #[apply(warehouse)]
    };

    own_circuit = { #[circuit_breaker(failures = 1)] };

    by_tenant = { #[rate_limit(1 / 1s, key = tenant)] };
}

async fn failing(calls: &AtomicU32, until: u32) -> Result<u32, AppError> {
    tokio::task::yield_now().await;
    let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
    if call < until { Err(AppError::Transient) } else { Ok(call) }
}

#[apply(warehouse)]
async fn stock(calls: &AtomicU32) -> Result<u32, AppError> {
    failing(calls, 3).await
}

#[tokio::test(start_paused = true)]
async fn a_function_gets_the_set() {
    assert_eq!(stock(&AtomicU32::new(0)).await, Ok(3));
}

#[apply(careful)]
async fn one_at_a_time(calls: &AtomicU32) -> Result<u32, AppError> {
    sleep(Duration::from_millis(100)).await;
    failing(calls, 2).await
}

#[tokio::test(start_paused = true)]
async fn sets_of_sets() {
    let (start, calls) = (Instant::now(), AtomicU32::new(0));
    let (first, second) = tokio::join!(one_at_a_time(&calls), one_at_a_time(&calls));
    assert_eq!((first, second), (Ok(2), Ok(3)));
    assert_eq!(start.elapsed(), Duration::from_millis(300));
}

#[steadfast::fallback(|_| Ok(0))]
#[apply(own_circuit)]
#[steadfast::retry(attempts = 2, delay = 0s)]
async fn between(calls: &AtomicU32) -> Result<u32, AppError> {
    failing(calls, 100).await
}

#[apply(own_circuit)]
async fn another(calls: &AtomicU32) -> Result<u32, AppError> {
    failing(calls, 0).await
}

#[tokio::test(start_paused = true)]
async fn a_set_keeps_its_place_and_state_is_the_functions_own() {
    let calls = AtomicU32::new(0);
    assert_eq!((between(&calls).await, calls.load(Ordering::Relaxed)), (Ok(0), 2));
    // The circuit, which is above the retry, is open now.
    assert_eq!((between(&calls).await, calls.load(Ordering::Relaxed)), (Ok(0), 2));
    assert_eq!(another(&calls).await, Ok(3));
}

#[apply(by_tenant)]
async fn limited(tenant: &str) -> Result<usize, AppError> {
    Ok(tenant.len())
}

#[tokio::test(start_paused = true)]
async fn a_set_may_name_arguments() {
    assert_eq!(limited("a").await, Ok(1));
    assert_eq!(limited("bb").await, Ok(2));
    assert!(limited("a").await.is_err());
}

#[derive(Default)]
struct Client {
    calls: AtomicU32,
}

#[apply(warehouse)]
impl Client {
    const LIMIT: u32 = 3;

    fn plain(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn stock(&self) -> Result<u32, AppError> {
        failing(&self.calls, Self::LIMIT).await
    }

    #[apply(none)]
    async fn raw(&self) -> Result<u32, AppError> {
        failing(&self.calls, Self::LIMIT).await
    }

    /// With one of its own.
    #[steadfast::fallback(Ok(7))]
    async fn more(&self) -> Result<u32, AppError> {
        failing(&self.calls, 6).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_impl() {
    let client = Client::default();
    assert_eq!(client.raw().await, Err(AppError::Transient));
    assert_eq!(client.stock().await, Ok(3));
    assert_eq!(client.more().await, Ok(7));
    assert_eq!(client.plain(), 4);
}

#[apply(warehouse)]
trait Stock {
    fn calls(&self) -> &AtomicU32;

    async fn required(&self) -> Result<u32, AppError>;

    async fn provided(&self) -> Result<u32, AppError> {
        failing(self.calls(), 2).await
    }
}

#[apply(warehouse)]
impl Stock for Client {
    fn calls(&self) -> &AtomicU32 {
        &self.calls
    }

    async fn required(&self) -> Result<u32, AppError> {
        failing(&self.calls, 3).await
    }
}

#[async_trait::async_trait]
trait Boxed {
    async fn get(&self) -> Result<u32, AppError>;
}

#[apply(warehouse)]
#[async_trait::async_trait]
impl Boxed for Client {
    async fn get(&self) -> Result<u32, AppError> {
        failing(&self.calls, 3).await
    }
}

#[async_trait::async_trait]
trait BoxedBelow {
    async fn get_below(&self) -> Result<u32, AppError>;
}

#[async_trait::async_trait]
#[apply(warehouse)]
impl BoxedBelow for Client {
    async fn get_below(&self) -> Result<u32, AppError> {
        failing(&self.calls, 3).await
    }
}

#[tokio::test(start_paused = true)]
async fn traits() {
    assert_eq!(Client::default().provided().await, Ok(2));
    assert_eq!(Client::default().required().await, Ok(3));
    assert_eq!(Client::default().get().await, Ok(3));
    assert_eq!(Client::default().get_below().await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn in_run() {
    let client = Client::default();
    assert_eq!(run! { #[apply(warehouse)] client.raw() }.await, Ok(3));
    let client = Client::default();
    let out = run! {
        #[fallback(|_| Ok(0))]
        #[apply(own_circuit)]
        async { failing(&client.calls, 100).await }
    };
    assert_eq!(out.await, Ok(0));
}

mod sets {
    pub(crate) static SHARED: super::CircuitBreaker = super::CircuitBreaker::new().failures(1);

    steadfast::policies! {
        /// Of a static of this module.
        pub shared = { #[circuit_breaker(crate::sets::SHARED)] };
        pub(super) nested = { #[timeout(1s)] #[apply(crate::sets::shared)] };
    }

    pub(crate) mod deeper {
        steadfast::policies! {
            /// Another of the same name.
            pub shared = { #[timeout(10ms)] };
        }
    }
}

#[apply(sets::nested)]
async fn one() -> Result<u32, AppError> {
    Err(AppError::Transient)
}

#[apply(crate::sets::shared, sets::deeper::shared)]
async fn two() -> Result<u32, AppError> {
    Ok(1)
}

#[apply(sets::deeper::shared)]
async fn slow() -> Option<u32> {
    sleep(Duration::from_secs(1)).await;
    Some(1)
}

#[tokio::test(start_paused = true)]
async fn across_modules() {
    assert_eq!(one().await, Err(AppError::Transient));
    assert_eq!(sets::SHARED.state(), CircuitState::Open);
    assert!(two().await.is_err());
    assert_eq!(slow().await, None);
}

#[tokio::test(start_paused = true)]
async fn inside_a_function() {
    policies! { quick = { #[timeout(10ms)] }; }

    #[apply(quick)]
    async fn slow() -> Option<u32> {
        sleep(Duration::from_secs(1)).await;
        Some(1)
    }
    assert_eq!(slow().await, None);
}

struct Disk;

#[apply(sets::deeper::shared)]
impl Disk {
    /// Named by its path.
    #[steadfast::offload_blocking]
    fn read() -> Option<u32> {
        std::thread::sleep(Duration::from_millis(300));
        Some(1)
    }
}

#[tokio::test]
async fn a_blocking_method_gets_the_set_whatever_path_its_attribute_has() {
    assert_eq!(Disk::read().await, None, "the set has a timeout of 10 ms");
}
