//! `#[warn_slow_poll(10ms)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;

use crate::codegen::context::Context;
use crate::codegen::fragment::{During, Fragment, Wrapper};
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Target};
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

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let (private, slow) = (&context.private, context.name("slow"));
        LayerPlan {
            wrapper: Some(Wrapper {
                call: quote!(#private::warn_slow_poll::watch),
                argument: Some(quote_spanned!(Span::mixed_site()=> &mut #slow)),
                breaks_to: None,
                during: Some(During::Value(quote_spanned!(Span::mixed_site()=> #slow.during))),
            }),
            turn_exprs: self.limit.iter().map(Duration::written).collect(),
            ..LayerPlan::default()
        }
    }

    // let mut slow = Slow::new("name", limit); ..
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (limit, slow, name) = (context.name("limit"), context.name("slow"), context.function_name());
        let (bind_limit, limit) = match &self.limit {
            Some(written) if written.literal().is_none() => {
                let bind = context.bind_duration(written, &limit);
                (context.bind_option(&mut inner, &limit, written.written(), bind), limit.to_token_stream())
            }
            literal => (TokenStream::new(), literal.to_token_stream()),
        };
        let panics = self.panics.then(|| quote!(.panics()));
        inner.map(|expr| {
            quote_spanned! {span=> {
                #bind_limit
                let mut #slow = #private::warn_slow_poll::Slow::new(#name, #limit) #panics;
                #expr
            }}
        })
    }
}
