//! Counters that threads do not fight over.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::stripe::{self, STRIPES};

/// What the cached calls met so far: a snapshot, taken counter by counter.
///
/// Once no call is under way, `hits + misses` is the number of calls, and `loads + coalesced` the number of misses.
///
/// ```
/// use steadfast::async_cached;
///
/// #[async_cached(handle = squares)]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// square(3).await;
/// square(3).await;
/// let stats = squares().stats();
/// assert_eq!((stats.hits, stats.misses, stats.loads), (1, 1, 1));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that were answered from the cache, remembered failures included.
    pub hits: u64,
    /// Calls that were not.
    pub misses: u64,
    /// Bodies that were started by a miss.
    pub loads: u64,
    /// Bodies that were started in the background, by a hit (`stale_while_revalidate`, `refresh_ahead`).
    pub refreshes: u64,
    /// Bodies that returned an `Err`.
    pub load_errors: u64,
    /// Misses that were answered by the body of another caller.
    pub coalesced: u64,
    /// Calls that were answered with a value past its ttl: hits within `stale_while_revalidate`, and misses whose body failed within
    /// `stale_if_error`.
    pub stale_hits: u64,
    /// Entries that left to make room.
    pub evictions: u64,
    /// Entries that left because their time was over.
    pub expirations: u64,
    /// Values that were heavier than the whole capacity, and not stored.
    pub oversized: u64,
}

/// A counter in parts, one for a few threads: adding to one does not take the others' cache line.
#[derive(Debug, Default)]
pub(super) struct Counter {
    stripes: [Stripe; STRIPES],
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl Counter {
    #[inline]
    pub(super) fn add(&self, n: u64) {
        self.stripes[stripe::mine()].0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes back what was added, perhaps on another thread: a stripe may go below zero, their sum does not.
    pub(super) fn take_back(&self, n: u64) {
        self.stripes[stripe::mine()].0.fetch_sub(n, Ordering::Relaxed);
    }

    pub(super) fn sum(&self) -> u64 {
        self.stripes.iter().fold(0, |sum, stripe| sum.wrapping_add(stripe.0.load(Ordering::Relaxed)))
    }
}

/// The counters of one cache.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) loads: Counter,
    pub(super) refreshes: Counter,
    pub(super) load_errors: Counter,
    pub(super) coalesced: Counter,
    pub(super) stale_hits: Counter,
    pub(super) evictions: Counter,
    pub(super) expirations: Counter,
    pub(super) oversized: Counter,
}

impl Counters {
    pub(super) fn snapshot(&self) -> Stats {
        Stats {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            loads: self.loads.sum(),
            refreshes: self.refreshes.sum(),
            load_errors: self.load_errors.sum(),
            coalesced: self.coalesced.sum(),
            stale_hits: self.stale_hits.sum(),
            evictions: self.evictions.sum(),
            expirations: self.expirations.sum(),
            oversized: self.oversized.sum(),
        }
    }
}
