//! Every attribute, dropped at each of its awaits: it releases what it acquired, and leaves nothing running. (`shield`, `finally`,
//! `cancellable`, `batched` and `warn_slow_poll` are covered by their own test files.)
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use steadfast::testing::cancel_at_every_await;
use steadfast::{
    CircuitState, Error, Exit, async_cached, circuit_breaker, coalesce, concurrency_limit, fallback, finally, hedge,
    offload_blocking, rate_limit, retry, shield, timeout,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

/// How many bodies there are.
static BODIES: AtomicUsize = AtomicUsize::new(0);

/// One of them: it goes when its future goes.
struct Body<'a>(&'a AtomicUsize);

impl<'a> Body<'a> {
    fn of(bodies: &'a AtomicUsize) -> Self {
        bodies.fetch_add(1, SeqCst);
        Self(bodies)
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Drops a call at each await, and looks at what is left. The call runs to its end as well.
macro_rules! cancelled_everywhere {
    ($name:ident: $call:expr, leaves $invariant:expr) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let awaits = cancel_at_every_await(
                async || (),
                async |(): &mut ()| {
                    let _ = $call.await;
                },
                async |(): &()| $invariant,
            )
            .await;
            assert!(awaits > 0, "it has awaits");
        }
    };
}

/// A body with two awaits.
async fn work(bodies: &AtomicUsize) {
    let _body = Body::of(bodies);
    sleep(MS).await;
    tokio::task::yield_now().await;
}

fn none(bodies: &AtomicUsize) {
    assert_eq!(bodies.load(SeqCst), 0, "no body is left");
}

static TIMED: AtomicUsize = AtomicUsize::new(0);
#[timeout(1s)]
async fn timed() -> Option<()> {
    work(&TIMED).await;
    Some(())
}
cancelled_everywhere!(under_timeout: timed(), leaves none(&TIMED));

static RUN: AtomicUsize = AtomicUsize::new(0);
static RUN_LIMIT: steadfast::ConcurrencyLimiter = steadfast::ConcurrencyLimiter::new(1);
static RUN_BREAKER: steadfast::CircuitBreaker = steadfast::CircuitBreaker::new().failures(1).open_for(MS);
fn run_leaves_nothing() {
    none(&RUN);
    assert!(RUN_LIMIT.try_acquire().is_ok(), "no permit is held");
    assert_eq!(RUN_BREAKER.state(), CircuitState::Closed, "a dropped call counts as nothing");
}
cancelled_everywhere!(in_run: async {
    steadfast::run! {
        #[concurrency_limit(RUN_LIMIT)]
        #[coalesce(key = 7)]
        #[circuit_breaker(RUN_BREAKER)]
        #[retry(attempts = 2, delay = 10ms)]
        #[timeout(1s)]
        async {
            work(&RUN).await;
            Some(())
        }
    }
    .await
}, leaves run_leaves_nothing());

static RETRIED: AtomicUsize = AtomicUsize::new(0);
#[retry(attempts = 3, delay = 10ms, jitter = none)]
async fn retried() -> Option<()> {
    work(&RETRIED).await;
    None
}
cancelled_everywhere!(under_retry: retried(), leaves none(&RETRIED));

static CACHED: AtomicUsize = AtomicUsize::new(0);
#[async_cached(error_ttl = 1ms, handle = cached_cache)]
async fn cached() -> Result<u32, Error> {
    work(&CACHED).await;
    Ok(1)
}
cancelled_everywhere!(under_async_cached: cached(), leaves {
    none(&CACHED);
    assert_eq!(cached_cache().in_flight(), 0);
    cached_cache().clear();
});

static COALESCED: AtomicUsize = AtomicUsize::new(0);
#[coalesce]
async fn coalesced() -> u32 {
    work(&COALESCED).await;
    1
}
cancelled_everywhere!(under_coalesce: coalesced(), leaves none(&COALESCED));

static LIMITED: AtomicUsize = AtomicUsize::new(0);
#[concurrency_limit(1, handle = limiter)]
async fn limited() -> Option<()> {
    work(&LIMITED).await;
    Some(())
}
cancelled_everywhere!(under_concurrency_limit: limited(), leaves {
    none(&LIMITED);
    assert_eq!((limiter().running(), limiter().waiting()), (0, 0));
});
cancelled_everywhere!(in_the_line_of_a_concurrency_limit: async { tokio::join!(limited_too(), limited_too()) }, leaves {
    none(&QUEUED);
    assert_eq!((queue().running(), queue().waiting()), (0, 0));
});
static QUEUED: AtomicUsize = AtomicUsize::new(0);
#[concurrency_limit(1, max_wait = 1s, handle = queue)]
async fn limited_too() -> Option<()> {
    work(&QUEUED).await;
    Some(())
}

static RATED: AtomicUsize = AtomicUsize::new(0);
#[rate_limit(1000 / 1s, burst = 1, max_wait = 1s)]
async fn rated() -> Option<()> {
    work(&RATED).await;
    Some(())
}
cancelled_everywhere!(in_the_line_of_a_rate_limit: async { tokio::join!(rated(), rated()) }, leaves none(&RATED));

static BROKEN: AtomicUsize = AtomicUsize::new(0);
#[circuit_breaker(failures = 1, handle = breaker)]
async fn broken() -> Option<()> {
    work(&BROKEN).await;
    Some(())
}
cancelled_everywhere!(under_circuit_breaker: broken(), leaves {
    none(&BROKEN);
    assert_eq!(breaker().state(), CircuitState::Closed, "a call that was dropped is no failure");
});

static PROBED: AtomicUsize = AtomicUsize::new(0);
#[circuit_breaker(failures = 1, open_for = 1ms, handle = half_open)]
async fn probed(fails: bool) -> Option<()> {
    work(&PROBED).await;
    (!fails).then_some(())
}

#[tokio::test(start_paused = true)]
async fn the_probe_of_a_circuit_breaker() {
    let awaits = cancel_at_every_await(
        async || {
            half_open().reset();
            assert_eq!(probed(true).await, None);
            sleep(2 * MS).await;
        },
        async |(): &mut ()| assert_eq!(probed(false).await, Some(()), "it is the probe"),
        async |(): &()| {
            none(&PROBED);
            assert_ne!(half_open().state(), CircuitState::Open, "a probe that was dropped is no failure");
            assert_eq!(probed(false).await, Some(()), "another may try");
            assert_eq!(half_open().state(), CircuitState::Closed);
        },
    )
    .await;
    assert!(awaits > 1);
}

static KEYED: AtomicUsize = AtomicUsize::new(0);
#[rate_limit(1000 / 1s, burst = 1, max_wait = 1s, key = customer)]
async fn keyed(customer: u8) -> Option<()> {
    work(&KEYED).await;
    Some(())
}
cancelled_everywhere!(in_the_lines_of_keys: async { tokio::join!(keyed(1), keyed(2), keyed(1), keyed(2)) }, leaves none(&KEYED));

static AHEAD: AtomicUsize = AtomicUsize::new(0);
#[rate_limit(1 / 1s, max_wait = 10s)]
async fn one_a_second() -> Option<()> {
    work(&AHEAD).await;
    Some(())
}

/// Whoever is behind a call that is dropped moves up: its turn is not lost.
#[tokio::test(start_paused = true)]
async fn the_turn_under_a_rate_limit() {
    let awaits = cancel_at_every_await(
        async || {
            // The line is empty, and nobody has a turn before a second has gone.
            sleep(Duration::from_secs(20)).await;
            assert_eq!(one_a_second().await, Some(()));
        },
        async |(): &mut ()| assert_eq!(one_a_second().await, Some(())),
        async |(): &()| {
            none(&AHEAD);
            let begun = Instant::now();
            assert_eq!(one_a_second().await, Some(()));
            assert!(begun.elapsed() <= Duration::from_millis(1_003), "it waited for a call that had gone: {:?}", begun.elapsed());
        },
    )
    .await;
    assert!(awaits > 1);
}

static STACKED: AtomicUsize = AtomicUsize::new(0);
#[fallback(())]
#[rate_limit(1000 / 1s, burst = 1, max_wait = 1s)]
#[concurrency_limit(2, max_wait = 1s, handle = stacked_limit)]
#[circuit_breaker(failures = 1, handle = stacked_breaker)]
#[timeout(1s)]
#[retry(attempts = 2, delay = 10ms, jitter = none)]
#[hedge(after = 500us)]
#[timeout(100ms)]
async fn stacked(runs: &AtomicUsize) -> Result<(), Error> {
    work(&STACKED).await;
    if runs.fetch_add(1, SeqCst) < 2 { Err(refusal()) } else { Ok(()) }
}

/// A refusal, to fail with.
fn refusal() -> Error {
    #[timeout(0s)]
    async fn late() -> Result<(), Error> {
        std::future::pending().await
    }
    late().now_or_never().expect("it ends at once").expect_err("as a refusal")
}

#[tokio::test(start_paused = true)]
async fn a_whole_stack() {
    let awaits = cancel_at_every_await(
        async || AtomicUsize::new(0),
        async |runs: &mut AtomicUsize| assert_eq!(stacked(runs).await, Ok(())),
        async |_: &AtomicUsize| {
            none(&STACKED);
            assert_eq!((stacked_limit().running(), stacked_limit().waiting()), (0, 0));
            assert_eq!(stacked_breaker().state(), CircuitState::Closed);
        },
    )
    .await;
    assert!(awaits > 4, "those of two attempts, and of the wait between them: {awaits}");
}

static HEDGED: AtomicUsize = AtomicUsize::new(0);
#[hedge(after = 500us)]
async fn hedged() -> Option<()> {
    work(&HEDGED).await;
    Some(())
}
cancelled_everywhere!(under_hedge: hedged(), leaves none(&HEDGED));

static FALLEN: AtomicUsize = AtomicUsize::new(0);
#[fallback(())]
async fn fallen() -> Option<()> {
    work(&FALLEN).await;
    None
}
cancelled_everywhere!(under_fallback: fallen(), leaves none(&FALLEN));

static OFFLOADED: AtomicUsize = AtomicUsize::new(0);
#[offload_blocking(limit = 1)]
fn offloaded() -> u32 {
    let _body = Body::of(&OFFLOADED);
    1
}

#[tokio::test]
async fn under_offload_blocking() {
    // A job that has started runs to its end, behind the caller.
    for polls in 0..3 {
        let mut call = Box::pin(offloaded());
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                break;
            }
        }
        drop(call);
    }
    assert_eq!(offloaded().await, 1, "the place under the limit has come back");
    none(&OFFLOADED);
}

/// All that can stand on an `#[async_trait]` method with borrowed arguments, and what needs them for itself on one that owns them.
#[async_trait]
trait Source {
    async fn get(&self, id: u32, name: &str) -> Result<usize, Error>;
    async fn put(self: Arc<Self>, text: &str) -> Result<usize, Error>;
}

struct Db;

#[async_trait]
impl Source for Db {
    #[fallback(|error| if error.is_timeout() { Ok(0) } else { Err(error) })]
    #[async_cached(skip(self))]
    #[rate_limit(1000 / 1s)]
    #[concurrency_limit(10)]
    #[circuit_breaker]
    #[timeout(10s)]
    #[retry(attempts = 2)]
    #[hedge(after = 5s)]
    async fn get(&self, id: u32, name: &str) -> Result<usize, Error> {
        work(&BODIES).await;
        Ok(id as usize + name.len())
    }

    #[finally(async move { assert!(exit_is_known(Exit::Ok)) })]
    #[timeout(10s)]
    #[shield]
    async fn put(self: Arc<Self>, text: &str) -> Result<usize, Error> {
        work(&BODIES).await;
        Ok(text.len())
    }
}

fn exit_is_known(exit: Exit) -> bool {
    exit.is_ok()
}

#[tokio::test(start_paused = true)]
async fn all_of_them_above_async_trait_methods() {
    let awaits = cancel_at_every_await(
        async || Arc::new(Db),
        async |db: &mut Arc<Db>| {
            assert_eq!(db.get(1, "abc").await.unwrap(), 4);
            assert_eq!(Arc::clone(db).put("four").await.unwrap(), 4);
        },
        async |_: &Arc<Db>| none(&BODIES),
    )
    .await;
    assert!(awaits > 2);
}
