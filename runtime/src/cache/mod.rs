#![doc = include_str!("caching.md")]
// The store (which entry to keep) is `quick_cache`'s. How long an entry is fresh and who computes it is decided here.

mod background;
mod builder;
mod by_hand;
mod call;
mod clock;
mod coalesce;
mod entry;
mod expiry;
mod flight;
mod ghosts;
mod key;
mod lead;
mod lifetime;
mod load;
mod removal;
mod scope;
mod shape;
mod shared;
mod slot;
mod stats;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod waiter;

pub use builder::CacheBuilder;
pub use by_hand::Cache;
pub use coalesce::coalesce;
pub use key::Key;
pub use load::Loaded;
pub use removal::RemovalCause;
pub(crate) use scope::{Awaiting, Marks, inherited};
pub use stats::Stats;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::async_cached;

#[doc(hidden)]
pub mod private {
    pub use super::background::{Spawned, Stopped, ask_background};
    pub use super::call::{Begin, Mode, Next, Owned, Told, begin, begin_or_refresh, recursion};
    pub use super::flight::Turn;
    pub use super::key::{
        Referred, ask_anonymous, ask_argument, ask_argument_of, ask_borrowed, ask_borrowed_of, ask_key_in, ask_readable, ask_value,
        ask_value_in,
    };
    pub use super::lead::Lead;
    pub use super::lifetime::Lifetime;
    pub use super::shape::{Kind, Shape, ask_error_ttl, ask_none_ttl, ask_stale_if_error, ttl_of, ttl_of_some};
    pub use super::slot::{IsCache, Slot, Types};
    pub use super::tags::{Tags, tag};
    pub use super::waiter::{Waited, Waiter};
}
