//! Arguments under the attributes: their patterns, names and drops.
//!
//! It works like `tests/shapes`, with the same macros. The two are separate programs so that they compile in parallel.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(
    mixed_script_confusables,
    uncommon_codepoints,
    clippy::await_holding_lock,
    clippy::diverging_sub_expression,
    clippy::double_must_use,
    clippy::elidable_lifetime_names,
    clippy::items_after_statements,
    clippy::manual_async_fn,
    clippy::many_single_char_names,
    clippy::needless_arbitrary_self_type,
    clippy::needless_lifetimes,
    clippy::needless_pass_by_value,
    clippy::non_minimal_cfg,
    clippy::too_many_arguments,
    clippy::toplevel_ref_arg,
    clippy::unnecessary_wraps,
    clippy::uninlined_format_args,
    clippy::unused_async,
    reason = "the bare shapes are like that, and it is what they are here for"
)]

#[macro_use]
#[path = "../shapes/support.rs"]
mod support;

mod arguments;
mod drops;
mod hygiene;
mod lints;
mod macros;
mod names;
mod sends;
