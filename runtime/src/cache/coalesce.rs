//! `#[coalesce]`: flights without a store.

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::coalesce;
