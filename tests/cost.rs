//! The cost of the attributes: allocations, clones, sizes of futures.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
// What is passed is large on purpose.
#![allow(clippy::large_types_passed_by_value)]

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use allocation_counter::measure;
use futures::executor::block_on;
use steadfast::{async_cached, retry, timeout};
use tokio::time::sleep;

/// The number of allocations of a future that is run to its end, once everything is warm.
fn allocations<F: Future>(call: impl Fn() -> F) -> u64 {
    block_on(call());
    measure(|| drop(block_on(call()))).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| async { Box::new(1) }), 1);
}

#[test]
fn a_hit_allocates_nothing() {
    #[async_cached]
    async fn text(key: &str) -> usize {
        key.len()
    }
    #[async_cached(ttl = Duration::from_secs(60), capacity = 100)]
    async fn bounded(id: u64, key: &str, bytes: &[u8], tags: &Vec<String>) -> usize {
        key.len() + bytes.len() + tags.len() + usize::try_from(id).unwrap_or(0)
    }
    #[async_cached]
    async fn fallible(key: &str) -> Result<usize, std::io::Error> {
        Ok(key.len())
    }
    let tags = vec!["tag".to_owned()];
    assert_eq!(allocations(|| text("a key that is longer than any inline string would be")), 0);
    assert_eq!(allocations(|| bounded(7, "key", b"bytes", &tags)), 0);
    assert_eq!(allocations(|| fallible("key")), 0);
}

#[test]
fn a_hit_clones_no_argument() {
    #[derive(PartialEq, Eq, Hash)]
    struct Counted<'a>(u8, std::marker::PhantomData<&'a ()>);
    thread_local!(static CLONES: Cell<u32> = const { Cell::new(0) });
    impl Clone for Counted<'_> {
        fn clone(&self) -> Self {
            CLONES.set(CLONES.get() + 1);
            Self(self.0, self.1)
        }
    }
    #[async_cached]
    async fn get(key: Counted<'static>) -> u8 {
        key.0
    }
    let key = || Counted(1, std::marker::PhantomData);
    block_on(get(key()));
    let cloned_by_a_miss = CLONES.get();
    assert!(cloned_by_a_miss > 0);
    block_on(get(key()));
    assert_eq!(CLONES.get(), cloned_by_a_miss);
}

#[test]
fn a_retry_that_succeeds_at_once_allocates_and_clones_nothing() {
    struct NotClone(u8);
    #[retry(attempts = 5, delay = 10ms, when = |error| *error > 3, max_delay = 1s)]
    async fn once(argument: NotClone, text: &str) -> Result<usize, u8> {
        Ok(usize::from(argument.0) + text.len())
    }
    assert_eq!(allocations(|| once(NotClone(1), "text")), 0);
}

#[test]
fn an_attempt_knows_itself_without_allocating() {
    #[retry(attempts = 3, delay = 0s)]
    #[steadfast::hedge(after = 10ms)]
    async fn call(seen: &Cell<u128>) -> Result<u128, u32> {
        seen.set(steadfast::call_id().as_u128() + u128::from(steadfast::attempt().number()));
        Ok(seen.get())
    }
    let seen = Cell::new(0);
    assert_eq!(allocations(|| call(&seen)), 0);
}

#[test]
fn a_timeout_on_a_ready_body_allocates_nothing_and_needs_no_timer() {
    #[timeout(1s)]
    async fn ready(n: u8) -> Option<u8> {
        Some(n)
    }
    // There is no runtime here: a timer would panic.
    assert_eq!(allocations(|| ready(1)), 0);
}

#[test]
fn a_stack_that_succeeds_at_once_allocates_nothing() {
    #[async_cached(cache = NONE)]
    #[timeout(1s)]
    #[retry]
    #[timeout(500ms)]
    async fn stack(n: u8) -> Option<u8> {
        n.checked_sub(1)
    }
    static NONE: steadfast::Cache<u8, u8> = steadfast::Cache::new(10);
    assert_eq!(allocations(|| stack(3)), 0);
}

#[test]
fn a_call_that_is_let_through_allocates_nothing() {
    #[steadfast::rate_limit(1_000 / 1s, max_wait = 1s)]
    #[steadfast::concurrency_limit(8, max_wait = 1s)]
    #[steadfast::circuit_breaker]
    async fn guarded(n: u8) -> Option<u8> {
        n.checked_sub(1)
    }
    assert_eq!(allocations(|| guarded(3)), 0);
}

#[test]
fn a_run_costs_what_a_function_costs() {
    static CACHE: steadfast::Cache<u8, u8> = steadfast::Cache::new(10);
    async fn get(n: u8) -> Option<u8> {
        std::future::ready(n.checked_sub(1)).await
    }
    let n = 3;
    assert_eq!(allocations(|| steadfast::run! { #[timeout(1s)] #[retry] #[timeout(500ms)] get(n) }), 0);
    assert_eq!(allocations(|| steadfast::run! { #[timeout(1s)] #[retry] async move { get(n).await } }), 0);
    assert_eq!(
        allocations(|| steadfast::run! { #[async_cached(cache = CACHE, key = n)] #[hedge(after = 1s)] async { get(n).await } }),
        0
    );
    assert_eq!(
        allocations(
            || steadfast::run! { #[rate_limit(1_000 / 1s, max_wait = 1s)] #[concurrency_limit(8)] #[circuit_breaker] get(n) }
        ),
        0
    );
}

type Big = [u8; 4_096];

async fn touch(big: &Big) -> Option<u8> {
    sleep(Duration::from_millis(1)).await;
    Some(big[0])
}

async fn bare(big: Big) -> Option<u8> {
    touch(&big).await
}

/// The future of one with one attribute more is not larger by another copy of the argument.
#[test]
fn an_argument_is_captured_once_however_many_attributes_there_are() {
    #[timeout(1s)]
    async fn timed(big: Big) -> Option<u8> {
        touch(&big).await
    }
    #[retry]
    async fn retried(big: Big) -> Option<u8> {
        touch(&big).await
    }
    #[async_cached]
    async fn cached(big: Big) -> Option<u8> {
        touch(&big).await
    }
    #[async_cached]
    #[timeout(3s)]
    #[timeout(2s)]
    #[timeout(1s)]
    async fn all_but_retry(big: Big) -> Option<u8> {
        touch(&big).await
    }
    #[async_cached]
    #[timeout(3s)]
    #[retry]
    #[timeout(1s)]
    async fn all(big: Big) -> Option<u8> {
        touch(&big).await
    }
    let reference = size_of_val(&bare([0; 4_096]));
    for (name, size) in [
        ("timeout", size_of_val(&timed([0; 4_096]))),
        ("retry", size_of_val(&retried([0; 4_096]))),
        ("async_cached", size_of_val(&cached([0; 4_096]))),
        ("all but retry", size_of_val(&all_but_retry([0; 4_096]))),
        ("all", size_of_val(&all([0; 4_096]))),
    ] {
        println!("{name}: {size}, bare: {reference}");
        assert!(size < reference + 1_024, "{name} is {size}, bare {reference}");
    }
}

mod by_hand {
    use super::*;
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex, OnceLock};
    use tokio::sync::OnceCell;
    use tokio::task::spawn_blocking;

    type Cells = Mutex<HashMap<String, Arc<OnceCell<u64>>>>;

    /// A cache with single flight, an outer deadline, attempts, an inner deadline and a blocking body: what a careful author writes.
    pub(super) async fn digest(text: String) -> Result<u64, std::io::Error> {
        static CELLS: OnceLock<Cells> = OnceLock::new();
        let cell = Arc::clone(CELLS.get_or_init(Cells::default).lock().unwrap().entry(text.clone()).or_default());
        cell.get_or_try_init(|| async move {
            tokio::time::timeout(Duration::from_secs(2), async {
                let mut attempt = 0_u32;
                loop {
                    attempt += 1;
                    let copy = text.clone();
                    let job = spawn_blocking(move || Ok::<u64, std::io::Error>(copy.len() as u64));
                    let outcome = match tokio::time::timeout(Duration::from_millis(500), job).await {
                        Ok(Ok(outcome)) => outcome,
                        Ok(Err(error)) => Err(std::io::Error::other(error)),
                        Err(elapsed) => Err(elapsed.into()),
                    };
                    if outcome.is_ok() || attempt == 3 {
                        break outcome;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            })
            .await?
        })
        .await
        .copied()
    }
}

#[test]
fn a_stack_of_all_four_is_as_large_as_what_is_written_by_hand() {
    #[async_cached]
    #[timeout(2s)]
    #[retry]
    #[timeout(500ms)]
    #[steadfast::offload_blocking]
    fn digest(text: String) -> Result<u64, std::io::Error> {
        Ok(text.len() as u64)
    }
    let (ours, theirs) = (size_of_val(&digest(String::new())), size_of_val(&by_hand::digest(String::new())));
    println!("all four: {ours}, by hand: {theirs}");
    assert!(ours * 10 <= theirs * 11, "{ours} of {theirs}");
}
