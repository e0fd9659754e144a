//! Invalidation: what is removed, and when.

use super::*;

static RUNS: AtomicU32 = AtomicU32::new(0);

#[async_cached(handle = loads)]
async fn load(id: u32) -> (u32, u32) {
    let run = RUNS.fetch_add(1, SeqCst);
    sleep(SECOND).await;
    (id, run)
}

#[tokio::test(start_paused = true)]
async fn wins_over_a_computation_that_began_before() {
    for (id, act) in [(1, (|| loads().invalidate(&1)) as fn()), (2, || loads().clear()), (3, || loads().insert(3, (3, 1_000)))] {
        let leader = tokio::spawn(load(id));
        let waiter = tokio::spawn(load(id));
        sleep(SECOND / 2).await;
        act();
        let later = tokio::spawn(load(id));
        sleep(SECOND * 2 / 3).await;
        let (leader, waiter) = (leader.await.unwrap(), waiter.await.unwrap());
        assert_eq!(leader, waiter, "the waiters are still served");
        if id == 3 {
            assert_eq!(loads().get(&id), Some((3, 1_000)));
            assert_eq!(later.await.unwrap(), (3, 1_000));
        } else {
            assert_eq!(loads().get(&id), None, "what it brought is not stored");
            let later = later.await.unwrap();
            assert_eq!(later.1, leader.1 + 1, "a later caller does not join it");
            assert_eq!(loads().get(&id), Some(later));
        }
    }
}

/// A failure has no value to ask about.
#[tokio::test]
async fn invalidate_if_forgets_remembered_failures() {
    #[async_cached(error_ttl = 1h, handle = answers)]
    async fn answer(id: u32) -> Result<u32, u32> {
        if id.is_multiple_of(2) { Ok(id) } else { Err(id) }
    }
    for id in 0..10 {
        let _ = answer(id).await;
    }
    answers().invalidate_if(|id, _| *id < 4);
    assert_eq!(answers().len(), 3, "6, 8 and 4 are left");
    assert_eq!(answer(1).await, Err(1));
    assert_eq!(answers().stats().loads, 11);
}

/// What is under way is stored, and nothing is forgotten.
#[tokio::test(start_paused = true)]
async fn a_predicate_that_panics_forgets_nothing() {
    #[async_cached(handle = answers)]
    async fn answer(id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    join!(answer(1), answer(2));
    let mut call = Box::pin(answer(3));
    assert_eq!(poll_immediate(&mut call).await, None);
    let mut seen = 0;
    let panics = std::panic::AssertUnwindSafe(|| {
        answers().invalidate_if(|_, _| {
            seen += 1;
            assert!(seen < 2, "the second value");
            true
        });
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(call.await, 3);
    assert_eq!((1..=3).filter(|id| answers().contains(id)).count(), 3);
    answers().invalidate_if(|id, _| *id == 2);
    assert_eq!(answers().len(), 2);
}
