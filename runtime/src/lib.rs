//! Resilience and caching for async functions, one attribute per policy.
//!
//! ```
//! # #[derive(Clone, Copy, PartialEq, Eq, Hash)] pub struct UserId(u64);
//! # #[derive(Clone, Debug)] pub struct User;
//! # #[derive(Clone, Debug)] pub enum AppError { Steadfast(steadfast::Error) }
//! # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Steadfast(e) } }
//! # impl AppError { fn is_transient(&self) -> bool { true } }
//! # pub struct Db;
//! # impl Db { async fn fetch(&self, _: UserId) -> Result<User, AppError> { Ok(User) } }
//! # pub struct Hash(usize);
//! # fn argon2(password: String) -> Hash { Hash(password.len()) }
//! use steadfast::{async_cached, offload_blocking, retry, timeout};
//!
//! #[async_cached(ttl = 60s, skip(db), handle = user_cache)] // a hit skips everything below
//! #[timeout(2s)] // all attempts together
//! #[retry(attempts = 3, delay = 50ms, when = |e| e.is_transient())]
//! #[timeout(500ms)] // each attempt
//! async fn user(db: &Db, id: UserId) -> Result<User, AppError> {
//!     db.fetch(id).await
//! }
//!
//! #[offload_blocking(limit = 4)] // called as hash_password(p).await
//! fn hash_password(password: String) -> Hash {
//!     argon2(password)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), AppError> {
//! # let id = UserId(7);
//! # user(&Db, id).await?;
//! # assert!(user_cache().contains(&id));
//! user_cache().invalidate(&id); // the key is the function's arguments
//! # assert!(!user_cache().contains(&id));
//! # assert_eq!(hash_password("secret".to_owned()).await.0, 6);
//! # Ok(()) }
//! ```
//!
//! The function keeps its signature, its error type and its `?`. Stacked attributes expand to one function body and apply from top to
//! bottom: the topmost is the outermost. [`guide::order`] recommends an order and explains what each pair means in either order.
//!
//! The [`guide`] goes through the patterns of async programming one by one, and has a page for users of other libraries: [cached], [moka and
//! backon], [tower], [Spring and Resilience4j], [tenacity and cashews].
//!
//! [cached]: guide::from_cached
//! [moka and backon]: guide::from_moka_and_backon
//! [tower]: guide::from_tower
//! [Spring and Resilience4j]: guide::from_spring
//! [tenacity and cashews]: guide::from_tenacity
//!
//! # Attributes
//!
//! | attribute | effect |
//! | --- | --- |
//! | [`macro@timeout`] | drops the future when the deadline passes |
//! | [`macro@retry`] | retries with exponential backoff and jitter |
//! | [`macro@fallback`] | returns a fallback value on failure |
//! | [`macro@hedge`] | starts a second attempt when the first is slow |
//! | [`macro@rate_limit`] | limits calls per period |
//! | [`macro@concurrency_limit`] | limits concurrent calls (bulkhead) |
//! | [`macro@circuit_breaker`] | rejects calls while the dependency is failing |
//! | [`async_cached`] | caches results; concurrent callers of a key share one computation |
//! | [`coalesce`] | deduplicates concurrent calls without caching |
//! | [`invalidates`](macro@invalidates) | invalidates cached results after a write |
//! | [`finally`](macro@finally) | runs an async cleanup on return, error, panic and drop |
//! | [`shield`](macro@shield) | runs to completion even if the caller is dropped |
//! | [`macro@cancellable`] | cancels via a [`CancellationToken`], then runs a cleanup |
//! | [`macro@batched`] | serves many calls with one (`DataLoader`) |
//! | [`macro@warn_slow_poll`] | reports polls that block the thread |
//! | [`offload_blocking`] | runs a blocking function on a thread pool |
//!
//! # Around anything
//!
//! ```
//! # use steadfast::CircuitBreaker;
//! # type AppError = steadfast::Error;
//! # struct Client;
//! # impl Client { async fn stock(&self, id: u64) -> Result<u32, AppError> { Ok(id as u32) } }
//! # fn client() -> &'static Client { &Client }
//! # mod limits { pub static WAREHOUSE: steadfast::CircuitBreaker = steadfast::CircuitBreaker::new(); }
//! use steadfast::{apply, policies, run};
//!
//! policies! {
//!     /// What every call to the warehouse gets.
//!     pub(crate) warehouse = {
//!         #[timeout(2s)]
//!         #[retry(attempts = 3)]
//!         #[circuit_breaker(limits::WAREHOUSE)]
//!     };
//! }
//!
//! #[apply(warehouse)] // a function, or every async fn of an `impl` block or a trait
//! async fn stock(id: u64) -> Result<u32, AppError> {
//!     client().stock(id).await
//! }
//!
//! async fn order(id: u64) -> Result<u32, AppError> {
//!     let left = run! { #[apply(warehouse)] client().stock(id) }.await?; // a block, a closure, any future
//!     Ok(left - 1)
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() { assert_eq!((stock(7).await, order(7).await), (Ok(7), Ok(6))); }
//! ```
//!
//! | macro | effect |
//! | --- | --- |
//! | [`run!`] | the attributes around a block, a closure or any future |
//! | [`policies!`], [`macro@apply`] | sets of attributes with a name, for functions, `impl` blocks, traits and `run!` |
//!
//! # Helpers
//!
//! Plain functions and types for what is not a whole function:
//!
//! | helper | effect |
//! | --- | --- |
//! | [`gather()`], [`try_gather`], [`gather_local`], [`try_gather_local`] | run many futures concurrently; results in input order, no task left running |
//! | [`task_group`] | the same for tasks that are spawned one by one |
//! | [`with_resource`] | releases a resource exactly once, on success, error, panic and drop |
//! | [`WorkerPool`] | a bounded queue with a fixed number of workers |
//! | [`blocking_stream`], [`offload()`] | a blocking producer as a `Stream`; one blocking closure on the pool |
//! | [`checkpoint`] | a cancellation and yield point in a long loop |
//! | [`spawn_logged`], [`drain`], [`drain_all`], [`on_report`] | background work whose failures are reported and whose end can be awaited |
//! | [`Watchdog`] | reports blocked worker threads |
//! | [`remaining`] | the time left within the current deadline |
//! | [`attempt`], [`call_id`] | the number of the current attempt, and the id that all attempts of a call have in common |
//!
//! Policy objects that can be shared between functions in a `static`, or stored per instance in a field: [`Cache`], [`CircuitBreaker`],
//! [`RateLimiter`], [`ConcurrencyLimiter`], [`RetryBudget`], [`BlockingPool`].
//!
//! # Errors
//!
//! Everything the library itself reports is an [`Error`]; a function's own errors are returned unchanged. A function that returns
//! `Result<T, E>` reports it as an `Err` if `E: From<steadfast::Error>`, which holds for `std::io::Error`, `anyhow::Error` and
//! `Box<dyn Error + Send + Sync>` without further code. An `Option` becomes `None`. Any other return type needs `or_else = |error| value`.
//!
//! # Features
//!
//! | feature | enables |
//! | --- | --- |
//! | `rayon` | `#[offload_blocking(pool = rayon)]` |
//! | `registry` | `registry()`: every attributed function that has run, with its policies, counters and handles |
//! | `metrics` | `metrics::publish()`: metrics for the `metrics` facade (implies `registry`) |
//! | `tracing` | [events](guide::resilience#tracing-events) for rejections, retries, circuit transitions, hedges and fallbacks; for spans, add `#[tracing::instrument]` ([where?](guide::order#spans-and-task-locals)) |
//! | `chaos` | `chaos`: fault injection for tests |
//! | `test-util` | `testing`, and Tokio's pausable clock; for `dev-dependencies` |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Expansions name the library by this path, also in its own tests.
#[cfg(test)]
extern crate self as steadfast;

mod attempt;
mod background;
mod batched;
mod blocking_stream;
mod body;
mod bounds;
pub mod cache;
mod cancellable;
#[cfg(feature = "chaos")]
pub mod chaos;
mod checkpoint;
mod circuit_breaker;
mod clock;
mod concurrency_limit;
mod contain;
mod deadline;
mod drain;
mod error;
mod events;
mod exit;
mod fallback;
mod finally;
pub mod gather;
mod gcra;
// Its doctests use frameworks that only the package in `examples` depends on, and run there.
#[cfg(not(doctest))]
pub mod guide;
mod hedge;
mod inherit;
mod instrument;
mod invalidates;
mod key;
mod keyed;
#[cfg(feature = "metrics")]
pub mod metrics;
mod name;
pub mod offload;
mod outcome;
mod output;
mod policy_slot;
mod rate_limit;
mod recursion;
#[cfg(feature = "registry")]
pub mod registry;
mod rejection;
mod report;
mod resource;
pub mod retry;
mod rounded;
mod shield;
mod shutdown;
mod signal;
mod specialize;
mod stripe;
mod task_group;
#[cfg(feature = "test-util")]
pub mod testing;
mod timeout;
mod wait_list;
mod warn_slow_poll;
mod watchdog;
mod worker_pool;

#[doc(alias("idempotency key", "request id", "correlation id"))]
pub use attempt::call_id;
pub use attempt::{Attempt, CallId, attempt};
pub use background::{Logged, spawn_logged};
pub use blocking_stream::{BlockingSender, BlockingStream, ConsumerGone, blocking_stream};
pub use cache::{Cache, CacheBuilder, RemovalCause, Stats};
pub use checkpoint::checkpoint;
pub use drain::{Drained, drain_all};
pub use error::{Error, ErrorKind};
pub use exit::Exit;
pub use gather::{gather, gather_local, try_gather, try_gather_local};
pub use offload::{BlockingPool, offload};
#[cfg(feature = "registry")]
pub use registry::registry;
pub use report::{Report, ReportKind, on_report};
pub use resource::Released;
pub use retry::{RetryBudget, RetryEvent};
pub use task_group::{Child, TaskGroup};
pub use watchdog::{Watchdog, WatchdogBuilder};
pub use worker_pool::{ShutdownReport, SubmitError};

// The documentation's search also finds these by the names that other libraries use. Rustdoc drops the aliases of a definition that it inlines
// at a re-export, so they are on the re-export.
#[doc(alias("DataLoader"))]
pub use batched::batched;
#[doc(alias("memoize", "SWR", "stale-while-revalidate", "stampede", "thundering herd", "singleflight", "lru_cache"))]
pub use cache::async_cached;
#[doc(alias("singleflight", "request collapsing", "deduplicate", "stampede"))]
pub use cache::coalesce;
#[doc(alias("graceful shutdown"))]
pub use cancellable::cancellable;
#[doc(alias("circuit breaker states"))]
pub use circuit_breaker::CircuitBreaker;
#[doc(alias("closed", "open", "half-open"))]
pub use circuit_breaker::CircuitState;
#[doc(hidden)]
pub use circuit_breaker::Guarded;
#[doc(alias("closed", "open", "half-open"))]
pub use circuit_breaker::circuit_breaker;
pub use circuit_breaker::{CircuitMetrics, CircuitPermit};
#[doc(alias("bulkhead", "semaphore", "permit"))]
pub use concurrency_limit::ConcurrencyLimiter;
pub use concurrency_limit::ConcurrencyPermit;
#[doc(alias("bulkhead", "semaphore", "permit", "load shedding"))]
pub use concurrency_limit::concurrency_limit;
#[doc(alias("deadline"))]
pub use deadline::remaining;
#[doc(alias("graceful shutdown"))]
pub use drain::drain;
#[doc(alias("default value", "graceful degradation"))]
pub use fallback::fallback;
#[doc(alias("async drop", "defer"))]
pub use finally::finally;
#[doc(alias("backup request", "tail latency", "speculative execution"))]
pub use hedge::hedge;
pub use invalidates::invalidates;
#[doc(alias("per host", "per tenant", "registry"))]
pub use keyed::{Keyed, KeyedRef};
#[doc(alias("spawn_blocking", "run_in_executor", "to_thread"))]
pub use offload::offload_blocking;
#[doc(alias("token bucket", "leaky bucket", "GCRA", "quota", "permit"))]
pub use rate_limit::RateLimiter;
pub use rate_limit::RateRequest;
#[doc(alias("token bucket", "leaky bucket", "GCRA", "throttle", "quota", "permit"))]
pub use rate_limit::rate_limit;
#[doc(alias("async drop", "context manager"))]
pub use resource::with_resource;
#[doc(alias("backoff", "exponential backoff", "jitter"))]
pub use retry::retry;
#[doc(alias("uncancellable", "run to completion"))]
pub use shield::shield;
#[doc(alias("pipeline", "decorate", "execute"))]
pub use steadfast_macros::run;
#[doc(hidden)]
pub use steadfast_macros::{__apply, __apply_in_run};
#[doc(alias("pipeline", "policy set", "decorators"))]
pub use steadfast_macros::{apply, policies};
#[doc(alias("nursery", "JoinSet"))]
pub use task_group::task_group;
#[doc(alias("deadline", "time limit"))]
pub use timeout::timeout;
#[doc(alias("blocked thread"))]
pub use warn_slow_poll::warn_slow_poll;
#[doc(alias("consumer", "bounded queue"))]
pub use worker_pool::WorkerPool;

// What `cancellable`, `checkpoint` and `shield` take: a user needs no other crate for it.
pub use tokio_util::sync::CancellationToken;
pub use tokio_util::task::TaskTracker;

/// `pool = rayon`, which the expansion cannot know to be there.
#[cfg(feature = "rayon")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_rayon {
    () => {
        $crate::__private::offload::Rayon
    };
}

/// `pool = rayon`, without the feature.
#[cfg(not(feature = "rayon"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_rayon {
    () => {
        ::core::compile_error!(
            "`pool = rayon` requires the feature `rayon` of steadfast: run `cargo add steadfast --features rayon`"
        )
    };
}

/// What expansions call. Not a public interface: it changes in any release, together with the attributes.
#[doc(hidden)]
pub mod __private {
    /// Named by every expansion, by the version of the attributes that wrote it: those of another version are an error, and do not use what
    /// has only the same name here.
    pub const fn version_0_1() {}

    pub use crate::attempt::Call;
    pub use crate::bounds::Satisfied;
    pub use crate::events::{Origin, rejected};
    pub use crate::outcome::{Judged, Rejection, Verdict, count, factor, judge_of, panic_with, reject_with};
    pub use crate::policy_slot::PolicySlot;
    pub use crate::shutdown::RuntimeShutDown;

    pub use crate::batched::private as batched;
    pub use crate::cache::private as cache;
    pub use crate::cancellable::private as cancellable;
    #[cfg(feature = "chaos")]
    pub use crate::chaos::private as chaos;
    pub use crate::circuit_breaker::private as circuit_breaker;
    pub use crate::concurrency_limit::private as concurrency_limit;
    pub use crate::fallback::private as fallback;
    pub use crate::finally::private as finally;
    pub use crate::hedge::private as hedge;
    pub use crate::invalidates::private as invalidates;
    pub use crate::keyed::private as keyed;
    pub use crate::offload::private as offload;
    pub use crate::rate_limit::private as rate_limit;
    #[cfg(feature = "registry")]
    pub use crate::registry;
    pub use crate::retry::private as retry;
    pub use crate::shield::private as shield;
    pub use crate::timeout::private as timeout;
    pub use crate::warn_slow_poll::private as warn_slow_poll;

    pub mod output {
        pub use crate::output::{Closure, of_async, of_blocking};
    }

    pub mod body {
        pub use crate::body::{Body, CallState, made};
    }
}
