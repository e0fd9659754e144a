//! Time stamps of a cache, in one word.

use std::time::Duration;

use crate::clock;

/// A point in time: half the size of an `Instant`, and usable in an atomic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    /// No time stamp is earlier.
    pub(crate) const START: Self = Self(0);

    /// The expiry of entries that never expire.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    #[inline]
    pub(crate) fn now() -> Self {
        Self(clock::now())
    }

    /// Saturates at `NEVER`.
    #[inline]
    pub(crate) fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(clock::nanos(time)))
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_times_are_for_ever() {
        assert_eq!(Timestamp::now().plus(Duration::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::NEVER.plus(Duration::from_secs(1)), Timestamp::NEVER);
        assert!(Timestamp::now().plus(Duration::from_secs(1)) < Timestamp::NEVER);
    }
}
