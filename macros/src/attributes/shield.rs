//! `#[shield]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;

use crate::codegen::bounds;
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::layer::{Boundary, Layer, LayerPlan, Parsed, Target};
use crate::codegen::output::Output;
use crate::codegen::spawned;
use crate::diagnostics::Errors;
use crate::item::tokens::calling;
use crate::parse::args;
use crate::parse::expression::is_place;

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
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        spawned::check(target.function, "a shielded call", errors);
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        LayerPlan {
            boundary: Some(Boundary::Task),
            turn_exprs: self.tracker.iter().collect(),
            needs_turn: self.tracker.as_ref().is_some_and(|tracker| !is_place(tracker)),
            ..LayerPlan::default()
        }
    }

    // let work = async move { .. };
    // match shield(name, work).await { Ok(out) => out, Err(stopped) => rejection }
    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (work, fit) = (context.name("work"), context.name("fit"));
        let checks = bounds::statements(&fit, private, &quote!(#private::shield), &spawned::checks(context, "assert_shielded"));
        let (copies, borrows) = spawned::copies(context);
        let hold = spawned::hold(context);
        let (clones, share_hint) = (context.bind_clones(), context.share_hint());
        let tracker = context.name("tracker");
        let bind_tracker = self.tracker.as_ref().map(|written| {
            let tracked = calling(&quote!(#private::shield::tracker), written);
            let tracked = context.evaluate_option(written, &tracked);
            quote_spanned!(span=> let #tracker = #tracked;)
        });
        let tracked =
            self.tracker.as_ref().map(|_| quote_spanned!(span=> let #work = #private::shield::tracked(&#tracker, #work);));
        let inside = inner.expr;
        let name = context.function_name();
        let output = Output::of(context.function);
        let describe = match (&output, output.chain(&quote!(#private::shield::Describe))) {
            (Output::Variable(output), _) => quote_spanned!(span=> #private::shield::late_describe(#output, (0, 0, 0))),
            (_, Some(describe)) => quote!(#describe.describe()),
            (_, None) => quote!(#private::shield::describe_nothing),
        };
        let rejection = context.reject_or_panic(&quote_spanned!(span=> __stopped.error(#name)));
        // One expression, created before a layer above waits, so that it captures the arguments by then.
        let shielded = quote_spanned! {span=>
            {
                #checks
                #bind_tracker
                #clones
                #copies
                #share_hint
                let #work = #fit.gate(async move {
                    #hold
                    #borrows
                    #inside
                });
                #tracked
                #private::shield::shield(#name, #work, #describe)
            }
        };
        context.leaf(&shielded).map(|expr| {
            quote_spanned! {span=>
                match #expr {
                    ::core::result::Result::Ok(__out) => __out,
                    ::core::result::Result::Err(__stopped) => #rejection,
                }
            }
        })
    }

    fn needs_own_arguments(&self) -> bool {
        true
    }

    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        spawned::rebinds(context, argument)
    }
}
