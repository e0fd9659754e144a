//! Every shape of function that the attributes can be applied to.
//!
//! Each shape is written once. A macro compiles it bare and under the attributes that fit, and runs the same check on all of them:
//! it must find the same as for the bare function. Patterns, names, and drops of arguments are in `tests/names`, the lints that
//! must still fire in `tests/ui/lints`.
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
mod support;

mod bodies;
mod foreign;
mod free;
mod futures;
mod generics;
mod methods;
mod offloaded;
mod policies;
mod traits;
mod watched;
