//! `checkpoint`: a cancellation and yield point.

use tokio::task::coop;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind};

/// A cancellation and yield point for long-running work.
///
/// ```
/// use steadfast::checkpoint;
/// use tokio_util::sync::CancellationToken;
///
/// async fn index(
///     documents: &[String],
///     token: &CancellationToken,
/// ) -> Result<usize, steadfast::Error> {
///     let mut words = 0;
///     for document in documents {
///         checkpoint(token).await?; // returns here once the token is cancelled
///         words += document.split(' ').count();
///     }
///     Ok(words)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let token = CancellationToken::new();
/// let documents = ["to be".to_owned()];
/// assert_eq!(index(&documents, &token).await, Ok(2));
/// token.cancel();
/// assert!(index(&documents, &token).await.unwrap_err().is_cancelled());
/// # }
/// ```
///
/// It yields to the runtime only when the task has used up its budget, so it is cheap in a tight loop. In blocking code, check
/// `token.is_cancelled()` instead.
///
/// # Errors
///
/// An [`Error`] for which [`is_cancelled`](Error::is_cancelled) is true, if the token was cancelled, before the call or while it yielded.
///
/// # Cancel safety
///
/// Cancel safe: it holds no state.
pub async fn checkpoint(token: &CancellationToken) -> Result<(), Error> {
    if !token.is_cancelled() {
        coop::consume_budget().await;
    }
    if token.is_cancelled() { Err(Error::new(ErrorKind::Cancelled, "checkpoint")) } else { Ok(()) }
}
