//! The expansion: what a layer is, and what layers share when they write their part of it.

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod bounds;
pub(crate) mod clones;
pub(crate) mod compose;
pub(crate) mod context;
pub(crate) mod fragment;
pub(crate) mod instrument;
pub(crate) mod layer;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod rejection;
pub(crate) mod spawned;
