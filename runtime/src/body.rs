//! The body of a stack that is created before it runs, and the state of a call, to tell a panic from a cancellation.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// A body that is pinned in its caller and dropped when a layer above abandons it, not when the caller ends.
    pub struct Body<F> {
        #[pin]
        future: Option<F>,
    }
}

impl<F> Body<F> {
    /// A body that has not been polled.
    #[inline]
    pub fn new(future: F) -> Self {
        Self { future: Some(future) }
    }

    /// Drops the body.
    pub fn clear(self: Pin<&mut Self>) {
        self.project().future.set(None);
    }
}

impl<F: Future> Future for Body<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.as_pin_mut().expect("an abandoned body is not awaited").poll(cx)
    }
}

/// Runs the body of a function that returns a future up to the point where it returns one. It runs once, and may move what it names.
#[inline]
pub fn made<F: Future>(body: impl FnOnce() -> F) -> F {
    body()
}

/// The state of a call. A call that is dropped by a panic has panicked itself only if it was running; a suspended call is dropped by the panic of
/// another.
#[derive(Debug)]
pub enum CallState {
    /// Between two awaits.
    Running,
    /// Polling what it awaits. If it does not return from there, that has panicked.
    Polling,
    /// Waiting.
    Suspended,
}

impl CallState {
    /// Whether the call ends by a panic of its own.
    pub(crate) fn panics(&self) -> bool {
        match self {
            Self::Running => std::thread::panicking(),
            Self::Polling => true,
            Self::Suspended => false,
        }
    }

    /// Tracks `future`, which the call awaits.
    #[inline]
    pub fn watch<F>(&mut self, future: F) -> Watched<'_, F> {
        Watched { state: self, future }
    }
}

pin_project! {
    /// See [`CallState::watch`].
    pub struct Watched<'a, F> {
        state: &'a mut CallState,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Watched<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        **this.state = CallState::Polling;
        let poll = this.future.poll(cx);
        **this.state = if poll.is_pending() { CallState::Suspended } else { CallState::Running };
        poll
    }
}
