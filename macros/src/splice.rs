//! `#[apply(set)]` among the attributes of an item: the call of the set.
//!
//! A set is a macro of the user's crate ([`policies`](crate::policies)): only rustc can find it. So an expansion that meets `#[apply(set)]`
//! becomes a call of that macro, with everything read so far; the macro adds its attributes and calls back ([`apply`](crate::apply)):
//!
//! ```text
//! #[timeout(2s)] #[apply(set)] #[retry] async fn f() {}
//! set! { (__apply!) (set) { #[timeout(2s)] } { #[retry] async fn f() {} } }
//! __apply! { { #[circuit_breaker(S)] } (set) { #[timeout(2s)] } { #[retry] async fn f() {} } }
//! #[timeout(2s)] #[circuit_breaker(S)] #[retry] async fn f() {}       // expanded at once
//! ```

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Path, Token};

use crate::item::function::all;
use crate::item::tokens::mixed_site;
use crate::manifest;

/// `#[apply(none)]`: what an `#[apply]` above the `impl` does not apply to.
pub(crate) const NONE: &str = "none";

/// What a set calls back for a function.
pub(crate) const ON_FUNCTION: &str = "__apply";

/// What a set calls back for a `run!`.
pub(crate) const IN_RUN: &str = "__apply_in_run";

/// Whether the attribute is `#[apply(..)]`.
pub(crate) fn is_apply(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "apply")
}

/// The sets that the attribute names.
pub(crate) fn paths(attribute: &Attribute) -> syn::Result<Vec<Path>> {
    match &attribute.meta {
        Meta::List(list) => parse_paths(list.path.span(), list.tokens.clone()),
        other => Err(syn::Error::new_spanned(other, "`#[apply]` names a set: write `#[apply(set)]`")),
    }
}

pub(crate) fn parse_paths(at: Span, arguments: TokenStream) -> syn::Result<Vec<Path>> {
    let expects = "`#[apply]` takes the names of sets, which `policies!` defines: write `#[apply(set)]`";
    let paths = |input: ParseStream<'_>| Punctuated::<Path, Token![,]>::parse_terminated_with(input, Path::parse_mod_style);
    if arguments.is_empty() {
        return Err(syn::Error::new(at, expects));
    }
    match paths.parse2(arguments) {
        Ok(paths) => Ok(paths.into_iter().collect()),
        Err(error) => Err(syn::Error::new(error.span(), expects)),
    }
}

/// The sets of an attribute that is not [left out](NONE) of anything.
pub(crate) fn applied(paths: syn::Result<Vec<Path>>) -> syn::Result<Vec<Path>> {
    let paths = paths?;
    match paths.iter().find(|set| set.is_ident(NONE)) {
        None => Ok(paths),
        Some(none) => Err(syn::Error::new_spanned(
            none,
            "`none` leaves a function out of the `#[apply]` of its `impl` or trait: there is none here, so remove this",
        )),
    }
}

/// The outer attributes of an item, and the rest of it.
pub(crate) fn split(item: &TokenStream) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    let parse = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_outer)?, input.parse()?));
    parse.parse2(item.clone())
}

/// If one of the outer attributes of the item is `#[apply(..)]`, the item as a call of that set, with `above` in front.
pub(crate) fn resolve(above: &TokenStream, item: &TokenStream, callback: &str) -> Option<TokenStream> {
    let (attributes, rest) = split(item).ok()?;
    let at = attributes.iter().position(is_apply)?;
    let (before, after) = (all(&attributes[..at]), all(&attributes[at + 1..]));
    let sets = match applied(paths(&attributes[at])) {
        Ok(sets) => sets,
        Err(error) => {
            let error = error.into_compile_error();
            return Some(if callback == IN_RUN { quote!({ #error }) } else { quote!(#error #before #after #rest) });
        }
    };
    let (first, others) = sets.split_first()?;
    let others = others.iter().map(|set| quote!(#[apply(#set)]));
    Some(call(first, &quote!(#above #before), &quote!(#(#others)* #after #rest), callback))
}

/// The call of a set.
pub(crate) fn call(set: &Path, above: &TokenStream, rest: &TokenStream, callback: &str) -> TokenStream {
    let (root, callback) = (manifest::root(), mixed_site(callback));
    quote!(#set! { (#root::#callback) (#set) { #above } { #rest } })
}
