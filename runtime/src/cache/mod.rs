#![doc = include_str!("caching.md")]

// The modules in reading order; each depends only on those below it:
//
//   api, iter, slot  the methods of `Cache`; where a function's own cache is stored
//   bounds         the bounds on keys, values and return types, and their error messages
//   lookup         the start of a call: hit, miss, or a hit that starts a refresh
//   flight/        single flight: the leader and the waiters
//   handle         the type `Cache`
//   builder        the type `CacheBuilder`
//   inner          the state of a cache
//   store/         the stored entries, their lifetimes and their removal; `quick_cache` decides which entry to evict
//   previous       the value that a new one replaces
//   shared_error   how waiters receive an error that is not `Clone`
//   return_kind    how a return type is stored
//   settings, stats

mod api;
mod bounds;
mod builder;
mod flight;
mod handle;
pub(crate) mod inner;
mod iter;
mod lookup;
mod previous;
mod return_kind;
mod settings;
mod shared_error;
mod slot;
mod stats;
pub(crate) mod store;

#[cfg(test)]
mod tests;

pub use crate::key::Key;
pub use api::Loaded;
pub use builder::CacheBuilder;
#[doc(alias("memoize", "singleflight", "stampede"))]
pub use handle::Cache;
pub use iter::Iter;
pub use stats::Stats;
pub use store::removal::RemovalCause;

// Documented where they are defined, in `macros/src/lib.rs`.
pub use steadfast_macros::{async_cached, coalesce};

#[doc(hidden)]
pub mod private {
    pub use super::bounds::{
        assert_anonymous, assert_argument, assert_argument_of, assert_background, assert_borrowed, assert_borrowed_of,
        assert_error_ttl, assert_key_in, assert_none_ttl, assert_readable, assert_shared_error, assert_stale_if_error,
        assert_value, assert_value_in,
    };
    pub use super::flight::background::Spawned;
    pub use super::flight::lead::Lead;
    pub use super::flight::leader::Leader;
    pub use super::flight::waiter::{Role, Waited, Waiter};
    pub use super::lookup::{Begin, Mode, Next, Owned, RefreshWarning, begin, begin_or_refresh, recursion};
    pub use super::previous::{Previous, ttl_of_change};
    pub use super::return_kind::{KindOf, LateKindOf, ReturnKind, of_value, store_if, ttl_of, ttl_of_some};
    pub use super::shared_error::shared_by;
    pub use super::slot::{CacheSlot, IsCache, Types};
    pub use super::store::lifetime::Lifetime;
    pub use super::store::tags::{Tags, tag};
    pub use crate::key::Referred;
}
