//! A line of calls: those that come in time, and those that wait for their permit.

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

/// The permits, and those who wait for one.
///
/// When the time of the next permit comes, the first waiter is asked to lead: it hands out all permits that are due by then, one for each
/// waiter from the first on, and says when the next is due. Each is charged for the time at which it was due, and not for that at which
/// a timer fired, so that a timer that is late makes nobody's rate slower.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) gcra: Gcra,
    /// Those who wait and have no permit yet.
    waiting: AtomicUsize,
    queue: WaitList<Offered>,
}

/// What a waiter is offered.
#[derive(Debug, Clone, Copy)]
enum Offered {
    /// To hand out the permits that are due.
    Lead,
    /// A permit, which is of no use after that time.
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

    /// Those who wait for a permit.
    #[inline]
    fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes the permit of now, or says how long it would be to the next that is not taken.
    #[inline]
    pub(super) fn try_acquire(&self, rate: &AtomicQuota) -> Result<(), u64> {
        let now = clock::now();
        match self.len() {
            0 => self.gcra.try_acquire(rate, now),
            ahead => self.try_acquire_behind(ahead, rate, now),
        }
    }

    /// The permits are those of the ones who wait, in their order, as long as one of them is polled.
    #[cold]
    fn try_acquire_behind(&self, ahead: usize, rate: &AtomicQuota, now: u64) -> Result<(), u64> {
        let next = self.gcra.next(rate, now);
        if now >= next && self.overtake(rate, now) {
            return Ok(());
        }
        Err(next.saturating_sub(now).saturating_add(rate.params().emission_interval.saturating_mul(ahead as u64)))
    }

    /// Takes a permit for which only such calls wait as are not polled.
    fn overtake(&self, rate: &AtomicQuota, now: u64) -> bool {
        self.queue.with(|queue| queue.first().is_none() && !queue.was_just_led(now) && self.gcra.try_acquire(rate, now).is_ok())
    }

    /// Nobody waits, and the next call finds a limiter that is as good as new.
    pub(super) fn is_idle(&self, now: u64) -> bool {
        self.len() == 0 && self.gcra.tat() <= now
    }

    /// Whether somebody waits who is to [look again](Self::recheck) when the rate has changed.
    pub(super) fn is_waited_for(&self) -> bool {
        self.len() > 0
    }

    /// The rate has changed: when the next permit is due is to be found out anew.
    pub(super) fn recheck(&self) {
        self.queue.with(|queue| queue.offer(Offered::Lead));
    }
}

/// How a call is received.
pub enum Enter<'a> {
    /// It runs.
    Now,
    /// It waits.
    Wait(Waiting<'a>),
    /// It is refused.
    Refused(RateLimited),
}

/// Receives a call that may wait for so long.
#[inline]
pub(super) fn enter<'a>(
    rate: &'a AtomicQuota,
    bucket: impl Deref<Target = Bucket> + Send + 'a,
    max_wait: Duration,
    origin: &'static Origin,
) -> Enter<'a> {
    match bucket.try_acquire(rate) {
        Ok(()) => Enter::Now,
        Err(wait) => wait_or_refuse(rate, bucket, wait, max_wait, origin),
    }
}

#[cold]
fn wait_or_refuse<'a>(
    rate: &'a AtomicQuota,
    bucket: impl Deref<Target = Bucket> + Send + 'a,
    wait: u64,
    max_wait: Duration,
    origin: &'static Origin,
) -> Enter<'a> {
    if wait > clock::nanos(max_wait) {
        return Enter::Refused(RateLimited::of(rate, wait));
    }
    // Boxed, so that calls that never wait carry nothing along.
    Enter::Wait(Box::pin(async move {
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

/// A wait for a permit.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), RateLimited>> + Send + 'a>>;

/// One who waits. Its error is how long it would be to the next permit.
struct Waiter<'a> {
    rate: &'a AtomicQuota,
    bucket: &'a Bucket,
    latest: u64,
    /// Nothing once it has been let in, or refused.
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
                // A permit is not kept for one that is not polled: the time in which it might have been used is over.
                let expired = matches!(offered, Offered::Permit { .. });
                self.bucket.waiting.fetch_add(usize::from(expired), Ordering::Relaxed);
                queue.requeue(key, now);
            }
            None if queue.has_leader() => return Poll::Pending,
            None => {}
        }
        self.hand_out(key, queue, now)
    }

    /// Hands out the permits that are due, in the order of those who wait, of whom this one is one.
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
                // The rate was lowered meanwhile.
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
        let key = self.key.expect("one who was let in waits no more");
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
