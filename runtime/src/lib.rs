//! Attributes that give a function caching, deadlines, retries and a thread pool in one readable line.
//!
//! ```
//! use steadfast::{async_cached, offload_blocking, retry, timeout};
//! # #[derive(Clone, Copy, PartialEq, Eq, Hash)] pub struct UserId(u64);
//! # #[derive(Clone, Debug)] pub struct User;
//! # #[derive(Clone, Debug)] pub enum AppError { Steadfast(steadfast::Error) }
//! # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Steadfast(e) } }
//! # impl AppError { fn is_transient(&self) -> bool { true } }
//! # pub struct Db;
//! # impl Db { async fn fetch(&self, _: UserId) -> Result<User, AppError> { Ok(User) } }
//!
//! #[async_cached(ttl = 60s, skip(db), handle = user_cache)] // outermost: a hit runs nothing below
//! #[timeout(2s)] // the whole of what is below
//! #[retry(attempts = 3, delay = 50ms, when = |e| e.is_transient())]
//! #[timeout(500ms)] // each attempt
//! async fn user(db: &Db, id: UserId) -> Result<User, AppError> {
//!     db.fetch(id).await
//! }
//!
//! #[offload_blocking(limit = 4)]
//! fn digest(bytes: Vec<u8>) -> u64 {
//!     bytes.iter().map(|&byte| u64::from(byte)).sum()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), AppError> {
//! user(&Db, UserId(7)).await?;
//! user_cache().invalidate(&UserId(7)); // keyed as the function is called
//! assert_eq!(digest(vec![1, 2, 3]).await, 6);
//! # Ok(()) }
//! ```
//!
//! The function stays what it was: same signature, same `?`, same types. All attributes of this crate that stand on one function
//! become one body, in the order in which they are written: the topmost is the outermost.
//!
//! | attribute | what it does |
//! | --- | --- |
//! | [`macro@timeout`] | drops the work at a deadline |
//! | [`macro@retry`] | runs the body again while it fails, with backoff and jitter |
//! | [`async_cached`] | keeps results, and lets one caller compute while the others wait |
//! | [`offload_blocking`] | runs a blocking function on a thread pool |
//!
//! # Errors
//!
//! What the library itself reports is [`Error`]. A function that returns `Result<T, E>` carries it when `E: From<steadfast::Error>`
//! (`std::io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>` do so as they are); an `Option` becomes `None`; any other
//! return type needs `or_else = |error| value`.
//!
//! # Features
//!
//! - `rayon`: `#[offload_blocking(pool = rayon)]`.

#![forbid(unsafe_code)]

mod error;
mod outcome;
mod stack;

pub mod cache;
pub mod offload;
pub mod retry;
mod timeout;

pub use cache::{Cache, Stats, async_cached};
pub use error::{Error, ErrorKind};
pub use offload::{BlockingPool, offload_blocking};
pub use retry::{RetryEvent, retry};
pub use timeout::timeout;

/// `pool = rayon`, which the expansion cannot know to be there.
#[cfg(feature = "rayon")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_rayon {
    () => {
        $crate::__private::offload::Rayon
    };
}

/// `pool = rayon`, without the feature.
#[cfg(not(feature = "rayon"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_rayon {
    () => {
        ::core::compile_error!("`pool = rayon` needs the feature `rayon` of steadfast: `cargo add steadfast --features rayon`")
    };
}

/// What expansions call. Not a public interface: it changes in any release, together with the attributes.
#[doc(hidden)]
pub mod __private {
    pub use crate::outcome::{Attempted, Refusal, Refuse, count, panic_with, refuse_with};

    pub use crate::cache::private as cache;
    pub use crate::offload::private as offload;
    pub use crate::retry::private as retry;
    pub use crate::timeout::private as timeout;

    pub mod stack {
        pub use crate::stack::Body;
    }
}
