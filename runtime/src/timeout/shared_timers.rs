//! The deadlines of one function.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::deadline_list::DeadlineList;
use super::timer_queue::{Inserted, TimerQueue};
use crate::stripe::{self, STRIPES};

/// All deadlines that run in one function: a line for a few threads each.
#[derive(Debug)]
pub struct Deadlines {
    queues: OnceLock<Box<[Arc<TimerQueue>; STRIPES]>>,
}

/// Where a caller stands: the line in the lowest bits, the seat above.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimerKey(u32);

/// How a caller begins to wait.
pub(super) enum Started {
    /// Behind others.
    Queued,
    /// As the one for whom the timer was set.
    QueuedFirst,
    /// It does not: there is no line for it.
    Rejected,
}

const QUEUES: u32 = 16;
const _: () = assert!(QUEUES as usize == STRIPES && STRIPES * DeadlineList::MAX_LEN <= 1 << u32::BITS);

impl Deadlines {
    /// None yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub const fn new() -> Self {
        Self { queues: OnceLock::new() }
    }

    /// Begins to wait: `begun` is given the ticket, and when the deadline is.
    #[inline]
    pub(super) fn insert(&'static self, limit: u64, cx: &Context<'_>, begun: impl FnOnce(TimerKey, u64)) -> Started {
        let queues = self.queues.get_or_init(|| Box::new(std::array::from_fn(|_| TimerQueue::new())));
        let index = stripe::mine();
        let queue = &queues[index];
        let Some(Inserted { key, at, is_first }) = queue.insert(limit, cx.waker().clone()) else { return Started::Rejected };
        #[expect(clippy::cast_possible_truncation, reason = "there are few")]
        begun(TimerKey(key * QUEUES + index as u32), at);
        if !is_first {
            return Started::Queued;
        }
        queue.set_timer();
        Started::QueuedFirst
    }

    /// Ready when the deadline has passed.
    #[inline]
    pub(super) fn poll(&self, key: TimerKey, cx: &Context<'_>) -> Poll<()> {
        let (queue, key) = self.find(key);
        queue.poll(key, cx.waker())
    }

    /// Waits no longer.
    #[inline]
    pub(super) fn remove(&self, key: TimerKey) {
        let (queue, key) = self.find(key);
        queue.remove(key);
    }

    #[inline]
    fn find(&self, TimerKey(key): TimerKey) -> (&Arc<TimerQueue>, u32) {
        let queues = self.queues.get().expect("whoever has a ticket stands in a line");
        (&queues[(key % QUEUES) as usize], key / QUEUES)
    }
}
