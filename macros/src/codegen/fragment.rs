//! What layers pass to each other: plain data.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Lifetime;

/// What a layer and all below it expand to.
///
/// Most layers only change `expr`. The rest is of use if a layer above [pins](super::context::Context::pins) the body before it waits: then
/// the body is an expression of `prelude`, made while the arguments are still there, and `expr` only polls it.
///
/// ```text
/// let (body, limit) = { let id = id; /* prelude */ let limit = patience; let body = async move { .. }; (body, limit) /* captures */ };
/// let permit;                                      // guards
/// let mut body = pin!(Body::new(body));
/// ..                                               // the wait
/// { permit = ..; body.as_mut().await }             // expr
/// ```
#[derive(Default)]
pub(crate) struct Fragment {
    /// Statements that make the body, and bind the arguments that it would take along. They await nothing and run no code of the user's.
    pub(crate) prelude: TokenStream,
    /// The names that those statements bind for `expr`.
    pub(crate) captures: Vec<Ident>,
    /// Locals that must outlive the pinned body, innermost first. See [`Fragment::guard`].
    guards: Vec<TokenStream>,
    /// An expression of the function's return type.
    pub(crate) expr: TokenStream,
}

impl Fragment {
    pub(crate) fn of(expr: TokenStream) -> Self {
        Self { expr, ..Self::default() }
    }

    /// The same with another expression, made from this one.
    pub(crate) fn map(self, write: impl FnOnce(TokenStream) -> TokenStream) -> Self {
        Self { expr: write(self.expr), ..self }
    }

    /// Binds a local that must not be dropped before the body, when the call is: a permit, or what notes how the call ended. It returns the
    /// statement; where the body is pinned by a layer above (`pinned`), the local is declared in front of it.
    pub(crate) fn guard(
        &mut self,
        pinned: bool,
        mutability: Option<syn::Token![mut]>,
        name: &Ident,
        init: &TokenStream,
    ) -> TokenStream {
        let span = Span::mixed_site();
        if !pinned {
            return quote_spanned!(span=> let #mutability #name = #init;);
        }
        self.guards.push(quote_spanned!(span=> let #mutability #name;));
        quote_spanned!(span=> #name = #init;)
    }

    /// The declarations of all guards so far, outermost first, for the layer that pins the body.
    pub(super) fn declare_guards(&mut self) -> TokenStream {
        self.guards.drain(..).rev().collect()
    }
}

/// Something around everything that is awaited below a layer, within the same future.
#[derive(Clone)]
pub(crate) struct Wrapper {
    /// What the future is passed to: a function, a method of `name`, or a macro.
    pub(crate) call: TokenStream,
    /// The argument in front of the future, if there is one.
    pub(crate) argument: Option<TokenStream>,
    /// How the wrapper cuts the wait short, if it can: the wrapped future yields a `Result`, and its `Err` leaves to this label.
    pub(crate) breaks_to: Option<Lifetime>,
    /// What options that do not await are evaluated in.
    pub(crate) during: Option<During>,
}

/// A method of a wrapper's variable that takes a closure, and calls it within what the wrapper is there for.
#[derive(Clone)]
pub(crate) enum During {
    /// It returns what the closure returns.
    Value(TokenStream),
    /// It returns a `Result`, and its `Err` leaves to the label of the wrapper.
    Result(TokenStream),
}

impl Wrapper {
    pub(crate) fn around(&self, future: &TokenStream) -> TokenStream {
        let Self { call, argument, .. } = self;
        let argument = argument.as_ref().map(|argument| quote_spanned!(Span::mixed_site()=> #argument,));
        quote_spanned!(Span::mixed_site()=> #call(#argument #future))
    }
}
