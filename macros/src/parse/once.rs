//! Options that are read once for all callers, and so cannot name what each caller has of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::{Expr, GenericParam};

use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::names::{self, Wanted};
use crate::item::tokens;

/// An option that is read once.
pub(crate) struct Once<'a> {
    /// What messages call it: "`burst`", "the rate".
    pub(crate) option: String,
    pub(crate) written: &'a Expr,
}

impl<'a> Once<'a> {
    /// One with a name, where it is there.
    pub(crate) fn option(name: &str, written: Option<&'a Expr>) -> Option<Self> {
        written.map(|written| Self { option: format!("`{name}`"), written })
    }
}

/// For whom an option is read once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedBy {
    /// All calls of the function, of all its instantiations.
    Function,
    /// All calls of one instantiation of a generic function.
    Instantiation,
    /// All calls that one batch answers, of one instantiation.
    Batch,
}

/// What differs from one caller to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Named {
    Argument(String),
    This,
    Type(String),
    Const(String),
}

impl Named {
    /// As it is written.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::This => "self",
            Self::Argument(name) | Self::Type(name) | Self::Const(name) => name,
        }
    }

    /// A call of `function` that knows which one is meant.
    pub(crate) fn chosen_by(&self, function: &str) -> String {
        match self {
            Self::Argument(name) => format!("{function}({name})"),
            Self::This => format!("self.{function}()"),
            Self::Type(name) | Self::Const(name) => format!("{function}::<{name}>()"),
        }
    }
}

/// The way out of an attribute that takes an object in place of its settings: the object is named at each call.
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

/// Reports what differs from one caller to another in options that are read once for all of them.
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

/// What the expression takes from the call that evaluates it.
pub(crate) fn of_callers(expression: &Expr, function: &Function, shared_by: SharedBy) -> Vec<(Span, Named)> {
    let parameters = &function.parameters;
    let argument = |ident: &Ident| {
        let name = ident.unraw().to_string();
        (name.clone(), Named::Argument(name))
    };
    let mut values: Vec<_> = parameters.bindings.iter().map(|binding| argument(&binding.ident)).collect();
    values.extend(parameters.receiver.iter().map(|_| ("self".to_owned(), Named::This)));
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

/// An item that has the expression in it, and so is an error where that names a type parameter of an `impl` around the function.
pub(crate) fn seen_from_outside(expression: &Expr) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> const _: fn() = || { let _ = #expression; };)
}

/// Makes what a static keeps for all callers, by a function of its own: it sees nothing of a call, and no type parameters of an `impl`
/// around the function, of which the attribute knows nothing. `Self` it would not see either, which is one type as a rule.
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
