//! The attributes, one per file: its options, its checks, and its layer of the expansion. What several of them share is in `parse`, `item`
//! and `codegen`.

pub(crate) mod async_cached;
pub(crate) mod batched;
pub(crate) mod cancellable;
pub(crate) mod circuit_breaker;
pub(crate) mod coalesce;
pub(crate) mod concurrency_limit;
pub(crate) mod fallback;
pub(crate) mod finally;
pub(crate) mod hedge;
pub(crate) mod invalidates;
pub(crate) mod offload_blocking;
pub(crate) mod rate_limit;
pub(crate) mod retry;
pub(crate) mod shield;
pub(crate) mod timeout;
pub(crate) mod warn_slow_poll;
