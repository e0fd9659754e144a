//! Options that are evaluated once for all callers, and so cannot depend on the call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, GenericParam};

use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::names::{self, Wanted};
use crate::item::tokens;

/// An option that is evaluated once.
pub(crate) struct Once<'a> {
    /// What messages call it: "`burst`", "the rate".
    pub(crate) option: String,
    pub(crate) written: &'a Expr,
}

impl<'a> Once<'a> {
    /// An option with a name, if it is set.
    pub(crate) fn option(name: &str, written: Option<&'a Expr>) -> Option<Self> {
        written.map(|written| Self { option: format!("`{name}`"), written })
    }
}

/// Which calls share the evaluated option.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedBy {
    /// All calls of the function, of all its instantiations.
    Function,
    /// All calls of one instantiation of a generic function.
    Instantiation,
    /// All calls of one batch, of one instantiation.
    Batch,
}

/// A name whose meaning depends on the call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Named {
    Argument(String),
    This,
    Type(String),
    Const(String),
}

impl Named {
    /// The name as written.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::This => "self",
            Self::Argument(name) | Self::Type(name) | Self::Const(name) => name,
        }
    }

    /// A call of `function` that selects by this name.
    pub(crate) fn chosen_by(&self, function: &str) -> String {
        match self {
            Self::Argument(name) => format!("{function}({name})"),
            Self::This => format!("self.{function}()"),
            Self::Type(name) | Self::Const(name) => format!("{function}::<{name}>()"),
        }
    }
}

/// The advice for attributes that accept an object instead of settings: the object is named at each call.
pub(crate) fn object_instead<'a>(attribute: &'a str, ty: &'a str, noun: &'a str) -> impl Fn(&Named) -> String + 'a {
    move |named| match named {
        Named::This => {
            format!("for one per instance, put a `{ty}` in a field and name it, as in `#[{attribute}(self.{noun})]`")
        }
        other => {
            let (name, chosen) = (other.name(), other.chosen_by(&format!("{noun}_of")));
            format!(
                "for one per `{name}`, create them yourself and select one, as in `#[{attribute}({chosen})]`, which returns a \
                 `&{ty}`"
            )
        }
    }
}

/// Reports names that depend on the call in options that are evaluated once.
pub(crate) fn check<'a>(
    options: impl IntoIterator<Item = Option<Once<'a>>>,
    shared_by: SharedBy,
    function: &Function,
    way_out: &dyn Fn(&Named) -> String,
    errors: &mut Errors,
) {
    for Once { option, written } in options.into_iter().flatten() {
        for (span, named) in of_callers(written, function, shared_by) {
            let sharers = match (shared_by, &named) {
                (SharedBy::Batch, _) => "for a whole batch of calls",
                (_, Named::Type(_) | Named::Const(_)) => "for all instantiations of the function",
                _ => "for all callers",
            };
            let (name, way_out) = (named.name(), way_out(&named));
            errors.at_span(span, format!("{option} is evaluated once, {sharers}, and cannot depend on `{name}`: {way_out}"));
        }
    }
}

/// The names in the expression that depend on the call that evaluates it.
pub(crate) fn of_callers(expression: &Expr, function: &Function, shared_by: SharedBy) -> Vec<(Span, Named)> {
    let parameters = &function.parameters;
    let argument = |ident: &Ident| {
        let name = ident.unraw().to_string();
        (name.clone(), Named::Argument(name))
    };
    let mut values: Vec<_> = parameters.bindings.iter().map(|binding| argument(&binding.ident)).collect();
    values.extend(parameters.receiver.iter().map(|_| ("self".to_owned(), Named::This)));
    if parameters.sees_locals {
        values.extend(tokens::possible_locals(&expression.to_token_stream()).iter().map(argument));
        values.push(("self".to_owned(), Named::This));
    }
    let (mut types, mut consts) = (Vec::new(), Vec::new());
    for parameter in function.signature.generics.params.iter().filter(|_| shared_by == SharedBy::Function) {
        match parameter {
            GenericParam::Type(ty) => types.push((ty.ident.unraw().to_string(), Named::Type(ty.ident.to_string()))),
            GenericParam::Const(constant) => {
                consts.push((constant.ident.unraw().to_string(), Named::Const(constant.ident.to_string())));
            }
            GenericParam::Lifetime(_) => {}
        }
    }
    names::taken_from_outside(expression, &Wanted { values, types, consts })
}

/// An item that contains the expression, which is a compile error if that names a type parameter of a surrounding `impl`.
pub(crate) fn seen_from_outside(expression: &Expr) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> const _: fn() = || { let _ = #expression; };)
}

/// The initializer of a static, as a function of its own: it cannot see the arguments, or the type parameters of a surrounding `impl`,
/// about which the attribute knows nothing. It could not see `Self` either, which usually is a single type.
///
/// ```text
/// Input:  RateLimiter::new(count(LIMIT), PERIOD)
/// Output: { fn make() -> RateLimiter { RateLimiter::new(count(LIMIT), PERIOD) } make }
/// ```
pub(crate) fn maker(make: &TokenStream, ty: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    if tokens::mentions(make, &Ident::new("Self", span)) {
        return quote_spanned!(span=> || #make);
    }
    let name = tokens::local("make");
    quote_spanned!(span=> { fn #name() -> #ty { #make } #name })
}
