//! The header `Retry-After` (RFC 9110, section 10.2.3): when to retry, in whole seconds or as a date.

use std::time::{Duration, SystemTime};

/// In whole seconds, rounded up: a retry a moment too early would be rejected again.
pub(crate) fn format(wait: Duration) -> String {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).to_string()
}

/// How long to wait, at `now`. Zero for a date that has passed.
pub(crate) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok().map(|date| date.duration_since(now).unwrap_or_default()),
    }
}
