//! `#[coalesce]`: single flight without a store.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::future::join_all;
use steadfast::{coalesce, retry, timeout};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_time_share_a_run_and_later_ones_do_not() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    #[coalesce(skip(verbose))]
    async fn load(id: u32, name: &str, verbose: bool) -> Result<usize, String> {
        let run = RUNS.fetch_add(1, SeqCst);
        sleep(SECOND).await;
        if verbose && name.is_empty() { Err(format!("{id}: run {run}")) } else { Ok(run) }
    }
    let all = join_all((0..1_000).map(|n| load(7, "x", n % 2 == 0))).await;
    assert!(all.iter().all(|one| *one == Ok(0)));
    assert_eq!(load(7, "x", false).await, Ok(1), "nothing is kept");
    let all = join_all((0..100).map(|_| load(7, "", true))).await;
    assert!(all.iter().all(|one| *one == Err("7: run 2".to_owned())), "errors are shared");
    let (a, b) = tokio::join!(load(1, "x", false), load(2, "x", false));
    assert_ne!(a, b, "other keys run on their own");
}

#[tokio::test(start_paused = true)]
async fn the_next_goes_on_when_the_first_is_dropped() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    #[coalesce]
    async fn load() -> usize {
        let run = RUNS.fetch_add(1, SeqCst);
        sleep(SECOND).await;
        run
    }
    let first = tokio::spawn(load());
    tokio::task::yield_now().await;
    let second = tokio::spawn(load());
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn in_a_stack_and_on_methods() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    struct Db {
        shard: u32,
    }
    impl Db {
        #[coalesce(key = (self.shard, id))]
        #[timeout(10s)]
        #[retry(attempts = 2)]
        async fn get(&self, id: u32) -> Result<u32, std::io::Error> {
            let run = RUNS.fetch_add(1, SeqCst);
            sleep(SECOND).await;
            if run == 0 { Err(std::io::Error::other("once")) } else { Ok(self.shard + id) }
        }
    }
    let db = Db { shard: 3 };
    let all = join_all((0..50).map(|_| db.get(1))).await;
    assert!(all.iter().all(|one| matches!(one, Ok(4))));
    assert_eq!(RUNS.load(SeqCst), 2);
}
