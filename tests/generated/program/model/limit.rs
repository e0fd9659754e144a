//! `concurrency_limit`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use steadfast::ErrorKind;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Context, Here, Out, State};
use crate::program::world::ms;

impl Here {
    pub(super) async fn limit(self, context: Context, max_wait: Option<u64>, queue: Option<usize>, or_else: Option<bool>) -> Out {
        let State::Limit(permits) = self.state() else { unreachable!() };
        if max_wait.is_some() {
            self.evaluates(&context, "max_wait");
        }
        if !permits.acquire(max_wait.map(ms), queue).await {
            return Self::reject(&context, ErrorKind::Saturated, None, or_else);
        }
        let _permit = Permit(permits);
        self.below(context.clone()).await
    }
}

/// Permits and the queue for them, first come, first served.
pub(super) struct Permits {
    free: Cell<usize>,
    line: RefCell<VecDeque<Rc<Turn>>>,
}

#[derive(Default)]
struct Turn {
    /// The permit is there, and the call has not been polled since.
    granted: Cell<bool>,
    news: Notify,
}

impl Permits {
    pub(super) fn new(permits: usize) -> Self {
        Self { free: Cell::new(permits), line: RefCell::default() }
    }

    async fn acquire(&self, max_wait: Option<Duration>, queue: Option<usize>) -> bool {
        if self.free.get() > 0 {
            self.free.set(self.free.get() - 1);
            return true;
        }
        if max_wait == Some(Duration::ZERO) || queue.is_some_and(|queue| self.line.borrow().len() >= queue) {
            return false;
        }
        let waits = InLine { permits: self, turn: Rc::default() };
        self.line.borrow_mut().push_back(waits.turn.clone());
        match max_wait {
            None => waits.turn.news.notified().await,
            Some(most) => _ = timeout(most, waits.turn.news.notified()).await,
        }
        waits.turn.granted.take()
    }

    fn release(&self) {
        match self.line.borrow_mut().pop_front() {
            Some(turn) => {
                turn.granted.set(true);
                turn.news.notify_one();
            }
            None => self.free.set(self.free.get() + 1),
        }
    }
}

/// A dropped call gives back its permit or its place in the queue.
struct InLine<'a> {
    permits: &'a Permits,
    turn: Rc<Turn>,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.permits.line.borrow_mut().retain(|turn| !Rc::ptr_eq(turn, &self.turn));
        if self.turn.granted.get() {
            self.permits.release();
        }
    }
}

struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}
