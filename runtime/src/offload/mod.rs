//! `#[offload_blocking]`: blocking functions on a thread pool.

pub(crate) mod clock_hold;
mod executor;
pub(crate) mod job;
mod job_limit;
mod pool;

use crate::events::{Origin, rejected};
use crate::outcome::panic_with;

pub use pool::BlockingPool;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::offload_blocking;

/// Runs a blocking closure on Tokio's blocking pool: [`macro@offload_blocking`] for a closure instead of a function.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use steadfast::offload;
///
/// let bytes = vec![1_u8, 2, 3];
/// let sum = offload(move || bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>()).await;
/// assert_eq!(sum, 6);
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropped before the job has started, the job never runs, and is dropped at once. A job that has started cannot be stopped: it runs to
/// completion on its thread, where its result is dropped. A paused clock waits for it.
///
/// # Panics
///
/// A panic of the job is resumed in the caller, with its payload. Panics outside of a Tokio runtime, and if the runtime shuts down before the job
/// has started.
#[doc(alias("spawn_blocking", "to_thread"))]
pub async fn offload<R: Send + 'static>(job: impl FnOnce() -> R + Send + 'static) -> R {
    let offloaded = executor::run(executor::Tokio, std::future::ready(()), job).await;
    offloaded.unwrap_or_else(|gone| {
        const ORIGIN: Origin = Origin { function: "offload", module: "steadfast" };
        panic_with(rejected(&ORIGIN, gone.error("offload"), false))
    })
}

#[doc(hidden)]
pub mod private {
    #[cfg(feature = "rayon")]
    pub use super::executor::Rayon;
    pub use super::executor::{Executor, Tokio, assert_send, assert_send_of, run};
    pub use super::job_limit::JobLimit;
}
