//! `#[cancellable]`: a call that ends when a token is cancelled.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::task::coop::{self, Unconstrained};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use crate::background::Logged;
use crate::error::{Error, ErrorKind};
use crate::report::{Report, ReportKind};

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::cancellable;

/// A token of the call's own.
#[inline]
pub fn token(token: &CancellationToken) -> CancellationToken {
    token.clone()
}

pin_project! {
    /// The cancellation of everything that is awaited [`until`] it.
    pub struct Cancellation<'t> {
        token: &'t CancellationToken,
        // The token has just been checked, and nothing has been awaited since.
        looked: bool,
        // Created once something waits.
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

    /// Whether the token was cancelled before anything started.
    #[inline]
    #[must_use]
    pub fn already(self: Pin<&mut Self>) -> Option<Cancelled> {
        let this = self.project();
        *this.looked = true;
        this.token.is_cancelled().then_some(Cancelled(()))
    }

    /// The same for something that starts later: a permit that another call released, one more attempt.
    #[inline]
    fn before_start(self: Pin<&mut Self>) -> Option<Cancelled> {
        let this = self.project();
        let looked = std::mem::take(this.looked);
        (!looked && this.token.is_cancelled()).then_some(Cancelled(()))
    }

    fn poll_cancelled(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancelled> {
        let mut this = self.project();
        if this.wait.is_none() {
            // Unconstrained: a body that used up its task's budget must not hide the cancellation.
            this.wait.set(Some(coop::unconstrained(this.token.cancelled())));
        }
        ready!(this.wait.as_pin_mut().expect("it was created above").poll(cx));
        Poll::Ready(Cancelled(()))
    }
}

impl Cancelled {
    /// The error of `function`.
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

/// Reports a cleanup that failed: the caller receives the cancellation error instead.
#[expect(clippy::needless_pass_by_value, reason = "an expansion has no place to keep it")]
pub fn cleaned(function: &'static str, outcome: impl Logged) {
    if let Some(error) = outcome.error() {
        Report::new(function, ReportKind::Error, format!("cleanup after cancellation failed: {error}")).send();
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::{Cancellation, Cancelled, Until, cleaned, token, until};

    crate::rejection::rejections! {
        "`#[cancellable]` can fail, but `{Self}` cannot represent its error",
        "`#[cancellable]` can fail, but `{Self}` cannot be created from its error"
    }
}
