//! Durations as people read them in messages.

use std::time::Duration;

/// Rounds a measured or remaining duration for a message: to three significant digits, or to whole seconds if that is finer. A limit
/// that the user has set is printed as it was set.
pub(crate) fn rounded(duration: Duration) -> Duration {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if seconds >= 100 {
        return Duration::from_secs(seconds.saturating_add(u64::from(nanos >= 500_000_000)));
    }
    let total = seconds * 1_000_000_000 + u64::from(nanos);
    let mut unit = 1;
    while total / unit >= 1_000 {
        unit *= 10;
    }
    Duration::from_nanos((total + unit / 2) / unit * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_three_digits_and_whole_seconds() {
        let text = |nanos| format!("{:?}", rounded(Duration::from_nanos(nanos)));
        let rounded: Vec<String> =
            [0, 7, 1_234, 999_499, 999_500, 12_345_678, 100_400_000, 1_500_000_000, 29_998_765_433].into_iter().map(text).collect();
        assert_eq!(rounded, ["0ns", "7ns", "1.23µs", "999µs", "1ms", "12.3ms", "100ms", "1.5s", "30s"]);
        assert_eq!([99_960_000_000, 100_400_000_000, 86_399_700_000_000].map(text), ["100s", "100s", "86400s"]);
        assert_eq!(super::rounded(Duration::MAX), Duration::from_secs(u64::MAX));
    }
}
