//! `#[shield]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use crate::args;
use crate::ask;
use crate::background;
use crate::diagnostics::Errors;
use crate::layer::{Layer, Parsed, Place};
use crate::types;
use crate::weaver::{Weaver, Woven};

const OPTIONS: &[&str] = &["tracker"];

#[derive(Default)]
struct Shield {
    tracker: Option<Expr>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut shield = Shield::default();
    let common = args::read("shield", tokens, OPTIONS, errors, None, &mut |option, input| {
        shield.tracker = Some(option.parse(input)?);
        Ok(())
    });
    Parsed::new(shield, common)
}

impl Layer for Shield {
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        background::check(place.function, "a shielded call", errors);
    }

    // let work = async move { .. };
    // match shield(name, work).await { Ok(out) => out, Err(stopped) => refusal }
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let (work, fit) = (weaver.name("work"), weaver.name("fit"));
        let asks = ask::statements(&fit, &private, &quote!(#private::shield), &background::asks(weaver, "ask_shielded"));
        let (copies, borrows) = background::copies(weaver);
        let tracker = weaver.name("tracker");
        let bind_tracker = self
            .tracker
            .as_ref()
            .map(|written| quote_spanned!(written.span()=> let #tracker = #private::shield::tracker(&(#written));));
        let tracked =
            self.tracker.as_ref().map(|_| quote_spanned!(span=> let #work = #private::shield::tracked(&#tracker, #work);));
        let inside = weaver.in_background(below).tokens();
        let name = weaver.function_name();
        let describe = match weaver.function.output.as_ref().map(types::bare) {
            Some(syn::Type::ImplTrait(_)) | None => quote!(#private::shield::untold),
            Some(_) => {
                let output = weaver.function.output();
                quote!(#private::shield::Told::<#output>::new().describe())
            }
        };
        let refusal = weaver.refuse_or_panic(&quote_spanned!(span=> __stopped.error(#name)));
        // One expression, made before a layer above waits: the arguments are in it then.
        let shielded = quote_spanned! {span=>
            {
                #asks
                #bind_tracker
                #copies
                let #work = #fit.pass(async move {
                    #borrows
                    #inside
                });
                #tracked
                #private::shield::shield(#name, #work, #describe)
            }
        };
        let Woven { evaluate, carried, setup, run } = weaver.leaf(&shielded);
        Woven {
            evaluate,
            carried,
            setup,
            run: quote_spanned! {span=>
                match #run {
                    ::core::result::Result::Ok(__out) => __out,
                    ::core::result::Result::Err(__stopped) => #refusal,
                }
            },
        }
    }

    fn spawns(&self) -> bool {
        true
    }

    fn binds_again(&self, weaver: &Weaver<'_>, argument: &Ident) -> bool {
        background::binds_again(weaver, argument)
    }
}
