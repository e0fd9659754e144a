//! `#[hedge]`: starts another attempt when the first is slow or fails.

mod latencies;
mod race;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::hedge;

#[doc(hidden)]
pub mod private {
    pub use super::latencies::{Instances, Latencies};
    pub use super::race::{Next, Race, Step};
    use tokio::time::Instant;

    /// The start time of a call, for a percentile.
    #[must_use]
    pub fn clock() -> Instant {
        Instant::now()
    }

    /// Used if an outcome cannot be a failure.
    pub fn never_fails<R>(_: &R) -> bool {
        false
    }
}
