//! `#[timeout(2s)]`

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use crate::codegen::context::Context;
use crate::codegen::fragment::{During, Fragment, Wrapper};
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Rejects, Target};
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

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let (private, deadline) = (&context.private, context.name("deadline"));
        LayerPlan {
            wrapper: Some(Wrapper {
                call: quote!(#private::timeout::within),
                argument: Some(quote_spanned!(Span::mixed_site()=> &mut #deadline)),
                breaks_to: Some(context.label("timeout")),
                during: Some(During::Value(quote_spanned!(Span::mixed_site()=> #deadline.during))),
            }),
            deadline: Some(deadline),
            turn_exprs: self.limit.iter().map(Duration::written).collect(),
            deferred_exprs: self.or_else.iter().collect(),
            rejects: Rejects::by(self.or_else.as_ref()),
            ..LayerPlan::default()
        }
    }

    // let limit = patience; let mut deadline = Deadline::new(limit, ..);
    // match 'timeout: { Ok(..) } { Ok(value) => value, Err(expired) => rejection }
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (limit, deadline, expired) = (context.name("limit"), context.name("deadline"), context.name("expired"));
        let (label, name) = (context.label("timeout"), context.function_name());
        // A literal is repeated, so that no future stores it.
        let (bind_limit, limit) = match &self.limit {
            Some(written) if written.literal().is_none() => {
                let bind = context.bind_duration(written, &limit);
                (context.bind_option(&mut inner, &limit, written.written(), bind), limit.to_token_stream())
            }
            literal => (TokenStream::new(), literal.to_token_stream()),
        };
        let rejection = context.reject("timeout", &quote!(#expired.error(#name, #limit)), self.or_else.as_ref());
        inner.map(|expr| {
            quote_spanned! {span=> {
                #bind_limit
                let mut #deadline = #private::timeout::Deadline::new(#limit, {
                    static __STEADFAST_DEADLINES: #private::timeout::SharedTimers = #private::timeout::SharedTimers::new();
                    &__STEADFAST_DEADLINES
                });
                match #label: { ::core::result::Result::Ok(#expr) } {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#expired) => #rejection,
                }
            }}
        })
    }
}
