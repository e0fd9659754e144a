//! The attributes of `steadfast`.
//!
//! A small compiler: `args` reads what stands in an attribute, each attribute's own file checks it and writes its layer of the
//! expansion, `stack` collects the layers of a function in written order, and `expand` turns stack and function into tokens. It
//! knows the names in `steadfast::__private` and nothing of what stands behind them.
//!
//! A new attribute is a file here that implements `layer::Layer`, with its name in the list below, and a module of the library that
//! re-exports it, documents it, and has in its `private` what the expansion calls (`steadfast::__private::name`). An attribute that can
//! refuse a call writes its refusal with `Weaver::refuse`, and asks for a place for it with `refusals!` in that `private`. Its shapes
//! are a line in `tests/shapes/support.rs`, its messages a folder in `tests/ui`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod ask;
mod async_cached;
mod async_trait;
mod background;
mod batched;
mod cancellable;
mod circuit_breaker;
mod closure;
mod coalesce;
mod concurrency_limit;
mod diagnostics;
mod duration;
mod expand;
mod expression;
mod fallback;
mod finally;
mod function;
mod handle;
mod hedge;
mod layer;
mod manifest;
mod names;
mod offload_blocking;
mod once;
mod parameters;
mod policy;
mod rate_limit;
mod repeat;
mod retry;
mod shield;
mod site;
#[cfg(test)]
mod snapshots;
mod stack;
mod timeout;
mod tokens;
mod types;
mod units;
mod warn_slow_poll;
mod weaver;

/// The attributes: each is a file with a `parse` of its own.
macro_rules! attributes {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("See `steadfast::", stringify!($name), "`.")]
            #[proc_macro_attribute]
            pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
                expand::attribute(stringify!($name), arguments.into(), &item.into()).into()
            }
        )*

        /// Every attribute of this crate, for the stack to find among the others on a function.
        const ATTRIBUTES: &[layer::Attribute] = &[$(layer::Attribute { name: stringify!($name), parse: $name::parse }),*];
    };
}

attributes! {
    warn_slow_poll
    fallback
    async_cached
    coalesce
    rate_limit
    concurrency_limit
    circuit_breaker
    finally
    cancellable
    timeout
    retry
    shield
    hedge
    batched
    offload_blocking
}
