//! Counters that threads do not fight over.

use crate::stripe;

/// What the cached calls met so far: a snapshot, taken counter by counter.
///
/// Once no call is under way, `hits + misses` is the number of calls, and `loads + coalesced` the number of misses. Calls that were given up
/// count as well; a call that is refused since it would wait for itself (recursion) does not.
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
    /// Bodies that returned something else than an `Err`.
    pub loaded: u64,
    /// Bodies that returned an `Err`.
    pub load_errors: u64,
    /// Misses that waited for the body of another caller, up to its end or until they were given up.
    pub coalesced: u64,
    /// Calls that were answered with a value past its ttl: hits within `stale_while_revalidate`, and misses within `stale_if_error` whose
    /// body failed, or that of the caller they waited for.
    pub stale_hits: u64,
    /// Entries that left to make room.
    pub evictions: u64,
    /// Entries that left because their time was over, also where another came in their place.
    pub expirations: u64,
    /// Values that were heavier than the whole capacity, and not stored.
    pub oversized: u64,
}

/// The counters of one cache.
#[derive(Debug)]
pub(super) struct Counters(stripe::Counters<COUNTS>);

/// What is counted: see [`Stats`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Hits,
    Misses,
    Loads,
    Refreshes,
    Loaded,
    LoadErrors,
    Coalesced,
    StaleHits,
    Evictions,
    Expirations,
    Oversized,
}

const COUNTS: usize = Count::Oversized as usize + 1;

impl Counters {
    pub(super) fn new() -> Self {
        Self(stripe::Counters::new())
    }

    #[inline]
    pub(super) fn add(&self, count: Count) {
        self.0.add(count as usize);
    }

    /// Takes back what was added.
    pub(super) fn take_back(&self, count: Count) {
        self.0.take_back(count as usize);
    }

    pub(super) fn snapshot(&self) -> Stats {
        let sum = |count| self.0.sum(count as usize);
        Stats {
            hits: sum(Count::Hits),
            misses: sum(Count::Misses),
            loads: sum(Count::Loads),
            refreshes: sum(Count::Refreshes),
            loaded: sum(Count::Loaded),
            load_errors: sum(Count::LoadErrors),
            coalesced: sum(Count::Coalesced),
            stale_hits: sum(Count::StaleHits),
            evictions: sum(Count::Evictions),
            expirations: sum(Count::Expirations),
            oversized: sum(Count::Oversized),
        }
    }
}
