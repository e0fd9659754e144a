//! The arguments of a function: their names, types and conditions.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Pat, Receiver, Signature, Token, Type};

use crate::types;

/// One name that a parameter binds.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) mode: Mode,
    /// The `cfg`s of the parameter, which every mention of the name carries along.
    pub(crate) cfgs: Vec<Attribute>,
    /// The type, where the parameter is a plain name and not a pattern.
    pub(crate) ty: Option<Type>,
}

impl Binding {
    /// Whether the name can be used after the body has taken it along.
    pub(crate) fn is_shared_reference(&self) -> bool {
        self.mode == Mode::Ref || self.ty.as_ref().is_some_and(|ty| mode_behind(ty) == Mode::Ref)
    }
}

/// `&self`, also when it is written as `self: &Self`.
pub(crate) fn is_shared_reference(receiver: &Receiver) -> bool {
    match &receiver.kind {
        syn::ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        syn::ReceiverKind::Typed(_, ty) => mode_behind(ty) == Mode::Ref,
        _ => false,
    }
}

/// What a name is bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The argument, or a part of it.
    Value,
    /// A reference into the argument: `ref name`, or a part of what is behind a reference.
    Ref,
    /// The same, with `mut`.
    RefMut,
}

/// The parameters of a function.
#[derive(Clone)]
pub(crate) struct Parameters {
    pub(crate) receiver: Option<Receiver>,
    /// In the order of declaration.
    pub(crate) bindings: Vec<Binding>,
}

impl Parameters {
    /// Reads the parameters, and gives those a name that have none: what is dropped with the arguments must be named.
    pub(crate) fn of(signature: &mut Signature) -> Self {
        let mut parameters = Self { receiver: None, bindings: Vec::new() };
        for (index, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(receiver) => parameters.receiver = Some(receiver.clone()),
                FnArg::Typed(typed) => {
                    if let Pat::Wild(wild) = &*typed.pat {
                        let ident = format_ident!("__arg{index}", span = wild.span().resolved_at(Span::mixed_site()));
                        *typed.pat =
                            Pat::Ident(syn::PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None });
                    }
                    let cfgs: Vec<Attribute> = cfgs(&typed.attrs);
                    let plain = matches!(&*typed.pat, Pat::Ident(ident) if ident.subpat.is_none() && ident.by_ref.is_none());
                    let ty = plain.then(|| (*typed.ty).clone());
                    collect(&typed.pat, mode_behind(&typed.ty), &mut |ident, mutability, mode| {
                        // A plain name has no parts: it is the argument, be that a reference or not.
                        let mode = if plain { Mode::Value } else { mode };
                        parameters.bindings.push(Binding {
                            ident: ident.clone(),
                            mutability,
                            mode,
                            cfgs: cfgs.clone(),
                            ty: ty.clone(),
                        });
                    });
                }
            }
        }
        parameters
    }

    /// Puts the names that `pattern` binds in the place of the one that it takes apart, or binds again.
    pub(crate) fn rebind(&mut self, taken: &Ident, pattern: &Pat) {
        let Some(at) = self.bindings.iter().position(|binding| binding.ident == *taken) else { return };
        let Binding { cfgs, ty, mode, .. } = self.bindings.remove(at);
        let plain = matches!(pattern, Pat::Ident(ident) if ident.subpat.is_none() && ident.by_ref.is_none());
        let behind = ty.as_ref().map_or(mode, mode_behind);
        let mut bound = Vec::new();
        collect(pattern, behind, &mut |ident, mutability, mode| {
            let mode = if plain { Mode::Value } else { mode };
            let ty = ty.clone().filter(|_| plain);
            bound.push(Binding { ident: ident.clone(), mutability, mode, cfgs: cfgs.clone(), ty });
        });
        self.bindings.splice(at..at, bound);
    }

    /// Gives the chosen names the same letters, and a meaning that only the expansion knows.
    pub(crate) fn hide(&mut self, signature: &mut Signature, chosen: &dyn Fn(&Ident) -> bool) {
        let hidden = |ident: &Ident| Ident::new(&ident.to_string(), ident.span().resolved_at(Span::mixed_site()));
        for input in &mut signature.inputs {
            if let FnArg::Typed(typed) = input
                && let Pat::Ident(pattern) = &mut *typed.pat
                && pattern.subpat.is_none()
                && chosen(&pattern.ident)
            {
                let known = self.bindings.iter_mut().filter(|binding| binding.ident == pattern.ident);
                known.for_each(|binding| binding.ident = hidden(&binding.ident));
                pattern.ident = hidden(&pattern.ident);
            }
        }
    }

    pub(crate) fn find(&self, name: &Ident) -> Option<&Binding> {
        self.bindings.iter().find(|binding| binding.ident == *name)
    }

    /// All names, `self` included, as they are listed in messages.
    pub(crate) fn names(&self) -> Vec<String> {
        let receiver = self.receiver.iter().map(|_| "self".to_owned());
        receiver.chain(self.bindings.iter().map(|binding| binding.ident.to_string())).collect()
    }
}

/// The `cfg` attributes among others.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// How the parts of a type are bound by a pattern that does not say.
fn mode_behind(ty: &Type) -> Mode {
    match types::bare(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => Mode::RefMut,
        Type::Reference(_) => Mode::Ref,
        _ => Mode::Value,
    }
}

/// Every name that a pattern binds, in order. `mode` is that of a name that does not say.
///
/// A unit struct, a unit variant or a constant looks like a name, and only the compiler can tell them apart. All are read as names: a
/// name that is overlooked would be missing from a cache key, and to name a constant as well does no harm, since a parameter takes no
/// pattern that does not always match, and so there is one value only that the constant can have.
fn collect(pattern: &Pat, mode: Mode, found: &mut dyn FnMut(&Ident, Option<Token![mut]>, Mode)) {
    match pattern {
        Pat::Ident(ident) => {
            match (ident.by_ref, ident.mutability) {
                (None, mutability) => found(&ident.ident, mutability, mode),
                (Some(_), None) => found(&ident.ident, None, Mode::Ref),
                (Some(_), Some(_)) => found(&ident.ident, None, Mode::RefMut),
            }
            if let Some((_, pattern)) = &ident.subpat {
                collect(pattern, mode, found);
            }
        }
        Pat::Or(or) => collect_alternatives(or, mode, found),
        Pat::Paren(paren) => collect(&paren.pat, mode, found),
        Pat::Reference(reference) => collect(&reference.pat, Mode::Value, found),
        Pat::Slice(slice) => slice.elems.iter().for_each(|element| collect(element, mode, found)),
        Pat::Struct(fields) => fields.fields.iter().for_each(|field| collect(&field.pat, mode, found)),
        Pat::Tuple(tuple) => tuple.elems.iter().for_each(|element| collect(element, mode, found)),
        Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|element| collect(element, mode, found)),
        Pat::Type(typed) => collect(&typed.pat, mode, found),
        _ => {}
    }
}

/// Every alternative binds the same names: what only some of them mention is a unit variant, as in `(On | Off)`.
fn collect_alternatives(or: &syn::PatOr, mode: Mode, found: &mut dyn FnMut(&Ident, Option<Token![mut]>, Mode)) {
    let mut cases = or.cases.iter();
    let Some(first) = cases.next() else { return };
    let others: Vec<Vec<Ident>> = cases
        .map(|case| {
            let mut names = Vec::new();
            collect(case, mode, &mut |ident, _, _| names.push(ident.clone()));
            names
        })
        .collect();
    collect(first, mode, &mut |ident, mutability, mode| {
        if others.iter().all(|names| names.contains(ident)) {
            found(ident, mutability, mode);
        }
    });
}

/// Takes `mut` off the names for which `chosen` holds, where a second binding carries it.
pub(crate) fn strip_mut(signature: &mut Signature, chosen: &dyn Fn(&Ident) -> bool) {
    for input in &mut signature.inputs {
        if let FnArg::Typed(typed) = input {
            strip_mut_in(&mut typed.pat, chosen);
        }
    }
}

pub(crate) fn strip_mut_in(pattern: &mut Pat, chosen: &dyn Fn(&Ident) -> bool) {
    match pattern {
        Pat::Ident(ident) => {
            if ident.by_ref.is_none() && chosen(&ident.ident) {
                ident.mutability = None;
            }
            if let Some((_, pattern)) = &mut ident.subpat {
                strip_mut_in(pattern, chosen);
            }
        }
        Pat::Or(or) => or.cases.iter_mut().for_each(|case| strip_mut_in(case, chosen)),
        Pat::Paren(paren) => strip_mut_in(&mut paren.pat, chosen),
        Pat::Reference(reference) => strip_mut_in(&mut reference.pat, chosen),
        Pat::Slice(slice) => slice.elems.iter_mut().for_each(|element| strip_mut_in(element, chosen)),
        Pat::Struct(fields) => fields.fields.iter_mut().for_each(|field| strip_mut_in(&mut field.pat, chosen)),
        Pat::Tuple(tuple) => tuple.elems.iter_mut().for_each(|element| strip_mut_in(element, chosen)),
        Pat::TupleStruct(tuple) => tuple.elems.iter_mut().for_each(|element| strip_mut_in(element, chosen)),
        Pat::Type(typed) => strip_mut_in(&mut typed.pat, chosen),
        _ => {}
    }
}
