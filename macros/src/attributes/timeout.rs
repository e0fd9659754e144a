//! `#[timeout(2s)]`

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use crate::codegen::context::{Context, Fragment, Wrapper};
use crate::codegen::layer::{Layer, Parsed, Target};
use crate::diagnostics::Errors;
use crate::parse::args;
use crate::parse::closure;
use crate::parse::duration::Duration;

const OPTIONS: &[&str] = &["or_else"];

#[derive(Default)]
struct Timeout {
    limit: Option<Duration>,
    or_else: Option<Expr>,
    /// Whether a duration was written but is invalid.
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
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        if self.limit.is_none() && !self.failed {
            errors.at_span(target.span, "`#[timeout]` requires a duration: write `#[timeout(5s)]`");
        }
        if target.function.diverges() && self.or_else.is_none() {
            errors.at_span(
                target.span,
                "a function that never returns has no value for a timeout: return a `Result` or an `Option`, or set `or_else = \
                 |error| ..`",
            );
        }
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn deferred_exprs(&self) -> TokenStream {
        self.or_else.to_token_stream()
    }

    // let mut deadline = Deadline::new(limit, ..); ..
    // match 'timeout: { Ok(..) } { Ok(value) => value, Err(expired) => refusal }
    fn expand(&self, context: &mut Context<'_>, below: &mut dyn FnMut(&mut Context<'_>) -> Fragment) -> Fragment {
        let span = Span::mixed_site();
        let private = context.private.clone();
        let (limit, deadline, expired) = (context.name("limit"), context.name("deadline"), context.name("expired"));
        let label = context.label("timeout");
        let bind_limit = self.limit.as_ref().map(|written| written.bind(&limit));
        let (within, shared) = (quote!(#private::timeout::within), deadline.clone());
        let wrap = move |future: &TokenStream| quote_spanned!(span=> #within(&mut #shared, #future));
        let wrapper = Wrapper { wrap: Box::new(wrap), breaks_to: Some(label.clone()) };
        let Fragment { prelude, mut captures, setup, expr } = context.with_deadline(deadline.clone(), wrapper, below);
        captures.push(limit.clone());
        let name = context.function_name();
        // A literal is written again, so that no future carries it along.
        let again = match &self.limit {
            Some(literal) if literal.literal().is_some() => literal.to_token_stream(),
            _ => limit.to_token_stream(),
        };
        let refusal = context.reject("timeout", &quote!(#expired.error(#name, #again)), self.or_else.as_ref());
        Fragment {
            prelude: quote!(#bind_limit #prelude),
            captures,
            setup: quote_spanned! {span=>
                let mut #deadline = #private::timeout::Deadline::new(#limit, {
                    static __STEADFAST_DEADLINES: #private::timeout::SharedTimers = #private::timeout::SharedTimers::new();
                    &__STEADFAST_DEADLINES
                });
                #setup
            },
            expr: quote_spanned! {span=>
                match #label: { ::core::result::Result::Ok(#expr) } {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#expired) => #refusal,
                }
            },
        }
    }
}
