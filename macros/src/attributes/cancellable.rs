//! `#[cancellable(token = token)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use crate::codegen::context::{Context, Fragment, Wrapper};
use crate::codegen::layer::{Layer, Parsed, Target};
use crate::diagnostics::Errors;
use crate::item::tokens::respan;
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
        let token: Expr = input.parse()?;
        let written = token.to_token_stream().to_string().replace(' ', "");
        let advice = if OPTIONS.contains(&written.as_str()) { format!("{written} = ..") } else { format!("token = {written}") };
        Err(syn::Error::new_spanned(token, format!("`cancellable` takes named options: write `{advice}`")))
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

    /// What runs after the body has gone needs its arguments still there.
    fn deferred_exprs(&self) -> TokenStream {
        let Self { cleanup, or_else, .. } = self;
        quote!(#cleanup #or_else)
    }

    // let cancellation = pin!(Cancellation::new(&token)); ..
    // match 'cancellable: { if it is cancelled { break 'cancellable Err(..) } Ok(..) } {
    //     Ok(value) => value,
    //     Err(cancelled) => { cleanup.await; refusal }
    // }
    fn expand(&self, context: &mut Context<'_>, below: &mut dyn FnMut(&mut Context<'_>) -> Fragment) -> Fragment {
        let span = Span::mixed_site();
        let private = context.private.clone();
        let (token, cancellation, cancelled) = (context.name("token"), context.name("cancellation"), context.name("cancelled"));
        let label = context.label("cancellable");
        let bind_token = self.token.as_ref().map(|written| bind(&private, &token, written));
        let (until, shared) = (quote!(#private::cancellable::until), cancellation.clone());
        let wrap = move |future: &TokenStream| quote_spanned!(span=> #until(#shared.as_mut(), #future));
        let wrapper = Wrapper { wrap: Box::new(wrap), breaks_to: Some(label.clone()) };
        let Fragment { prelude, mut captures, setup, expr } = context.with_wrapper(wrapper, below);
        captures.push(token.clone());
        let name = context.function_name();
        let refusal = context.reject("cancellable", &quote!(#cancelled.error(#name)), self.or_else.as_ref());
        let cleanup = self.cleanup.as_ref().map(|cleanup| {
            let awaited = context.await_wrapped(&quote_spanned!(span=> __cleanup));
            let cleaned = respan(cleanup.span(), quote_spanned!(span=> #private::cancellable::cleaned(#name, #awaited);));
            quote_spanned!(span=> let __cleanup = #cleanup; #cleaned)
        });
        let drop_body = context.drop_body();
        Fragment {
            prelude: quote!(#bind_token #prelude),
            captures,
            setup: quote_spanned! {span=>
                let mut #cancellation = ::core::pin::pin!(#private::cancellable::Cancellation::new(&#token));
                #setup
            },
            expr: quote_spanned! {span=>
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
                        #refusal
                    }
                }
            },
        }
    }
}

/// A token of the call's own: the body may take along the argument that the expression names.
fn bind(private: &TokenStream, name: &Ident, written: &Expr) -> TokenStream {
    let token = quote_spanned!(written.span()=> #private::cancellable::token(&(#written)));
    quote_spanned!(Span::mixed_site()=> let #name = #token;)
}
