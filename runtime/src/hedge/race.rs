//! Runs attempts concurrently until one succeeds.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::{Sleep, sleep};

use crate::attempt::{Call, Current};
use crate::events::{self, EventSource, Origin};

pin_project! {
    /// The attempts of one call. The first is stored inline; later ones are boxed, since most calls have none.
    pub struct Race<F> {
        #[pin]
        first: Option<F>,
        // `None` once the attempt has ended.
        others: Vec<Option<Pin<Box<F>>>>,
        // The attempt to poll first, where 0 is the first attempt: the one after an attempt that used up the task's budget.
        turn: usize,
        // How many of the others have been polled.
        polled: usize,
        told: EventSource,
        call: Call,
        started: u32,
        most: u32,
        after: Option<Duration>,
        #[pin]
        timer: Option<Sleep>,
    }
}

/// The next step of a race.
#[derive(Debug)]
pub enum Step<R> {
    /// The outcome; no attempt is running.
    Done(R),
    /// Another attempt must be started.
    Another,
}

impl<F: Future> Race<F> {
    /// A race of up to `more` attempts in addition to the first, each started `after` the previous one. If `after` is `None`, only
    /// a failure starts another attempt.
    #[must_use]
    pub fn new(more: u32, after: Option<Duration>, origin: &'static Origin) -> Self {
        Self::of(Call::new(), more, after, origin)
    }

    /// The same, of the call of a layer above that makes attempts as well.
    #[must_use]
    pub fn of(call: Call, more: u32, after: Option<Duration>, origin: &'static Origin) -> Self {
        Self {
            first: None,
            others: Vec::new(),
            turn: 0,
            polled: 0,
            told: EventSource::by(origin),
            call,
            started: 0,
            most: more.saturating_add(1),
            after,
            timer: None,
        }
    }

    /// Whether the next attempt is the last.
    #[must_use]
    pub fn ends(self: Pin<&mut Self>) -> bool {
        self.started + 1 == self.most
    }

    /// Starts an attempt.
    pub fn start(self: Pin<&mut Self>, attempt: F) {
        let mut this = self.project();
        if *this.started == 0 {
            this.first.set(Some(attempt));
        } else {
            this.others.push(Some(Box::pin(attempt)));
        }
        *this.started += 1;
    }

    /// Waits for an outcome or for the time to start another attempt. Cancel safe.
    pub fn next<J: Fn(&F::Output) -> bool>(self: Pin<&mut Self>, failed: J) -> Next<'_, F, J> {
        Next { race: self, failed }
    }

    /// Polls every attempt. Returns `Err` if one of them failed.
    ///
    /// All attempts share the task's cooperative budget. An attempt that uses it up in every poll would starve the others of
    /// Tokio's resources, so the next poll begins with the attempt after it.
    fn poll_attempts(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        failed: &impl Fn(&F::Output) -> bool,
    ) -> Poll<Result<F::Output, F::Output>> {
        let mut failure = None;
        let mut this = self.as_mut().project();
        let (count, begin) = (this.others.len() + 1, std::mem::take(this.turn));
        for index in (begin..count).chain(0..begin) {
            // There are no more of them than a `u32` can count.
            #[expect(clippy::cast_possible_truncation, reason = "see above")]
            let number = index as u32 + 1;
            let _scope = Current::of(*this.call, number, this.most.wrapping_sub(number)).enter();
            let polled = match index.checked_sub(1) {
                None => this.first.as_mut().as_pin_mut().map(|first| first.poll(cx)),
                Some(other) => {
                    // The attempt starts with this poll; one created after the first attempt succeeded never starts. An event is
                    // emitted only if another attempt is still running.
                    if *this.polled == other {
                        *this.polled += 1;
                        let beside = |(index, beside): (usize, &Option<_>)| index != other && beside.is_some();
                        if this.first.is_some() || this.others.iter().enumerate().any(beside) {
                            events::hedged(*this.told);
                        }
                    }
                    this.others[other].as_mut().map(|other| other.as_mut().poll(cx))
                }
            };
            match polled {
                Some(Poll::Pending) if *this.turn == 0 && !coop::has_budget_remaining() => *this.turn = (index + 1) % count,
                None | Some(Poll::Pending) => {}
                Some(Poll::Ready(outcome)) => {
                    match index.checked_sub(1) {
                        None => this.first.set(None),
                        Some(other) => this.others[other] = None,
                    }
                    if !failed(&outcome) {
                        return Poll::Ready(Ok(outcome));
                    }
                    failure = Some(outcome);
                }
            }
        }
        failure.map_or(Poll::Pending, |failure| Poll::Ready(Err(failure)))
    }

    fn poll_timer(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(after) = *this.after else { return Poll::Pending };
        if this.timer.is_none() {
            this.timer.set(Some(sleep(after)));
        }
        let fired = this.timer.as_mut().as_pin_mut().map_or(Poll::Pending, |timer| {
            // Unconstrained: an attempt that uses up the task's budget must not delay the next one.
            pin!(coop::unconstrained(timer)).poll(cx)
        });
        if fired.is_ready() {
            this.timer.set(None);
        }
        fired
    }

    /// Whether no attempt is running.
    fn is_over(&self) -> bool {
        self.first.is_none() && self.others.iter().all(Option::is_none)
    }

    /// Drops all running attempts, even if one of the destructors panics.
    fn end(self: Pin<&mut Self>) {
        let mut this = self.project();
        let mut panicked = catch_unwind(AssertUnwindSafe(|| this.first.set(None))).err();
        for other in this.others.drain(..) {
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(other)));
            panicked = panicked.or(dropped.err());
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }
}

/// See [`Race::next`].
pub struct Next<'a, F, J> {
    race: Pin<&'a mut Race<F>>,
    failed: J,
}

impl<F, J> Unpin for Next<'_, F, J> {}

impl<F: Future, J: Fn(&F::Output) -> bool> Future for Next<'_, F, J> {
    type Output = Step<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { race, failed } = self.get_mut();
        match race.as_mut().poll_attempts(cx, failed) {
            Poll::Ready(Ok(outcome)) => {
                race.as_mut().end();
                return Poll::Ready(Step::Done(outcome));
            }
            // A failed attempt starts the next one immediately.
            Poll::Ready(Err(_)) if race.started < race.most => {
                race.as_mut().project().timer.set(None);
                return Poll::Ready(Step::Another);
            }
            Poll::Ready(Err(outcome)) if race.is_over() => return Poll::Ready(Step::Done(outcome)),
            Poll::Ready(Err(_)) | Poll::Pending => {}
        }
        if race.started == race.most {
            return Poll::Pending;
        }
        race.as_mut().poll_timer(cx).map(|()| Step::Another)
    }
}
