//! Who gets on, and when, beside calls that hang, that nobody polls, that are dropped, or that use up their task's budget.
#![forbid(unsafe_code)]
#![allow(clippy::unchecked_time_subtraction, reason = "times of a test's own clock")]

mod drops;
mod options;
mod rates;
mod stacks;
mod waiters;
