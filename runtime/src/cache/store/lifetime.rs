//! For how long a value is fresh, how long it may be served after that, and when it leaves.

use std::time::Duration;

use super::timestamp::Timestamp;

/// For how long each outcome is kept: what the options of a function, or the builder of a cache, say. `None`: nothing was said.
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
}

/// One setter an option.
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
    /// Nothing said.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { ttl: None, jitter: None, idle: None, error: None, none: None, revalidate: None, on_error: None, ahead: None }
    }

    setters! {
        /// How long a value is fresh.
        ttl: Duration => ttl;
        /// What is added to the ttl at random, at most.
        ttl_jitter: Duration => jitter;
        /// How long a value stays that nobody asks for.
        tti: Duration => idle;
        /// How long an error is remembered.
        error_ttl: Duration => error;
        /// How long a `None` is remembered.
        none_ttl: Duration => none;
        /// How long after its ttl a value is served while it is computed anew.
        stale_while_revalidate: Duration => revalidate;
        /// How long after its ttl a value is served where computing it anew fails.
        stale_if_error: Duration => on_error;
    }

    /// After which share of its ttl a value is computed anew in the background. 1 and NaN mean not before its end.
    ///
    /// # Panics
    ///
    /// If the share is 0 or less, or above 1.
    #[inline]
    #[must_use]
    pub const fn refresh_ahead(mut self, share: f64) -> Self {
        // NaN is what a ratio of two settings comes to where both are 0, which is no reason to fail calls.
        assert!(share.is_nan() || (share > 0.0 && share <= 1.0), "`refresh_ahead` is a share of the ttl: above 0 and below 1");
        self.ahead = Some(share);
        self
    }

    /// A ttl that is known only now, if there is one.
    #[inline]
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.ttl = ttl;
        self
    }

    /// What is not said here, as the cache has it.
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
        }
    }

    /// Whether hits may start a computation.
    pub(crate) fn refreshes(&self) -> bool {
        self.revalidate.is_some() || self.ahead.is_some()
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

    /// The times of a value that is stored now.
    pub(crate) fn times(&self, now: Timestamp) -> Times {
        let Some(ttl) = self.ttl else { return Times::ETERNAL };
        let jitter = self.jitter.unwrap_or_default();
        let jitter = if jitter.is_zero() { jitter } else { jitter.mul_f64(fastrand::f64()) };
        let ttl = ttl.saturating_add(jitter);
        let fresh = now.plus(ttl);
        let stale = self.revalidate.max(self.on_error).unwrap_or_default();
        // False of NaN, too. A longest ttl times 1 is more than a duration can be.
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
    /// Until when it may still be served.
    pub(crate) keep: Timestamp,
    /// From when on a hit starts to compute it anew.
    pub(crate) refresh: Timestamp,
}

impl Times {
    pub(crate) const ETERNAL: Self = Self { fresh: Timestamp::NEVER, keep: Timestamp::NEVER, refresh: Timestamp::NEVER };

    /// Of a failure: no more than fresh.
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
