//! The order in which a dropped call releases what it holds: the body first, then what the attributes hold for it, and the
//! arguments with the body. Each attribute of the library is tested alone, and below one that creates the body before it waits.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;

use futures::FutureExt;
use futures::future::poll_immediate;
use steadfast::{
    Cache, CancellationToken, CircuitBreaker, ConcurrencyLimiter, Error, async_cached, cancellable, circuit_breaker, coalesce,
    concurrency_limit, fallback, finally, hedge, invalidates, rate_limit, retry, timeout, warn_slow_poll,
};

type Outcome = Result<u32, Error>;

thread_local! {
    static DROPPED: RefCell<Vec<(&'static str, bool)>> = const { RefCell::new(Vec::new()) };
}

/// Notes its end, and whether the attribute held by then what it holds for a body.
struct Noted {
    name: &'static str,
    held: fn() -> bool,
}

impl Drop for Noted {
    fn drop(&mut self) {
        let held = (self.held)();
        DROPPED.with_borrow_mut(|dropped| dropped.push((self.name, held)));
    }
}

fn body(held: fn() -> bool) -> Noted {
    Noted { name: "body", held }
}

fn argument() -> Noted {
    Noted { name: "argument", held: || true }
}

/// What an attribute that holds nothing for the body holds.
fn nothing() -> bool {
    true
}

/// Tests for attributes that drop the body with the call, and the names of all attributes for which there is one, and of those for which
/// there can be none.
macro_rules! drop_orders {
    (
        [runs on without its caller: $($other:ident)*]
        $($attribute:ident: below [$($above:tt)*] held $held:path { $(#[$layer:meta])* } )*
    ) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $attribute() {
                $(#[$layer])*
                async fn alone(argument: Noted) -> Outcome {
                    let _body = body($held);
                    let _ = &argument;
                    pending().await
                }
                #[$($above)*]
                $(#[$layer])*
                async fn below(argument: Noted) -> Outcome {
                    let _body = body($held);
                    let _ = &argument;
                    pending().await
                }
                let expected = [("body", true), ("argument", true)];
                before::$attribute().await;
                let mut call = Box::pin(alone(argument()));
                assert!(poll_immediate(&mut call).await.is_none());
                drop(call);
                assert_eq!(DROPPED.take(), expected, "alone");
                steadfast::drain(Duration::from_secs(1)).await;
                let mut call = Box::pin(below(argument()));
                assert!(poll_immediate(&mut call).await.is_none());
                drop(call);
                assert_eq!(DROPPED.take(), expected, "below what waits");
            }
        )*

        /// A new attribute has a test here.
        #[test]
        fn each_attribute_has_its_drop_order() {
            let source = include_str!("../../macros/src/lib.rs");
            let (_, list) = source.split_once("\nattributes! {").expect("the list of attributes");
            let names = list.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| {
                !line.is_empty() && line.chars().all(|character| character.is_ascii_lowercase() || character == '_')
            });
            let tested = [$(stringify!($attribute),)* $(stringify!($other),)*];
            assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(tested));
        }
    };
}

static TOKEN: std::sync::LazyLock<CancellationToken> = std::sync::LazyLock::new(CancellationToken::new);
static LIMIT: ConcurrencyLimiter = ConcurrencyLimiter::new(9);
static BREAKER: CircuitBreaker = CircuitBreaker::new().failures(1).open_for(Duration::from_secs(1));
static CACHE: Cache<u32, u32> = Cache::new(9);

/// What an attribute needs before its test.
mod before {
    use super::{BREAKER, Duration, Error};

    macro_rules! nothing {
        ($($attribute:ident)*) => { $(pub(super) async fn $attribute() {})* };
    }
    nothing!(timeout warn_slow_poll fallback cancellable retry hedge rate_limit concurrency_limit finally async_cached coalesce invalidates);

    /// Opens the circuit, so that the next call is its probe.
    pub(super) async fn circuit_breaker() {
        #[steadfast::circuit_breaker(BREAKER)]
        #[steadfast::timeout(0s)]
        async fn fails() -> Result<u32, Error> {
            std::future::pending().await
        }
        assert!(fails().await.is_err());
        tokio::time::advance(Duration::from_secs(2)).await;
    }
}

fn permit() -> bool {
    LIMIT.running() == 1
}

/// Another call is not let in while the probe has not ended.
fn probe() -> bool {
    #[circuit_breaker(BREAKER)]
    async fn another() -> Outcome {
        pending().await
    }
    matches!(another().now_or_never(), Some(Err(_)))
}

/// The cleanup is spawned when the call has gone.
fn no_cleanup() -> bool {
    tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0
}

/// What a call invalidates is there until its body has gone.
fn entry() -> bool {
    CACHE.contains(&2)
}

/// The cache, with the entry that the call invalidates.
fn entries() -> &'static Cache<u32, u32> {
    CACHE.insert(2, 2);
    &CACHE
}

/// Another call with the key would wait.
fn flight() -> bool {
    CACHE.in_flight() == 1
}

drop_orders! {
    [runs on without its caller: shield batched offload_blocking]
    timeout: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[timeout(1h)] }
    warn_slow_poll: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[warn_slow_poll(1h)] }
    fallback: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[fallback(1)] }
    cancellable: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[cancellable(token = &*TOKEN)] }
    retry: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[retry] }
    hedge: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[hedge(after = 1h)] }
    rate_limit: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[rate_limit(9 / 1s, max_wait = 1h)] }
    concurrency_limit: below [rate_limit(99 / 1s, max_wait = 1h)] held permit { #[concurrency_limit(LIMIT)] }
    circuit_breaker: below [concurrency_limit(9, max_wait = 1h)] held probe { #[circuit_breaker(BREAKER)] }
    finally: below [concurrency_limit(9, max_wait = 1h)] held no_cleanup { #[finally(async {})] }
    async_cached: below [concurrency_limit(9, max_wait = 1h)] held flight { #[async_cached(cache = CACHE, key = 1)] }
    coalesce: below [concurrency_limit(9, max_wait = 1h)] held nothing { #[coalesce(skip(argument))] }
    invalidates: below [concurrency_limit(9, max_wait = 1h)] held entry { #[invalidates(entries(), key = 2, always)] }
}
