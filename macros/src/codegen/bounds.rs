//! Bounds, each asked for once, at the token where the user can do something about it.
//!
//! The answer is `Met` or of an unknown type. What depends on the bound is passed through the answer: about a value of an unknown type
//! the compiler says nothing more.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Attribute;

use crate::item::tokens::respan;

/// A question to the compiler.
#[derive(Clone)]
pub(crate) struct BoundCheck {
    cfgs: Vec<Attribute>,
    place: Span,
    /// A function in one of the modules behind `__private`.
    function: &'static str,
    about: About,
    /// Whether what follows depends on the answer.
    decides: bool,
}

#[derive(Clone)]
enum About {
    Type(TokenStream),
    Value { reference: TokenStream, against: Option<TokenStream> },
}

impl BoundCheck {
    /// About a type. If it fails, rustc underlines the type in the source.
    pub(crate) fn of_type(place: Span, function: &'static str, ty: TokenStream) -> Self {
        Self { cfgs: Vec::new(), place, function, about: About::Type(ty), decides: true }
    }

    /// About the type of what a reference refers to.
    pub(crate) fn of_value(place: Span, function: &'static str, reference: TokenStream) -> Self {
        Self { cfgs: Vec::new(), place, function, about: About::Value { reference, against: None }, decides: true }
    }

    /// Against another type.
    pub(crate) fn against(mut self, ty: TokenStream) -> Self {
        if let About::Value { against, .. } = &mut self.about {
            *against = Some(ty);
        }
        self
    }

    /// Only where these hold.
    pub(crate) fn under(self, cfgs: &[Attribute]) -> Self {
        Self { cfgs: cfgs.to_vec(), ..self }
    }

    /// About a type that is inferred from what follows, which therefore cannot depend on the answer.
    pub(crate) fn of_later(self) -> Self {
        Self { decides: false, ..self }
    }

    /// The value, of a known type only if the answer is yes.
    pub(crate) fn pass(&self, module: &TokenStream, value: &TokenStream) -> TokenStream {
        let question = self.question(module);
        quote_spanned!(Span::mixed_site()=> #question.gate(#value))
    }

    fn question(&self, module: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let function = format_ident!("{}", self.function, span = span);
        let function = respan(self.place, quote_spanned!(span=> #module::#function));
        match &self.about {
            About::Type(ty) => {
                let (colons, infer) = (respan(self.place, quote_spanned!(span=> ::)), respan(self.place, quote_spanned!(span=> _)));
                quote!(#function #colons <#ty, #infer>())
            }
            About::Value { reference, against } => {
                let against = against.as_ref().map(|ty| quote_spanned!(span=> ::<#ty, _, _>));
                respan(self.place, quote_spanned!(span=> #function #against (#reference)))
            }
        }
    }
}

/// Statements that bind the answer to all questions.
///
/// ```text
/// Output: let fit = Satisfied.and(assert_argument::<u64, _>()).and(assert_value(&shape));
/// ```
pub(crate) fn statements(answer: &Ident, private: &TokenStream, module: &TokenStream, asks: &[BoundCheck]) -> TokenStream {
    let span = Span::mixed_site();
    let (mut statements, mut all) = (TokenStream::new(), quote!(#private::Satisfied));
    for ask in asks {
        let (cfgs, question) = (&ask.cfgs, ask.question(module));
        if !ask.decides {
            statements.extend(quote_spanned!(span=> #(#cfgs)* let _ = #question;));
        } else if cfgs.is_empty() {
            all = quote_spanned!(span=> #all.and(#question));
        } else {
            statements.extend(quote_spanned!(span=> let #answer = #all; #(#cfgs)* let #answer = #answer.and(#question);));
            all = quote!(#answer);
        }
    }
    quote_spanned!(span=> #statements let #answer = #all;)
}
