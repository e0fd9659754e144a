//! `policies!`: sets of attributes, as macros that put them where `#[apply]` asks for them.

use std::hash::{DefaultHasher, Hash, Hasher};

use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Token, Visibility};

use crate::codegen::layer::AttributeDef;
use crate::diagnostics::Errors;
use crate::item::function::all;
use crate::splice;
use crate::stack;

/// `/// documentation` `pub(crate) warehouse = { #[timeout(2s)] };`
struct Set {
    documentation: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    attributes: Vec<Attribute>,
}

impl Parse for Set {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let documentation = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let expects = "expected a set of policies: write `name = { #[timeout(2s)] };`";
        let name = input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), expects))?;
        input.parse::<Token![=]>().map_err(|error| syn::Error::new(error.span(), expects))?;
        if !input.peek(syn::token::Brace) {
            return Err(input.error("the attributes of a set are in braces: write `name = { #[timeout(2s)] };`"));
        }
        let content;
        syn::braced!(content in input);
        let attributes = content.call(Attribute::parse_outer)?;
        if !content.is_empty() {
            return Err(content.error("a set consists of attributes: write `#[..]`"));
        }
        if !input.is_empty() {
            input.parse::<Token![;]>().map_err(|error| syn::Error::new(error.span(), "a set ends in `;`"))?;
        }
        Ok(Self { documentation, visibility, name, attributes })
    }
}

struct Sets(Vec<Set>);

impl Parse for Sets {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut sets = Vec::new();
        while !input.is_empty() {
            sets.push(input.parse()?);
        }
        Ok(Self(sets))
    }
}

/// Expands the macro.
pub(crate) fn policies(known: &'static [AttributeDef], input: TokenStream) -> TokenStream {
    let Sets(sets) = match syn::parse2(input) {
        Ok(sets) => sets,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let mut output = TokenStream::new();
    for (index, set) in sets.iter().enumerate() {
        set.check(&sets[..index], &mut errors);
        let mut attributes = Vec::new();
        let mut own = Errors::default();
        flatten(known, set, &sets, &mut vec![&set.name], &mut attributes, &mut own);
        // A set with errors is empty, so that they are not reported again wherever it is applied.
        if let Some(error) = own.into_error() {
            errors.push(error);
            attributes.clear();
        }
        if !sets[..index].iter().any(|earlier| earlier.name == set.name) {
            output.extend(set.definition(&attributes));
        }
    }
    let errors = errors.into_tokens();
    quote!(#errors #output)
}

/// The attributes of the set, with those of other sets of the same macro in their places.
fn flatten<'s>(
    known: &'static [AttributeDef],
    set: &'s Set,
    sets: &'s [Set],
    path: &mut Vec<&'s Ident>,
    found: &mut Vec<Attribute>,
    errors: &mut Errors,
) {
    for attribute in &set.attributes {
        if !splice::is_apply(attribute) {
            check_attribute(known, attribute, errors);
            found.push(attribute.clone());
            continue;
        }
        for applied in splice::paths(attribute).unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        }) {
            let named = applied.get_ident();
            if let Some(again) = named.filter(|name| path.contains(name)) {
                errors.at(again, format!("the set `{again}` contains itself: remove this"));
            } else if let Some(other) = sets.iter().find(|other| named == Some(&other.name)) {
                path.push(&other.name);
                let mut ignored = Errors::default();
                flatten(known, other, sets, path, found, if path.len() == 2 { errors } else { &mut ignored });
                path.pop();
            } else {
                found.push(syn::parse_quote!(#[apply(#applied)]));
            }
        }
    }
}

/// Reports what can be seen without a function.
fn check_attribute(known: &'static [AttributeDef], attribute: &Attribute, errors: &mut Errors) {
    let Some(definition) = stack::definition(known, attribute) else {
        let name = attribute.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let message = stack::unknown(known, &name, "an attribute of another crate belongs on the function");
        return errors.at(attribute.path(), message);
    };
    match stack::arguments(attribute, definition) {
        Ok(arguments) => drop((definition.parse)(arguments, errors)),
        Err(error) => errors.push(error),
    }
}

impl Set {
    fn check(&self, earlier: &[Self], errors: &mut Errors) {
        let name = &self.name;
        if name == splice::NONE {
            errors.at(name, "`none` is what `#[apply(none)]` says for no set: choose another name");
        }
        if earlier.iter().any(|other| other.name == *name) {
            errors.at(name, format!("duplicate set `{name}`: remove one"));
        }
        if self.attributes.is_empty() {
            errors.at(name, format!("the set `{name}` is empty: add an attribute, as in `#[timeout(2s)]`"));
        }
    }

    /// ```text
    /// Output: macro_rules! set { (($($to:tt)*) $($rest:tt)*) => { $($to)* ! { { attributes } $($rest)* } } }  use set as name;
    /// ```
    fn definition(&self, attributes: &[Attribute]) -> TokenStream {
        let Self { documentation, visibility, name, .. } = self;
        let (documentation, span) = (all(documentation), Span::mixed_site());
        let public = matches!(visibility, Visibility::Public(_));
        // An exported macro is found at the root of the crate, next to the sets of all modules.
        let set = if public {
            format_ident!("__steadfast_set_{}_{:x}", name.unraw(), place(name))
        } else {
            format_ident!("__steadfast_set_{}", name.unraw())
        };
        // Its documentation is that of the name: without it, rustdoc would list the macro a second time, at the root of the crate.
        let (export, inline) =
            if public { (quote!(#[doc(hidden)] #[macro_export]), quote!(#[doc(inline)])) } else { Default::default() };
        let attributes = of_this_crate(all(attributes));
        let misuse = format!("`{name}` is a set of policies: write `#[apply({name})]`");
        let dollar = Punct::new('$', Spacing::Alone);
        quote_spanned! {span=>
            #[allow(unused_macros)]
            #export
            macro_rules! #set {
                ((#dollar (#dollar to:tt)*) #dollar (#dollar rest:tt)*) => {
                    #dollar (#dollar to)* ! { { #attributes } #dollar (#dollar rest)* }
                };
                (#dollar (#dollar rest:tt)*) => { ::core::compile_error! { #misuse } };
            }
            #documentation
            #[allow(unused_imports)]
            #inline
            #visibility use #set as #name;
        }
    }
}

/// A number that no other place in the source has.
fn place(name: &Ident) -> u64 {
    let mut hasher = DefaultHasher::new();
    // Not in unit tests of this crate.
    if proc_macro::is_available() {
        let span = name.span().unwrap();
        (span.file(), span.line(), span.column()).hash(&mut hasher);
    }
    hasher.finish()
}

/// Paths that begin with `crate` with `$crate` instead: they belong to the crate of the set, wherever it is applied.
fn of_this_crate(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.into_iter().peekable();
    let mut output = TokenStream::new();
    while let Some(mut tree) = trees.next() {
        match &mut tree {
            TokenTree::Ident(ident) if ident == "crate" && is_colon(trees.peek()) => {
                Punct::new('$', Spacing::Alone).to_tokens(&mut output);
            }
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), of_this_crate(group.stream()));
                inside.set_span(group.span());
                tree = inside.into();
            }
            _ => {}
        }
        output.extend([tree]);
    }
    output
}

fn is_colon(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustdoc_shows_a_public_set_once_by_its_name() {
        let output = policies(&[], quote!(#[doc = "Shared."] pub shared = {};)).to_string();
        assert!(output.contains("# [doc (hidden)] # [macro_export]"), "{output}");
        assert!(output.contains("# [doc = \"Shared.\"] # [allow (unused_imports)] # [doc (inline)] pub use"), "{output}");
    }
}
