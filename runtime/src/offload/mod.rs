//! `#[offload_blocking]`: blocking functions on a pool of threads.

pub(crate) mod clock;
mod gate;
pub(crate) mod job;
mod pool;

pub use pool::BlockingPool;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::offload_blocking;

/// Runs one piece of blocking code on tokio's blocking pool: [`macro@offload_blocking`] for a block instead of a function.
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
/// Dropped before the job has started, it never runs, and is dropped at once. A job that has started cannot be stopped: it runs to its
/// end on its thread, and its result is dropped there. A paused clock waits for it.
///
/// # Panics
///
/// A panic of the job is resumed in the caller, with its payload. Panics outside of a tokio runtime, and where the runtime shuts down
/// before the job has started.
#[doc(alias("spawn_blocking", "to_thread"))]
pub async fn offload<R: Send + 'static>(job: impl FnOnce() -> R + Send + 'static) -> R {
    let offloaded = job::run(job::Tokio, std::future::ready(()), job).await;
    offloaded.unwrap_or_else(|gone| {
        const ORIGIN: crate::events::Origin = crate::events::Origin { function: "offload", module: "steadfast" };
        crate::outcome::panic_with(crate::events::refused(&ORIGIN, gone.error("offload"), false))
    })
}

#[doc(hidden)]
pub mod private {
    pub use super::gate::Gate;
    #[cfg(feature = "rayon")]
    pub use super::job::Rayon;
    pub use super::job::{Executor, Tokio, ask_send, ask_send_of, run};
    use crate::{Error, ErrorKind};

    /// The pool is gone.
    #[derive(Debug)]
    pub struct Gone;

    impl Gone {
        /// The error that says so for `function`.
        #[cold]
        #[must_use]
        pub fn error(self, function: &'static str) -> Error {
            Error::new(ErrorKind::Shutdown, function)
        }
    }
}
