//! `#[fallback(value)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Stmt};

use crate::args;
use crate::diagnostics::Errors;
use crate::layer::{Layer, Parsed, Place};
use crate::policy;
use crate::weaver::{Weaver, Woven};

#[derive(Default)]
struct Fallback {
    value: Option<Expr>,
    /// Whether the value was written, and found wrong.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let (mut value, mut failed) = (None, false);
    let mut positional = |input: syn::parse::ParseStream<'_>| {
        failed = true;
        value = Some(input.parse()?);
        failed = false;
        Ok(())
    };
    let common = args::read("fallback", tokens, &["crate"], errors, Some(&mut positional), &mut |_, _| Ok(()));
    Parsed::new(Fallback { value, failed }, common)
}

impl Layer for Fallback {
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        policy::check_returns(place.function, place.span, "never fails: there is nothing to replace", errors);
        match &self.value {
            None if self.failed => {}
            None => errors.at_span(place.span, "`#[fallback]` needs a value: write `#[fallback(value)]` or `#[fallback(|error| value)]`"),
            Some(Expr::Closure(closure)) if closure.inputs.len() != 1 => {
                errors.at(closure, "the closure gets the error: write `|error| value`, or `|_| value`");
            }
            Some(_) => {}
        }
    }

    fn late(&self) -> TokenStream {
        self.value.to_token_stream()
    }

    // match settle(..) { Ok(outcome) => outcome, Err(error) => value }
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let Woven { evaluate, carried, setup, run } = below(weaver);
        let output = weaver.function.output();
        let value = self.value.to_token_stream();
        let (method, forget) = match &self.value {
            Some(Expr::Closure(closure)) if is_decided_by_its_use(value_of(closure)) => ("succeed_with", None),
            Some(Expr::Closure(_)) => ("replace_with", None),
            Some(value) if is_decided_by_its_use(value) => ("succeed", Some(quote!(.forget()))),
            _ => ("replace", Some(quote!(.forget()))),
        };
        // At the value, where a wrong one is to be reported.
        let method = Ident::new(method, value.span());
        let apply = quote_spanned!(value.span()=> .#method(#value));
        // At the return type, where one that cannot fail is to be reported, and once.
        let at = weaver.function.output.as_ref().map_or(span, |output| output.span().resolved_at(span));
        let settled = quote_spanned!(at=> #private::fallback::settle::<#output>(#run));
        Woven {
            evaluate,
            carried,
            setup,
            run: quote_spanned! {span=>
                match #settled {
                    ::core::result::Result::Ok(outcome) => outcome,
                    ::core::result::Result::Err(failure) => failure #forget #apply,
                }
            },
        }
    }
}

fn value_of(closure: &ExprClosure) -> &Expr {
    match &*closure.body {
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Expr(last, None)) => last,
            _ => &closure.body,
        },
        other => other,
    }
}

/// Whether the expression is of whatever type is expected, so that it is the value of a success: nothing else could be told from it.
fn is_decided_by_its_use(value: &Expr) -> bool {
    match value {
        Expr::MethodCall(call) => call.turbofish.is_none() && ["into", "collect"].iter().any(|name| call.method == name),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.len() == 2 && path.path.segments.iter().map(|segment| &segment.ident).eq(["Default", "default"]),
            _ => false,
        },
        _ => false,
    }
}
