//! Fault injection.

use std::time::Duration;

use steadfast::chaos::{Faults, inject};
use steadfast::{Error, async_cached, offload_blocking, retry, timeout};
use tokio::time::Instant;

mod shop {
    use super::*;

    #[timeout(10s)]
    pub(super) async fn price(article: u64) -> Result<u64, Error> {
        Ok(article)
    }
}

#[tokio::test(start_paused = true)]
async fn errors_come_at_their_rate_and_end_with_the_injection() {
    let chaos = inject("shop::price", Faults::new().errors(0.3).seed(1));
    let mut failed = 0;
    for article in 0..1_000 {
        match shop::price(article).await {
            Ok(found) => assert_eq!(found, article),
            Err(error) => {
                assert_eq!((error.kind(), error.function()), (steadfast::ErrorKind::Injected, "price"));
                failed += 1;
            }
        }
    }
    assert!((240..360).contains(&failed), "{failed} of 1000");
    assert_eq!(chaos.injected(), failed);
    drop(chaos);
    for article in 0..100 {
        assert!(shop::price(article).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn one_seed_meets_one_fate() {
    #[retry(attempts = 1)]
    async fn roll(n: u32) -> Option<u32> {
        Some(n)
    }
    let mut fates = Vec::new();
    for _ in 0..2 {
        let _chaos = inject("roll", Faults::new().errors(0.5).seed(42));
        let mut fate = Vec::new();
        for n in 0..100 {
            fate.push(roll(n).await.is_some());
        }
        fates.push(fate);
    }
    assert_eq!(fates[0], fates[1]);
}

#[tokio::test(start_paused = true)]
async fn latency_meets_deadlines_and_retries_meet_each_fault_anew() {
    #[retry(attempts = 50, delay = 0s)]
    #[timeout(100ms)]
    async fn fetch() -> Result<u32, Error> {
        Ok(7)
    }
    let chaos = inject("fetch", Faults::new().latency(0.5, Duration::from_secs(1)).seed(3));
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(fetch().await, Ok(7));
    }
    let slow = u32::try_from(chaos.injected()).unwrap();
    assert!(slow > 5);
    assert_eq!(began.elapsed(), slow * Duration::from_millis(100), "each slow run met its deadline");
}

#[tokio::test(start_paused = true)]
async fn panics_reach_the_caller() {
    #[async_cached]
    async fn fragile(n: u32) -> u32 {
        n
    }
    let _chaos = inject("fragile", Faults::new().panics(1.0));
    let panic = tokio::spawn(fragile(1)).await.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<String>().unwrap().contains("`fragile` panicked: injected by `steadfast::chaos`"));
}

#[tokio::test]
async fn blocking_functions_fail_as_well() {
    #[offload_blocking]
    fn digest(text: String) -> Result<usize, Error> {
        Ok(text.len())
    }
    let _chaos = inject("digest", Faults::new().errors(1.0).latency(1.0, Duration::from_millis(1)));
    assert!(digest("abc".to_owned()).await.is_err());
}
