//! The expansion: what a layer is, and what layers share when they write their part of it.

pub(crate) mod bounds;
pub(crate) mod clones;
pub(crate) mod context;
pub(crate) mod instrument;
pub(crate) mod layer;
pub(crate) mod policy;
pub(crate) mod spawned;
