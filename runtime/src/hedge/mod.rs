//! `#[hedge]`: a second attempt beside one that takes long.

mod latencies;
mod race;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::hedge;

#[doc(hidden)]
pub mod private {
    pub use super::latencies::Instances;
    pub use super::race::{Next, Race, Step};
    use tokio::time::Instant;

    /// A clock for a percentile.
    #[must_use]
    pub fn clock() -> Instant {
        Instant::now()
    }

    /// What is never a failure.
    pub fn never<R>(_: &R) -> bool {
        false
    }
}
