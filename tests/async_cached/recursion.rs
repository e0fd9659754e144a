//! A computation that asks for itself is told so, whatever the way.

use std::pin::Pin;

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
