//! Attributes that give a function caching, deadlines, retries and a thread pool in one readable line.
//!
//! ```
//! use steadfast::{async_cached, offload_blocking, retry, timeout};
//! # #[derive(Clone, Copy, PartialEq, Eq, Hash)] pub struct UserId(u64);
//! # #[derive(Clone, Debug)] pub struct User;
//! # #[derive(Clone, Debug)] pub enum AppError { Steadfast(steadfast::Error) }
//! # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Steadfast(e) } }
//! # impl AppError { fn is_transient(&self) -> bool { true } }
//! # pub struct Db;
//! # impl Db { async fn fetch(&self, _: UserId) -> Result<User, AppError> { Ok(User) } }
//!
//! #[async_cached(ttl = 60s, skip(db), handle = user_cache)] // outermost: a hit runs nothing below
//! #[timeout(2s)] // the whole of what is below
//! #[retry(attempts = 3, delay = 50ms, when = |e| e.is_transient())]
//! #[timeout(500ms)] // each attempt
//! async fn user(db: &Db, id: UserId) -> Result<User, AppError> {
//!     db.fetch(id).await
//! }
//!
//! #[offload_blocking(limit = 4)]
//! fn digest(bytes: Vec<u8>) -> u64 {
//!     bytes.iter().map(|&byte| u64::from(byte)).sum()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), AppError> {
//! user(&Db, UserId(7)).await?;
//! user_cache().invalidate(&UserId(7)); // keyed as the function is called
//! assert_eq!(digest(vec![1, 2, 3]).await, 6);
//! # Ok(()) }
//! ```
//!
//! The function stays what it was: same signature, same `?`, same types. All attributes of this crate that stand on one function
//! become one body, in the order in which they are written: the topmost is the outermost. [`guide::order`] says which order is
//! recommended, and what each order of two means. [`guide::resilience`] is for those who come from Resilience4j, Polly or tenacity.
//!
//! | attribute | what it does |
//! | --- | --- |
//! | [`macro@timeout`] | drops the work at a deadline |
//! | [`macro@retry`] | runs the body again while it fails, with backoff and jitter |
//! | [`macro@fallback`] | returns another value when everything below failed |
//! | [`macro@hedge`] | starts a second attempt beside one that takes long |
//! | [`macro@rate_limit`] | lets so many calls through in a time |
//! | [`macro@concurrency_limit`] | lets so many calls run at once |
//! | [`macro@circuit_breaker`] | refuses calls while what is called fails |
//! | [`async_cached`] | keeps results, and lets one caller compute while the others wait |
//! | [`coalesce`] | lets callers share a run, and keeps nothing |
//! | [`finally`](macro@finally) | awaits a cleanup, however the function ended |
//! | [`shield`](macro@shield) | finishes what has started, also without its caller |
//! | [`macro@cancellable`] | ends the work when a token says so, and cleans up |
//! | [`macro@batched`] | serves many calls by one call with all of their keys |
//! | [`macro@warn_slow_poll`] | reports a body that holds its thread |
//! | [`offload_blocking`] | runs a blocking function on a thread pool |
//!
//! Beside them stand plain functions, for what acts on data or on a block and not on a whole function:
//!
//! | helper | what it does |
//! | --- | --- |
//! | [`gather()`], [`try_gather`], [`gather_local`], [`try_gather_local`] | run many futures at once; results in order, nothing left behind |
//! | [`task_group`] | the same for tasks that are started as the work unfolds |
//! | [`with_resource`] | releases what was acquired, on success, error, panic and drop |
//! | [`WorkerPool`] | a bounded queue and its workers |
//! | [`blocking_stream`], [`offload()`] | a blocking producer as a stream; one blocking block on the pool |
//! | [`checkpoint`] | a place where a long loop can be cancelled |
//! | [`spawn_logged`], [`drain`], [`drain_all`], [`on_report`] | work that outlives its caller: its failures are reported, its end can be awaited |
//! | [`Watchdog`] | warns of blocked threads |
//! | [`remaining`] | the time that is left within a deadline |
//!
//! And what several functions share, or an instance has of its own: [`Cache`], [`CircuitBreaker`], [`RateLimiter`],
//! [`ConcurrencyLimiter`], [`RetryBudget`], [`BlockingPool`].
//!
//! # Errors
//!
//! What the library itself reports is [`Error`]. A function that returns `Result<T, E>` carries it when `E: From<steadfast::Error>`
//! (`std::io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>` do so as they are); an `Option` becomes `None`; any other
//! return type needs `or_else = |error| value`.
//!
//! # Features
//!
//! - `rayon`: `#[offload_blocking(pool = rayon)]`.
//! - `registry`: `registry()`, every annotated function that has run, with its policies, counters and handles.
//! - `metrics`: figures for the `metrics` facade. `tracing`: events about refusals, retries, circuits and fallbacks; no spans,
//!   which `#[tracing::instrument]` below our attributes makes of calls, and above them of attempts ([`guide::order`] says what of
//!   them is seen in work that is moved). `chaos`: faults on purpose, for tests.
//! - `test-util`: the module `testing`, and tokio's paused clock; for `dev-dependencies`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Expansions name the library by this path, also in its own tests.
#[cfg(test)]
extern crate self as steadfast;

mod ask;
mod background;
mod batched;
mod blocking_stream;
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
pub mod guide;
mod hedge;
#[cfg(feature = "metrics")]
pub mod metrics;
mod name;
pub mod offload;
mod outcome;
mod policy;
mod rate_limit;
mod refuse;
#[cfg(feature = "registry")]
pub mod registry;
mod report;
mod resource;
pub mod retry;
mod seen;
mod shield;
mod signal;
mod stack;
mod stripe;
mod task_group;
#[cfg(feature = "test-util")]
pub mod testing;
mod timeout;
mod wait_list;
mod warn_slow_poll;
mod watchdog;
mod worker_pool;

pub use background::{Logged, spawn_logged};
pub use batched::batched;
pub use blocking_stream::{BlockingSender, BlockingStream, ConsumerGone, blocking_stream};
pub use cache::{Cache, CacheBuilder, RemovalCause, Stats, async_cached, coalesce};
pub use cancellable::cancellable;
pub use checkpoint::checkpoint;
pub use circuit_breaker::{CircuitBreaker, CircuitState, circuit_breaker};
pub use concurrency_limit::{ConcurrencyLimiter, concurrency_limit};
pub use deadline::remaining;
pub use drain::{Drained, drain, drain_all};
pub use error::{Error, ErrorKind};
pub use exit::Exit;
pub use fallback::fallback;
pub use finally::finally;
pub use gather::{gather, gather_local, try_gather, try_gather_local};
pub use hedge::hedge;
pub use offload::{BlockingPool, offload, offload_blocking};
pub use rate_limit::{RateLimiter, rate_limit};
#[cfg(feature = "registry")]
pub use registry::registry;
pub use report::{Report, ReportKind, on_report};
pub use resource::{Released, with_resource};
pub use retry::{RetryBudget, RetryEvent, retry};
pub use shield::shield;
pub use task_group::{Child, TaskGroup, task_group};
pub use timeout::timeout;
pub use warn_slow_poll::warn_slow_poll;
pub use watchdog::{Watchdog, WatchdogBuilder};
pub use worker_pool::{Refused, ShutdownReport, WorkerPool};

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
        ::core::compile_error!("`pool = rayon` needs the feature `rayon` of steadfast: `cargo add steadfast --features rayon`")
    };
}

/// What expansions call. Not a public interface: it changes in any release, together with the attributes.
#[doc(hidden)]
pub mod __private {
    /// Named by every expansion, by the version of the attributes that wrote it: those of another version are an error, and do not use what
    /// has only the same name here.
    pub const fn version_0_1() {}

    pub use crate::ask::Met;
    pub use crate::events::{Origin, refused};
    pub use crate::outcome::{Judged, Refusal, Verdict, count, factor, panic_with, refuse_with};

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
    pub use crate::offload::private as offload;
    pub use crate::rate_limit::private as rate_limit;
    #[cfg(feature = "registry")]
    pub use crate::registry;
    pub use crate::retry::private as retry;
    pub use crate::shield::private as shield;
    pub use crate::timeout::private as timeout;
    pub use crate::warn_slow_poll::private as warn_slow_poll;

    pub mod policy {
        pub use crate::policy::Slot;
    }

    pub mod stack {
        pub use crate::stack::{Body, Polled, made};
    }
}
