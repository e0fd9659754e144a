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
use crate::gcra::{Rate, Turns};
use crate::wait_list::{GRACE, Offer, Patrol, Seat, WaitList};

/// The permits, and those who wait for one.
///
/// When the time of the next permit comes, the first waiter is asked to lead: it hands out all permits that are due by then, one for each
/// waiter from the first on, and says when the next is due. Each is charged for the time at which it was due, and not for that at which
/// a timer fired, so that a timer that is late makes nobody's rate slower.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) turns: Turns,
    /// Those who wait and have no permit yet.
    waiting: AtomicUsize,
    waiters: WaitList<Turn>,
}

/// What a waiter is offered.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// To hand out the permits that are due.
    Lead,
    /// A permit, which is of no use after that time.
    Go { until: u64 },
}

impl Offer for Turn {
    fn leads(self) -> bool {
        matches!(self, Self::Lead)
    }
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { turns: Turns::new(), waiting: AtomicUsize::new(0), waiters: WaitList::new() }
    }

    /// Those who wait for a permit.
    #[inline]
    fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes the permit of now, or says how long it would be to the next that is not taken.
    #[inline]
    pub(super) fn take(&self, rate: &Rate) -> Result<(), u64> {
        let now = clock::now();
        match self.len() {
            0 => self.turns.take(rate, now),
            ahead => self.take_behind(ahead, rate, now),
        }
    }

    /// The permits are those of the ones who wait, in their order, as long as one of them is polled.
    #[cold]
    fn take_behind(&self, ahead: usize, rate: &Rate, now: u64) -> Result<(), u64> {
        let next = self.turns.next(rate, now);
        if now >= next && self.overtake(rate, now) {
            return Ok(());
        }
        Err(next.saturating_sub(now).saturating_add(rate.pace().interval.saturating_mul(ahead as u64)))
    }

    /// Takes a permit for which only such calls wait as are not polled.
    fn overtake(&self, rate: &Rate, now: u64) -> bool {
        self.waiters.with(|line| line.first().is_none() && !line.was_just_led(now) && self.turns.take(rate, now).is_ok())
    }

    /// Nobody waits, and the next call finds a limiter that is as good as new.
    pub(super) fn is_idle(&self, now: u64) -> bool {
        self.len() == 0 && self.turns.due() <= now
    }

    /// Whether somebody waits who is to [look again](Self::look_again) when the rate has changed.
    pub(super) fn is_waited_for(&self) -> bool {
        self.len() > 0
    }

    /// The rate has changed: when the next permit is due is to be found out anew.
    pub(super) fn look_again(&self) {
        self.waiters.with(|line| line.offer(Turn::Lead));
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
    rate: &'a Rate,
    line: impl Deref<Target = Line> + Send + 'a,
    max_wait: Duration,
    origin: &'static Origin,
) -> Enter<'a> {
    match line.take(rate) {
        Ok(()) => Enter::Now,
        Err(wait) => wait_or_refuse(rate, line, wait, max_wait, origin),
    }
}

#[cold]
fn wait_or_refuse<'a>(
    rate: &'a Rate,
    line: impl Deref<Target = Line> + Send + 'a,
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
        let seat = line.waiters.with(|waiters| {
            line.waiting.fetch_add(1, Ordering::Relaxed);
            waiters.join(now)
        });
        let latest = now.saturating_add(clock::nanos(max_wait));
        let permit = Waiter { rate, line: &line, latest, seat: Some(seat), patrol: Patrol::default() }.await;
        wait.end();
        permit.map_err(|wait| RateLimited::of(rate, wait))
    }))
}

/// A wait for a permit.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), RateLimited>> + Send + 'a>>;

/// One who waits. Its error is how long it would be to the next permit.
struct Waiter<'a> {
    rate: &'a Rate,
    line: &'a Line,
    latest: u64,
    /// Nothing once it has been let in, or refused.
    seat: Option<Seat>,
    patrol: Patrol,
}

type Waiters = crate::wait_list::Line<Turn>;

impl Waiter<'_> {
    fn look(&self, me: Seat, waiters: &mut Waiters, now: u64) -> Poll<Result<(), u64>> {
        match waiters.offered(me) {
            Some(Turn::Go { until }) if now <= until => {
                waiters.leave(me);
                return Poll::Ready(Ok(()));
            }
            Some(turn) => {
                // A permit is not kept for one that is not polled: the time in which it might have been used is over.
                let expired = matches!(turn, Turn::Go { .. });
                self.line.waiting.fetch_add(usize::from(expired), Ordering::Relaxed);
                waiters.stay(me, now);
            }
            None if waiters.is_led() => return Poll::Pending,
            None => {}
        }
        self.hand_out(me, waiters, now)
    }

    /// Hands out the permits that are due, in the order of those who wait, of whom this one is one.
    fn hand_out(&self, me: Seat, waiters: &mut Waiters, now: u64) -> Poll<Result<(), u64>> {
        let Self { rate, line: Line { turns, waiting, .. }, .. } = self;
        let (mut outcome, mut late) = (Poll::Pending, None);
        while let Some((first, since)) = waiters.first() {
            match turns.take_since(rate, now, since) {
                Ok(nominal) => {
                    late = Some(nominal);
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    if first == me {
                        waiters.leave(me);
                        outcome = Poll::Ready(Ok(()));
                    } else {
                        waiters.offer(Turn::Go { until: now.saturating_add(2 * clock::nanos(GRACE)) });
                    }
                }
                // The rate was lowered meanwhile.
                Err(wait) if first == me && now.saturating_add(wait) > self.latest => {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    waiters.leave(me);
                    waiters.offer(Turn::Lead);
                    outcome = Poll::Ready(Err(wait));
                    break;
                }
                Err(wait) => {
                    waiters.offer_at(now.saturating_add(wait), Turn::Lead);
                    break;
                }
            }
        }
        if let Some(nominal) = late {
            turns.was_late(now, nominal);
        }
        outcome
    }

    fn step_out(&self, me: Seat) {
        let Self { rate, line: Line { turns, waiting, waiters }, .. } = self;
        waiters.with(|waiters| match waiters.leave(me) {
            None => {
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
            Some(Turn::Lead) => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                waiters.offer(Turn::Lead);
            }
            Some(permit @ Turn::Go { .. }) => {
                if waiters.offer(permit) {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                } else {
                    turns.give_back(rate);
                }
            }
        });
    }
}

impl Future for Waiter<'_> {
    type Output = Result<(), u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.seat.expect("one who was let in waits no more");
        let mut patrol = std::mem::take(&mut self.patrol);
        let polled = self.line.waiters.poll(me, &mut patrol, cx.waker(), |waiters, now| self.look(me, waiters, now));
        self.patrol = patrol;
        if polled.is_ready() {
            self.seat = None;
        }
        polled
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(me) = self.seat {
            self.step_out(me);
        }
    }
}
