//! A call that waits for a permit.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::Sleep;

use super::limiter::{ConcurrencyLimiter, Enqueued};
use super::permit::Permit;
use super::saturated::Saturated;
use crate::events::{Origin, Wait};
use crate::wait_list::{WaiterKey, WaiterTimer};

/// A waiting call. Dropping it cancels the wait; a permit granted in the meantime goes to the next waiter.
pub(crate) struct Acquire<'a> {
    limiter: &'a ConcurrencyLimiter,
    /// `None` once it has been admitted.
    key: Option<WaiterKey>,
    timer: WaiterTimer,
}

impl<'a> Acquire<'a> {
    fn new(limiter: &'a ConcurrencyLimiter, key: WaiterKey) -> Self {
        Self { limiter, key: Some(key), timer: WaiterTimer::default() }
    }
}

impl<'a> Future for Acquire<'a> {
    type Output = Permit<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'a>> {
        let key = self.key.expect("polled after completion");
        let Self { limiter, timer, .. } = &mut *self;
        if !limiter.is_admitted(key, timer, cx.waker()) {
            return Poll::Pending;
        }
        self.key = None;
        Poll::Ready(Permit::new(self.limiter))
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.limiter.cancel(key);
        }
    }
}

/// The result of asking for a permit.
pub(crate) enum TryAcquire<'a> {
    Now(Permit<'a>),
    Queued(Acquire<'a>),
    /// The queue is full.
    Full,
}

impl ConcurrencyLimiter {
    /// Takes a permit, or a place in the queue if that has fewer than `queue` waiters.
    #[inline]
    pub(crate) fn permit_or_wait(&self, queue: u32) -> TryAcquire<'_> {
        let this = self.live();
        if this.acquire_now() {
            return TryAcquire::Now(Permit::new(this));
        }
        match this.acquire_or_enqueue(queue) {
            Enqueued::Admitted => TryAcquire::Now(Permit::new(this)),
            Enqueued::Queued(key) => TryAcquire::Queued(Acquire::new(this, key)),
            Enqueued::Full => TryAcquire::Full,
        }
    }
}

/// A waiting call with a time limit (`max_wait`).
pub struct AcquireTimeout<'a> {
    waiting: Acquire<'a>,
    /// Boxed, so that calls which never wait do not carry a timer.
    timer: Option<Pin<Box<Sleep>>>,
    wait: Wait,
}

impl<'a> AcquireTimeout<'a> {
    pub(super) fn new(waiting: Acquire<'a>, max_wait: Option<Duration>, origin: &'static Origin) -> Self {
        let timer = max_wait.map(|max_wait| Box::pin(tokio::time::sleep(max_wait)));
        Self { waiting, timer, wait: Wait::begin(origin, "concurrency") }
    }

    fn poll_acquire(&mut self, cx: &mut Context<'_>) -> Poll<Result<Permit<'a>, Saturated>> {
        if let Poll::Ready(permit) = Pin::new(&mut self.waiting).poll(cx) {
            return Poll::Ready(Ok(permit));
        }
        let limiter = self.waiting.limiter;
        match &mut self.timer {
            // Unconstrained: when the task has used up its cooperative budget, the call must still be rejected in time.
            Some(timer) => pin!(coop::unconstrained(timer.as_mut())).poll(cx).map(|()| Err(Saturated::of(limiter))),
            None => Poll::Pending,
        }
    }
}

impl<'a> Future for AcquireTimeout<'a> {
    type Output = Result<Permit<'a>, Saturated>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.poll_acquire(cx);
        if polled.is_ready() {
            self.wait.end();
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(limiter: &ConcurrencyLimiter) -> Permit<'_> {
        limiter.permit_now().expect("there is room")
    }

    #[test]
    fn counts_who_runs() {
        let limiter = ConcurrencyLimiter::new(2);
        let [one, two] = [acquire(&limiter), acquire(&limiter)];
        assert!(limiter.permit_now().is_none());
        drop(one);
        assert_eq!(limiter.running(), 1);
        two.record_outcome(false);
        assert_eq!((limiter.running(), limiter.waiting()), (0, 0));
    }

    #[test]
    fn a_full_queue_lets_nobody_wait() {
        let limiter = ConcurrencyLimiter::new(1).queue(1);
        let _place = acquire(&limiter);
        let TryAcquire::Queued(waiting) = limiter.permit_or_wait(1) else { panic!() };
        assert!(matches!(limiter.permit_or_wait(1), TryAcquire::Full));
        drop(waiting);
        assert!(matches!(limiter.permit_or_wait(1), TryAcquire::Queued(_)));
    }

    #[test]
    fn adapts_by_additive_increase_and_multiplicative_decrease() {
        let limiter = ConcurrencyLimiter::new(100).adaptive();
        acquire(&limiter).record_outcome(true);
        acquire(&limiter).record_outcome(true);
        assert_eq!(limiter.limit(), 81);
        // One running call out of 81 is no evidence that more would fit.
        acquire(&limiter).record_outcome(false);
        assert_eq!(limiter.limit(), 81);
        let permits: Vec<Permit<'_>> = (0..60).map(|_| acquire(&limiter)).collect();
        for permit in permits {
            permit.record_outcome(false);
        }
        // The limit grows with each success while at least half of it is in use, the last time at 47 of 94.
        assert_eq!(limiter.limit(), 95);
        for _ in 0..1_000 {
            acquire(&limiter).record_outcome(true);
        }
        assert_eq!(limiter.limit(), 1);
    }
}
