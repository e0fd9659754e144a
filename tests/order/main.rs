//! The table of orders in `steadfast::guide::order`: each row is a test in `rows.rs`, found by its name, and is run in all three forms.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::time::Duration;

use futures::join;
use steadfast::{
    ErrorKind, async_cached, circuit_breaker, concurrency_limit, fallback, finally, hedge, offload_blocking, rate_limit, retry,
    shield, timeout,
};
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);

#[test]
fn each_line_of_the_table_is_a_test() {
    let between_ticks = |line: &str| line.split('`').collect::<Vec<_>>().get(1..4).map(|name| name.concat().replace(' ', "_"));
    let page = include_str!("../../runtime/src/guide/order.md");
    let table: BTreeSet<_> = page.lines().filter(|line| line.contains("` above `")).filter_map(between_ticks).collect();
    let tests = include_str!("rows.rs").lines().filter_map(|line| line.strip_prefix("async fn ")?.split_once("() {"));
    let tests: BTreeSet<_> = tests.map(|(name, _)| name.to_owned()).filter(|name| name.contains("_above_")).collect();
    assert!(table.len() > 40, "{table:?}");
    assert_eq!(table, tests);
}

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Busy,
    Policy(ErrorKind),
}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error.kind())
    }
}

type Outcome = Result<u32, Failure>;

const LATE: Outcome = Err(Failure::Policy(ErrorKind::Timeout));
const REFUSED: Outcome = Err(Failure::Policy(ErrorKind::CircuitOpen));
const NO_TURN: Outcome = Err(Failure::Policy(ErrorKind::RateLimited));
const NO_PLACE: Outcome = Err(Failure::Policy(ErrorKind::Saturated));
const BUSY: Outcome = Err(Failure::Busy);

/// How often something was done.
#[derive(Debug, Default)]
struct Count(Cell<u32>);

impl Count {
    fn add(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn more(&self) -> u32 {
        self.add();
        self.0.get()
    }

    fn take(&self) -> u32 {
        self.0.take()
    }
}

/// What comes of `future`, and after how many milliseconds.
async fn timed<T>(future: impl Future<Output = T>) -> (T, u128) {
    let started = Instant::now();
    (future.await, started.elapsed().as_millis())
}

/// The rows as attributes on functions.
mod attributes {
    use steadfast::{
        async_cached, circuit_breaker, concurrency_limit, fallback, finally, hedge, invalidates, offload_blocking, rate_limit,
        retry, shield, timeout,
    };

    macro_rules! form {
        ($($function:tt)*) => { $($function)* };
    }

    include!("rows.rs");
}

/// The rows as sets, applied to functions.
mod sets {
    macro_rules! form {
        ($(#[$($attribute:tt)*])* async fn $name:ident $parameters:tt -> $output:ty $body:block) => {
            steadfast::policies! { $name = { $(#[$($attribute)*])* }; }
            #[steadfast::apply($name)]
            async fn $name $parameters -> $output $body
        };
        ($(#[$($attribute:tt)*])* fn $name:ident $parameters:tt -> $output:ty $body:block) => {
            steadfast::policies! { $name = { $(#[$($attribute)*])* }; }
            #[steadfast::apply($name)]
            fn $name $parameters -> $output $body
        };
    }

    include!("rows.rs");
}

/// The rows as `run!`.
mod runs {
    macro_rules! form {
        ($(#[$($attribute:tt)*])* async fn $name:ident $parameters:tt -> $output:ty $body:block) => {
            async fn $name $parameters -> $output {
                steadfast::run! { $(#[$($attribute)*])* async move || -> $output $body }.await
            }
        };
        ($(#[$($attribute:tt)*])* fn $name:ident $parameters:tt -> $output:ty $body:block) => {
            async fn $name $parameters -> $output {
                steadfast::run! { $(#[$($attribute)*])* move || -> $output $body }.await
            }
        };
    }

    include!("rows.rs");
}

// --- When options are evaluated ---

/// When the duration of the timeout was computed, and when the call ended, in milliseconds.
#[tokio::test(start_paused = true)]
async fn options_are_evaluated_in_their_turn() {
    #[derive(Default)]
    struct Seen(Cell<u128>);
    impl Seen {
        fn left(&self, started: Instant) -> Duration {
            self.0.set(started.elapsed().as_millis());
            (100 * MS).saturating_sub(started.elapsed())
        }
    }
    #[concurrency_limit(1)]
    #[timeout(seen.left(started))]
    async fn below_a_limit(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[timeout(seen.left(started))]
    #[concurrency_limit(1)]
    async fn above_a_limit(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[rate_limit(1 / 60ms, max_wait = 1s)]
    #[timeout(seen.left(started))]
    async fn below_a_rate(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[rate_limit(1 / 60ms, max_wait = 1s)]
    #[retry(attempts = 1)]
    #[timeout(seen.left(started))]
    async fn below_a_retry(seen: &Seen, started: Instant) -> Outcome {
        pending().await
    }
    #[circuit_breaker(failures = 1)]
    #[timeout(seen.left(started))]
    async fn below_a_circuit(seen: &Seen, started: Instant) -> Outcome {
        BUSY
    }
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(below_a_limit(&first, started), below_a_limit(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 100), "after the wait, when nothing is left");
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(above_a_limit(&first, started), above_a_limit(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 0));
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(below_a_rate(&first, started), below_a_rate(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 60));
    let (started, first, seen) = (Instant::now(), Seen::default(), Seen::default());
    let calls = async { join!(below_a_retry(&first, started), below_a_retry(&seen, started)) };
    assert_eq!((timed(calls).await.1, seen.0.take()), (100, 60), "an attempt begins after the wait");
    let (started, seen) = (Instant::now(), Seen::default());
    assert_eq!(below_a_circuit(&seen, started).await, BUSY);
    advance(MS).await;
    assert_eq!((below_a_circuit(&seen, started).await, seen.0.take()), (REFUSED, 0), "not of a call that is rejected");
}

/// A `max_elapsed` begins with the first attempt, wherever the call has waited before.
#[tokio::test(start_paused = true)]
async fn the_clock_of_a_retry_starts_with_its_first_attempt() {
    #[rate_limit(1 / 50ms, max_wait = 1s)]
    #[retry(max_elapsed = 20ms, delay = 5ms, jitter = none)]
    async fn below_a_rate(runs: &Cell<u32>) -> Outcome {
        runs.set(runs.get() + 1);
        BUSY
    }
    #[concurrency_limit(1)]
    #[timeout(1h)]
    #[circuit_breaker(failures = 10)]
    #[retry(max_elapsed = 20ms, delay = 5ms, jitter = none)]
    async fn below_a_limit(runs: &Cell<u32>) -> Outcome {
        runs.set(runs.get() + 1);
        sleep(MS).await;
        BUSY
    }
    #[concurrency_limit(1)]
    #[hedge(after = 1h)]
    #[retry(max_elapsed = 20ms, delay = 5ms, jitter = none)]
    async fn below_a_hedge(runs: &Cell<u32>) -> Outcome {
        runs.set(runs.get() + 1);
        sleep(MS).await;
        BUSY
    }
    let runs = [Cell::new(0), Cell::new(0)];
    assert_eq!(join!(below_a_rate(&runs[0]), below_a_rate(&runs[1])), (BUSY, BUSY));
    assert_eq!(runs.each_ref().map(Cell::take), [3, 3]);
    assert_eq!(join!(below_a_limit(&runs[0]), below_a_limit(&runs[1])), (BUSY, BUSY));
    assert_eq!(runs.each_ref().map(Cell::take), [3, 3]);
    assert_eq!(join!(below_a_hedge(&runs[0]), below_a_hedge(&runs[1])), (BUSY, BUSY));
    assert_eq!(runs.each_ref().map(Cell::take), [6, 6], "of two attempts of the hedge");
}

// --- Any order ---

/// Whatever is above a task of its own stays with the caller, also if something on the task waits.
#[tokio::test(start_paused = true)]
async fn tasks_stand_between_what_waits() {
    macro_rules! calls {
        ($n:ident, $text:ident; $($name:ident: $(#[$layer:meta])* ;)*) => {
            calls!(@ ($n: u32, $text: String) { Ok($n + u32::try_from($text.len()).unwrap_or(0)) } $($name: $(#[$layer])* ;)*)
        };
        (@ $parameters:tt $body:tt $($name:ident: $(#[$layer:meta])* ;)*) => {
            $({
                $(#[$layer])*
                async fn $name $parameters -> Outcome $body
                assert_eq!($name(1, "four".to_owned()).await, Ok(5), stringify!($name));
            })*
        };
    }
    calls! {
        n, text;
        cached_shield_limit: #[async_cached] #[shield] #[concurrency_limit(1)];
        cached_shield_rate: #[async_cached] #[shield] #[rate_limit(9 / 1s, max_wait = 1s)];
        cached_shield_keyed: #[async_cached] #[shield] #[rate_limit(9 / 1s, max_wait = 1s, key = n)];
        alone_shield_limit: #[async_cached(single_flight = false)] #[shield] #[concurrency_limit(1)];
        coalesce_shield_limit: #[steadfast::coalesce] #[shield] #[concurrency_limit(1)];
        limit_shield_rate: #[concurrency_limit(1)] #[shield] #[rate_limit(9 / 1s, max_wait = 1s)];
        rate_finally_shield_limit:
            #[rate_limit(9 / 1s, max_wait = 1s)] #[finally(sleep(MS))] #[shield] #[concurrency_limit(1)];
        limit_finally_shield_rate:
            #[concurrency_limit(1)] #[finally(sleep(MS))] #[shield] #[rate_limit(9 / 1s, max_wait = 1s)];
        limit_finally_shield_cached: #[concurrency_limit(1)] #[finally(sleep(MS))] #[shield] #[async_cached];
        retry_hedge_shield_limit: #[retry] #[hedge(after = 1s)] #[shield] #[concurrency_limit(1)];
        retry_detached: #[retry] #[async_cached(detached)] #[circuit_breaker];
        retry_stale: #[retry] #[async_cached(ttl = 1s, stale_while_revalidate = 1s)];
        fallback_shield: #[fallback(text.len().try_into().unwrap_or(0))] #[shield];
        fallback_retry_shield: #[fallback(text.len().try_into().unwrap_or(0))] #[retry] #[shield];
        retry_fallback_shield: #[retry] #[fallback(text.len().try_into().unwrap_or(0))] #[shield];
        fallback_retry_clone: #[fallback(text.len().try_into().unwrap_or(0))] #[retry(clone(text))];
        fallback_detached: #[fallback(text.len().try_into().unwrap_or(0))] #[async_cached(detached)];
    }
}

/// The `mut` of an argument belongs where the body gets it, however often it is bound again on the way.
#[tokio::test(start_paused = true)]
async fn an_argument_that_is_bound_again_is_mutable_once() {
    #[retry(delay = 0s)]
    #[async_cached(detached, key = n)]
    #[concurrency_limit(1)]
    async fn thrice(n: u32, mut text: String) -> Outcome {
        text.push('!');
        Ok(n + u32::try_from(text.len()).unwrap_or(0))
    }
    #[fallback(text.len().try_into().unwrap_or(0))]
    #[shield]
    #[concurrency_limit(1)]
    async fn cloned(mut text: String) -> Outcome {
        text.push('!');
        BUSY
    }
    #[fallback(text.len().try_into().unwrap_or(0))]
    #[retry(delay = 0s)]
    #[offload_blocking]
    fn job(mut text: String) -> Outcome {
        text.push('!');
        BUSY
    }
    #[fallback(text.len().try_into().unwrap_or(0))]
    #[offload_blocking]
    fn one_job(mut text: String) -> Outcome {
        text.push('!');
        BUSY
    }
    let text = || "four".to_owned();
    assert_eq!(thrice(1, text()).await, Ok(6));
    assert_eq!((cloned(text()).await, job(text()).await, one_job(text()).await), (Ok(4), Ok(4), Ok(4)));
}
