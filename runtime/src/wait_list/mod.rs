//! Calls that wait in line until somebody lets them in, which is the one way in which calls of this crate wait for each other's permits.
//!
//! First come, first served. What a waiter is offered is kept for it for a [grace](GRACE). If it is not polled within that time (the branch
//! of a `select!` that lost and is kept, a stream that nobody reads), the offer goes to the next waiter, and the one that was overtaken
//! has its place at the front again as soon as it is polled.
//!
//! The end of the grace is noticed by a timer of the list, and not by any of the waiters, of whom none need be polled. Its waker is the
//! list itself, which passes the offer on from within the timer's callback.

mod arming;
mod list;
mod list_timer;
mod offer;
mod table;
mod waiter_timer;

pub(crate) use list::{WaitList, WaitQueue, WaiterKey};
pub(crate) use offer::{GRACE, Offer};
pub(crate) use waiter_timer::WaiterTimer;
