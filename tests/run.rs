//! `run!`: the attributes around a block, a closure or any future.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use steadfast::{CircuitBreaker, Error, run};
use tokio::time::sleep;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum AppError {
    #[error("transient")]
    Transient,
    #[error("other")]
    Other,
    #[error(transparent)]
    Steadfast(#[from] Error),
    #[error(transparent)]
    Parse(#[from] std::num::ParseIntError),
}

impl AppError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Transient)
    }
}

/// A client that was not written here: it fails until its third call.
#[derive(Clone, Default)]
struct Client {
    calls: Arc<AtomicU32>,
}

impl Client {
    async fn stock(&self, id: u32) -> Result<u32, AppError> {
        sleep(Duration::from_millis(10)).await;
        if self.calls.fetch_add(1, Ordering::Relaxed) < 2 { Err(AppError::Transient) } else { Ok(id) }
    }
}

static WAREHOUSE: CircuitBreaker = CircuitBreaker::new().failures(3);

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test(start_paused = true)]
async fn a_block_gets_the_stack() {
    let (client, id) = (Client::default(), 7);
    let left = run! {
        #[timeout(2s)]
        #[retry(attempts = 3, when = AppError::is_transient)]
        #[circuit_breaker(WAREHOUSE)]
        async { client.stock(id).await }
    }
    .await;
    assert_eq!(left, Ok(7));
    assert_eq!(client.calls.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_evaluates_the_expression_again() -> Result<(), AppError> {
    let client = Client::default();
    let left = is_send(run! { #[retry] client.stock(8) }).await?;
    assert_eq!((left, client.calls.load(Ordering::Relaxed)), (8, 3));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_type_may_be_written() {
    let text = String::from("12");
    let number = run! {
        #[timeout(1s)]
        async || -> Result<u32, AppError> {
            let number: u32 = text.parse()?;
            if number > 10 {
                return Ok(10);
            }
            Ok(number)
        }
    };
    assert_eq!(number.await, Ok(10));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_the_error_of_the_block() {
    let slow = run! {
        #[timeout(50ms)]
        async {
            sleep(Duration::from_secs(1)).await;
            Ok::<_, AppError>(1)
        }
    };
    let AppError::Steadfast(error) = slow.await.unwrap_err() else { panic!() };
    assert!(error.is_timeout());
    assert!(error.function().starts_with("tests/run.rs:"), "{}", error.function());
    let named = run! {
        #[timeout(50ms, name = "warehouse.stock")]
        async {
            sleep(Duration::from_secs(1)).await;
            Err::<u8, _>(AppError::Other)
        }
    };
    let AppError::Steadfast(error) = named.await.unwrap_err() else { panic!() };
    assert_eq!(error.function(), "warehouse.stock");
}

#[tokio::test(start_paused = true)]
async fn a_block_borrows_and_mutates() {
    let mut attempts = 0;
    let mut log = Vec::new();
    let out = run! {
        #[retry(attempts = 4, delay = 0s)]
        async {
            attempts += 1;
            log.push(attempts);
            if attempts < 3 { None } else { Some(attempts) }
        }
    }
    .await;
    assert_eq!((out, attempts, log), (Some(3), 3, vec![1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_block_that_moves_is_static() {
    let name = String::from("a");
    let copied = 3;
    let task = tokio::spawn(run! {
        #[timeout(1s)]
        async move { Ok::<_, AppError>(format!("{name}{copied}")) }
    });
    assert_eq!(task.await.unwrap().unwrap(), "a3");
}

#[tokio::test(start_paused = true)]
async fn a_task_of_its_own_gets_a_clone_for_each_attempt() {
    let client = Client::default();
    let calls = client.calls.clone();
    let left = run! {
        #[retry(delay = 0s)]
        #[shield]
        async move { client.stock(5).await }
    };
    assert_eq!(left.await, Ok(5));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_race() {
    let client = Client::default();
    let left = run! {
        #[hedge(after = 5ms, max = 3)]
        client.stock(5)
    };
    let _: Result<u32, AppError> = left.await;
    assert_eq!(client.calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_blocking_closure() {
    let data = String::from("123");
    let length = run! {
        #[timeout(1s)]
        #[offload_blocking]
        move || -> Result<usize, AppError> { Ok(data.len()) }
    };
    assert_eq!(length.await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_cached_block() {
    let calls = Cell::new(0);
    for (id, expected) in [(1, 1), (1, 1), (2, 2)] {
        let loaded = run! {
            #[async_cached(key = id)]
            async {
                calls.set(calls.get() + 1);
                Ok::<u32, AppError>(id * 10)
            }
        };
        assert_eq!(loaded.await, Ok(id * 10));
        assert_eq!(calls.get(), expected);
    }
}

async fn of_any<T: Clone + Send + 'static, F: AsyncFn() -> Result<T, AppError>>(load: F) -> Result<T, AppError> {
    run! { #[timeout(1s)] #[retry(attempts = 2)] load() }.await
}

fn returned(client: &Client) -> impl Future<Output = Result<u32, AppError>> + Send + '_ {
    run! { #[timeout(1s)] #[retry] client.stock(4) }
}

#[tokio::test(start_paused = true)]
async fn in_generic_functions_and_returned() {
    assert_eq!(of_any(async || Ok(vec![1])).await, Ok(vec![1]));
    assert_eq!(returned(&Client::default()).await, Ok(4));
}

#[tokio::test(start_paused = true)]
async fn nested() {
    let client = Client::default();
    let out = run! {
        #[timeout(10s)]
        async {
            let inner = run! { #[retry(attempts = 2, delay = 0s)] client.stock(1) }.await;
            assert_eq!(inner, Err(AppError::Transient));
            run! { #[timeout(1s)] client.stock(2) }.await
        }
    };
    assert_eq!(out.await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_plain_value_needs_no_error() {
    let out = run! { #[timeout(1s, or_else = |_| 7)] async { 3 } };
    assert_eq!(out.await, 3);
    'outer: loop {
        for _ in 0..2 {
            let done = run! { #[warn_slow_poll(100ms)] async { true } }.await;
            if done {
                break 'outer;
            }
        }
    }
}

fn is_static<T: 'static>(future: T) -> T {
    future
}

/// What `macro_rules!` passes as an `$expression` is the body that it is.
#[tokio::test(start_paused = true)]
async fn in_a_macro_of_the_users() {
    macro_rules! guarded {
        ($body:expr) => {
            run! { #[timeout(1s)] #[retry] $body }
        };
    }
    let (client, name) = (Client::default(), String::from("abc"));
    assert_eq!(guarded!(client.stock(6)).await, Ok(6));
    assert_eq!(guarded!(async || -> Result<u32, AppError> { Ok("3".parse()?) }).await, Ok(3));
    assert_eq!(is_static(guarded!(async move { Ok::<_, AppError>(name.len()) })).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn any_expression_is_awaited_as_a_whole() {
    let client = Client { calls: Arc::new(AtomicU32::new(2)) };
    let mut pinned = std::pin::pin!(client.stock(1));
    assert_eq!(run! { #[timeout(1s)] &mut pinned }.await, Ok(1));
    let mut boxed: Box<dyn Future<Output = Result<u32, AppError>> + Unpin> = Box::new(Box::pin(client.stock(2)));
    assert_eq!(run! { #[timeout(1s)] *Box::new(&mut boxed) }.await, Ok(2));
    assert_eq!(
        run! { #[timeout(1s)] if client.calls.load(Ordering::Relaxed) > 2 { client.stock(3) } else { client.stock(4) } }.await,
        Ok(3)
    );
}

/// An error type without `std::error::Error`, `Display` and `Clone`.
#[derive(Debug, PartialEq)]
struct Opaque(bool);

impl From<Error> for Opaque {
    fn from(error: Error) -> Self {
        Self(error.is_timeout())
    }
}

impl From<std::num::ParseIntError> for Opaque {
    fn from(_: std::num::ParseIntError) -> Self {
        Self(false)
    }
}

async fn inferred_from_the_signature(text: &str) -> Result<u32, Opaque> {
    run! { #[timeout(1s)] #[retry(delay = 0s)] async { Ok(text.parse::<u32>()?) } }.await
}

async fn inferred_as_anyhow(text: &str) -> anyhow::Result<u32> {
    run! { #[timeout(1s)] #[retry(delay = 0s)] async { Ok(text.parse::<u32>()?) } }.await
}

async fn inferred_on_a_task() -> Result<u32, Opaque> {
    run! { #[retry(delay = 0s)] #[shield] async move { Ok(3) } }.await
}

#[tokio::test(start_paused = true)]
async fn the_error_type_may_follow_from_what_is_done_with_the_output() {
    assert_eq!(inferred_from_the_signature("1").await, Ok(1));
    assert_eq!(inferred_from_the_signature("a").await, Err(Opaque(false)));
    assert_eq!(inferred_as_anyhow("2").await.unwrap(), 2);
    assert!(inferred_as_anyhow("b").await.is_err());
    assert_eq!(inferred_on_a_task().await, Ok(3));
}

/// The delay that a rejection within the body asks for is found in it all the same.
async fn rejected_for_a_while(attempts: &Cell<u32>) -> anyhow::Result<()> {
    static LIMIT: steadfast::RateLimiter = steadfast::RateLimiter::new(1, Duration::from_secs(10));
    run! {
        #[retry(attempts = 2, delay = 1ms, jitter = none)]
        async {
            attempts.set(attempts.get() + 1);
            LIMIT.try_acquire()?;
            Ok(())
        }
    }
    .await
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_found_in_an_error_whose_type_follows_later() {
    let (start, attempts) = (tokio::time::Instant::now(), Cell::new(0));
    rejected_for_a_while(&attempts).await.unwrap();
    rejected_for_a_while(&attempts).await.unwrap();
    assert_eq!((start.elapsed().as_secs(), attempts.get()), (10, 3));
}

/// Runs a body that fails, and whose error type is inferred from the signature, for two callers at once.
macro_rules! cached {
    ($test:ident, $function:ident, $error:ty, shares $shares:literal) => {
        async fn $function(id: u32, calls: &Cell<u32>) -> Result<Option<u32>, $error> {
            run! {
                #[async_cached(key = id, none_ttl = 1s)]
                async {
                    calls.set(calls.get() + 1);
                    sleep(Duration::from_millis(1)).await;
                    if id == 0 { Ok(None) } else { Ok(Some("a".parse::<u32>()?)) }
                }
            }
            .await
        }

        #[tokio::test(start_paused = true)]
        async fn $test() {
            let calls = Cell::new(0);
            let (first, second) = tokio::join!($function(1, &calls), $function(1, &calls));
            assert!(first.is_err() && second.is_err());
            assert_eq!(calls.take(), if $shares { 1 } else { 2 });
            let (first, second) = tokio::join!($function(0, &calls), $function(0, &calls));
            assert!(first.unwrap().is_none() && second.unwrap().is_none());
            assert_eq!(calls.take(), 1);
        }
    };
}

cached!(an_error_that_is_inferred_later_is_shared, load_shared, AppError, shares true);
cached!(an_error_that_is_inferred_later_and_not_clone_is_not_shared, load_own, Opaque, shares false);
cached!(an_inferred_anyhow_error_is_not_shared, load_anyhow, anyhow::Error, shares false);
