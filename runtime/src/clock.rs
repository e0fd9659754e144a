//! Points in time that fit an atomic: nanoseconds of tokio's clock.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// Whether somebody may pause the clock of a runtime: tokio's `pause` is there with `test-util`, ours or tokio's, and the latter cannot be
/// seen from here. Tests are built with debug assertions as a rule.
pub(crate) const MAY_BE_PAUSED: bool = cfg!(any(feature = "test-util", debug_assertions));

/// No point in time comes before it: a century in the past, or where the system cannot express that, as far as it can. A paused clock may
/// stand far behind the one that is looked at first, which a test may have advanced by days, but not behind the start of the process.
#[inline]
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(|| {
        let mut epoch = std::time::Instant::now();
        let mut back = CENTURY / 2;
        while !back.is_zero() {
            epoch = epoch.checked_sub(back).unwrap_or(epoch);
            back /= 2;
        }
        Instant::from_std(epoch)
    })
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The time now. A call more is nothing beside a look at the clock, and this is in many places.
#[inline(never)]
pub(crate) fn now() -> u64 {
    at(Instant::now())
}

/// The time that an instant is.
#[inline]
pub(crate) fn at(instant: Instant) -> u64 {
    nanos(instant.saturating_duration_since(epoch()))
}

/// The instant for a timer. What the clock cannot express is as good as never.
pub(crate) fn instant(at: u64) -> Instant {
    epoch().checked_add(Duration::from_nanos(at)).unwrap_or_else(|| Instant::now() + CENTURY / 4)
}

/// Whether the time of this runtime is not that of the world, because a test has paused it. Such a clock also moves on whenever nothing
/// but a timer is left, so that no timer may stay behind that nobody waits for.
pub(crate) fn is_virtual() -> bool {
    let before = std::time::Instant::now();
    let now = Instant::now().into_std();
    !(before..=std::time::Instant::now()).contains(&now)
}

/// The clock that a point in time is of. Paused ones have nothing to do with each other, nor with the time of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    /// `None`: it cannot be paused, or there is no runtime.
    runtime: Option<Id>,
    is_virtual: bool,
}

impl Clock {
    /// That of the running code.
    pub(crate) fn current() -> Self {
        if MAY_BE_PAUSED {
            Self { runtime: Handle::try_current().ok().map(|runtime| runtime.id()), is_virtual: is_virtual() }
        } else {
            Self { runtime: None, is_virtual: false }
        }
    }

    /// Whether this clock can tell whether a time of the other has come.
    pub(crate) fn agrees_with(self, other: Self) -> bool {
        self.runtime == other.runtime || !(self.is_virtual || other.is_virtual)
    }
}

/// A length of time; more than 584 years are cut off.
#[inline]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_and_saturates() {
        assert_eq!(nanos(Duration::from_millis(3)), 3_000_000);
        assert_eq!(nanos(Duration::MAX), u64::MAX);
        let now = now();
        assert!(now >= nanos(Duration::from_secs(86_000)));
        assert!(now < u64::MAX / 4, "there is room for what is to come");
        assert!(instant(now) <= Instant::now());
        assert!(instant(u64::MAX) > Instant::now());
    }
}
