//! What attributes with a state of their own have in common: a breaker, a limit.
//!
//! The state is an object of a public type, in a static inside the function, or inside the function that `handle` makes, or made by the
//! user and named in the attribute.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use crate::codegen::context::{Context, Purpose};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::parameters::cfgs;
use crate::item::types;
use crate::parse::args::Count;
use crate::parse::duration::Duration;
use crate::parse::expression;
use crate::parse::handle::Handle;
use crate::parse::once::{self, Once, SharedBy};

/// A setting, in source form.
pub(crate) struct Setting<'a> {
    pub(crate) name: &'static str,
    pub(crate) written: Option<&'a Expr>,
}

/// How a policy is made: the call that makes it, and the calls that set it.
pub(crate) struct PolicyInit {
    /// `CircuitBreaker`.
    pub(crate) ty: &'static str,
    /// What the documentation of the handle calls it.
    pub(crate) noun: &'static str,
    pub(crate) make: TokenStream,
    /// Whether it can be made at compile time.
    pub(crate) constant: bool,
}

impl Setting<'_> {
    /// As an option that is read once.
    pub(crate) fn once(&self) -> Option<Once<'_>> {
        Once::option(self.name, self.written)
    }
}

impl PolicyInit {
    /// A reference to the function's own policy, which `handle` gives a name.
    pub(crate) fn reference(&self, context: &Context<'_>, handle: Option<&Handle>) -> TokenStream {
        handle.map_or_else(|| self.own_static(context), Handle::call)
    }

    pub(super) fn ty(&self, context: &Context<'_>) -> TokenStream {
        let (root, ty) = (&context.root, Ident::new(self.ty, Span::mixed_site()));
        quote!(#root::#ty)
    }

    fn own_static(&self, context: &Context<'_>) -> TokenStream {
        let span = Span::mixed_site();
        if context.purpose == Purpose::Names {
            return quote_spanned!(span=> loop {});
        }
        let (private, ty, make) = (&context.private, self.ty(context), &self.make);
        if self.constant {
            return quote_spanned!(span=> { static __STEADFAST_POLICY: #ty = #make; &__STEADFAST_POLICY });
        }
        let make = once::maker(make, &ty);
        quote_spanned! {span=> {
            static __STEADFAST_POLICY: #private::PolicySlot<#ty> = #private::PolicySlot::new();
            __STEADFAST_POLICY.get(#make)
        }}
    }

    /// The function that the user calls.
    pub(crate) fn handle(&self, context: &Context<'_>, handle: Option<&Handle>) -> TokenStream {
        let function = context.function;
        let Some(handle) = handle.filter(|handle| handle.problem(function).is_none()) else { return TokenStream::new() };
        let (visibility, name, ty) = (&function.visibility, handle.name(), self.ty(context));
        let documentation = handle.documentation(self.noun, function);
        let cfgs = cfgs(&function.attributes);
        let own = self.own_static(context);
        quote! {
            #(#cfgs)*
            #[doc = #documentation]
            #[must_use]
            #visibility fn #name() -> &'static #ty { #own }
        }
    }
}

/// Reports settings of the function's own policy that differ from one caller to another: it would be made of what the first one brings along.
pub(crate) fn check_once<'a>(
    attribute: &str,
    ty: &str,
    noun: &str,
    settings: impl IntoIterator<Item = Option<Once<'a>>>,
    function: &Function,
    errors: &mut Errors,
) {
    once::check(settings, SharedBy::Function, function, &once::object_instead(attribute, ty, noun), errors);
}

/// Reports an object that is made where it is used: one for each call, which knows nothing of the others.
pub(crate) fn check_not_temporary(object: &Expr, ty: &str, errors: &mut Errors) {
    if expression::is_constructor(object, ty) {
        errors.at(
            object,
            format!(
                "this creates a new `{ty}` for every call, which shares no state with other calls: move it to a `static`, and \
                 name that here"
            ),
        );
    }
}

/// The type of a reference to an object that is created elsewhere. Anything but an argument must be `'static`: a `const` would be a new object at
/// each use.
pub(crate) fn reference_type(function: &Function, object: Option<&Expr>, ty: &TokenStream) -> TokenStream {
    let lifetime = object.filter(|object| expression::is_static(object, &function.parameters)).map(|_| quote!('static));
    quote!(& #lifetime #ty)
}

/// Reports what has no effect on an object that is made elsewhere.
pub(crate) fn check_unused(object: &Expr, settings: &[Setting<'_>], handle: Option<&Handle>, errors: &mut Errors) {
    let named = object.to_token_stream().to_string().replace(' ', "");
    for Setting { name, written } in settings {
        if let Some(written) = written {
            errors.at(written, format!("`{name}` has no effect here: set it where `{named}` is created"));
        }
    }
    if let Some(Handle(path)) = handle {
        errors.at(path, format!("`handle` is redundant here: remove it, and use `{named}` itself"));
    }
}

/// Reports what a function that never returns is no place for.
pub(crate) fn check_returns(function: &Function, span: Span, reason: &str, errors: &mut Errors) {
    if function.diverges() {
        errors.at_span(span, format!("a function that never returns {reason}"));
    }
}

/// Reports a return type that is a type parameter of the function, or stands in one (`T::Out`), for a layer that must know failures: it may
/// be a `Result`, and nothing in the body can see that, so that each `Err` would be taken for a success in silence. `consequence` says
/// what that would mean, and `way_out` what to write instead, besides another return type.
///
/// Parameters of an `impl` around the function cannot be seen from here.
pub(crate) fn check_known(function: &Function, consequence: &str, way_out: &str, errors: &mut Errors) {
    let Some(output) = &function.output else { return };
    if types::is_parameter(output, &function.signature.generics) {
        let written = output.to_token_stream().to_string().replace(" :: ", "::").replace("< ", "<").replace(" >", ">");
        errors.at(
            output,
            format!(
                "cannot tell which `{written}` values are failures, since a type parameter decides it, so {consequence}: \
                 {way_out}return a `Result` or an `Option`"
            ),
        );
    }
}

/// Reports a literal count of zero.
pub(crate) fn check_positive(count: Option<&Count>, message: &str, errors: &mut Errors) {
    if let Some(count) = count.filter(|count| count.literal() == Some(0)) {
        errors.at(&count.0, message);
    }
}

/// Reports a literal time of zero.
pub(crate) fn check_nonzero(duration: Option<&Duration>, message: &str, errors: &mut Errors) {
    if let Some(duration) = duration.filter(|duration| duration.literal().is_some_and(|duration| duration.is_zero())) {
        errors.at(duration.written(), message);
    }
}
