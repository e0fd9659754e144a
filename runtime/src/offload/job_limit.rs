//! `limit`: the number of concurrent bodies of a function.

use std::sync::OnceLock;

use crate::concurrency_limit::{ConcurrencyLimiter, Permit, TryAcquire};

/// The permits of one function. A job owns its permit, so that a dropped caller does not release the permit of a body that still runs.
#[derive(Debug)]
pub struct JobLimit(OnceLock<ConcurrencyLimiter>);

impl JobLimit {
    /// No permits yet: the limit is an expression, evaluated at the first call.
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Waits for a permit, in FIFO order. Cancel safe.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub async fn acquire(&'static self, limit: impl FnOnce() -> usize) -> Permit<'static> {
        let permits = self.0.get_or_init(|| {
            let limit = limit();
            assert!(limit > 0, "`limit` of `#[offload_blocking]` must be at least 1");
            ConcurrencyLimiter::new(limit)
        });
        match permits.permit_or_wait(u32::MAX) {
            TryAcquire::Now(permit) => permit,
            TryAcquire::Queued(waiting) => waiting.await,
            TryAcquire::Full => unreachable!("the number of waiting calls is unlimited"),
        }
    }
}
