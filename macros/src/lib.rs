//! The attributes of `steadfast`.
//!
//! A small compiler: `args` reads what stands in an attribute, each attribute's own file checks it and writes its layer of the
//! expansion, `stack` collects the layers of a function in written order, and `expand` turns stack and function into tokens. It
//! knows the names in `steadfast::__private` and nothing of what stands behind them.
//!
//! A new attribute is a file that implements `layer::Layer` and a line in the list below.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod ask;
mod async_trait;
mod background;
mod diagnostics;
mod duration;
mod expand;
mod expression;
mod function;
mod handle;
mod layer;
mod parameters;
mod policy;
mod repeat;
mod site;
#[cfg(test)]
mod snapshots;
mod stack;
mod tokens;
mod types;
mod weaver;

/// The attributes: each is a file with a `parse` of its own.
macro_rules! attributes {
    ($($name:ident)*) => {
        $(
            mod $name;

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
