//! `#[offload_blocking]`: blocking functions on a pool of threads.

pub(crate) mod clock;
mod gate;
pub(crate) mod job;
mod pool;

pub use pool::BlockingPool;

/// Makes a blocking `fn` an `async fn` that runs on a thread pool.
///
/// ```
/// use steadfast::{BlockingPool, offload_blocking};
///
/// #[offload_blocking(limit = 4)] // no more than four at once
/// fn checksum(bytes: Vec<u8>) -> u64 {
///     bytes.iter().map(|&byte| u64::from(byte)).sum()
/// }
///
/// static DISK: BlockingPool = BlockingPool::new("disk", 2);
///
/// #[offload_blocking(pool = DISK)]
/// fn size(path: std::path::PathBuf) -> std::io::Result<u64> {
///     Ok(std::fs::metadata(path)?.len())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(checksum(vec![1, 2, 3]).await, 6);
/// assert!(size("no such file".into()).await.is_err());
/// # }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `limit = n` | none | how many bodies of this function run at once; other calls wait, first come first served |
/// | `pool = rayon \| expr` | tokio's | rayon's global pool, for computations (feature `rayon`); or a [`BlockingPool`] of your own. The default is tokio's blocking pool, which suits blocking I/O |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// `limit` is a number of any integer type. It holds for all callers of the function, all instances of a type, and all instantiations of a
/// generic function, and is read once, at the first call: it cannot depend on an argument, on `self`, or on a type or const parameter, which
/// is an error. (In an `impl` with parameters of its own, a limit such as `Self::LIMIT` is that of the type that is called first.) A body
/// that has started keeps its permit until it ends, also when its caller is gone. `pool` is evaluated at each call and may depend on the
/// arguments.
///
/// Arguments are taken by value and are `Send + 'static`, as is the result. A method takes `self: Arc<Self>` (or `self`).
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | once, at the first call | `limit` |
/// | at each call | `pool` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # Errors
///
/// Where the runtime or the pool shuts down before the body has started, the return type carries an [`Error`](crate::Error) for which
/// [`is_shutdown`](crate::Error::is_shutdown) holds, if it can.
///
/// # Cancel safety
///
/// A call that is dropped before its body has started never runs it, and its arguments are dropped with it, however long it would have
/// had to wait for a thread. A body that has started cannot be stopped: it runs to its end on its thread, and its result is dropped there.
///
/// A call that waits for its turn and is not polled when that comes loses it after 100 ms to the next that is polled, as with
/// [`concurrency_limit`](macro@crate::concurrency_limit#cancel-safety).
///
/// # Panics
///
/// A panic of the body is resumed in the caller, with its payload. A shutdown panics where the return type carries no error.
/// Outside of a tokio runtime, a call without a `pool` of its own panics, and so does one that waits for its turn in a runtime whose timers are
/// not enabled. Where nobody waits any more, a panic (of the body, or of the
/// destructor of its result) is told by the panic hook and costs no thread.
///
/// # Paused clock
///
/// Bodies run in real time. A paused clock (`tokio::time::pause`) waits for every job that runs or waits for a thread, on whichever pool: no
/// timer fires meanwhile, so that a deadline above does not overtake the work. With a `pool` that takes this crate's feature `test-util`.
/// A body that itself waits for a timer would then wait for ever.
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
