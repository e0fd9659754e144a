//! Single flight: the running computations, one per key.
//!
//! From the top: `background` (a computation on a task of its own), `waiter`, `leader`, `flights` (the table).

pub(crate) mod background;
pub(crate) mod flights;
pub(crate) mod leader;
pub(crate) mod waiter;
