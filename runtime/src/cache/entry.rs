//! What the store keeps under a key.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Moment;
use super::lifetime::Times;

/// A failure that is kept or shared: the error of a `Result`, `()` for a `None`. Without its type, since a cache is named by the type of
/// its values only, and functions with different errors may share it.
pub(super) type Failure = Arc<dyn Any + Send + Sync>;

/// What a computation came to.
#[derive(Debug, Clone)]
pub enum Found<V> {
    Value(V),
    Failure(Failure),
}

#[derive(Debug, Clone)]
pub(super) struct Entry<V> {
    pub(super) found: Found<V>,
    pub(super) times: Times,
    /// `tti`: shared between the stored entry and the copies that are handed out, so that a look can note its time.
    pub(super) idle: Option<Arc<Idle>>,
}

/// How old an entry is when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Fresh, and worth computing anew.
    Ripe,
    /// No longer fresh, and still kept.
    Stale,
    Gone,
}

impl<V> Entry<V> {
    /// Whether no time bounds it: then nobody needs to look at a clock.
    #[inline]
    pub(super) fn is_eternal(&self) -> bool {
        self.times.keep == Moment::NEVER
            && self.times.fresh == Moment::NEVER
            && self.times.refresh == Moment::NEVER
            && self.idle.is_none()
    }

    #[inline]
    pub(super) fn age(&self, now: Moment) -> Age {
        if now >= self.end() {
            Age::Gone
        } else if now >= self.times.fresh {
            Age::Stale
        } else if now >= self.times.refresh {
            Age::Ripe
        } else {
            Age::Fresh
        }
    }

    /// The same, for a caller that takes stale values for no longer than `window`, or not at all.
    #[inline]
    pub(super) fn age_within(&self, now: Moment, window: Option<Duration>) -> Age {
        match self.age(now) {
            Age::Stale if window.is_none_or(|window| now >= self.times.fresh.plus(window)) => Age::Gone,
            age => age,
        }
    }

    /// When it leaves.
    pub(super) fn end(&self) -> Moment {
        self.idle.as_ref().map_or(self.times.keep, |idle| idle.end().min(self.times.keep))
    }

    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        matches!(self.age(now), Age::Fresh | Age::Ripe)
    }
}

/// When an entry was asked for.
#[derive(Debug)]
pub(super) struct Idle {
    limit: Duration,
    last: AtomicU64,
}

impl Idle {
    pub(super) fn new(limit: Duration, now: Moment) -> Arc<Self> {
        Arc::new(Self { limit, last: AtomicU64::new(now.to_bits()) })
    }

    #[inline]
    pub(super) fn touch(&self, now: Moment) {
        self.last.fetch_max(now.to_bits(), Ordering::Relaxed);
    }

    fn end(&self) -> Moment {
        Moment::from_bits(self.last.load(Ordering::Relaxed)).plus(self.limit)
    }
}
