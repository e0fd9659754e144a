//! Syntactic questions about types.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

/// Removes parentheses and the invisible delimiters of `macro_rules` fragments.
pub(crate) fn ungroup(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            other => return other,
        };
    }
}

/// Whether the predicate holds for the type or any part of it.
pub(crate) fn any_part(ty: &Type, answers: &mut dyn FnMut(&Type) -> bool) -> bool {
    answers(ty) || parts(ty).into_iter().any(|part| any_part(part, answers))
}

/// The component types of a type.
fn parts(ty: &Type) -> Vec<&Type> {
    match ty {
        Type::Array(array) => vec![&array.elem],
        Type::Group(group) => vec![&group.elem],
        Type::Paren(paren) => vec![&paren.elem],
        Type::Ptr(pointer) => vec![&pointer.elem],
        Type::Reference(reference) => vec![&reference.elem],
        Type::Slice(slice) => vec![&slice.elem],
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        Type::Path(path) => {
            let mut parts: Vec<&Type> = path.path.segments.iter().flat_map(|segment| arguments(&segment.arguments)).collect();
            parts.extend(path.qself.iter().map(|qself| &*qself.ty));
            parts
        }
        Type::ImplTrait(bounds) => bound_arguments(&bounds.bounds),
        Type::TraitObject(bounds) => bound_arguments(&bounds.bounds),
        _ => Vec::new(),
    }
}

fn bound_arguments<P>(bounds: &Punctuated<TypeParamBound, P>) -> Vec<&Type> {
    traits(bounds).flat_map(|path| path.segments.iter().flat_map(|segment| arguments(&segment.arguments))).collect()
}

/// The traits among bounds.
pub(crate) fn traits<P>(bounds: &Punctuated<TypeParamBound, P>) -> impl Iterator<Item = &syn::Path> {
    bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(&bound.path),
        _ => None,
    })
}

/// The types among the generic arguments of a path segment.
fn arguments(arguments: &PathArguments) -> Vec<&Type> {
    match arguments {
        PathArguments::AngleBracketed(angle) => angle
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                GenericArgument::AssocType(assoc) => Some(&assoc.ty),
                _ => None,
            })
            .collect(),
        PathArguments::Parenthesized(function) => match &function.output {
            ReturnType::Type(_, ty) => vec![ty],
            ReturnType::Default => Vec::new(),
        },
        PathArguments::None => Vec::new(),
    }
}

/// The last segment of a path type: its name and its type arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<(String, Vec<&Type>)> {
    match ungroup(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| (segment.ident.to_string(), arguments(&segment.arguments))),
        _ => None,
    }
}

/// Whether the type is a type parameter or depends on one: `R`, `T::Out`, `<T as Source>::Out`.
pub(crate) fn is_parameter(ty: &Type, generics: &syn::Generics) -> bool {
    let Type::Path(path) = ungroup(ty) else { return false };
    match &path.qself {
        Some(qself) => is_parameter(&qself.ty, generics),
        None => {
            path.path.segments.first().is_some_and(|first| generics.type_params().any(|parameter| parameter.ident == first.ident))
        }
    }
}

/// The `E` of a `Result<T, E>`.
pub(crate) fn error_type(ty: &Type) -> Option<&Type> {
    match last_segment(ty)?.1.as_slice() {
        [_, error] => Some(error),
        _ => None,
    }
}

/// Whether the type contains an `impl Trait`, and so cannot be named in full.
pub(crate) fn has_impl(ty: &Type) -> bool {
    any_part(ty, &mut |part| matches!(part, Type::ImplTrait(_)))
}

/// The type with `_` for every `impl Trait`.
pub(crate) fn without_impl(ty: &Type) -> Type {
    let mut ty = ty.clone();
    replace_impl(&mut ty);
    ty
}

/// The type as it can be written in an expression: with `_` for every `impl Trait`, and with inferred lifetimes.
pub(crate) fn in_an_expression(ty: &Type) -> Type {
    let rename = |tokens: TokenStream| found_lifetimes(tokens);
    let ty = without_impl(ty);
    syn::parse2(rename(ty.to_token_stream())).unwrap_or(ty)
}

fn found_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.into_iter().peekable();
    let mut found = TokenStream::new();
    // `for<'a>` introduces its own lifetimes.
    let (mut binds, mut bound) = (false, Vec::<String>::new());
    while let Some(mut tree) = trees.next() {
        match &mut tree {
            TokenTree::Ident(ident) if ident == "for" => binds = true,
            TokenTree::Punct(punct) if punct.as_char() == '>' => binds = false,
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                if let Some(TokenTree::Ident(name)) = trees.peek_mut() {
                    let text = name.to_string();
                    if binds {
                        bound.push(text);
                    } else if text != "static" && !bound.contains(&text) {
                        *name = Ident::new("_", name.span());
                    }
                }
            }
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), found_lifetimes(group.stream()));
                inside.set_span(group.span());
                tree = inside.into();
            }
            _ => {}
        }
        found.extend([tree]);
    }
    found
}

fn replace_impl(ty: &mut Type) {
    match ty {
        Type::ImplTrait(bounds) => {
            *ty = Type::Infer(syn::TypeInfer { attrs: Vec::new(), underscore_token: syn::Token![_](bounds.impl_token.span) });
        }
        Type::Array(array) => replace_impl(&mut array.elem),
        Type::Group(group) => replace_impl(&mut group.elem),
        Type::Paren(paren) => replace_impl(&mut paren.elem),
        Type::Ptr(pointer) => replace_impl(&mut pointer.elem),
        Type::Reference(reference) => replace_impl(&mut reference.elem),
        Type::Slice(slice) => replace_impl(&mut slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(replace_impl),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(angle) = &mut segment.arguments {
                    for argument in &mut angle.args {
                        if let GenericArgument::Type(ty) = argument {
                            replace_impl(ty);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// A borrow in the type that is not `'static`: a reference, or a lifetime argument.
pub(crate) fn borrows(ty: &Type) -> bool {
    any_part(ty, &mut |part| match part {
        Type::Reference(reference) => reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static"),
        Type::Path(path) => path.path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(angle) => angle
                .args
                .iter()
                .any(|argument| matches!(argument, GenericArgument::Lifetime(lifetime) if lifetime.ident != "static")),
            _ => false,
        }),
        Type::TraitObject(object) => {
            object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident != "static"))
        }
        _ => false,
    })
}

/// The advice for an argument that must not borrow.
pub(crate) fn owned_form(ty: &Type) -> String {
    match (ungroup(ty), owned_name(ty)) {
        (_, Some(name)) => format!("take a `{name}`"),
        (Type::Reference(_), None) => "take it by value, or in an `Arc<..>`".to_owned(),
        _ => "take an owned value".to_owned(),
    }
}

/// The advice for a return value that must not borrow.
pub(crate) fn owned_value(ty: &Type) -> String {
    match (ungroup(ty), owned_name(ty)) {
        (_, Some(name)) => format!("return a `{name}`"),
        (Type::Reference(reference), None) if !borrows(&reference.elem) => {
            let inner = reference.elem.to_token_stream().to_string().replace(' ', "");
            format!("return the `{inner}` itself, or an `Arc` of it")
        }
        _ => "return an owned value".to_owned(),
    }
}

/// The well-known owned form of a reference.
fn owned_name(ty: &Type) -> Option<&'static str> {
    let Type::Reference(reference) = ungroup(ty) else { return None };
    match ungroup(&reference.elem) {
        Type::Slice(_) => Some("Vec<..>"),
        other => match last_segment(other)?.0.as_str() {
            "str" => Some("String"),
            "Path" => Some("PathBuf"),
            _ => None,
        },
    }
}

/// The output of a future type: `impl Future<Output = T>`, `Pin<Box<dyn Future<Output = T>>>`, `BoxFuture<'_, T>`.
pub(crate) fn future_output(ty: &Type) -> Option<&Type> {
    match ungroup(ty) {
        Type::ImplTrait(bounds) => output_of(&bounds.bounds),
        Type::TraitObject(bounds) => output_of(&bounds.bounds),
        other => {
            let (name, arguments) = last_segment(other)?;
            match name.as_str() {
                "Pin" | "Box" => future_output(arguments.first()?),
                "BoxFuture" | "LocalBoxFuture" => arguments.last().copied(),
                _ => None,
            }
        }
    }
}

/// Whether the type is named like a future but cannot be created from another one: `Ready<T>`, `MyFuture`, `S::Future`, `impl TryFuture`.
pub(crate) fn is_named_like_a_future(ty: &Type) -> bool {
    const NAMES: &[&str] = &["Ready", "Pending", "PollFn", "Either", "JoinHandle", "Lazy", "Shared"];
    let like = |name: &str| name.contains("Fut") || NAMES.contains(&name);
    let bounds_like = |path: &syn::Path| path.segments.last().is_some_and(|last| like(&last.ident.to_string()));
    match ungroup(ty) {
        Type::ImplTrait(object) => traits(&object.bounds).any(bounds_like),
        Type::TraitObject(object) => traits(&object.bounds).any(bounds_like),
        Type::Reference(reference) => is_named_like_a_future(&reference.elem),
        other => last_segment(other).is_some_and(|(name, arguments)| match name.as_str() {
            "Pin" | "Box" => arguments.first().is_some_and(|inner| is_named_like_a_future(inner)),
            name => like(name),
        }),
    }
}

fn output_of<P>(bounds: &Punctuated<TypeParamBound, P>) -> Option<&Type> {
    traits(bounds).find_map(|path| {
        let segment = path.segments.last().filter(|segment| segment.ident == "Future")?;
        let PathArguments::AngleBracketed(angle) = &segment.arguments else { return None };
        angle.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
            _ => None,
        })
    })
}
