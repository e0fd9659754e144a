//! The queue of calls that wait for a permit, shared by `concurrency_limit` and `rate_limit`.
//!
//! First in, first out. A permit offered to a waiter is reserved for it for a [grace period](GRACE). If the waiter is not polled
//! within that time (the losing branch of a `select!` that is kept, a stream that is no longer read), the offer passes to the next
//! waiter, and the one that was skipped returns to the front of the queue as soon as it is polled.
//!
//! # States of a waiter
//!
//! ```text
//!               offered            polled in time
//! push ─> Waiting ─────> Offered ──────────────────────> removed
//!          │   ^            │
//!  probed, │   │ polled     │ grace period over and another
//!      not │   │            │ waiter can take the offer
//!   polled v   │            │
//!         Unresponsive <────┘
//! ```
//!
//! A waiter whose future is dropped is removed in any state; what it was offered goes to the next one.
//!
//! # Timer
//!
//! The end of a grace period is noticed by one timer per list and not by a waiter, because none of them need be polled. The timer's
//! waker is the list itself, which passes the offer on inside the timer's callback.
//!
//! # Locks
//!
//! Each list has one mutex. It is held for bookkeeping only: no waker is cloned, called or dropped under it, and no timer is set,
//! polled or dropped, since a timer that is already due calls back immediately and takes the lock again. Whatever must follow is
//! collected and done after the lock is released. Under the lock a policy may lock its rate (`gcra`), never the other way around.

mod arming;
mod list;
mod list_timer;
mod offer;
mod table;
mod waiter_timer;

pub(crate) use list::{First, WaitList, WaitQueue, WaiterKey};
pub(crate) use offer::{GRACE, Offer};
pub(crate) use waiter_timer::WaiterTimer;
