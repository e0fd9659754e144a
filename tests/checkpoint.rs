//! `checkpoint`: returns once the token is cancelled, and yields to other tasks.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::Cell;
use std::io;

use futures::FutureExt;
use futures::future::join;
use steadfast::{ErrorKind, checkpoint};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn it_passes_until_the_token_is_cancelled() {
    let token = CancellationToken::new();
    assert_eq!(checkpoint(&token).await, Ok(()));
    token.cancel();
    let error = checkpoint(&token).await.unwrap_err();
    assert_eq!((error.kind(), error.is_cancelled(), error.is_timeout()), (ErrorKind::Cancelled, true, false));
    assert_eq!(error.to_string(), "`checkpoint` was cancelled");
    // A kind that makes no reader or writer try again.
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionAborted);
}

#[tokio::test]
async fn it_follows_a_parent_token() {
    let parent = CancellationToken::new();
    let child = parent.child_token();
    parent.cancel();
    assert!(checkpoint(&child).await.is_err());
}

#[tokio::test]
async fn a_tight_loop_can_be_cancelled_from_the_same_thread() {
    let token = CancellationToken::new();
    let rounds = Cell::new(0_u64);
    let work = async {
        loop {
            if let Err(error) = checkpoint(&token).await {
                return error;
            }
            rounds.set(rounds.get() + 1);
        }
    };
    let cancel = async {
        yield_now().await;
        token.cancel();
    };
    let (error, ()) = join(work, cancel).await;
    assert!(error.is_cancelled());
    assert!(rounds.get() > 0);
}

#[tokio::test]
async fn it_does_not_yield_each_time() {
    let token = CancellationToken::new();
    yield_now().await; // a fresh budget
    for _ in 0..10 {
        assert_eq!(checkpoint(&token).now_or_never(), Some(Ok(())));
    }
}

#[test]
fn it_needs_no_runtime() {
    assert_eq!(checkpoint(&CancellationToken::new()).now_or_never(), Some(Ok(())));
}
