//! Points in time that fit into an atomic: nanoseconds of Tokio's clock since a fixed epoch.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// Whether a runtime's clock might be paused. Tokio's `pause` exists if `test-util` is enabled, here or in Tokio itself, and the
/// latter cannot be detected from this crate; `debug_assertions` stands for it, because tests are normally built with them.
pub(crate) const MAY_BE_PAUSED: bool = cfg!(any(feature = "test-util", debug_assertions));

/// The origin of the time line: a century before the first call, or as far back as the system clock can express. A paused clock may
/// be far behind the clock that calls this first (which a test may have advanced by days), but never before the start of the
/// process.
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

/// The current time. Not inlined: the clock read dwarfs the cost of a call, and there are many call sites.
#[inline(never)]
pub(crate) fn now() -> u64 {
    at(Instant::now())
}

/// Converts an instant to nanoseconds since the epoch.
#[inline]
pub(crate) fn at(instant: Instant) -> u64 {
    nanos(instant.saturating_duration_since(epoch()))
}

/// The inverse of [`at`], for setting a timer. A time that the clock cannot express becomes one 25 years away, that is, never.
pub(crate) fn instant(at: u64) -> Instant {
    epoch().checked_add(Duration::from_nanos(at)).unwrap_or_else(|| Instant::now() + CENTURY / 4)
}

/// Whether this runtime's clock differs from real time because a test has paused it. A paused clock also advances to the next timer
/// whenever the runtime is idle, so no timer may be left behind that nothing waits for.
pub(crate) fn is_virtual() -> bool {
    let before = std::time::Instant::now();
    let now = Instant::now().into_std();
    !(before..=std::time::Instant::now()).contains(&now)
}

/// Identifies the clock that a point in time belongs to. Paused clocks are unrelated to each other and to real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    /// `None` if the clock cannot be paused or there is no runtime.
    runtime: Option<Id>,
    is_virtual: bool,
}

impl Clock {
    /// The clock of the running code.
    pub(crate) fn current() -> Self {
        if MAY_BE_PAUSED {
            Self { runtime: Handle::try_current().ok().map(|runtime| runtime.id()), is_virtual: is_virtual() }
        } else {
            Self { runtime: None, is_virtual: false }
        }
    }

    /// Whether a time measured by the other clock can be compared with this one.
    pub(crate) fn agrees_with(self, other: Self) -> bool {
        self.runtime == other.runtime || !(self.is_virtual || other.is_virtual)
    }
}

/// A duration in nanoseconds, saturating at 584 years.
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
        assert!(now < u64::MAX / 4, "there is room for future points in time");
        assert!(instant(now) <= Instant::now());
        assert!(instant(u64::MAX) > Instant::now());
    }
}
