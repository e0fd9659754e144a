//! Cancellation by token, by deadline and by drop; cleanup runs in each case.
//!
//! `cargo run --example cancellation`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steadfast::{Exit, checkpoint, drain, offload, timeout, with_resource};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What the work has done.
#[derive(Debug, Default)]
struct Journal {
    steps: AtomicUsize,
    finished: AtomicUsize,
    cleaned_up: AtomicUsize,
}

/// Works until the token is cancelled, and cleans up at the end, even if it is dropped instead.
async fn cancellable_operation(journal: Arc<Journal>, token: &CancellationToken) -> Result<(), steadfast::Error> {
    with_resource(
        async { Ok(journal) },
        async |journal| {
            while journal.steps.load(Ordering::Relaxed) < 1_000 {
                checkpoint(token).await?; // returns here, between two steps, once the token is cancelled
                do_step(journal).await;
            }
            Ok(())
        },
        async |journal, exit| {
            sleep(Duration::from_millis(5)).await; // a cleanup may await, and is never cut short
            let counter = if exit == Exit::Ok { &journal.finished } else { &journal.cleaned_up };
            counter.fetch_add(1, Ordering::Relaxed);
        },
    )
    .await
}

async fn do_step(journal: &Journal) {
    sleep(Duration::from_millis(2)).await;
    journal.steps.fetch_add(1, Ordering::Relaxed);
}

#[timeout(50ms)]
async fn for_a_moment(journal: Arc<Journal>) -> Result<(), steadfast::Error> {
    cancellable_operation(journal, &CancellationToken::new()).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // By token. The error tells the caller that the work is incomplete.
    let journal = Arc::new(Journal::default());
    let token = CancellationToken::new();
    let work = tokio::spawn({
        let (journal, token) = (Arc::clone(&journal), token.clone());
        async move { cancellable_operation(journal, &token).await }
    });
    sleep(Duration::from_millis(30)).await;
    token.cancel();
    let error = work.await?.unwrap_err();
    println!("{error} after {} steps", journal.steps.load(Ordering::Relaxed));
    assert!(error.is_cancelled());
    assert_eq!(journal.cleaned_up.load(Ordering::Relaxed), 1, "cleaned up before the caller went on");

    // By deadline: the work is dropped in the middle of a step, and the cleanup continues without the caller.
    let journal = Arc::new(Journal::default());
    let error = for_a_moment(Arc::clone(&journal)).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(drain(Duration::from_secs(5)).await.is_complete());
    println!("{error}; cleaned up {} time", journal.cleaned_up.load(Ordering::Relaxed));
    assert_eq!(journal.cleaned_up.load(Ordering::Relaxed), 1);

    // A computation that never waits: the checkpoint also yields to other tasks.
    let token = CancellationToken::new();
    let search = async |token: &CancellationToken| -> Result<u64, steadfast::Error> {
        for n in 0.. {
            checkpoint(token).await?;
            if n == u64::MAX {
                return Ok(n);
            }
        }
        Ok(0)
    };
    let (found, ()) = tokio::join!(search(&token), async { token.cancel() });
    assert!(found.is_err_and(|error| error.is_cancelled()));

    // A thread cannot be interrupted: blocking code checks the token. A child token is cancelled with its parent.
    let token = CancellationToken::new();
    let child = token.child_token();
    let job = tokio::spawn(offload(move || {
        let mut rounds = 0_u64;
        while !child.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
            rounds += 1;
        }
        rounds
    }));
    sleep(Duration::from_millis(20)).await;
    token.cancel();
    println!("the blocking job stopped after {} rounds", job.await?);
    Ok(())
}
