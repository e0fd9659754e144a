//! `checkpoint`: where long work lets itself be cancelled.

use tokio::task::coop;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind};

/// A place in long work where it may be cancelled, and where it lets others run.
///
/// ```
/// use steadfast::checkpoint;
/// use tokio_util::sync::CancellationToken;
///
/// async fn index(documents: &[String], token: &CancellationToken) -> Result<usize, steadfast::Error> {
///     let mut words = 0;
///     for document in documents {
///         checkpoint(token).await?; // ends here once the token is cancelled
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
/// It yields to the runtime only when the task has used up its share of the thread, so that it may stand in a tight loop. In blocking
/// code, look at `token.is_cancelled()` instead.
///
/// # Errors
///
/// An [`Error`] for which [`is_cancelled`](Error::is_cancelled) holds, when the token has been cancelled, also while this yielded.
///
/// # Cancel safety
///
/// It holds nothing that could be lost.
pub async fn checkpoint(token: &CancellationToken) -> Result<(), Error> {
    if !token.is_cancelled() {
        coop::consume_budget().await;
    }
    if token.is_cancelled() { Err(Error::new(ErrorKind::Cancelled, "checkpoint")) } else { Ok(()) }
}
