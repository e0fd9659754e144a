//! A policy for each key: a circuit for each host, a limit for each tenant.

mod by_key;
mod map;
#[doc(hidden)]
pub mod private;
mod retain;

pub use by_key::{Keyed, KeyedRef};
pub(crate) use map::{KeyedEntry, KeyedMap, MAX_KEYS};
pub(crate) use retain::Retain;
