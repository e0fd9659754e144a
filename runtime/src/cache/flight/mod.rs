//! Single flight: the running computations, one per key.
//!
//! From the top: `lead` (a call that may run alone), `background` (a computation on a task of its own), `waiter`, `leader`, `flights` (the table).

pub(crate) mod background;
pub(crate) mod flights;
pub(crate) mod lead;
pub(crate) mod leader;
pub(crate) mod waiter;
