//! A bucket: its permits, and the calls that wait for one.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::rate_limited::RateLimited;
use super::windows::{Rates, Windows};
use crate::clock;
use crate::events::{self, Origin};
use crate::wait_list::{First, GRACE, Offer, WaitList, WaiterKey, WaiterTimer};

/// The permits, and the calls that wait for some.
///
/// When the next permit becomes due, the first waiter is asked to lead: it hands out all permits that are due by then, to each
/// waiter as many as it needs, from the front of the queue, and schedules the next round. A waiter that needs more than there are
/// holds up those behind it. Each permit is charged for the time at which it was due and not the time at which the timer fired, so
/// that a late timer does not lower the rate.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) windows: Windows,
    /// The sum of the costs of the calls that are waiting without a permit, plus `SEVERAL` if there are several rates: 0 for the usual
    /// bucket that has a permit.
    waiting: AtomicU64,
    queue: WaitList<Offered>,
}

/// See [`Bucket::waiting`].
const SEVERAL: u64 = 1 << 63;

/// What a waiter is offered.
#[derive(Debug, Clone, Copy)]
enum Offered {
    /// To hand out the permits that are due.
    Lead,
    /// Permits, which expire at `until`. A waiter that they were passed on to may need another number of them.
    Permits { cost: u32, until: u64 },
}

impl Offer for Offered {
    fn leads(self) -> bool {
        matches!(self, Self::Lead)
    }
}

/// A bucket, and the rates that it is charged by.
pub(super) trait Account: Send + Sync {
    fn bucket(&self) -> &Bucket;

    /// May change from one call to the next.
    fn rates(&self) -> Rates<'_>;
}

impl Bucket {
    /// A bucket at full allowance, with several rates or with one.
    pub(super) const fn new(several: bool) -> Self {
        let waiting = if several { SEVERAL } else { 0 };
        Self { windows: Windows::new(), waiting: AtomicU64::new(waiting), queue: WaitList::new() }
    }

    /// Makes an unused bucket one of several rates.
    pub(super) const fn has_several_rates(&mut self) {
        self.waiting = AtomicU64::new(SEVERAL);
    }

    /// The sum of the costs of the calls that are waiting.
    fn ahead(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed) & !SEVERAL
    }

    /// Takes permits now, or returns the time until there are as many that are not spoken for.
    #[inline]
    pub(super) fn try_acquire(&self, rates: Rates<'_>, cost: u32) -> Result<(), u64> {
        let now = clock::now();
        if cost == 1 && self.waiting.load(Ordering::Relaxed) == 0 {
            return self.windows.take_one(rates, now);
        }
        self.try_acquire_several(rates, cost, now)
    }

    /// The same, of several rates, at any cost, and behind others. Not inlined, so that the usual call is small.
    #[inline(never)]
    fn try_acquire_several(&self, rates: Rates<'_>, cost: u32, now: u64) -> Result<(), u64> {
        match self.ahead() {
            0 => self.windows.take(rates, cost, now),
            ahead => self.try_acquire_behind(ahead, rates, cost, now),
        }
    }

    /// The permits belong to the waiting calls, in order, as long as one of them is polled.
    #[cold]
    fn try_acquire_behind(&self, ahead: u64, rates: Rates<'_>, cost: u32, now: u64) -> Result<(), u64> {
        if self.windows.due_behind(rates, 0, cost, cost, now) <= now && self.overtake(rates, cost, now) {
            return Ok(());
        }
        let next = if rates.is_one() { 1 } else { self.queue.with(|queue| queue.first().map_or(1, |first| first.cost)) };
        match self.windows.due_behind(rates, ahead, next, cost, now).saturating_sub(now) {
            // There are permits for all, and those that wait have not been polled yet.
            0 => Err(rates.first.params().emission_interval.saturating_mul(ahead)),
            wait => Err(wait),
        }
    }

    /// Takes permits if none of the waiting calls is being polled.
    fn overtake(&self, rates: Rates<'_>, cost: u32, now: u64) -> bool {
        let take = || self.windows.take(rates, cost, now).is_ok();
        self.queue.with(|queue| queue.first().is_none() && !queue.was_just_led(now) && take())
    }

    /// Whether a call is waiting that must [recheck](Self::recheck) when the rate changes.
    pub(super) fn is_waited_for(&self) -> bool {
        self.ahead() > 0
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

/// Acquires permits without waiting.
#[inline]
pub(super) fn try_acquire(account: &impl Account, cost: u32) -> Result<(), RateLimited> {
    account.bucket().try_acquire(account.rates(), cost).map_err(|wait| rejection(account, cost, wait))
}

/// Acquires permits for a call that may wait for up to `max_wait`.
#[inline]
pub(super) fn acquire<'a>(account: impl Account + 'a, cost: u32, max_wait: Duration, origin: &'static Origin) -> Admission<'a> {
    match account.bucket().try_acquire(account.rates(), cost) {
        Ok(()) => Admission::Now,
        Err(wait) => wait_or_reject(account, cost, wait, max_wait, origin),
    }
}

#[cold]
fn wait_or_reject<'a>(
    account: impl Account + 'a,
    cost: u32,
    wait: u64,
    max_wait: Duration,
    origin: &'static Origin,
) -> Admission<'a> {
    if wait > clock::nanos(max_wait) || account.rates().exceeded_burst(cost).is_some() {
        return Admission::Rejected(rejection(&account, cost, wait));
    }
    // Boxed, so that calls which never wait do not carry this state.
    Admission::Wait(Box::pin(async move {
        let wait = events::Wait::begin(origin, "rate");
        let (now, bucket) = (clock::now(), account.bucket());
        let key = bucket.queue.with(|queue| {
            bucket.waiting.fetch_add(u64::from(cost), Ordering::Relaxed);
            queue.push(now, cost)
        });
        let latest = now.saturating_add(clock::nanos(max_wait));
        let timer = WaiterTimer::default();
        let permits = Waiter { account: &account, cost, latest, key: Some(key), timer }.await;
        wait.end();
        permits.map_err(|wait| rejection(&account, cost, wait))
    }))
}

#[cold]
fn rejection(account: &impl Account, cost: u32, wait: u64) -> RateLimited {
    RateLimited::of(account.rates(), &account.bucket().windows, cost, wait)
}

/// A call waiting for its permits.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), RateLimited>> + Send + 'a>>;

/// A waiting call. Its error is the time until the next permits.
struct Waiter<'a> {
    account: &'a dyn Account,
    cost: u32,
    latest: u64,
    /// `None` once it has been admitted or rejected.
    key: Option<WaiterKey>,
    timer: WaiterTimer,
}

type Queue = crate::wait_list::WaitQueue<Offered>;

impl Waiter<'_> {
    fn look(&self, key: WaiterKey, queue: &mut Queue, now: u64) -> Poll<Result<(), u64>> {
        let bucket = self.account.bucket();
        match queue.offered(key) {
            Some(Offered::Permits { cost, until }) if now <= until && cost == self.cost => {
                queue.remove(key);
                return Poll::Ready(Ok(()));
            }
            Some(offered) => {
                if let Offered::Permits { cost, until } = offered {
                    bucket.waiting.fetch_add(u64::from(cost), Ordering::Relaxed);
                    // If they were not used in time, the period that they belonged to is over.
                    if now <= until {
                        bucket.windows.refund(self.account.rates(), cost);
                    }
                }
                queue.requeue(key, now);
            }
            None if queue.has_leader() => return Poll::Pending,
            None => {}
        }
        self.hand_out(key, queue, now)
    }

    /// Hands out the permits that are due, in the order of the queue, which includes this waiter.
    fn hand_out(&self, key: WaiterKey, queue: &mut Queue, now: u64) -> Poll<Result<(), u64>> {
        let (rates, Bucket { windows, waiting, .. }) = (self.account.rates(), self.account.bucket());
        let (mut outcome, mut late) = (Poll::Pending, None);
        while let Some(First { key: first, since, cost }) = queue.first() {
            match windows.take_for_waiter(rates, cost, now, since) {
                Ok(due) => {
                    late = Some(due);
                    waiting.fetch_sub(u64::from(cost), Ordering::Relaxed);
                    if first == key {
                        queue.remove(key);
                        outcome = Poll::Ready(Ok(()));
                    } else {
                        queue.offer(Offered::Permits { cost, until: now.saturating_add(2 * clock::nanos(GRACE)) });
                    }
                }
                // The rate was lowered in the meantime.
                Err(wait) if first == key && self.is_too_late(now, wait) => {
                    waiting.fetch_sub(u64::from(cost), Ordering::Relaxed);
                    queue.remove(key);
                    queue.offer(Offered::Lead);
                    outcome = Poll::Ready(Err(wait));
                    break;
                }
                Err(_) if rates.exceeded_burst(cost).is_some() => {
                    // The same, for another waiter, which rejects itself.
                    queue.offer(Offered::Lead);
                    break;
                }
                Err(wait) => {
                    queue.offer_at(now.saturating_add(wait), Offered::Lead);
                    break;
                }
            }
        }
        if let Some(due) = late {
            windows.was_late(now, due);
        }
        outcome
    }

    fn is_too_late(&self, now: u64, wait: u64) -> bool {
        now.saturating_add(wait) > self.latest || self.account.rates().exceeded_burst(self.cost).is_some()
    }

    fn cancel(&self, key: WaiterKey) {
        let (rates, Bucket { windows, waiting, queue }) = (self.account.rates(), self.account.bucket());
        queue.with(|queue| {
            let offered = queue.remove(key);
            if let Some(Offered::Permits { cost, .. }) = offered {
                waiting.fetch_add(u64::from(cost), Ordering::Relaxed);
            }
            waiting.fetch_sub(u64::from(self.cost), Ordering::Relaxed);
            let next = queue.first().map(|first| first.cost);
            match offered {
                None => {}
                Some(permits @ Offered::Permits { cost, .. }) if next == Some(cost) => {
                    waiting.fetch_sub(u64::from(cost), Ordering::Relaxed);
                    queue.offer(permits);
                }
                Some(offered) => {
                    if let Offered::Permits { cost, .. } = offered {
                        windows.refund(rates, cost);
                    }
                    queue.offer(Offered::Lead);
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
        let polled = self.account.bucket().queue.poll(key, &mut timer, cx.waker(), |queue, now| self.look(key, queue, now));
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
