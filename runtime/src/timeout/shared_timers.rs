//! The deadlines of one function.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::deadline_list::Seats;
use super::timer_queue::{Joined, Lane};
use crate::stripe::{self, STRIPES};

/// All deadlines that run in one function: a line for a few threads each.
#[derive(Debug)]
pub struct Deadlines {
    lanes: OnceLock<Box<[Arc<Lane>; STRIPES]>>,
}

/// Where a caller stands: the line in the lowest bits, the seat above.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u32);

/// How a caller begins to wait.
pub(super) enum Start {
    /// Behind others.
    Waits,
    /// As the one for whom the timer was set.
    WaitsFirst,
    /// It does not: there is no line for it.
    Refused,
}

const LANES: u32 = 16;
const _: () = assert!(LANES as usize == STRIPES && STRIPES * Seats::MOST <= 1 << u32::BITS);

impl Deadlines {
    /// None yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub const fn new() -> Self {
        Self { lanes: OnceLock::new() }
    }

    /// Begins to wait: `begun` is given the ticket, and when the deadline is.
    #[inline]
    pub(super) fn join(&'static self, limit: u64, cx: &Context<'_>, begun: impl FnOnce(Ticket, u64)) -> Start {
        let lanes = self.lanes.get_or_init(|| Box::new(std::array::from_fn(|_| Lane::new())));
        let index = stripe::mine();
        let lane = &lanes[index];
        let Some(Joined { seat, at, is_first }) = lane.join(limit, cx.waker().clone()) else { return Start::Refused };
        #[expect(clippy::cast_possible_truncation, reason = "there are few")]
        begun(Ticket(seat * LANES + index as u32), at);
        if !is_first {
            return Start::Waits;
        }
        lane.set_timer();
        Start::WaitsFirst
    }

    /// Ready when the deadline has passed.
    #[inline]
    pub(super) fn poll(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<()> {
        let (lane, seat) = self.find(ticket);
        lane.poll(seat, cx.waker())
    }

    /// Waits no longer.
    #[inline]
    pub(super) fn leave(&self, ticket: Ticket) {
        let (lane, seat) = self.find(ticket);
        lane.leave(seat);
    }

    #[inline]
    fn find(&self, Ticket(ticket): Ticket) -> (&Arc<Lane>, u32) {
        let lanes = self.lanes.get().expect("whoever has a ticket stands in a line");
        (&lanes[(ticket % LANES) as usize], ticket / LANES)
    }
}
