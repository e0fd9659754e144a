//! A bucket: its permits, and the calls that wait for one.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::rate_limited::RateLimited;
use crate::clock;
use crate::events::{self, Origin};
use crate::gcra::{AtomicQuota, Gcra};
use crate::wait_list::{GRACE, Offer, WaitList, WaiterKey, WaiterTimer};

/// The permits, and the calls that wait for one.
///
/// When the next permit becomes due, the first waiter is asked to lead: it hands out every permit that is due by then, one to each
/// waiter from the front of the queue, and schedules the next round. Each permit is charged for the time at which it was due and
/// not the time at which the timer fired, so that a late timer does not lower the rate.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) gcra: Gcra,
    /// The number of calls that are waiting without a permit.
    waiting: AtomicUsize,
    queue: WaitList<Offered>,
}

/// What a waiter is offered.
#[derive(Debug, Clone, Copy)]
enum Offered {
    /// To hand out the permits that are due.
    Lead,
    /// A permit, which expires at `until`.
    Permit { until: u64 },
}

impl Offer for Offered {
    fn leads(self) -> bool {
        matches!(self, Self::Lead)
    }
}

impl Bucket {
    pub(super) const fn new() -> Self {
        Self { gcra: Gcra::new(), waiting: AtomicUsize::new(0), queue: WaitList::new() }
    }

    /// The number of calls that are waiting for a permit.
    #[inline]
    fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes a permit now, or returns the time until the next one that is not spoken for.
    #[inline]
    pub(super) fn try_acquire(&self, rate: &AtomicQuota) -> Result<(), u64> {
        let now = clock::now();
        match self.len() {
            0 => self.gcra.try_acquire(rate, now),
            ahead => self.try_acquire_behind(ahead, rate, now),
        }
    }

    /// The permits belong to the waiting calls, in order, as long as one of them is polled.
    #[cold]
    fn try_acquire_behind(&self, ahead: usize, rate: &AtomicQuota, now: u64) -> Result<(), u64> {
        let next = self.gcra.next(rate, now);
        if now >= next && self.overtake(rate, now) {
            return Ok(());
        }
        Err(next.saturating_sub(now).saturating_add(rate.params().emission_interval.saturating_mul(ahead as u64)))
    }

    /// Takes a permit if none of the waiting calls is being polled.
    fn overtake(&self, rate: &AtomicQuota, now: u64) -> bool {
        self.queue.with(|queue| queue.first().is_none() && !queue.was_just_led(now) && self.gcra.try_acquire(rate, now).is_ok())
    }

    /// Whether a call is waiting that must [recheck](Self::recheck) when the rate changes.
    pub(super) fn is_waited_for(&self) -> bool {
        self.len() > 0
    }

    /// Makes the first waiter compute again when the next permit is due, after a change of the rate.
    pub(super) fn recheck(&self) {
        self.queue.with(|queue| queue.offer(Offered::Lead));
    }
}

/// The result of asking for admission.
pub enum Admission<'a> {
    /// The call runs.
    Now,
    /// The call waits.
    Wait(Waiting<'a>),
    /// The call is rejected.
    Rejected(RateLimited),
}

/// Acquires a permit for a call that may wait for up to `max_wait`.
#[inline]
pub(super) fn acquire<'a>(
    rate: &'a AtomicQuota,
    bucket: impl Deref<Target = Bucket> + Send + 'a,
    max_wait: Duration,
    origin: &'static Origin,
) -> Admission<'a> {
    match bucket.try_acquire(rate) {
        Ok(()) => Admission::Now,
        Err(wait) => wait_or_reject(rate, bucket, wait, max_wait, origin),
    }
}

#[cold]
fn wait_or_reject<'a>(
    rate: &'a AtomicQuota,
    bucket: impl Deref<Target = Bucket> + Send + 'a,
    wait: u64,
    max_wait: Duration,
    origin: &'static Origin,
) -> Admission<'a> {
    if wait > clock::nanos(max_wait) {
        return Admission::Rejected(RateLimited::of(rate, wait));
    }
    // Boxed, so that calls which never wait do not carry this state.
    Admission::Wait(Box::pin(async move {
        let wait = events::Wait::begin(origin, "rate");
        let now = clock::now();
        let key = bucket.queue.with(|queue| {
            bucket.waiting.fetch_add(1, Ordering::Relaxed);
            queue.push(now)
        });
        let latest = now.saturating_add(clock::nanos(max_wait));
        let permit = Waiter { rate, bucket: &bucket, latest, key: Some(key), timer: WaiterTimer::default() }.await;
        wait.end();
        permit.map_err(|wait| RateLimited::of(rate, wait))
    }))
}

/// A call waiting for its permit.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), RateLimited>> + Send + 'a>>;

/// A waiting call. Its error is the time until the next permit.
struct Waiter<'a> {
    rate: &'a AtomicQuota,
    bucket: &'a Bucket,
    latest: u64,
    /// `None` once it has been admitted or rejected.
    key: Option<WaiterKey>,
    timer: WaiterTimer,
}

type Queue = crate::wait_list::WaitQueue<Offered>;

impl Waiter<'_> {
    fn look(&self, key: WaiterKey, queue: &mut Queue, now: u64) -> Poll<Result<(), u64>> {
        match queue.offered(key) {
            Some(Offered::Permit { until }) if now <= until => {
                queue.remove(key);
                return Poll::Ready(Ok(()));
            }
            Some(offered) => {
                // The permit was not used in time: the period it belonged to is over.
                let expired = matches!(offered, Offered::Permit { .. });
                self.bucket.waiting.fetch_add(usize::from(expired), Ordering::Relaxed);
                queue.requeue(key, now);
            }
            None if queue.has_leader() => return Poll::Pending,
            None => {}
        }
        self.hand_out(key, queue, now)
    }

    /// Hands out the permits that are due, in the order of the queue, which includes this waiter.
    fn hand_out(&self, key: WaiterKey, queue: &mut Queue, now: u64) -> Poll<Result<(), u64>> {
        let Self { rate, bucket: Bucket { gcra, waiting, .. }, .. } = self;
        let (mut outcome, mut late) = (Poll::Pending, None);
        while let Some((first, since)) = queue.first() {
            match gcra.try_acquire_since(rate, now, since) {
                Ok(nominal) => {
                    late = Some(nominal);
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    if first == key {
                        queue.remove(key);
                        outcome = Poll::Ready(Ok(()));
                    } else {
                        queue.offer(Offered::Permit { until: now.saturating_add(2 * clock::nanos(GRACE)) });
                    }
                }
                // The rate was lowered in the meantime.
                Err(wait) if first == key && now.saturating_add(wait) > self.latest => {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    queue.remove(key);
                    queue.offer(Offered::Lead);
                    outcome = Poll::Ready(Err(wait));
                    break;
                }
                Err(wait) => {
                    queue.offer_at(now.saturating_add(wait), Offered::Lead);
                    break;
                }
            }
        }
        if let Some(nominal) = late {
            gcra.was_late(now, nominal);
        }
        outcome
    }

    fn cancel(&self, key: WaiterKey) {
        let Self { rate, bucket: Bucket { gcra, waiting, queue }, .. } = self;
        queue.with(|queue| match queue.remove(key) {
            None => {
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
            Some(Offered::Lead) => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                queue.offer(Offered::Lead);
            }
            Some(permit @ Offered::Permit { .. }) => {
                if queue.offer(permit) {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                } else {
                    gcra.refund(rate);
                }
            }
        });
    }
}

impl Future for Waiter<'_> {
    type Output = Result<(), u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let key = self.key.expect("polled after completion");
        let mut timer = std::mem::take(&mut self.timer);
        let polled = self.bucket.queue.poll(key, &mut timer, cx.waker(), |queue, now| self.look(key, queue, now));
        self.timer = timer;
        if polled.is_ready() {
            self.key = None;
        }
        polled
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.cancel(key);
        }
    }
}
