//! A computation that requests its own key receives an error, whatever the path.

use std::pin::Pin;
use std::sync::Mutex;

use steadfast::{Error, Exit, batched, finally, gather, gather_local, hedge, shield, spawn_logged, task_group, with_resource};

use super::*;

type Outcome = Result<u32, Error>;

/// The future of a call in its own body: without a box the compiler would ask whether it is `Send` in order to find out.
type Again = Pin<Box<dyn Future<Output = Outcome> + Send>>;

async fn is_told(call: impl Future<Output = Outcome>) {
    let error = tokio::time::timeout(SECOND, call).await.expect("it does not hang").unwrap_err();
    assert!(error.is_recursion(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn through_a_shield() {
    fn again(n: u32) -> Again {
        Box::pin(forever(n))
    }
    #[async_cached]
    #[shield]
    async fn forever(n: u32) -> Outcome {
        tokio::task::yield_now().await;
        again(n).await
    }
    is_told(forever(1)).await;
}

#[tokio::test(start_paused = true)]
async fn through_a_shielded_function_below_a_detached_one() {
    fn again(n: u32) -> Again {
        Box::pin(forever(n))
    }
    #[shield]
    async fn kept(n: u32) -> Outcome {
        again(n).await
    }
    #[async_cached(detached)]
    async fn forever(n: u32) -> Outcome {
        tokio::task::yield_now().await;
        kept(n).await
    }
    is_told(forever(1)).await;
}

#[tokio::test(start_paused = true)]
async fn through_the_attempts_of_a_hedge() {
    #[async_cached]
    #[hedge(after = 50ms)]
    async fn forever(n: u32) -> Outcome {
        sleep(SECOND / 10).await;
        Box::pin(forever(n)).await
    }
    is_told(forever(1)).await;
}

#[tokio::test(start_paused = true)]
async fn through_children() {
    fn again(n: u32) -> Again {
        Box::pin(forever(n))
    }
    #[async_cached]
    async fn forever(n: u32) -> Outcome {
        tokio::task::yield_now().await;
        match n {
            0 => gather([again(n)]).await.remove(0),
            1 => gather_local([again(n)]).await.remove(0),
            _ => task_group(async move |group| Ok(group.spawn(again(n)).await)).await,
        }
    }
    for way in 0..3 {
        is_told(forever(way)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn through_a_cleanup_that_is_awaited() {
    static TOLD: Runs = Runs::new();
    fn again(n: u32) -> Again {
        Box::pin(forever(n))
    }
    async fn ask_again(n: u32) {
        if again(n).await.is_err_and(|error| error.is_recursion()) {
            TOLD.add();
        }
    }
    #[async_cached]
    #[finally(ask_again(n))]
    async fn forever(n: u32) -> Outcome {
        let release = async move |(), exit| {
            assert_eq!(exit, Exit::Ok);
            ask_again(n).await;
        };
        with_resource(std::future::ready(Ok(())), async |()| Ok(n), release).await
    }
    assert_eq!(tokio::time::timeout(SECOND, forever(1)).await.expect("it does not hang").unwrap(), 1);
    assert_eq!(TOLD.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn through_a_batch() {
    fn again(n: u32) -> Again {
        Box::pin(forever(n))
    }
    #[batched]
    async fn load(ids: Vec<u32>) -> Vec<Outcome> {
        vec![again(ids[0]).await]
    }
    #[async_cached]
    async fn forever(n: u32) -> Outcome {
        load(n).await
    }
    is_told(forever(1)).await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_awaits_may_wait_for_it() {
    static SERVED: Runs = Runs::new();
    fn again(n: u32) -> Again {
        Box::pin(once(n))
    }
    #[async_cached]
    async fn once(n: u32) -> Outcome {
        spawn_logged("again", async move {
            again(n).await.map(|_| {
                SERVED.add();
            })
        });
        sleep(SECOND).await;
        Ok(n)
    }
    assert_eq!(once(1).await.unwrap(), 1);
    tokio::task::yield_now().await;
    assert_eq!(SERVED.get(), 1);
}

/// A caller that has given up waits for nothing: what goes on without it may ask for the key.
#[tokio::test(start_paused = true)]
async fn not_through_work_that_the_computation_has_given_up() {
    static TOLD: Mutex<Vec<(&str, bool)>> = Mutex::new(Vec::new());
    fn again(n: u32) -> Again {
        Box::pin(patient(n))
    }
    async fn asks(who: &'static str, n: u32) -> Outcome {
        sleep(SECOND / 20).await;
        let outcome = again(n).await;
        TOLD.lock().unwrap().push((who, outcome.as_ref().is_ok_and(|&value| value == n)));
        outcome
    }
    #[shield]
    async fn shielded(n: u32) -> Outcome {
        asks("shield", n).await
    }
    /// The mark is that of all who wait in a row: the innermost still does, the outermost does not.
    #[shield]
    async fn shielded_twice(n: u32) -> Outcome {
        shielded(n).await
    }
    #[async_cached(detached)]
    async fn detached(n: u32) -> Outcome {
        asks("detached", n).await
    }
    #[batched(delay = 1ms)]
    async fn batch(ids: Vec<u32>) -> Vec<Outcome> {
        vec![asks("batch", ids[0]).await]
    }
    #[finally({ let ask = asks("cleanup", n); async move { ask.await.map(drop) } })]
    async fn cleaned(n: u32) -> Outcome {
        Ok(n)
    }
    async fn released(n: u32) -> Outcome {
        let release = async move |(), _| asks("release", n).await.map(drop);
        with_resource(std::future::ready(Ok(())), async |()| Ok(n), release).await
    }
    #[async_cached]
    async fn patient(n: u32) -> Outcome {
        let call: Again = match n {
            0 => Box::pin(shielded(n)),
            1 => Box::pin(shielded_twice(n)),
            2 => Box::pin(detached(n)),
            3 => Box::pin(batch(n)),
            4 => Box::pin(cleaned(n)),
            _ => Box::pin(released(n)),
        };
        assert!(tokio::time::timeout(SECOND / 100, call).await.is_err());
        sleep(SECOND).await;
        Ok(n)
    }
    for n in 0..6 {
        assert_eq!(patient(n).await.unwrap(), n);
    }
    steadfast::drain(60 * SECOND).await;
    let all = ["shield", "shield", "detached", "batch", "cleanup", "release"].map(|who| (who, true));
    assert_eq!(*TOLD.lock().unwrap(), all);
}

/// Nor where another caller has taken the computation over.
#[tokio::test(start_paused = true)]
async fn not_through_work_of_a_leader_that_has_gone() {
    static RUNS: Runs = Runs::new();
    static TOLD: Mutex<Option<Outcome>> = Mutex::new(None);
    fn again(n: u32) -> Again {
        Box::pin(taken_over(n))
    }
    #[shield]
    async fn goes_on(n: u32) -> Outcome {
        sleep(SECOND / 20).await;
        let outcome = again(n).await;
        *TOLD.lock().unwrap() = Some(outcome.clone());
        outcome
    }
    #[async_cached]
    async fn taken_over(n: u32) -> Outcome {
        if RUNS.add() == 1 {
            goes_on(n).await
        } else {
            sleep(SECOND).await;
            Ok(n)
        }
    }
    let leader = tokio::spawn(taken_over(3));
    tokio::task::yield_now().await;
    let waiter = tokio::spawn(taken_over(3));
    tokio::task::yield_now().await;
    leader.abort();
    assert_eq!(waiter.await.unwrap().unwrap(), 3);
    steadfast::drain(60 * SECOND).await;
    assert_eq!(TOLD.lock().unwrap().take().unwrap().unwrap(), 3);
}

/// A batch is part of the computations of all of its callers, not only of the one that opened it.
#[tokio::test(start_paused = true)]
async fn through_a_batch_that_another_caller_opened() {
    fn again(n: u32) -> Again {
        Box::pin(forever(n))
    }
    #[batched(delay = 1ms)]
    async fn load(ids: Vec<u32>) -> Vec<Outcome> {
        let second = again(2).await;
        ids.into_iter().map(|id| if id == 2 { second.clone() } else { Ok(id) }).collect()
    }
    #[async_cached]
    async fn forever(n: u32) -> Outcome {
        load(n).await
    }
    let both = async { tokio::join!(forever(1), forever(2)) };
    let (first, second) = tokio::time::timeout(SECOND, both).await.expect("it does not hang");
    assert_eq!(first.unwrap(), 1);
    assert!(second.unwrap_err().is_recursion());
}
