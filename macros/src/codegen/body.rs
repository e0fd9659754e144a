//! The user's body, made ready to be the inside of a future or a closure.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::context::{Capture, Context};
use super::instrument;
use crate::item::function::{FnKind, self_ident};
use crate::item::parameters::Binding;
use crate::item::tokens::{self, with_braces};

impl Context<'_> {
    /// The user's block, with its own braces, made ready to be the inside of a future or a closure:
    ///
    /// ```text
    /// Input:  { body }
    /// Output: { if let Some(returned) = None::<Ret> { let _ = &last; let _ = &first; return returned; } body }
    /// ```
    ///
    /// The return type must be said, since the inside of a block that is not a function is inferred from its first `return`. The
    /// arguments are named in reverse, since what a block takes along is dropped in the order in which it is first named, and the
    /// arguments of a function in reverse.
    ///
    /// Between the two is what chaos does; `kind` says how it may wait.
    pub(crate) fn body(&self, kind: &str) -> Group {
        let span = Span::mixed_site();
        let braces = &self.function.body;
        let named = if self.capture == Capture::Move { self.arguments_in_drop_order(&|_| true) } else { TokenStream::new() };
        let hint = if self.function.run.is_some() {
            // The type is that of a closure, which has its own.
            TokenStream::new()
        } else if self.function.diverges() {
            quote_spanned!(span=> if false { #named })
        } else {
            let output = self.function.output();
            // Where a value of another type is found, this is what the compiler says to have expected it from.
            let at_output = self.function.output.as_ref().map_or(span, |ty| span.located_at(ty.span()));
            let back = quote_spanned!(at_output=> return __returned;);
            quote_spanned! {span=>
                if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<#output> { #named #back }
            }
        };
        // Items that the block begins with must not follow a statement; otherwise braces of its own would be unnecessary ones.
        let content = match &self.function.shape {
            // Run as the function that it was, to where it returns its future.
            FnKind::Made { made, .. } => {
                let (private, mode) = (&self.private, self.move_token());
                quote_spanned!(span=> #private::body::made(#mode || -> #made #braces).await)
            }
            _ if tokens::begins_with_item(&braces.stream()) => quote!(#braces),
            _ => braces.stream(),
        };
        let (chaos, references) = (instrument::chaos(self, kind), self.references());
        with_braces(braces, quote!(#hint #chaos #references #content))
    }

    /// The references that the patterns of the parameters ask for, to what the body has taken along.
    fn references(&self) -> TokenStream {
        let bindings = self.function.parameters.bindings.iter();
        let mentioned = bindings.filter(|binding| binding.by_ref && self.body_mentions(&binding.ident));
        let refer = |Binding { ident, mutability, cfgs, .. }: &Binding| quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #ident = &#mutability #ident;);
        mentioned.map(refer).collect()
    }

    /// Statements that name the chosen ones of the arguments that the body takes along, last first: a block that takes them along drops them
    /// in this order.
    pub(super) fn arguments_in_drop_order(&self, chosen: &dyn Fn(&Binding) -> bool) -> TokenStream {
        let span = Span::mixed_site();
        let parameters = &self.function.parameters;
        let mut named = TokenStream::new();
        let taken_along = || parameters.bindings.iter().filter(|binding| self.is_captured(binding) && chosen(binding));
        for Binding { ident, cfgs, .. } in taken_along().rev() {
            named.extend(quote_spanned!(span=> #(#cfgs)* let _ = &#ident;));
        }
        if let Some(receiver) = &parameters.receiver {
            let this = self_ident(receiver);
            if self.body_mentions(&this) {
                named.extend(quote_spanned!(span=> let _ = &#this;));
            }
        }
        // An argument that nothing mentions is still reported as unused.
        for Binding { ident, cfgs, .. } in taken_along().filter(|binding| binding.is_taken_unmentioned() && !binding.is_ignored()) {
            named.extend(quote_spanned!(span=> #(#cfgs)* let #ident = &#ident;));
        }
        named
    }
}
