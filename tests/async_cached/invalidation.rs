//! What is forgotten, and when.

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
