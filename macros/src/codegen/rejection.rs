//! What a function returns if one of its attributes rejects a call, and which outcomes count as failures.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::context::{Context, Hints};
use super::output::{self, Output};
use crate::item::tokens::{mixed_site, respan};
use crate::item::types;

impl Context<'_> {
    /// An error that is reported as an event. `again`: another attempt of the call may follow.
    fn reported(&self, error: &TokenStream, again: &TokenStream) -> TokenStream {
        let (private, origin) = (&self.private, self.origin());
        quote_spanned!(Span::mixed_site()=> #private::rejected(#origin, #error, #again))
    }

    /// A rejection as the function's return value: what `or_else` makes of it, or what the return type can represent. Only the topmost of the
    /// layers that need a representation asks for it, in its own words: if there is none, that is one error, and not one for each layer.
    pub(crate) fn reject(&self, attribute: &str, error: &TokenStream, or_else: Option<&syn::Expr>) -> TokenStream {
        let private = &self.private;
        let output = if self.function.diverges() { quote!(_) } else { self.function.output() };
        let attempts = &self.attempts;
        let again = if attempts.is_empty() { quote!(false) } else { quote_spanned!(Span::mixed_site()=> #(#attempts.left())||*) };
        let error = &self.reported(error, &again);
        if let Some(or_else) = or_else {
            return self.evaluate(&quote!(#private::reject_with::<#output>(#error, #or_else)));
        }
        if self.rejects_above {
            return self.represent_or_panic(error);
        }
        let (span, module) = (Span::mixed_site(), mixed_site(attribute));
        let module = quote!(#private::#module::rejection);
        let at_output = output::place(self.function);
        let slot = match Output::of(self.function) {
            Output::Type(_, output) => quote_spanned!(span=> <#output as #module::ErrorSlot<_>>::slot()),
            Output::Variable(output) => {
                let slot = respan(at_output, quote_spanned!(span=> #module::slot_of));
                quote_spanned!(span=> #slot(#output))
            }
            Output::Unknown => {
                let message = format!(
                    "`#[{attribute}]` can fail, but this return type cannot represent its error: return a `Result` or an \
                     `Option`, or set `or_else = |error| ..`"
                );
                return syn::Error::new(at_output, message).into_compile_error();
            }
        };
        let at_error = self.function.output.as_ref().and_then(types::error_type).map_or(at_output, Spanned::span);
        let carry = respan(at_error, quote_spanned!(span=> <_ as #module::Represent<_>>::represent));
        let refuse = respan(at_output, quote_spanned!(span=> .reject));
        quote_spanned!(span=> #slot #refuse(#carry(#error)))
    }

    /// The same, of a refusal that may know when to come again.
    pub(crate) fn reject_with_hint(&self, attribute: &str, error: &TokenStream, or_else: Option<&syn::Expr>) -> TokenStream {
        let Some(hint) = &self.hint else { return self.reject(attribute, error, or_else) };
        let span = Span::mixed_site();
        let refusal = self.reject(attribute, &quote_spanned!(span=> __error), or_else);
        quote_spanned! {span=> {
            let __error = #error;
            #hint.note(&__error);
            #refusal
        }}
    }

    /// Passes the place for the requested delay of a retry above to a task of its own.
    pub(crate) fn share_hint(&self) -> TokenStream {
        let hint = self.hint.as_ref().filter(|_| self.hints != Hints::None);
        hint.map(|hint| quote_spanned!(Span::mixed_site()=> let #hint = #hint.share();)).unwrap_or_default()
    }

    /// The same, to attempts of the same task that take along what they name.
    pub(crate) fn lend_hint(&self) -> TokenStream {
        let hint = self.hint.as_ref().filter(|_| self.hints != Hints::None);
        hint.map(|hint| quote_spanned!(Span::mixed_site()=> let #hint = &#hint;)).unwrap_or_default()
    }

    /// A refusal that is too unexpected to ask the user for an `or_else`: a panic where the return type carries no error.
    pub(crate) fn reject_or_panic(&self, error: &TokenStream) -> TokenStream {
        self.represent_or_panic(&self.reported(error, &quote!(false)))
    }

    fn represent_or_panic(&self, error: &TokenStream) -> TokenStream {
        let private = &self.private;
        match Output::of(self.function).chain(&quote!(#private::Rejection)) {
            Some(rejection) if !self.function.diverges() => quote!(#rejection.reject(#error)),
            _ => quote!(#private::panic_with(#error)),
        }
    }
}

/// Whether an outcome failed, for a layer that takes what can never fail as a success.
pub(crate) fn verdict(context: &Context<'_>, outcome: &TokenStream) -> TokenStream {
    failed(context, outcome).unwrap_or_else(|| quote!(false))
}

/// The same; nothing for a return type that can never be a failure.
pub(crate) fn failed(context: &Context<'_>, outcome: &TokenStream) -> Option<TokenStream> {
    let private = &context.private;
    let verdict = Output::of(context.function).chain(&quote!(#private::Verdict))?;
    Some(quote!(#verdict.failed(#outcome)))
}

/// The failure that an outcome is.
pub(crate) fn failure_of(context: &Context<'_>) -> TokenStream {
    let (private, output) = (&context.private, context.function.output());
    let judge = if let Output::Variable(output) = Output::of(context.function) {
        let judge = respan(output::place(context.function), quote_spanned!(Span::mixed_site()=> #private::judge_of));
        quote_spanned!(Span::mixed_site()=> #judge(#output))
    } else {
        quote_spanned!(Span::mixed_site()=> <#output as #private::Judged<_>>::judge())
    };
    quote_spanned!(Span::mixed_site()=> #judge.failure(&__outcome))
}
