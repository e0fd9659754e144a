//! `#[coalesce(skip(db))]`

use proc_macro2::TokenStream;

use crate::attributes::async_cached::{Cached, Options};
use crate::codegen::layer::Parsed;
use crate::diagnostics::Errors;
use crate::parse::args;

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
