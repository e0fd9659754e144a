//! Arguments of a body that runs more than once, where each run consumes them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::Context;
use crate::item::function::self_ident;
use crate::item::parameters::Binding;

/// The statements that keep the originals, and those that bind a copy for a run. The run for which `last` holds gets the original.
pub(crate) fn for_attempts(context: &Context<'_>, last: &Ident, chosen: &dyn Fn(&Ident) -> bool) -> (TokenStream, TokenStream) {
    let span = Span::mixed_site();
    let parameters = &context.function.parameters;
    let (mut originals, mut copies) = (TokenStream::new(), TokenStream::new());
    for (index, binding) in parameters.bindings.iter().enumerate() {
        let Binding { ident, cfgs, .. } = binding;
        if !chosen(ident) || binding.is_left_alone() {
            continue;
        }
        let original = context.name(&format!("original{index}"));
        let kept = keep(context, ident);
        originals.extend(quote_spanned!(span=> #(#cfgs)* let mut #original = #kept;));
        copies.extend(context.rebind(binding, &quote_spanned!(span=> #original.next(#last))));
    }
    if let Some(receiver) = parameters.receiver.as_ref().filter(|receiver| chosen(&self_ident(receiver))) {
        // No other name can be given to it, but it can be put back.
        let (this, original) = (self_ident(receiver), context.name("original"));
        let kept = keep(context, &this);
        originals.extend(quote_spanned!(span=> let mut #original = #kept;));
        copies.extend(quote_spanned!(span=> #this = #original.next(#last);));
    }
    (originals, copies)
}

/// Keeps an argument for the attempts.
fn keep(context: &Context<'_>, argument: &Ident) -> TokenStream {
    let private = &context.private;
    let check = BoundCheck::of_value(argument.span(), "assert_repeat", quote!(&#argument));
    let kept = check.pass(&quote!(#private::retry), &context.owned(argument));
    quote_spanned!(Span::mixed_site()=> #private::retry::Repeat::new(#kept))
}

impl Context<'_> {
    /// The argument, for what needs it for itself: a clone, if an option of a layer above still names it.
    fn owned(&self, argument: &Ident) -> TokenStream {
        if !self.deferred_above.contains(argument) {
            return argument.to_token_stream();
        }
        quote_spanned!(argument.span()=> ::core::clone::Clone::clone(&#argument))
    }

    /// Statements that bind clones of those arguments that options above still name, for a task or a job, which takes the arguments along.
    /// There is no second name for `self`.
    pub(crate) fn bind_clones(&self) -> TokenStream {
        let bindings = self.function.parameters.bindings.iter().filter(|binding| self.deferred_above.contains(&binding.ident));
        let bind = |binding: &Binding| self.rebind(binding, &self.owned(&binding.ident));
        bindings.map(bind).collect()
    }

    /// Binds an argument again, under the lint levels of the parameter. If an option mentions it, and the body does not, the new binding counts
    /// as used.
    pub(crate) fn rebind(&self, binding: &Binding, value: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (Binding { ident, cfgs, levels, .. }, mutability) = (binding, self.mutability(binding));
        // An expectation is met where the parameter is declared.
        let levels = levels.iter().filter(|level| !level.path().is_ident("expect"));
        let used = (!binding.unmentioned && !self.body_mentions(ident)).then(|| quote_spanned!(span=> #(#cfgs)* let _ = &#ident;));
        quote_spanned!(span=> #(#cfgs)* #(#levels)* let #mutability #ident = #value; #used)
    }
}
