//! `#[timeout(2s)]`

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use crate::args;
use crate::closure;
use crate::diagnostics::Errors;
use crate::duration::Duration;
use crate::layer::{Layer, Parsed, Place};
use crate::weaver::{Guard, Weaver, Woven};

const OPTIONS: &[&str] = &["or_else"];

#[derive(Default)]
struct Timeout {
    limit: Option<Duration>,
    or_else: Option<Expr>,
    /// Whether the limit was written, and found wrong.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut timeout = Timeout::default();
    let (mut limit, mut or_else, mut failed) = (None, None, false);
    let common = args::read(
        "timeout",
        tokens,
        OPTIONS,
        errors,
        Some(&mut |input| {
            failed = true;
            limit = Some(input.parse()?);
            failed = false;
            Ok(())
        }),
        &mut |option, input| {
            or_else = Some(option.parse(input)?);
            Ok(())
        },
    );
    timeout.limit = limit;
    timeout.or_else = or_else;
    timeout.failed = failed;
    Parsed::new(timeout, common)
}

impl Layer for Timeout {
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        if self.limit.is_none() && !self.failed {
            errors.at_span(place.span, "`#[timeout]` needs a duration: write `#[timeout(5s)]`");
        }
        if place.function.diverges() && self.or_else.is_none() {
            errors
                .at_span(place.span, "a function that never returns has no value for a timeout: return a `Result` or an `Option`");
        }
    }

    fn stacks_with_itself(&self) -> bool {
        true
    }

    fn late(&self) -> TokenStream {
        self.or_else.to_token_stream()
    }

    // let mut deadline = Deadline::new(limit, ..); ..
    // match 'timeout: { Ok(..) } { Ok(value) => value, Err(expired) => refusal }
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let (limit, deadline, expired) = (weaver.name("limit"), weaver.name("deadline"), weaver.name("expired"));
        let label = weaver.label("timeout");
        let bind_limit = self.limit.as_ref().map(|written| written.bind(&limit));
        let (within, shared) = (quote!(#private::timeout::within), deadline.clone());
        let wrap = move |future: &TokenStream| quote_spanned!(span=> #within(&mut #shared, #future));
        let guard = Guard { wrap: Box::new(wrap), breaks_to: Some(label.clone()) };
        let Woven { evaluate, mut carried, setup, run } = weaver.guarded_until(deadline.clone(), guard, below);
        carried.push(limit.clone());
        let name = weaver.function_name();
        // A literal is written again, so that no future carries it along.
        let again = match &self.limit {
            Some(literal) if literal.literal().is_some() => literal.to_token_stream(),
            _ => limit.to_token_stream(),
        };
        let refusal = weaver.refuse("timeout", &quote!(#expired.error(#name, #again)), self.or_else.as_ref());
        Woven {
            evaluate: quote!(#bind_limit #evaluate),
            carried,
            setup: quote_spanned! {span=>
                let mut #deadline = #private::timeout::Deadline::new(#limit, {
                    static __STEADFAST_DEADLINES: #private::timeout::Deadlines = #private::timeout::Deadlines::new();
                    &__STEADFAST_DEADLINES
                });
                #setup
            },
            run: quote_spanned! {span=>
                match #label: { ::core::result::Result::Ok(#run) } {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#expired) => #refusal,
                }
            },
        }
    }
}
