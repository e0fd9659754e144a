//! Which calls make progress, and when, next to calls that hang, are not polled, are dropped, or use up their task's budget.
#![forbid(unsafe_code)]
#![allow(clippy::unchecked_time_subtraction, reason = "times of a test's own clock")]

mod cuts;
mod drops;
mod options;
mod rates;
mod stacks;
mod waiters;
