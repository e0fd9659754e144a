//! Attributes of other crates, above and below. Those of mockall and axum are in `examples/tests/frameworks.rs`.

use async_trait::async_trait;
use steadfast::{async_cached, retry, timeout};
use tracing::instrument;

use crate::support::{Failure, Reply, tick};

shape! {
    traced:
    [instrument, timeout(1s)] [timeout(1s), instrument]
    [instrument(skip_all, fields(n)), retry] [retry, instrument(skip_all, fields(n))]
    [instrument(err), async_cached] [async_cached, instrument(err)]
    [instrument(ret, err, level = "debug"), async_cached, timeout(1s), retry]
    [async_cached, timeout(1s), retry, instrument(ret, err, level = "debug")]
    [async_cached, instrument, timeout(1s), retry]
    for {
        async fn fetch(n: u32, text: &str) -> Reply<String> {
            tick().await;
            if n == 0 { Err(Failure::Busy(n)) } else { Ok(format!("{n}{text}")) }
        }
    } => { (fetch(0, "a").await, fetch(1, "b").await) }
}

shape! {
    traced_method:
    [instrument(skip(self)), timeout(1s)] [timeout(1s), instrument(skip(self))]
    [instrument(skip(self)), async_cached(skip(self)), retry] [async_cached(skip(self)), retry, instrument(skip(self))]
    for { struct Db(u32); } in [impl Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}

shape! {
    traced_async_trait:
    [instrument(skip(self)), timeout(1s)] [timeout(1s), instrument(skip(self))]
    [instrument(skip(self)), async_cached(skip(self)), retry(clone(text))] [async_cached(skip(self)), retry, instrument(skip(self))]
    for {
        #[async_trait]
        trait Source { async fn get(&self, n: u32, text: String) -> Reply<String>; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, n: u32, text: String) -> Reply<String> {
            tick().await;
            Ok(format!("{}{n}{text}", self.0))
        }
    } => { Db(1).get(4, "x".to_owned()).await }
}

/// Above `#[tokio::test]`, the function is still async.
#[timeout(1s)]
#[retry]
#[tokio::test(start_paused = true)]
async fn above_tokio_test() -> Reply<()> {
    tick().await;
    Ok(())
}

/// The attribute of the runtime may be that of a whole program as well.
#[test]
fn above_tokio_main() {
    #[timeout(1s, or_else = |_| 0)]
    #[tokio::main(flavor = "current_thread", start_paused = true)]
    async fn main() -> u32 {
        tick().await;
        4
    }
    assert_eq!(main(), 4);
}
