//! Several attributes on one function: order, arguments, sizes.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::sync::Mutex;
use std::time::Duration;

use steadfast::{async_cached, offload_blocking, retry, timeout};
use tokio::time::{Instant, sleep};

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Policy(steadfast::Error),
    Busy,
}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error)
    }
}

#[tokio::test(start_paused = true)]
async fn the_four_together() {
    static CALLS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    #[async_cached(ttl = 60s, skip(patience), handle = doubles)]
    #[timeout(patience)]
    #[retry(attempts = 3, delay = 50ms, jitter = none, when = |error| *error == Failure::Busy)]
    #[timeout(500ms)]
    #[offload_blocking(limit = 2)]
    fn double(n: u64, name: String, patience: Duration) -> Result<String, Failure> {
        let mut calls = CALLS.lock().unwrap();
        calls.push(n);
        if calls.len() < 3 { Err(Failure::Busy) } else { Ok(format!("{name}{}{patience:?}", n * 2)) }
    }

    let started = Instant::now();
    assert_eq!(double(4, "a".to_owned(), Duration::from_secs(2)).await, Ok("a82s".to_owned()));
    assert_eq!(started.elapsed(), Duration::from_millis(150));
    assert_eq!(double(4, "a".to_owned(), Duration::from_secs(3)).await, Ok("a82s".to_owned()));
    assert_eq!(*CALLS.lock().unwrap(), [4, 4, 4]);
    assert!(doubles().contains(&(4, "a")));
    doubles().invalidate(&(4, "a"));
    assert_eq!(double(4, "a".to_owned(), Duration::from_secs(3)).await, Ok("a83s".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_outer_timeout_is_for_all_attempts_an_inner_one_for_each() {
    #[timeout(1s)]
    #[retry(attempts = 100, delay = 100ms, factor = 1, jitter = none)]
    #[timeout(200ms)]
    async fn outer() -> Result<(), Failure> {
        sleep(Duration::from_secs(10)).await;
        Ok(())
    }

    let started = Instant::now();
    let Err(Failure::Policy(error)) = outer().await else { panic!() };
    assert_eq!(error.limit(), Some(Duration::from_secs(1)));
    assert_eq!(error.function(), "outer");
    assert_eq!(started.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn cached_async_with_waiters() {
    #[async_cached(skip(big), handle = lens)]
    #[timeout(1s)]
    async fn len(text: &str, #[allow(unused)] big: [u8; 64]) -> std::io::Result<usize> {
        sleep(Duration::from_millis(10)).await;
        Ok(text.len())
    }
    let _ = len("abc", [0; 64]).await;
}

#[tokio::test(start_paused = true)]
async fn a_conditional_attribute_is_part_of_the_stack() {
    static CALLS: Mutex<u32> = Mutex::new(0);

    #[timeout(1s)]
    #[cfg_attr(all(), retry(attempts = 3, delay = 0s))]
    async fn failing() -> Option<()> {
        *CALLS.lock().unwrap() += 1;
        None
    }

    assert_eq!(failing().await, None);
    assert_eq!(*CALLS.lock().unwrap(), 3);
}
