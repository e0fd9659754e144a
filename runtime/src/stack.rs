//! The body of a stack, where it is made before it is run.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// A body that is pinned in its caller and dropped when a layer above gives it up, not when the caller ends.
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
    pub fn leave(self: Pin<&mut Self>) {
        self.project().future.set(None);
    }
}

impl<F: Future> Future for Body<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.as_pin_mut().expect("a body that was given up is not awaited").poll(cx)
    }
}
