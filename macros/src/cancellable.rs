//! `#[cancellable(token = token)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use crate::args;
use crate::closure;
use crate::diagnostics::Errors;
use crate::layer::{Layer, Parsed, Place};
use crate::tokens::located_at;
use crate::weaver::{Guard, Weaver, Woven};

const OPTIONS: &[&str] = &["token", "cleanup", "or_else"];

#[derive(Default)]
struct Cancellable {
    token: Option<Expr>,
    cleanup: Option<Expr>,
    or_else: Option<Expr>,
    /// Whether the token was written, and found wrong.
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
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        if self.token.is_none() && !self.failed {
            errors.at_span(
                place.span,
                "`#[cancellable]` needs a `CancellationToken`: write `#[cancellable(token = token)]`, with any expression for it",
            );
        }
        if place.function.diverges() && self.or_else.is_none() {
            errors.at_span(
                place.span,
                "a function that never returns has no value for a cancellation: return a `Result` or an `Option`",
            );
        }
    }

    /// What runs after the body has gone needs its arguments still there.
    fn late(&self) -> TokenStream {
        let Self { cleanup, or_else, .. } = self;
        quote!(#cleanup #or_else)
    }

    // let cancellation = pin!(Cancellation::new(&token)); ..
    // match 'cancellable: { if it is cancelled { break 'cancellable Err(..) } Ok(..) } {
    //     Ok(value) => value,
    //     Err(cancelled) => { cleanup.await; refusal }
    // }
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let (token, cancellation, cancelled) = (weaver.name("token"), weaver.name("cancellation"), weaver.name("cancelled"));
        let label = weaver.label("cancellable");
        let bind_token = self.token.as_ref().map(|written| bind(&private, &token, written));
        let (until, shared) = (quote!(#private::cancellable::until), cancellation.clone());
        let wrap = move |future: &TokenStream| quote_spanned!(span=> #until(#shared.as_mut(), #future));
        let guard = Guard { wrap: Box::new(wrap), breaks_to: Some(label.clone()) };
        let Woven { evaluate, mut carried, setup, run } = weaver.guarded(guard, below);
        carried.push(token.clone());
        let name = weaver.function_name();
        let refusal = weaver.refuse("cancellable", &quote!(#cancelled.error(#name)), self.or_else.as_ref());
        let cleanup = self.cleanup.as_ref().map(|cleanup| {
            let awaited = weaver.awaiting(&quote_spanned!(span=> __cleanup));
            let cleaned = located_at(cleanup.span(), quote_spanned!(span=> #private::cancellable::cleaned(#name, #awaited);));
            quote_spanned!(span=> let __cleanup = #cleanup; #cleaned)
        });
        let drop_body = weaver.drop_body();
        Woven {
            evaluate: quote!(#bind_token #evaluate),
            carried,
            setup: quote_spanned! {span=>
                let mut #cancellation = ::core::pin::pin!(#private::cancellable::Cancellation::new(&#token));
                #setup
            },
            run: quote_spanned! {span=>
                match #label: {
                    if let ::core::option::Option::Some(__cancelled) = #cancellation.as_mut().already() {
                        let __cut = ::core::result::Result::Err(__cancelled);
                        #drop_body
                        break #label __cut
                    }
                    ::core::result::Result::Ok(#run)
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
