//! `#[cancellable(token = token)]`

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use crate::codegen::context::Context;
use crate::codegen::fragment::{Fragment, Wrapper};
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Rejects, Target};
use crate::diagnostics::Errors;
use crate::item::tokens::{calling, respan};
use crate::parse::args;
use crate::parse::closure;

const OPTIONS: &[&str] = &["token", "cleanup", "or_else"];

#[derive(Default)]
struct Cancellable {
    token: Option<Expr>,
    cleanup: Option<Expr>,
    or_else: Option<Expr>,
    /// Whether a token was written but is invalid.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut cancellable = Cancellable::default();
    let mut misplaced = false;
    let mut positional = |input: syn::parse::ParseStream<'_>| {
        misplaced = true;
        let token = args::object(input, OPTIONS)?;
        let written = token.to_token_stream().to_string().replace(' ', "");
        Err(syn::Error::new_spanned(token, format!("missing option name: write `token = {written}`")))
    };
    let common = args::read("cancellable", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        match option.name.as_str() {
            "token" => {
                cancellable.failed = true;
                cancellable.token = Some(option.parse(input)?);
            }
            "cleanup" => cancellable.cleanup = Some(option.parse(input)?),
            _ => cancellable.or_else = Some(option.parse(input)?),
        }
        Ok(())
    });
    cancellable.failed |= misplaced;
    Parsed::new(cancellable, common)
}

impl Layer for Cancellable {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        if self.token.is_none() && !self.failed {
            errors.at_span(
                target.span,
                "`#[cancellable]` requires a `CancellationToken`: write `#[cancellable(token = token)]`, with any expression as \
                 the token",
            );
        }
        if target.function.diverges() && self.or_else.is_none() {
            errors.at_span(
                target.span,
                "a function that never returns has no value for a cancellation: return a `Result` or an `Option`, or set \
                 `or_else = |error| ..`",
            );
        }
    }

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let (private, cancellation) = (&context.private, context.name("cancellation"));
        LayerPlan {
            wrapper: Some(Wrapper {
                call: quote!(#private::cancellable::until),
                argument: Some(quote_spanned!(Span::mixed_site()=> #cancellation.as_mut())),
                breaks_to: Some(context.label("cancellable")),
                during: None,
            }),
            turn_exprs: self.token.iter().collect(),
            // Code that runs after the body has been dropped needs its arguments.
            deferred_exprs: self.cleanup.iter().chain(&self.or_else).collect(),
            rejects: Rejects::by(self.or_else.as_ref()),
            ..LayerPlan::default()
        }
    }

    // let token = ..; let cancellation = pin!(Cancellation::new(&token));
    // match 'cancellable: { if it is cancelled { break 'cancellable Err(..) } Ok(..) } {
    //     Ok(value) => value,
    //     Err(cancelled) => { cleanup.await; rejection }
    // }
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (token, cancellation, cancelled) = (context.name("token"), context.name("cancellation"), context.name("cancelled"));
        let (label, name) = (context.label("cancellable"), context.function_name());
        let bind_token = self.token.as_ref().map(|written| {
            let bind = bind(context, &token, written);
            context.bind_option(&mut inner, &token, written, bind)
        });
        let rejection = context.reject("cancellable", &quote!(#cancelled.error(#name)), self.or_else.as_ref());
        let cleanup = self.cleanup.as_ref().map(|cleanup| {
            // Evaluated where it is awaited. Errors are reported at the cleanup, and at the user's own tokens in it.
            let place = cleanup.span();
            let (keyword, finished) = (quote_spanned!(span=> async), quote_spanned!(span=> __cleanup.await));
            let (keyword, finished) = (respan(place, keyword), respan(place, finished));
            let mut block = Group::new(Delimiter::Brace, quote_spanned!(span=> let __cleanup = #cleanup; #finished));
            block.set_span(span.located_at(place));
            let awaited = context.await_wrapped(&quote!(#keyword #block));
            let cleaned = respan(place, quote_spanned!(span=> #private::cancellable::cleaned(#name, __cleaned);));
            quote_spanned!(span=> let __cleaned = #awaited; #cleaned)
        });
        let drop_body = context.drop_body();
        inner.map(|expr| {
            quote_spanned! {span=> {
                #bind_token
                let mut #cancellation = ::core::pin::pin!(#private::cancellable::Cancellation::new(&#token));
                match #label: {
                    if let ::core::option::Option::Some(__cancelled) = #cancellation.as_mut().already() {
                        let __cut = ::core::result::Result::Err(__cancelled);
                        #drop_body
                        break #label __cut
                    }
                    ::core::result::Result::Ok(#expr)
                } {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#cancelled) => {
                        #cleanup
                        #rejection
                    }
                }
            }}
        })
    }
}

/// A token that the call owns, since the body may consume the argument that the expression names.
fn bind(context: &Context<'_>, name: &Ident, written: &Expr) -> TokenStream {
    let private = &context.private;
    let token = context.evaluate_option(written, &calling(&quote!(#private::cancellable::token), written));
    quote_spanned!(Span::mixed_site()=> let #name = #token;)
}
