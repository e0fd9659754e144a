//! The key: how it is looked up without being constructed, how it is constructed, and its type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Type};

use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::Context;
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::parameters::{Binding, Mode};
use crate::item::tokens::local;
use crate::item::types::{any_part, borrows, has_impl, last_segment, ungroup};
use crate::parse::expression::{is_decided_by_its_use, plain};

/// The parts of a key: arguments, or the elements of a `key` expression.
pub(crate) struct Key {
    parts: Vec<Part>,
}

struct Part {
    /// The `cfg`s of the argument.
    cfgs: Vec<Attribute>,
    /// Statements before the lookup.
    evaluated: Option<Evaluated>,
    /// Checks that it can be part of a key.
    ask: Option<BoundCheck>,
    /// A reference for looking the part up.
    probe: TokenStream,
    /// The stored form of the part.
    owned: TokenStream,
    /// The type of the stored part, if it can be inferred.
    ty: Option<TokenStream>,
}

/// An expression whose value is looked up by reference, bound to this name.
struct Evaluated {
    name: Ident,
    expression: Expr,
    /// The value may itself be the reference; its type decides.
    refers: bool,
}

/// The name of the value that proves all bounds on the types.
pub(crate) fn fit() -> Ident {
    local("fit")
}

/// The standard library implements `Eq` and `Hash` for no longer tuples, or the lookup supports no longer ones.
const MOST_PARTS: usize = 10;

impl Key {
    pub(super) fn of_arguments(function: &Function, skipped: &dyn Fn(&Ident) -> bool) -> Self {
        Self {
            parts: function.parameters.bindings.iter().filter(|binding| !skipped(&binding.ident)).map(Part::of_argument).collect(),
        }
    }

    /// The elements of a tuple are separate parts, so that `key = (&self.tenant, name)` is looked up without being constructed.
    pub(crate) fn of_expression(function: &Function, expression: &Expr) -> Self {
        let parts = match plain(expression) {
            Expr::Tuple(tuple) => tuple.elems.iter().collect(),
            other => vec![other],
        };
        Self { parts: parts.into_iter().enumerate().map(|(index, part)| Part::of_expression(function, index, part)).collect() }
    }

    /// The statements before the lookup.
    pub(crate) fn bind(&self, context: &Context<'_>) -> TokenStream {
        let private = &context.private;
        let evaluated = self.parts.iter().filter_map(|part| part.evaluated.as_ref());
        let bind = |Evaluated { name, expression, refers }: &Evaluated| {
            let refer =
                refers.then(|| quote_spanned!(Span::mixed_site()=> let #name = #private::cache::Referred::new(#name).part();));
            let value = context.evaluate_option(expression, &expression.to_token_stream());
            quote_spanned!(Span::mixed_site()=> let #name = &(#value); #refer)
        };
        evaluated.map(bind).collect()
    }

    /// The bounds on the parts of a key.
    pub(crate) fn asks(&self) -> impl Iterator<Item = BoundCheck> {
        self.parts.iter().filter_map(|part| part.ask.clone().map(|ask| ask.under(&part.cfgs)))
    }

    /// The expression that looks the key up: for one part a reference to it, for several a reference to a tuple of references.
    pub(crate) fn probe(&self) -> TokenStream {
        let (fit, probe) = (fit(), self.references());
        quote!(#fit.gate(#probe))
    }

    fn references(&self) -> TokenStream {
        match self.parts.as_slice() {
            [Part { probe, cfgs, .. }] if cfgs.is_empty() => probe.clone(),
            parts => {
                let probes = parts.iter().map(|Part { cfgs, probe, .. }| quote!(#(#cfgs)* #probe,));
                let probes: TokenStream = probes.collect();
                quote!(&(#probes))
            }
        }
    }

    pub(crate) fn owned(&self) -> TokenStream {
        match self.parts.as_slice() {
            [Part { owned, cfgs, .. }] if cfgs.is_empty() => owned.clone(),
            parts => {
                let owned = parts.iter().map(|Part { cfgs, owned, .. }| quote!(#(#cfgs)* #owned,));
                let owned: TokenStream = owned.collect();
                quote!((#owned))
            }
        }
    }

    /// The type of the stored key. `None` if it cannot be inferred.
    pub(crate) fn ty(&self) -> Option<TokenStream> {
        if self.parts.iter().any(|part| !part.cfgs.is_empty()) {
            return None;
        }
        let types: Option<Vec<&TokenStream>> = self.parts.iter().map(|part| part.ty.as_ref()).collect();
        match types?.as_slice() {
            [one] => Some(one.to_token_stream()),
            several => Some(quote!((#(#several),*))),
        }
    }
}

impl Part {
    fn of_argument(Binding { ident, cfgs, mode, ty, .. }: &Binding) -> Self {
        let name = quote!(#ident);
        let part = match ty {
            Some(ty) => Self::of_typed(&name, ident.span(), ty),
            None if *mode == Mode::Ref => Self::of_reference(&name, ident.span(), None),
            None => Self::of_value(&name, ident.span(), None),
        };
        Self { cfgs: cfgs.clone(), ..part }
    }

    /// A part given by an expression of known type.
    fn of_typed(name: &TokenStream, at: Span, ty: &Type) -> Self {
        let fit = fit();
        let ty = ungroup(ty);
        if let Type::Reference(reference) = ty {
            return match ungroup(&reference.elem) {
                inner @ Type::Reference(_) => Self::of_typed(&quote!((*#name)), at, inner),
                inner => Self::of_reference(name, at, Some(inner)),
            };
        }
        if let Some(inner) = borrowed_option(ty) {
            let owned = owned_type(inner);
            return Self {
                cfgs: Vec::new(),
                evaluated: None,
                ask: (!has_impl(inner)).then(|| ask_borrowed(inner)),
                probe: quote!(&#name),
                owned: quote_spanned!(at=> ::core::option::Option::map(#fit.gate(#name), ::std::borrow::ToOwned::to_owned)),
                ty: Some(quote!(::core::option::Option<#owned>)),
            };
        }
        if let Some(content) = cow_content(ty) {
            return Self {
                cfgs: Vec::new(),
                evaluated: None,
                ask: (!has_impl(content)).then(|| ask_borrowed(content)),
                probe: quote!(::core::ops::Deref::deref(&#name)),
                owned: quote_spanned!(at=> ::std::borrow::ToOwned::to_owned(#fit.gate(::core::ops::Deref::deref(&#name)))),
                ty: Some(owned_type(content)),
            };
        }
        Self::of_value(name, at, Some(ty))
    }

    /// A part given by a reference to it.
    fn of_reference(name: &TokenStream, at: Span, inner: Option<&Type>) -> Self {
        let fit = fit();
        Self {
            cfgs: Vec::new(),
            evaluated: None,
            ask: Some(match inner.filter(|ty| !has_impl(ty)) {
                Some(ty) => ask_borrowed(ty),
                None => BoundCheck::of_value(inner.map_or(at, Spanned::span), "assert_borrowed_of", name.clone()),
            }),
            probe: name.clone(),
            owned: quote_spanned!(at=> ::std::borrow::ToOwned::to_owned(#fit.gate(#name))),
            ty: inner.map(owned_type),
        }
    }

    fn of_value(name: &TokenStream, at: Span, ty: Option<&Type>) -> Self {
        let fit = fit();
        let nameable = ty.filter(|ty| !has_impl(ty));
        let at_type = ty.map_or(at, Spanned::span);
        Self {
            cfgs: Vec::new(),
            evaluated: None,
            ask: Some(match nameable {
                Some(ty) => BoundCheck::of_type(at_type, "assert_argument", ty.to_token_stream()),
                None if ty.is_some() => BoundCheck::of_value(at_type, "assert_anonymous", quote!(&#name)),
                None => BoundCheck::of_value(at_type, "assert_argument_of", quote!(&#name)),
            }),
            probe: quote!(&#name),
            owned: quote_spanned!(at=> ::core::clone::Clone::clone(#fit.gate(&#name))),
            ty: nameable.map(ToTokens::to_token_stream),
        }
    }

    /// A part of a `key`: an argument, `&place` looked up by reference, or any other expression, evaluated for the lookup and found by the
    /// reference that it is, or by one to it.
    fn of_expression(function: &Function, index: usize, expression: &Expr) -> Self {
        let expression = plain(expression);
        if let Expr::Path(path) = expression
            && let Some(argument) = path.path.get_ident().and_then(|name| function.parameters.find(name))
        {
            return Self::of_argument(argument);
        }
        let mixed = Span::mixed_site();
        let part = format_ident!("__part_{index}", span = mixed);
        let (fit, at) = (fit(), expression.span());
        let (place, refers) = match expression {
            Expr::Reference(reference) => (&*reference.expr, false),
            other => (other, !is_decided_by_its_use(other)),
        };
        Self {
            cfgs: Vec::new(),
            evaluated: Some(Evaluated { name: part.clone(), expression: place.clone(), refers }),
            ask: Some(BoundCheck::of_value(at, "assert_borrowed_of", part.to_token_stream())),
            probe: part.to_token_stream(),
            owned: quote_spanned!(mixed=> ::std::borrow::ToOwned::to_owned(#fit.gate(#part))),
            ty: None,
        }
    }
}

/// The unsized types of the standard library, by name.
const UNSIZED: &[&str] = &["str", "Path", "OsStr", "CStr"];

fn is_unsized(ty: &Type) -> bool {
    matches!(ty, Type::Slice(_) | Type::TraitObject(_))
        || last_segment(ty).is_some_and(|(name, _)| UNSIZED.contains(&name.as_str()))
}

/// Checks the bounds at the referenced type; for a slice, at its elements.
fn ask_borrowed(ty: &Type) -> BoundCheck {
    match ty {
        Type::Slice(slice) => BoundCheck::of_type(slice.elem.span(), "assert_argument", slice.elem.to_token_stream()),
        other => BoundCheck::of_type(other.span(), "assert_borrowed", other.to_token_stream()),
    }
}

/// `String` for `str`, `Vec<T>` for `[T]`, `T` for `T`.
fn owned_type(ty: &Type) -> TokenStream {
    match ty {
        Type::Slice(slice) => {
            let element = &slice.elem;
            quote!(::std::vec::Vec<#element>)
        }
        Type::Path(path) if path.path.is_ident("str") => quote!(::std::string::String),
        other if is_unsized(other) => quote!(<#other as ::std::borrow::ToOwned>::Owned),
        other => quote!(#other),
    }
}

/// `Option<&T>`
fn borrowed_option(ty: &Type) -> Option<&Type> {
    let (name, arguments) = last_segment(ty)?;
    match arguments.as_slice() {
        [inner] if name == "Option" => match ungroup(inner) {
            Type::Reference(reference) if !borrows(&reference.elem) => Some(ungroup(&reference.elem)),
            _ => None,
        },
        _ => None,
    }
}

/// `Cow<'_, T>`
fn cow_content(ty: &Type) -> Option<&Type> {
    let (name, arguments) = last_segment(ty)?;
    match arguments.as_slice() {
        [inner] if name == "Cow" => Some(ungroup(inner)),
        _ => None,
    }
}

/// Reports a `key` that was meant differently: a template, as in other libraries, would be the same text for all calls. On a `shared`
/// object, a constant may distinguish this function from others.
pub(crate) fn check_varies(key: Option<&Expr>, shared: bool, errors: &mut Errors) {
    match key.map(plain) {
        Some(Expr::Closure(closure)) => {
            errors.at(closure, "`key` takes an expression over the arguments, not a closure: remove the `|..|`");
        }
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if !shared || text.value().contains('{') => {
            let written = text.to_token_stream();
            let way_out = if text.value().contains('{') { format!("`key = format!({written})`") } else { "`key = id`".to_owned() };
            errors.at(
                text,
                format!("this constant key is the same for every call: write an expression over the arguments, as in {way_out}"),
            );
        }
        _ => {}
    }
}

/// Reports arguments that cannot be part of a key.
pub(super) fn check(function: &Function, skipped: &dyn Fn(&Ident) -> bool, errors: &mut Errors) {
    let parts = function.parameters.bindings.iter().filter(|binding| !skipped(&binding.ident));
    let mut count = 0;
    for Binding { ident, mode, ty, .. } in parts {
        count += 1;
        match ty {
            Some(ty) => check_argument(ident, ty, errors),
            None if *mode == Mode::RefMut => refuse_mutable(ident, ident, errors),
            None => {}
        }
    }
    if count > MOST_PARTS {
        errors.at(
            &function.signature.ident,
            format!("a key has at most {MOST_PARTS} parts, found {count}: exclude arguments with `skip(..)`, or set `key = ..`"),
        );
    }
}

fn check_argument(ident: &Ident, ty: &Type, errors: &mut Errors) {
    let is_float = |part: &Type| matches!(part, Type::Path(path) if path.path.is_ident("f32") || path.path.is_ident("f64"));
    let is_mutable = |part: &Type| matches!(part, Type::Reference(reference) if reference.mutability.is_some());
    let way_out = format!("exclude it with `skip({ident})`, or set");
    if any_part(ty, &mut |part| is_float(part)) {
        let bits = if is_float(ungroup(ty)) { format!("{ident}.to_bits()") } else { "..".to_owned() };
        errors.at(
            ty,
            format!(
                "a floating-point number cannot be part of a cache key, since NaN is not equal to itself: {way_out} `key = {bits}`"
            ),
        );
    } else if any_part(ty, &mut |part| is_mutable(part)) {
        refuse_mutable(ident, ty, errors);
    } else if borrowed_inside(ty) {
        errors.at(ty, format!("this type borrows and cannot be stored in a cache key: {way_out} `key = ..`"));
    }
}

fn refuse_mutable(ident: &Ident, at: impl ToTokens, errors: &mut Errors) {
    let way_out = format!("exclude it with `skip({ident})`, or set");
    errors.at(
        at,
        format!("a `&mut` cannot be part of a cache key, since a hit does not run the body that modifies it: {way_out} `key = ..`"),
    );
}

/// Whether the type contains a borrow for which the key has no owned form.
fn borrowed_inside(ty: &Type) -> bool {
    match ungroup(ty) {
        Type::Reference(reference) => borrowed_inside_reference(&reference.elem),
        other if borrowed_option(other).is_some() => false,
        other => cow_content(other).map_or_else(|| borrows(other), borrows),
    }
}

fn borrowed_inside_reference(ty: &Type) -> bool {
    match ungroup(ty) {
        Type::Reference(_) => borrowed_inside(ty),
        other => borrows(other),
    }
}
