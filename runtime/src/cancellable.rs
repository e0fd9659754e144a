//! `#[cancellable]`: a call that ends when a token says so.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::task::coop::{self, Unconstrained};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use crate::background::Logged;
use crate::report::{Report, ReportKind};
use crate::{Error, ErrorKind};

/// Ends a call when a [`CancellationToken`] is cancelled: drops the body, awaits a cleanup, and returns the cancellation as the function's
/// own error.
///
/// For what is to end before its caller does: at a shutdown, or when the request has gone that the work was for.
///
/// ```
/// use steadfast::cancellable;
/// use tokio_util::sync::CancellationToken;
/// # use std::cell::RefCell;
///
/// struct Upload {
///     parts: RefCell<Vec<u32>>,
/// }
///
/// impl Upload {
///     #[cancellable(token = shutdown, cleanup = self.abort())]
///     async fn send(&self, shutdown: &CancellationToken) -> Result<(), steadfast::Error> {
///         self.parts.borrow_mut().push(1);
///         std::future::pending().await // the next part
///     }
///
///     async fn abort(&self) {
///         self.parts.borrow_mut().clear();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (upload, shutdown) = (Upload { parts: RefCell::default() }, CancellationToken::new());
/// let (sent, ()) = tokio::join!(upload.send(&shutdown), async { shutdown.cancel() });
/// assert!(sent.unwrap_err().is_cancelled());
/// assert!(upload.parts.borrow().is_empty());
/// # }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `token = expr` | | a [`CancellationToken`], or what derefs to one, by value or by reference |
/// | `cleanup = expr` | none | a future, awaited where the token ended the call |
/// | `or_else = \|error\| value` | none | what to return then; required where the return type cannot carry the error |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// All of them may name the arguments and `self`. The cleanup is made and awaited by the caller, after the body and its locals have been
/// dropped. It ends with `()`, or with a `Result` whose error is `Display` and goes into a [`Report`](crate::Report), since the caller is
/// told of the cancellation. An argument that it names, and that is not a shared reference, is borrowed by the body instead of moved.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call | `token` |
/// | at each cancellation | `cleanup`, `or_else` |
///
/// Below a [`retry`](macro@crate::retry) or a [`hedge`](macro@crate::hedge), each attempt is a call.
///
/// # When it ends
///
/// Where the token is cancelled already when the call is first polled, the body never starts; `cleanup` runs then too. A body that
/// completes in the very poll in which the token is found cancelled has completed: its result is returned. Nothing that stands below
/// begins after the token was cancelled: no other attempt of a `retry`, no body that waited for its turn. A child token is cancelled with
/// its parent, as everywhere.
///
/// # Errors
///
/// An [`Error`] for which [`is_cancelled`](Error::is_cancelled) holds, in the function's own error type.
///
/// # Panics
///
/// It does not; a panic of `cleanup` reaches the caller.
///
/// # Cancel safety
///
/// Dropping the call drops the body, as without the attribute, and does not run `cleanup`: nobody is there to await it. What must be
/// released then too belongs in [`with_resource`](crate::with_resource). A call that is dropped while it awaits `cleanup` drops that.
/// A `timeout` above limits the cleanup as well.
///
/// Code that blocks its thread is not interrupted: the token is looked at where the body waits. In blocking code, look at
/// `token.is_cancelled()`.
pub use steadfast_macros::cancellable;

/// A token of the call's own.
#[inline]
pub fn token(token: &CancellationToken) -> CancellationToken {
    token.clone()
}

pin_project! {
    /// The end of everything that is awaited [`until`] it.
    pub struct Cancellation<'t> {
        token: &'t CancellationToken,
        // The token has just been looked at, and nothing has been awaited since.
        looked: bool,
        // Made once something is seen to wait.
        #[pin]
        wait: Option<Unconstrained<WaitForCancellationFuture<'t>>>,
    }
}

/// A token was cancelled.
#[derive(Debug)]
pub struct Cancelled(());

impl<'t> Cancellation<'t> {
    /// By this token.
    #[inline]
    #[must_use]
    pub fn new(token: &'t CancellationToken) -> Self {
        Self { token, looked: false, wait: None }
    }

    /// Whether it has come before anything began.
    #[inline]
    #[must_use]
    pub fn already(self: Pin<&mut Self>) -> Option<Cancelled> {
        let this = self.project();
        *this.looked = true;
        this.token.is_cancelled().then_some(Cancelled(()))
    }

    /// The same for something that is awaited later: the place that another call gave back, one more attempt.
    #[inline]
    fn before_start(self: Pin<&mut Self>) -> Option<Cancelled> {
        let this = self.project();
        let looked = std::mem::take(this.looked);
        (!looked && this.token.is_cancelled()).then_some(Cancelled(()))
    }

    fn poll_cancelled(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancelled> {
        let mut this = self.project();
        if this.wait.is_none() {
            // Unconstrained: a body that used up its task's budget must not keep its end from being seen.
            this.wait.set(Some(coop::unconstrained(this.token.cancelled())));
        }
        ready!(this.wait.as_pin_mut().expect("it was just made").poll(cx));
        Poll::Ready(Cancelled(()))
    }
}

impl Cancelled {
    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Cancelled, function)
    }
}

pin_project! {
    /// A future that a token may end.
    pub struct Until<'a, 't, F> {
        cancellation: Pin<&'a mut Cancellation<'t>>,
        started: bool,
        #[pin]
        future: F,
    }
}

/// Awaits `future` until the token is cancelled. Cancel safe where `future` is.
#[inline]
pub fn until<'a, 't, F: Future>(cancellation: Pin<&'a mut Cancellation<'t>>, future: F) -> Until<'a, 't, F> {
    Until { cancellation, started: false, future }
}

impl<F: Future> Future for Until<'_, '_, F> {
    type Output = Result<F::Output, Cancelled>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !std::mem::replace(this.started, true)
            && let Some(cancelled) = this.cancellation.as_mut().before_start()
        {
            return Poll::Ready(Err(cancelled));
        }
        // The future first: what has completed is not cancelled.
        match this.future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => this.cancellation.as_mut().poll_cancelled(cx).map(Err),
        }
    }
}

/// Reports a cleanup that failed. The caller is told of the cancellation, and not of that.
#[expect(clippy::needless_pass_by_value, reason = "an expansion has nowhere to keep it")]
pub fn cleaned(function: &'static str, outcome: impl Logged) {
    if let Some(error) = outcome.error() {
        Report::new(function, ReportKind::Error, format!("the cleanup after a cancellation: {error}")).send();
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::{Cancellation, Cancelled, Until, cleaned, token, until};

    crate::refuse::refusals! {
        "`#[cancellable]` can fail, and `{Self}` has no place for its error",
        "`#[cancellable]` can fail, and `{Self}` cannot be made of its error"
    }
}
