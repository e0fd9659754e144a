//! Points in time that fit an atomic: nanoseconds of tokio's clock.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// No point in time comes before it. A day in the past, since a paused clock may stand behind the one that is asked first.
#[inline]
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(Duration::from_secs(86_400)).unwrap_or(now)
    })
}

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
    let epoch = epoch();
    epoch.checked_add(Duration::from_nanos(at)).unwrap_or_else(|| epoch + Duration::from_secs(u64::from(u32::MAX)))
}

/// Whether the time of this runtime is not that of the world, because a test has paused it. Such a clock also moves on whenever nothing
/// but a timer is left, so that no timer may stay behind that nobody waits for.
pub(crate) fn is_virtual() -> bool {
    let before = std::time::Instant::now();
    let now = Instant::now().into_std();
    !(before..=std::time::Instant::now()).contains(&now)
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
        assert!(instant(now) <= Instant::now());
        assert!(instant(u64::MAX) > Instant::now());
    }
}
