//! The header `grpc-timeout`: how long the caller waits, as gRPC over HTTP/2 writes it. The protocol allows at most eight digits, and one
//! letter for the unit.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

pub(crate) const NAME: &str = "grpc-timeout";

/// The units, the finest first, with the nanoseconds in one of each.
const UNITS: [(char, u128); 6] =
    [('n', 1), ('u', 1_000), ('m', 1_000_000), ('S', 1_000_000_000), ('M', 60_000_000_000), ('H', 3_600_000_000_000)];

const MOST: u128 = 99_999_999;

/// In the finest unit that fits, rounded down so as not to promise more time than there is.
pub(crate) fn format(left: Duration) -> String {
    let nanos = left.as_nanos();
    let fits = UNITS.iter().find(|(_, unit)| nanos / unit <= MOST);
    match fits {
        Some((letter, unit)) => format!("{}{letter}", nanos / unit),
        None => format!("{MOST}H"),
    }
}

/// `None` if the text does not follow the protocol.
pub(crate) fn parse(value: &str) -> Option<Duration> {
    let (digits, letter) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let (_, unit) = UNITS.iter().find(|(known, _)| letter == known.encode_utf8(&mut [0; 4]))?;
    let written = (1..=8).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let nanos = written.then(|| digits.parse::<u128>().ok())?? * unit;
    Some(Duration::new(u64::try_from(nanos / 1_000_000_000).ok()?, u32::try_from(nanos % 1_000_000_000).ok()?))
}

/// How long the caller of a handler waits. Without the header, the handler decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(pub(crate) Duration);

impl Patience {
    const UNSAID: Self = Self(Duration::from_secs(10));
}

impl<S: Sync> FromRequestParts<S> for Patience {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(value) = parts.headers.get(NAME) else { return Ok(Self::UNSAID) };
        let parsed = value.to_str().ok().and_then(parse);
        parsed.map(Self).ok_or((StatusCode::BAD_REQUEST, "`grpc-timeout` is not understood"))
    }
}
