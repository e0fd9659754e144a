//! The stored entries: their lifetimes and their removal. Nothing here knows about computations.
//!
//! From the top: `expiry` and `table` (the interface to `quick_cache`), `removal`, `tag_index`, `entry`, then `lifetime`, `tags`,
//! `timestamp`.

pub(crate) mod entry;
pub(crate) mod expiry;
mod ghosts;
pub(crate) mod lifetime;
pub(crate) mod removal;
pub(crate) mod table;
pub(crate) mod tag_index;
pub(crate) mod tags;
pub(crate) mod timestamp;
