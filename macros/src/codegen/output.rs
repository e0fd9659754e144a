//! How an expansion refers to the output of a call: by its type, or by a variable that stands for the type.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::item::function::Function;
use crate::item::types;

/// What is known of the output.
pub(crate) enum Output<'f> {
    /// The type, with `_` for every `impl Trait` in it.
    Type(&'f Type, TokenStream),
    /// The variable that stands for it.
    Variable(TokenStream),
    /// Nothing: a function that returns an `impl Trait`.
    Unknown,
}

impl<'f> Output<'f> {
    pub(crate) fn of(function: &'f Function) -> Self {
        if let Some(run) = &function.run {
            let output = &run.output;
            return Self::Variable(quote!(#output));
        }
        match function.output.as_ref().map(types::ungroup) {
            None | Some(Type::ImplTrait(_)) => Self::Unknown,
            Some(ty) => {
                let written = types::without_impl(ty);
                Self::Type(ty, quote!(#written))
            }
        }
    }

    /// The first candidate of a chain (autoref specialization) for this output.
    ///
    /// ```text
    /// Output: Verdict::<Result<T, E>>::new()     or     Verdict::of(output)
    /// ```
    pub(crate) fn chain(&self, candidate: &TokenStream) -> Option<TokenStream> {
        let span = Span::mixed_site();
        match self {
            Self::Type(_, ty) => Some(quote_spanned!(span=> #candidate::<#ty>::new())),
            Self::Variable(output) => Some(quote_spanned!(span=> #candidate::of(#output))),
            Self::Unknown => None,
        }
    }
}

/// Where an error about the output is reported.
pub(crate) fn place(function: &Function) -> Span {
    let run = function.run.as_ref().map(|run| run.place);
    run.or_else(|| function.output.as_ref().map(Spanned::span)).unwrap_or_else(Span::mixed_site)
}
