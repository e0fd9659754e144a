//! The time of a cache, in one word.

use std::time::Duration;

use tokio::time::Instant;

/// Counts nanoseconds from the making of the cache: half the size of an `Instant`, and atomic where it must be.
#[derive(Debug)]
pub(super) struct Clock {
    epoch: Instant,
}

/// A moment of a [`Clock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Clock {
    pub(super) fn new() -> Self {
        Self { epoch: Instant::now() }
    }

    #[inline]
    pub(super) fn now(&self) -> Moment {
        Moment(nanos(Instant::now().saturating_duration_since(self.epoch)))
    }
}

impl Moment {
    /// The end of what never ends.
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// A time beyond what the clock can say is for ever.
    #[inline]
    pub(super) fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(nanos(time)))
    }

    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

#[inline]
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_times_are_for_ever() {
        let clock = Clock::new();
        assert_eq!(clock.now().plus(Duration::MAX), Moment::NEVER);
        assert_eq!(Moment::NEVER.plus(Duration::from_secs(1)), Moment::NEVER);
        assert!(clock.now().plus(Duration::from_secs(1)) < Moment::NEVER);
    }
}
