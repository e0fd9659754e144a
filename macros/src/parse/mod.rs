//! The arguments of an attribute: options, durations, counts, handles, closures. Knows nothing of the expansion.

pub(crate) mod args;
pub(crate) mod closure;
pub(crate) mod duration;
pub(crate) mod escapes;
pub(crate) mod expression;
pub(crate) mod handle;
pub(crate) mod literal;
pub(crate) mod once;
pub(crate) mod units;
