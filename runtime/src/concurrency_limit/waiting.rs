//! A place in the line.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::Sleep;

use super::{ConcurrencyLimiter, Place, Saturated};
use crate::events::{Origin, Wait};
use crate::wait_list::{Patrol, Seat};

/// One who waits. Going away gives the place in the line to the next.
pub(crate) struct Waiting<'a> {
    limiter: &'a ConcurrencyLimiter,
    /// Nothing once it has been let in.
    seat: Option<Seat>,
    patrol: Patrol,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(limiter: &'a ConcurrencyLimiter, seat: Seat) -> Self {
        Self { limiter, seat: Some(seat), patrol: Patrol::default() }
    }
}

impl<'a> Future for Waiting<'a> {
    type Output = Place<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Place<'a>> {
        let seat = self.seat.expect("one who was let in waits no more");
        let Self { limiter, patrol, .. } = &mut *self;
        if !limiter.is_admitted(seat, patrol, cx.waker()) {
            return Poll::Pending;
        }
        self.seat = None;
        Poll::Ready(Place::new(self.limiter))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            self.limiter.step_out(seat);
        }
    }
}

/// One who waits no longer than some time.
pub struct Patient<'a> {
    waiting: Waiting<'a>,
    /// Boxed, so that those who never wait carry no timer along.
    patience: Option<Pin<Box<Sleep>>>,
    wait: Wait,
}

impl<'a> Patient<'a> {
    pub(super) fn new(waiting: Waiting<'a>, max_wait: Option<Duration>, origin: &'static Origin) -> Self {
        let patience = max_wait.map(|max_wait| Box::pin(tokio::time::sleep(max_wait)));
        Self { waiting, patience, wait: Wait::begin(origin, "concurrency") }
    }

    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<Place<'a>, Saturated>> {
        if let Poll::Ready(place) = Pin::new(&mut self.waiting).poll(cx) {
            return Poll::Ready(Ok(place));
        }
        let limiter = self.waiting.limiter;
        match &mut self.patience {
            // Unconstrained: what else its task does must not keep it from being refused.
            Some(patience) => pin!(coop::unconstrained(patience.as_mut())).poll(cx).map(|()| Err(Saturated::of(limiter))),
            None => Poll::Pending,
        }
    }
}

impl<'a> Future for Patient<'a> {
    type Output = Result<Place<'a>, Saturated>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.poll_wait(cx);
        if polled.is_ready() {
            self.wait.end();
        }
        polled
    }
}
