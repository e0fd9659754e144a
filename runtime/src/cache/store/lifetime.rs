//! How long a value is fresh, how long it may be served after that, and when it is removed.

use std::time::Duration;

use super::timestamp::Timestamp;

/// The lifetime of each kind of result, as set by the options of a function or the builder of a cache. `None`: not set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lifetime {
    ttl: Option<Duration>,
    jitter: Option<Duration>,
    idle: Option<Duration>,
    error: Option<Duration>,
    none: Option<Duration>,
    revalidate: Option<Duration>,
    on_error: Option<Duration>,
    ahead: Option<f64>,
    /// Whether this result is not stored (`store_if`).
    discarded: bool,
}

/// One setter per option.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $ty:ty => $field:ident;)*) => {$(
        $(#[$doc])*
        #[inline]
        #[must_use]
        pub const fn $name(mut self, $field: $ty) -> Self {
            self.$field = Some($field);
            self
        }
    )*};
}

impl Lifetime {
    /// Nothing set.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ttl: None,
            jitter: None,
            idle: None,
            error: None,
            none: None,
            revalidate: None,
            on_error: None,
            ahead: None,
            discarded: false,
        }
    }

    setters! {
        /// How long a value is fresh.
        ttl: Duration => ttl;
        /// The maximum of the random duration added to the ttl.
        ttl_jitter: Duration => jitter;
        /// Time to idle: how long a value stays without being accessed.
        tti: Duration => idle;
        /// How long an error is remembered.
        error_ttl: Duration => error;
        /// How long a `None` is remembered.
        none_ttl: Duration => none;
        /// How long after its ttl a value is served while a background refresh runs.
        stale_while_revalidate: Duration => revalidate;
        /// How long after its ttl a value is served if recomputing it fails.
        stale_if_error: Duration => on_error;
    }

    /// The fraction of the ttl after which a value is refreshed in the background. 1 and NaN disable it.
    ///
    /// # Panics
    ///
    /// If `share` is 0 or less, or above 1.
    #[inline]
    #[must_use]
    pub const fn refresh_ahead(mut self, share: f64) -> Self {
        // NaN is the ratio of two settings that are both 0, which is no reason to make calls fail.
        assert!(
            share.is_nan() || (share > 0.0 && share <= 1.0),
            "`refresh_ahead` must be a fraction of the ttl: greater than 0 and at most 1"
        );
        self.ahead = Some(share);
        self
    }

    /// Sets a ttl computed for a single value, if there is one.
    #[inline]
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.ttl = ttl;
        self
    }

    /// Whether the value is stored (`store_if`).
    #[inline]
    #[must_use]
    pub const fn stored(mut self, stored: bool) -> Self {
        self.discarded = !stored;
        self
    }

    /// Fills in what is not set from the cache's lifetime.
    pub(crate) fn or(self, cache: Self) -> Self {
        Self {
            ttl: self.ttl.or(cache.ttl),
            jitter: self.jitter.or(cache.jitter),
            idle: self.idle.or(cache.idle),
            error: self.error.or(cache.error),
            none: self.none.or(cache.none),
            revalidate: self.revalidate.or(cache.revalidate),
            on_error: self.on_error.or(cache.on_error),
            ahead: self.ahead.or(cache.ahead),
            discarded: self.discarded,
        }
    }

    /// Whether a hit may start a background refresh.
    pub(crate) fn refreshes(&self) -> bool {
        self.revalidate.is_some() || self.ahead.is_some()
    }

    pub(crate) fn is_discarded(&self) -> bool {
        self.discarded
    }

    pub(crate) fn of_value(&self) -> Option<Duration> {
        self.ttl
    }

    pub(crate) fn of_error(&self) -> Option<Duration> {
        self.error
    }

    pub(crate) fn of_none(&self) -> Option<Duration> {
        self.none
    }

    pub(crate) fn idle(&self) -> Option<Duration> {
        self.idle
    }

    pub(crate) fn revalidate(&self) -> Option<Duration> {
        self.revalidate
    }

    pub(crate) fn on_error(&self) -> Option<Duration> {
        self.on_error
    }

    /// The times of a value stored at `now`.
    pub(crate) fn times(&self, now: Timestamp) -> Times {
        let Some(ttl) = self.ttl else { return Times::ETERNAL };
        let jitter = self.jitter.unwrap_or_default();
        let jitter = if jitter.is_zero() { jitter } else { jitter.mul_f64(fastrand::f64()) };
        let ttl = ttl.saturating_add(jitter);
        let fresh = now.plus(ttl);
        let stale = self.revalidate.max(self.on_error).unwrap_or_default();
        // False for NaN, too. Excludes 1 because the longest ttl multiplied by 1.0 overflows a `Duration`.
        let ahead = self.ahead.filter(|share| *share < 1.0);
        let refresh = ahead.map_or(Timestamp::NEVER, |share| now.plus(ttl.mul_f64(share)));
        Times { fresh, keep: fresh.plus(stale), refresh }
    }
}

/// The times of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// Until when it is fresh.
    pub(crate) fresh: Timestamp,
    /// Until when it may be served.
    pub(crate) keep: Timestamp,
    /// From when a hit starts a background refresh.
    pub(crate) refresh: Timestamp,
}

impl Times {
    pub(crate) const ETERNAL: Self = Self { fresh: Timestamp::NEVER, keep: Timestamp::NEVER, refresh: Timestamp::NEVER };

    /// For a failure, which has no stale window.
    pub(crate) fn until(end: Timestamp) -> Self {
        Self { fresh: end, keep: end, refresh: Timestamp::NEVER }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn jitter_stays_in_its_range_and_spreads() {
        let now = Timestamp::now();
        let lifetime = Lifetime::new().ttl(10 * SECOND).ttl_jitter(5 * SECOND);
        let ends: Vec<Timestamp> = (0..1_000).map(|_| lifetime.times(now).fresh).collect();
        assert!(ends.iter().all(|end| (now.plus(10 * SECOND)..=now.plus(15 * SECOND)).contains(end)));
        let late = ends.iter().filter(|end| **end > now.plus(SECOND * 25 / 2)).count();
        assert!((300..700).contains(&late), "{late} of 1000 in the later half");
    }

    #[test]
    fn windows_begin_where_the_ttl_ends() {
        let now = Timestamp::now();
        let times = Lifetime::new().ttl(SECOND).stale_while_revalidate(2 * SECOND).stale_if_error(5 * SECOND).times(now);
        assert_eq!((times.fresh, times.keep), (now.plus(SECOND), now.plus(6 * SECOND)));
    }

    #[test]
    fn huge_times_do_not_overflow() {
        let now = Timestamp::now();
        for share in [f64::MIN_POSITIVE, 0.5, 1.0_f64.next_down()] {
            for ttl in [Duration::ZERO, Duration::from_nanos(1), SECOND, Duration::MAX] {
                let huge = Lifetime::new()
                    .ttl(ttl)
                    .ttl_jitter(Duration::MAX)
                    .stale_if_error(Duration::MAX)
                    .refresh_ahead(share)
                    .times(now);
                assert!(now <= huge.refresh && huge.refresh <= huge.fresh && huge.keep == Timestamp::NEVER);
            }
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for share in [0.0, 80.0, -0.5, f64::INFINITY] {
            assert!(std::panic::catch_unwind(|| Lifetime::new().refresh_ahead(share)).is_err(), "{share}");
        }
        for share in [1.0, f64::NAN] {
            let times = Lifetime::new().ttl(Duration::MAX).refresh_ahead(share).times(Timestamp::now());
            assert_eq!(times.refresh, Timestamp::NEVER, "{share}");
        }
    }
}
