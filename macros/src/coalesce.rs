//! `#[coalesce(skip(db))]`

use proc_macro2::TokenStream;

use crate::args;
use crate::async_cached::{Cached, Options};
use crate::diagnostics::Errors;
use crate::layer::Parsed;

const OPTIONS: &[&str] = &["key", "skip"];

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut options = Options::default();
    let common = args::read("coalesce", tokens, OPTIONS, errors, None, &mut |option, input| {
        match option.name.as_str() {
            "key" => options.key = Some(option.parse(input)?),
            _ => options.skip = option.names(input)?,
        }
        Ok(())
    });
    Parsed::new(Cached::coalescing(options), common)
}
