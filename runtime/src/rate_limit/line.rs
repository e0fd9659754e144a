//! A line of calls: those that come in time, and those that wait for their turn.

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep_until, timeout_at};

use super::gcra::{Rate, Turns};
use super::{Enter, RateLimited};
use crate::clock;
use crate::concurrency_limit::{ConcurrencyLimiter, Entry};
use crate::events::Wait;

/// The turns, and the door in front of them: only the first of those who wait looks at the clock, and the others stand behind it. One
/// who goes away takes no turn with it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) turns: Turns,
    door: ConcurrencyLimiter,
    /// The first in the line has let its turn pass: nobody polls it.
    stalled: AtomicBool,
}

/// So long a turn is kept for the first in the line, whose timer may be late, before it is taken for one that nobody polls.
const OVERDUE: Duration = Duration::from_millis(100);

impl Line {
    pub(super) const fn new() -> Self {
        Self { turns: Turns::new(), door: ConcurrencyLimiter::new(1), stalled: AtomicBool::new(false) }
    }

    /// Those who wait.
    #[inline]
    fn len(&self) -> usize {
        self.door.inside()
    }

    /// Takes the turn of now, or says how long it would be to the next that is not taken.
    #[inline]
    pub(super) fn take(&self, rate: &Rate) -> Result<(), u64> {
        let now = clock::now();
        match self.len() {
            0 => self.turns.take(rate, now),
            ahead => self.take_behind(ahead, rate, now),
        }
    }

    /// The turns are those of the ones who wait, in their order, as long as the first of them takes what it is given.
    #[cold]
    fn take_behind(&self, ahead: usize, rate: &Rate, now: u64) -> Result<(), u64> {
        let next = self.turns.next(rate, now);
        let kept = if self.stalled.load(Ordering::Relaxed) { 0 } else { clock::nanos(OVERDUE) };
        if now >= next.saturating_add(kept) && self.turns.take(rate, now).is_ok() {
            self.stalled.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(next.saturating_sub(now).saturating_add(rate.pace().interval.saturating_mul(ahead as u64)))
    }

    /// Nobody waits, and the next call finds a limiter that is as good as new.
    pub(super) fn is_idle(&self, now: u64) -> bool {
        self.len() == 0 && self.turns.due() <= now
    }
}

/// Receives a call that may wait for so long.
#[inline]
pub(super) fn enter<'a>(
    rate: &'a Rate,
    line: impl Deref<Target = Line> + Send + 'a,
    max_wait: Duration,
    function: &'static str,
) -> Enter<'a> {
    match line.take(rate) {
        Ok(()) => Enter::Now,
        Err(wait) => wait_or_refuse(rate, line, wait, max_wait, function),
    }
}

#[cold]
fn wait_or_refuse<'a>(
    rate: &'a Rate,
    line: impl Deref<Target = Line> + Send + 'a,
    wait: u64,
    max_wait: Duration,
    function: &'static str,
) -> Enter<'a> {
    if wait > clock::nanos(max_wait) {
        return Enter::Refused(RateLimited::of(rate, wait));
    }
    // Boxed, so that calls that never wait carry no timer along.
    Enter::Wait(Box::pin(async move {
        let wait = Wait::begin(function, "rate");
        let turn = until_turn(rate, &line, max_wait).await;
        wait.end();
        turn
    }))
}

async fn until_turn(rate: &Rate, line: &Line, max_wait: Duration) -> Result<(), RateLimited> {
    let latest = clock::now().saturating_add(clock::nanos(max_wait));
    let at_the_door = match line.door.enter() {
        Entry::Now(place) => Some(place),
        // Whoever is ahead will not let it wait for longer than it said.
        Entry::Later(waiting) => timeout_at(clock::instant(latest) + OVERDUE, waiting).await.ok(),
        Entry::Full => unreachable!("the line in front of the door has no end"),
    };
    let Some(_first) = at_the_door else { return line.take(rate).map_err(|wait| RateLimited::of(rate, wait)) };
    loop {
        let mut changed = pin!(rate.changed.notified());
        changed.as_mut().enable();
        line.stalled.store(false, Ordering::Relaxed);
        let now = clock::now();
        let Err(wait) = line.turns.take(rate, now) else { return Ok(()) };
        let turn = now.saturating_add(wait);
        if turn > latest {
            // The rate was lowered meanwhile.
            return Err(RateLimited::of(rate, wait));
        }
        let mut timer = pin!(sleep_until(clock::instant(turn)));
        poll_fn(|cx| match changed.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => timer.as_mut().poll(cx),
        })
        .await;
    }
}

/// A wait for a turn.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), RateLimited>> + Send + 'a>>;
