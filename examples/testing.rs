//! Testing: mocks, a paused clock, and cancellation at every await point.
//!
//! `cargo run --example testing`. Each function below `main` would be a `#[tokio::test(start_paused = true)]` in a project.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use mockall::{Sequence, automock};
use steadfast::testing::cancel_at_every_await;
use steadfast::{async_cached, gather, retry, timeout};
use tokio::time::{Instant, advance, sleep};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum ApiError {
    #[error("busy")]
    Busy,
    #[error(transparent)]
    Deadline(#[from] steadfast::Error),
}

#[automock] // `#[cfg_attr(test, automock)]` in a project
trait Api {
    async fn call(&self, id: u64) -> Result<String, ApiError>;
}

/// The code under test.
#[timeout(30s)]
#[retry(attempts = 3, delay = 1s, jitter = none)]
async fn greeting(api: &impl Api, id: u64) -> Result<String, ApiError> {
    Ok(format!("Hello {}", api.call(id).await?))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let start = std::time::Instant::now();
    a_mock_answers().await;
    waits_between_attempts_take_no_time().await;
    a_deadline_of_half_a_minute_takes_no_time().await;
    an_hour_passes_for_the_cache().await;
    many_at_once().await;
    no_money_is_lost_wherever_it_is_cancelled().await;
    println!("six tests in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(10), "the clock was not paused");
}

async fn a_mock_answers() {
    let mut api = MockApi::new();
    api.expect_call().withf(|&id| id == 7).once().returning(|_| Ok("Ada".to_owned()));
    assert_eq!(greeting(&api, 7).await.as_deref(), Ok("Hello Ada"));
}

async fn waits_between_attempts_take_no_time() {
    let mut api = MockApi::new();
    let mut order = Sequence::new();
    api.expect_call().times(2).in_sequence(&mut order).returning(|_| Err(ApiError::Busy));
    api.expect_call().once().in_sequence(&mut order).returning(|_| Ok("Ada".to_owned()));

    let start = Instant::now(); // Tokio's clock, which advances to the next timer when there is nothing else to do
    assert_eq!(greeting(&api, 7).await.as_deref(), Ok("Hello Ada"));
    assert_eq!(start.elapsed(), Duration::from_secs(1 + 2));
}

async fn a_deadline_of_half_a_minute_takes_no_time() {
    struct Stuck;
    impl Api for Stuck {
        async fn call(&self, _: u64) -> Result<String, ApiError> {
            pending().await
        }
    }
    let error = greeting(&Stuck, 7).await.unwrap_err();
    assert_eq!(error.to_string(), "`greeting` timed out after 30s");
}

async fn an_hour_passes_for_the_cache() {
    #[async_cached(ttl = 1h, skip(api))]
    async fn name(api: &MockApi, id: u64) -> Result<String, ApiError> {
        api.call(id).await
    }

    let mut api = MockApi::new();
    api.expect_call().times(2).returning(|id| Ok(format!("user {id}")));
    for _ in 0..3 {
        assert_eq!(name(&api, 7).await.as_deref(), Ok("user 7"));
    }
    advance(Duration::from_secs(60 * 60)).await;
    assert_eq!(name(&api, 7).await.as_deref(), Ok("user 7"));
}

async fn many_at_once() {
    let start = Instant::now();
    let results = gather((0..5).map(|item| async move {
        sleep(Duration::from_secs(1)).await;
        item
    }))
    .await;
    assert_eq!(results, [0, 1, 2, 3, 4]);
    assert_eq!(start.elapsed().as_secs(), 1, "all at once");
}

async fn no_money_is_lost_wherever_it_is_cancelled() {
    struct Bank {
        accounts: Mutex<[u32; 2]>,
    }

    async fn transfer(bank: &Bank, amount: u32) {
        sleep(Duration::from_millis(5)).await; // a check of the limits
        {
            let mut accounts = bank.accounts.lock().unwrap(); // not held across an await
            accounts[0] -= amount;
            accounts[1] += amount;
        }
        sleep(Duration::from_millis(5)).await; // a receipt
    }

    let awaits = cancel_at_every_await(
        async || Bank { accounts: Mutex::new([100, 0]) },
        async |bank| transfer(bank, 40).await,
        async |bank| assert_eq!(bank.accounts.lock().unwrap().iter().sum::<u32>(), 100),
    )
    .await;
    assert_eq!(awaits, 2);
}
