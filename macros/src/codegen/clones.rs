//! Arguments of a body that runs more than once, where each run consumes them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::Context;
use crate::item::function::self_ident;
use crate::item::parameters::Binding;

/// The statements that keep the originals, and those that bind a copy for a run. The run for which `last` holds gets the original.
pub(crate) fn clones(context: &mut Context<'_>, last: &Ident, chosen: &dyn Fn(&Ident) -> bool) -> (TokenStream, TokenStream) {
    let span = Span::mixed_site();
    let private = context.private.clone();
    let function = context.function;
    let (mut originals, mut copies) = (TokenStream::new(), TokenStream::new());
    for Binding { ident, mutability, cfgs, .. } in &function.parameters.bindings {
        if !chosen(ident) {
            continue;
        }
        let original = context.name("original");
        let clone = clone(&private, ident);
        originals.extend(quote_spanned!(span=> #(#cfgs)* let mut #original = #clone;));
        copies.extend(quote_spanned!(span=> #(#cfgs)* let #mutability #ident = #original.next(#last);));
    }
    if let Some(receiver) = function.parameters.receiver.as_ref().filter(|receiver| chosen(&self_ident(receiver))) {
        // No other name can be given to it, but it can be put back.
        let (this, original) = (self_ident(receiver), context.name("original"));
        let clone = clone(&private, &this);
        originals.extend(quote_spanned!(span=> let mut #original = #clone;));
        copies.extend(quote_spanned!(span=> #this = #original.next(#last);));
    }
    (originals, copies)
}

/// Keeps an argument for the attempts.
fn clone(private: &TokenStream, argument: &Ident) -> TokenStream {
    let ask = BoundCheck::of_value(argument.span(), "assert_repeat", quote!(&#argument));
    let kept = ask.pass(&quote!(#private::retry), &argument.to_token_stream());
    quote_spanned!(Span::mixed_site()=> #private::retry::Repeat::new(#kept))
}
