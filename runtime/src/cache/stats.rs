//! Statistics and the counters behind them.

use crate::stripe;

/// Cache statistics; a snapshot that is not atomic across counters.
///
/// When no call is running, `hits + misses` is the number of calls, and `loads + coalesced` the number of misses. Calls that were
/// dropped count too, and so does each key of [`get_many`](crate::Cache::get_many), which loads nothing; a call that is rejected because it would wait for itself (recursion) does not.
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
    /// Calls answered from the cache, remembered failures included.
    pub hits: u64,
    /// Calls not answered from the cache. Those of [`get_many`](crate::Cache::get_many) start no load.
    pub misses: u64,
    /// Loads started by a miss.
    pub loads: u64,
    /// Loads started in the background by a hit (`stale_while_revalidate`, `refresh_ahead`).
    pub refreshes: u64,
    /// Loads that did not return `Err`.
    pub load_successes: u64,
    /// Loads that returned `Err`.
    pub load_errors: u64,
    /// Misses that waited for another caller's load, until it ended or until they were dropped.
    pub coalesced: u64,
    /// Calls answered with a value past its ttl: hits within `stale_while_revalidate`, and misses within `stale_if_error` whose
    /// load, or the load they waited for, failed.
    pub stale_hits: u64,
    /// Entries removed to make room.
    pub evictions: u64,
    /// Entries removed because they had expired, including those replaced after that.
    pub expirations: u64,
    /// Values heavier than the whole capacity, which were not stored.
    pub oversized: u64,
}

/// The counters of one cache.
#[derive(Debug)]
pub(super) struct Counters(stripe::Counters<COUNTS>);

/// The counters; see [`Stats`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Hits,
    Misses,
    Loads,
    Refreshes,
    LoadSuccesses,
    LoadErrors,
    StaleHits,
    Evictions,
    Expirations,
    Oversized,
    /// Misses of `get_many`, which start no load.
    Absent,
}

const COUNTS: usize = Count::Absent as usize + 1;

impl Counters {
    pub(super) fn new() -> Self {
        Self(stripe::Counters::new())
    }

    #[inline]
    pub(super) fn add(&self, count: Count) {
        self.0.add(count as usize);
    }

    pub(super) fn snapshot(&self) -> Stats {
        let sum = |count| self.0.sum(count as usize);
        let (loads, misses, absent) = (sum(Count::Loads), sum(Count::Misses), sum(Count::Absent));
        Stats {
            hits: sum(Count::Hits),
            misses: misses + absent,
            loads,
            refreshes: sum(Count::Refreshes),
            load_successes: sum(Count::LoadSuccesses),
            load_errors: sum(Count::LoadErrors),
            // Each miss either starts a load or waits for one. A waiter that takes over becomes one that loads.
            coalesced: misses.saturating_sub(loads),
            stale_hits: sum(Count::StaleHits),
            evictions: sum(Count::Evictions),
            expirations: sum(Count::Expirations),
            oversized: sum(Count::Oversized),
        }
    }
}
