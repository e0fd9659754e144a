//! `#[warn_slow_poll(10ms)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;

use crate::codegen::context::{Context, Fragment, Wrapper};
use crate::codegen::layer::{Layer, Parsed, Target};
use crate::diagnostics::Errors;
use crate::parse::args;
use crate::parse::duration::Duration;

const OPTIONS: &[&str] = &["panic"];

#[derive(Default)]
struct WarnSlowPoll {
    limit: Option<Duration>,
    panics: bool,
    /// Whether a threshold was written but is invalid.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let (mut limit, mut panics, mut failed) = (None, false, false);
    let mut positional = |input: ParseStream<'_>| {
        failed = true;
        if is_flag(input) {
            let error = input.error("missing threshold: write the duration first, as in `10ms, panic`");
            // The duration that follows would be reported too, and is correct once it comes first.
            input.parse::<TokenStream>()?;
            return Err(error);
        }
        limit = Some(input.parse()?);
        failed = false;
        Ok(())
    };
    let common = args::read("warn_slow_poll", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        option.flag(input)?;
        panics = true;
        Ok(())
    });
    Parsed::new(WarnSlowPoll { limit, panics, failed }, common)
}

fn is_flag(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Ident>().is_ok_and(|ident| ident == "panic") && (ahead.is_empty() || ahead.peek(syn::Token![,]))
}

impl Layer for WarnSlowPoll {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        match &self.limit {
            None if !self.failed => {
                errors.at_span(target.span, "`#[warn_slow_poll]` requires a duration: write `#[warn_slow_poll(10ms)]`");
            }
            Some(limit) if limit.literal().is_some_and(|limit| limit.is_zero()) => {
                errors.at(limit.written(), "the threshold must be greater than zero: write a duration, as in `10ms`");
            }
            _ => {}
        }
    }

    // let mut slow = Slow::new("name", limit); ..
    fn expand(&self, context: &mut Context<'_>, below: &mut dyn FnMut(&mut Context<'_>) -> Fragment) -> Fragment {
        let span = Span::mixed_site();
        let private = context.private.clone();
        let (limit, slow) = (context.name("limit"), context.name("slow"));
        let bind_limit = self.limit.as_ref().map(|written| written.bind(&limit));
        let (watch, shared) = (quote!(#private::warn_slow_poll::watch), slow.clone());
        let wrap = move |future: &TokenStream| quote_spanned!(span=> #watch(&mut #shared, #future));
        let Fragment { prelude, mut captures, setup, expr } =
            context.with_wrapper(Wrapper { wrap: Box::new(wrap), breaks_to: None }, below);
        captures.push(limit.clone());
        let name = context.function_name();
        let panics = self.panics.then(|| quote!(.panics()));
        Fragment {
            prelude: quote!(#bind_limit #prelude),
            captures,
            setup: quote_spanned! {span=>
                let mut #slow = #private::warn_slow_poll::Slow::new(#name, #limit) #panics;
                #setup
            },
            expr,
        }
    }
}
