//! `rate_limit`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use steadfast::ErrorKind;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{Context, Here, Out, State};
use crate::program::world::ms;

impl Here {
    pub(super) async fn rate(self, context: Context, rate: Rate, max_wait: Option<u64>, or_else: Option<bool>) -> Out {
        let State::Rate(lines) = self.state() else { unreachable!() };
        if max_wait.is_some() {
            self.evaluates(&context, "max_wait");
        }
        let key = if rate.keyed { context.key } else { 0 };
        let line = lines.borrow_mut().entry(key).or_insert_with(|| Rc::new(RateLine::new())).clone();
        if let Err(hint) = line.turn(rate.interval, rate.burst, ms(max_wait.unwrap_or_default())).await {
            return Self::reject(&context, ErrorKind::RateLimited, Some(hint), or_else);
        }
        self.below(context.clone()).await
    }
}

pub(super) struct Rate {
    pub(super) interval: Duration,
    pub(super) burst: u32,
    pub(super) keyed: bool,
}

/// The generic cell rate algorithm with a queue, first come, first served.
pub(super) struct RateLine {
    /// When the bucket is full again.
    full_at: Cell<Option<Instant>>,
    waiting: RefCell<VecDeque<u64>>,
    next: Cell<u64>,
    news: Notify,
}

impl RateLine {
    fn new() -> Self {
        Self { full_at: Cell::new(None), waiting: RefCell::default(), next: Cell::new(0), news: Notify::new() }
    }

    /// When the turn of a call comes that has so many others before it.
    fn turn_at(&self, before: usize, interval: Duration, burst: u32) -> Instant {
        let now = Instant::now();
        let full_at = self.full_at.get().map_or(now, |full_at| full_at.max(now)) + interval * u32::try_from(before).unwrap();
        full_at.checked_sub(interval * (burst - 1)).map_or(now, |turn| turn.max(now))
    }

    fn take(&self, interval: Duration) {
        let now = Instant::now();
        self.full_at.set(Some(self.full_at.get().map_or(now, |full_at| full_at.max(now)) + interval));
    }

    async fn turn(&self, interval: Duration, burst: u32, max_wait: Duration) -> Result<(), Duration> {
        let now = Instant::now();
        let before = self.waiting.borrow().len();
        let turn = self.turn_at(before, interval, burst);
        if before == 0 && turn <= now {
            self.take(interval);
            return Ok(());
        }
        if turn > now + max_wait {
            return Err(turn - now);
        }
        let place = Place { line: self, number: self.next.replace(self.next.get() + 1) };
        self.waiting.borrow_mut().push_back(place.number);
        loop {
            let news = self.news.notified();
            let before = self.waiting.borrow().iter().take_while(|number| **number != place.number).count();
            let turn = self.turn_at(before, interval, burst);
            if before == 0 && turn <= Instant::now() {
                self.take(interval);
                return Ok(());
            }
            tokio::select! { () = sleep_until(turn) => {}, () = news => {} }
        }
    }
}

struct Place<'a> {
    line: &'a RateLine,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.waiting.borrow_mut().retain(|number| *number != self.number);
        self.line.news.notify_waiters();
    }
}
