//! `#[apply(set)]`, and what a set [calls back](crate::splice).

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Attribute, ImplItem, Meta, Path, TraitItem};

use crate::codegen::layer::AttributeDef;
use crate::expand;
use crate::item::function::all;
use crate::item::tokens::respan;
use crate::item::types;
use crate::manifest;
use crate::run;
use crate::splice;
use crate::stack::{self, CONSUMED, First};

/// Expands the attribute.
pub(crate) fn apply(known: &'static [AttributeDef], arguments: TokenStream, item: &TokenStream) -> TokenStream {
    if arguments.to_string() == CONSUMED {
        return TokenStream::new();
    }
    let sets = match splice::applied(splice::parse_paths(Span::call_site(), arguments)) {
        Ok(sets) => sets,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    match syn::parse2(item.clone()) {
        Ok(syn::Item::Impl(mut block)) => {
            let mut found = false;
            for item in &mut block.items {
                if let ImplItem::Fn(function) = item {
                    found |= distribute(&sets, known, &mut function.attrs, &function.sig, true);
                }
            }
            with_error_unless(found, &block.impl_token, block.to_token_stream())
        }
        Ok(syn::Item::Trait(mut block)) => {
            let mut found = false;
            for item in &mut block.items {
                if let TraitItem::Fn(function) = item {
                    found |= distribute(&sets, known, &mut function.attrs, &function.sig, function.default.is_some());
                }
            }
            with_error_unless(found, &block.trait_token, block.to_token_stream())
        }
        Ok(item) if !matches!(item, syn::Item::Fn(_) | syn::Item::Verbatim(_) | syn::Item::Macro(_)) => {
            let error = syn::Error::new(Span::call_site(), "`#[apply]` can be applied to a function, an `impl` block or a trait");
            let error = error.into_compile_error();
            quote!(#error #item)
        }
        _ => {
            let (first, rest) = sets.split_first().expect("a list of at least one");
            let rest = rest.iter().map(|set| quote!(#[apply(#set)]));
            splice::call(first, &TokenStream::new(), &quote!(#(#rest)* #item), splice::ON_FUNCTION)
        }
    }
}

fn with_error_unless(found: bool, keyword: &impl ToTokens, item: TokenStream) -> TokenStream {
    if found {
        return item;
    }
    let error = syn::Error::new_spanned(keyword, "`#[apply]` has no effect here: there is no async function with a body");
    let error = error.into_compile_error();
    quote!(#error #item)
}

/// Puts `#[apply]` on a function of an `impl` or a trait, if it is an async one with a body. Returns whether it has looked at one.
fn distribute(
    sets: &[Path],
    known: &'static [AttributeDef],
    attributes: &mut Vec<Attribute>,
    signature: &syn::Signature,
    body: bool,
) -> bool {
    let is_none = |attribute: &Attribute| {
        splice::is_apply(attribute)
            && splice::paths(attribute).is_ok_and(|paths| matches!(paths.as_slice(), [only] if only.is_ident(splice::NONE)))
    };
    let returns_future =
        || matches!(&signature.output, syn::ReturnType::Type(_, returned) if types::future_output(returned).is_some());
    let is_offloading = |attribute: &Attribute| stack::definition(known, attribute).is_some_and(|of| of.name == "offload_blocking");
    let offloads = || attributes.iter().any(is_offloading);
    let is_async = signature.asyncness.is_some() || returns_future() || offloads();
    if attributes.iter().any(is_none) {
        attributes.retain(|attribute| !is_none(attribute));
        return true;
    }
    if !body || !is_async {
        return false;
    }
    let root = manifest::root();
    attributes.insert(0, syn::parse_quote!(#[#root::apply(#(#sets),*)]));
    true
}

/// What a set calls back with, put together: `{ attributes of the set } (set) { attributes above } { rest }`.
fn assemble(input: TokenStream) -> TokenStream {
    let mut parts = input.into_iter();
    let set = content(parts.next(), Delimiter::Brace);
    let site = content(parts.next(), Delimiter::Parenthesis).into_iter().last().map_or_else(Span::call_site, |name| name.span());
    let (above, rest) = (content(parts.next(), Delimiter::Brace), content(parts.next(), Delimiter::Brace));
    let set = attributes_of_set(at_site(set, site));
    quote!(#above #set #rest)
}

/// The attributes of a set, by their paths in the library: what the module of the set has imported is unknown where it is applied.
fn attributes_of_set(set: TokenStream) -> TokenStream {
    let Ok(mut attributes) = Attribute::parse_outer.parse2(set) else { return TokenStream::new() };
    // It reads the manifest, and so once.
    let root = manifest::root();
    for attribute in &mut attributes {
        let Some(name) = attribute.path().segments.last().map(|last| last.ident.clone()) else { continue };
        // Errors about the attribute are reported at the first token of its path.
        let root = respan(name.span(), root.clone());
        let path = syn::parse_quote_spanned!(name.span()=> #root::#name);
        match &mut attribute.meta {
            Meta::Path(old) => *old = path,
            Meta::List(list) => list.path = path,
            Meta::NameValue(pair) => pair.path = path,
        }
    }
    all(&attributes)
}

/// The content of a group.
fn content(tree: Option<TokenTree>, delimiter: Delimiter) -> TokenStream {
    match tree {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => group.stream(),
        _ => TokenStream::new(),
    }
}

/// The tokens as if they were written where the set is applied, so that they can name its arguments. Errors are still reported in the set.
fn at_site(tokens: TokenStream, site: Span) -> TokenStream {
    let resolve = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            let mut inside = Group::new(group.delimiter(), at_site(group.stream(), site));
            inside.set_span(group.span());
            tree = inside.into();
        }
        if !matches!(&tree, TokenTree::Ident(ident) if ident == "$crate") {
            tree.set_span(tree.span().resolved_at(site));
        }
        tree
    };
    tokens.into_iter().map(resolve).collect()
}

/// Expands a function with the attributes of a set on it.
pub(crate) fn function(known: &'static [AttributeDef], input: TokenStream) -> TokenStream {
    let item = assemble(input);
    if let Some(tokens) = splice::resolve(&TokenStream::new(), &item, splice::ON_FUNCTION) {
        return tokens;
    }
    let Ok((mut attributes, rest)) = splice::split(&item) else { return item };
    let definition = |attribute: &Attribute| stack::definition(known, attribute);
    let Some((at, definition)) = attributes.iter().enumerate().find_map(|(at, attribute)| Some((at, definition(attribute)?)))
    else {
        return item;
    };
    let attribute = attributes.remove(at);
    let attributes = all(&attributes);
    let item = quote!(#attributes #rest);
    let arguments = match stack::arguments(&attribute, definition) {
        Ok(arguments) => arguments,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    let first = First { attribute: definition, span: attribute.path().span(), arguments };
    expand::stack(known, first, &item)
}

/// Expands a `run!` with the attributes of a set in it.
pub(crate) fn block(known: &'static [AttributeDef], input: TokenStream) -> TokenStream {
    run::run(known, &assemble(input))
}
