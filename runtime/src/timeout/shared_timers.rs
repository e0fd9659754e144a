//! The deadlines of one function.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::deadline_list::DeadlineList;
use super::timer_queue::{Inserted, TimerQueue};
use crate::stripe::{self, STRIPES};

/// All deadlines running in one function: one timer queue per stripe of threads.
#[derive(Debug)]
pub struct SharedTimers {
    queues: OnceLock<Box<[Arc<TimerQueue>; STRIPES]>>,
}

/// A key in one of the queues: the queue's index in the lowest bits, the key within it above.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimerKey(u32);

/// How a deadline was added.
pub(super) enum Started {
    /// Behind others.
    Queued,
    /// First in its queue: the timer was set for it.
    QueuedFirst,
    /// Not added: it does not fit into the queue.
    Rejected,
}

const QUEUES: u32 = 16;
const _: () = assert!(QUEUES as usize == STRIPES && STRIPES * DeadlineList::MAX_LEN <= 1 << u32::BITS);

impl SharedTimers {
    /// No deadlines yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self { queues: OnceLock::new() }
    }

    /// Adds a deadline that passes `limit` nanoseconds from now. `begun` receives its key and its time.
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

    /// Removes the deadline.
    #[inline]
    pub(super) fn remove(&self, key: TimerKey) {
        let (queue, key) = self.find(key);
        queue.remove(key);
    }

    #[inline]
    fn find(&self, TimerKey(key): TimerKey) -> (&Arc<TimerQueue>, u32) {
        let queues = self.queues.get().expect("the queues exist as long as a key does");
        (&queues[(key % QUEUES) as usize], key / QUEUES)
    }
}
