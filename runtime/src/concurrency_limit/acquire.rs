//! A place in the line.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::Sleep;

use super::limiter::{Asked, ConcurrencyLimiter};
use super::permit::Place;
use super::saturated::Saturated;
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
    fn new(limiter: &'a ConcurrencyLimiter, seat: Seat) -> Self {
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

/// How a call is received.
pub(crate) enum Entry<'a> {
    Now(Place<'a>),
    Later(Waiting<'a>),
    /// So many wait already that no more may.
    Full,
}

impl ConcurrencyLimiter {
    /// Takes a permit, or a place in the queue.
    #[inline]
    pub(crate) fn enter(&self) -> Entry<'_> {
        let this = self.live();
        if this.take() {
            return Entry::Now(Place::new(this));
        }
        match this.take_or_queue() {
            Asked::Admitted => Entry::Now(Place::new(this)),
            Asked::Queued(seat) => Entry::Later(Waiting::new(this, seat)),
            Asked::Full => Entry::Full,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(limiter: &ConcurrencyLimiter) -> Place<'_> {
        limiter.try_enter().expect("there is room")
    }

    #[test]
    fn counts_who_runs() {
        let limiter = ConcurrencyLimiter::new(2);
        let [one, two] = [enter(&limiter), enter(&limiter)];
        assert!(limiter.try_enter().is_none());
        drop(one);
        assert_eq!(limiter.running(), 1);
        two.settle(false);
        assert_eq!((limiter.running(), limiter.waiting()), (0, 0));
    }

    #[test]
    fn a_full_queue_lets_nobody_wait() {
        let limiter = ConcurrencyLimiter::new(1).queue(1);
        let _place = enter(&limiter);
        let Entry::Later(waiting) = limiter.enter() else { panic!() };
        assert!(matches!(limiter.enter(), Entry::Full));
        drop(waiting);
        assert!(matches!(limiter.enter(), Entry::Later(_)));
    }

    #[test]
    fn adapts_by_additive_increase_and_multiplicative_decrease() {
        let limiter = ConcurrencyLimiter::new(100).adaptive();
        enter(&limiter).settle(true);
        enter(&limiter).settle(true);
        assert_eq!(limiter.limit(), 81);
        // One of 81 says nothing about room for more.
        enter(&limiter).settle(false);
        assert_eq!(limiter.limit(), 81);
        let places: Vec<Place<'_>> = (0..60).map(|_| enter(&limiter)).collect();
        for place in places {
            place.settle(false);
        }
        // One more for each success, while at least half of the limit is in use: the last is that with 47 of 94.
        assert_eq!(limiter.limit(), 95);
        for _ in 0..1_000 {
            enter(&limiter).settle(true);
        }
        assert_eq!(limiter.limit(), 1);
    }
}
