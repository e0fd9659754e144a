//! The arguments of a function: their names, types and conditions.

use proc_macro2::{Ident, Span};
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Meta, MetaList, Pat, PatIdent, Receiver, Signature, Token, Type};

use crate::item::tokens;
use crate::item::types;

/// One name that a parameter binds.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) mode: Mode,
    /// The `cfg`s of the parameter, which every mention of the name repeats.
    pub(crate) cfgs: Vec<Attribute>,
    /// The type, if the parameter is a plain name and not a pattern.
    pub(crate) ty: Option<Type>,
    /// Whether `ref` was removed from the name; the body adds it again.
    pub(crate) by_ref: bool,
    /// Whether nothing mentions it: neither the body nor an option, nor an attribute that uses all arguments.
    pub(crate) unmentioned: bool,
    /// The lint levels of the parameter, which apply wherever the name is bound again.
    pub(crate) levels: Vec<Attribute>,
}

impl Binding {
    fn new(ident: &Ident, mutability: Option<Token![mut]>, mode: Mode) -> Self {
        Self {
            ident: ident.clone(),
            mutability,
            mode,
            cfgs: Vec::new(),
            ty: None,
            by_ref: false,
            unmentioned: false,
            levels: Vec::new(),
        }
    }

    /// Whether the name begins with an underscore, so that it is not expected to be used.
    pub(crate) fn is_ignored(&self) -> bool {
        self.ident.to_string().starts_with('_')
    }

    /// Whether the body captures the argument without mentioning it, and the expansion tells the compiler so. A lint level at the parameter
    /// is about the parameter itself.
    pub(crate) fn is_taken_unmentioned(&self) -> bool {
        self.unmentioned && self.levels.is_empty()
    }

    /// Whether nothing reads the argument, and its own lint level says what to report: it stays where it is.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.unmentioned && !self.levels.is_empty() && !self.is_ignored()
    }

    /// Whether the name can still be used after the body has captured it.
    pub(crate) fn is_shared_reference(&self) -> bool {
        self.mode == Mode::Ref || self.ty.as_ref().is_some_and(|ty| mode_behind(ty) == Mode::Ref)
    }
}

/// `&self`, also written as `self: &Self`.
pub(crate) fn is_shared_reference(receiver: &Receiver) -> bool {
    match &receiver.kind {
        syn::ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        syn::ReceiverKind::Typed(_, ty) => mode_behind(ty) == Mode::Ref,
        _ => false,
    }
}

/// Whether the receiver borrows: `&self`, or a reference in its type.
pub(crate) fn borrows_self(receiver: &Receiver) -> bool {
    match &receiver.kind {
        syn::ReceiverKind::Reference(..) => true,
        syn::ReceiverKind::Typed(_, ty) => types::borrows(ty),
        _ => false,
    }
}

/// How a name is bound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By value: the argument, or a part of it.
    Value,
    /// By reference: `ref name`, or a part of a referenced argument.
    Ref,
    /// By mutable reference.
    RefMut,
}

/// The parameters of a function.
#[derive(Clone)]
pub(crate) struct Parameters {
    pub(crate) receiver: Option<Receiver>,
    /// In the order of declaration.
    pub(crate) bindings: Vec<Binding>,
    /// Whether an expression may also name local variables, which cannot be known: that of a `run!`.
    pub(crate) sees_locals: bool,
}

impl Parameters {
    /// Reads the parameters, and names `_` parameters, since the expansion drops the arguments by name.
    pub(crate) fn of(signature: &mut Signature) -> Self {
        let mut parameters = Self { receiver: None, bindings: Vec::new(), sees_locals: false };
        for (index, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(receiver) => parameters.receiver = Some(receiver.clone()),
                FnArg::Typed(typed) => {
                    if let Pat::Wild(wild) = &*typed.pat {
                        let ident = format_ident!("__arg{index}", span = wild.span().resolved_at(Span::mixed_site()));
                        *typed.pat =
                            Pat::Ident(PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None });
                    }
                    let cfgs: Vec<Attribute> = cfgs(&typed.attrs);
                    let plain = is_plain(&typed.pat);
                    let levels: Vec<Attribute> = typed.attrs.iter().filter(|attribute| is_level(attribute)).cloned().collect();
                    let ty = plain.then(|| (*typed.ty).clone());
                    collect(&typed.pat, mode_behind(&typed.ty), &mut |ident, mutability, mode| {
                        // A plain name binds the argument itself, whether or not that is a reference.
                        let mode = if plain { Mode::Value } else { mode };
                        let binding = Binding::new(ident, mutability, mode);
                        parameters.bindings.push(Binding { cfgs: cfgs.clone(), ty: ty.clone(), levels: levels.clone(), ..binding });
                    });
                }
            }
        }
        parameters
    }

    /// The closure that a `run!` calls, and the local variables that its options can name.
    pub(crate) fn of_run(closure: &Ident) -> Self {
        let binding = Binding::new(closure, Some(Token![mut](closure.span())), Mode::Value);
        Self { receiver: None, bindings: vec![binding], sees_locals: true }
    }

    /// Replaces a name by those that `pattern` binds when it destructures or rebinds it.
    pub(crate) fn rebind(&mut self, taken: &Ident, pattern: &Pat) {
        let Some(at) = self.bindings.iter().position(|binding| binding.ident == *taken) else { return };
        let Binding { cfgs, ty, mode, levels, .. } = self.bindings.remove(at);
        let plain = is_plain(pattern);
        let behind = ty.as_ref().map_or(mode, mode_behind);
        let mut bound = Vec::new();
        collect(pattern, behind, &mut |ident, mutability, mode| {
            let mode = if plain { Mode::Value } else { mode };
            let ty = ty.clone().filter(|_| plain);
            bound.push(Binding { cfgs: cfgs.clone(), ty, levels: levels.clone(), ..Binding::new(ident, mutability, mode) });
        });
        self.bindings.splice(at..at, bound);
    }

    /// Gives the chosen names the hygiene of the expansion, so that only the expansion can refer to them.
    pub(crate) fn hide(&mut self, signature: &mut Signature, chosen: &dyn Fn(&Ident) -> bool) {
        let hide = |ident: &mut Ident| ident.set_span(ident.span().resolved_at(Span::mixed_site()));
        for input in &mut signature.inputs {
            if let FnArg::Typed(typed) = input {
                each_name(&mut typed.pat, &mut |name| {
                    if chosen(&name.ident) {
                        hide(&mut name.ident);
                    }
                });
            }
        }
        self.bindings.iter_mut().filter(|binding| chosen(&binding.ident)).for_each(|binding| hide(&mut binding.ident));
    }

    /// Removes `ref` from the names in patterns, so that the arguments can be moved; the body takes the references itself.
    pub(crate) fn own_references(&mut self, signature: &mut Signature) {
        for input in &mut signature.inputs {
            if let FnArg::Typed(typed) = input
                && mode_behind(&typed.ty) == Mode::Value
            {
                each_name(&mut typed.pat, &mut |name| {
                    if name.by_ref.take().is_none() {
                        return;
                    }
                    for binding in self.bindings.iter_mut().filter(|binding| binding.ident == name.ident) {
                        (binding.by_ref, binding.mode, binding.mutability) = (true, Mode::Value, name.mutability);
                    }
                });
            }
        }
    }

    pub(crate) fn find(&self, name: &Ident) -> Option<&Binding> {
        self.bindings.iter().find(|binding| tokens::is_same(&binding.ident, name))
    }

    /// All names, `self` included, for messages.
    pub(crate) fn names(&self) -> Vec<String> {
        let receiver = self.receiver.iter().map(|_| "self".to_owned());
        receiver.chain(self.bindings.iter().map(|binding| binding.ident.to_string())).collect()
    }
}

/// The `cfg` attributes, including those inside a `cfg_attr`.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    let mut found = Vec::new();
    for attribute in attributes {
        if let Some(meta) = condition(&attribute.meta) {
            found.push(Attribute { meta, ..attribute.clone() });
        }
    }
    found
}

/// The part of an attribute that decides whether its item exists.
///
/// ```text
/// Input:  cfg_attr(unix, allow(unused), cfg(a))
/// Output: cfg_attr(unix, cfg(a))
/// ```
fn condition(meta: &Meta) -> Option<Meta> {
    if meta.path().is_ident("cfg") {
        return Some(meta.clone());
    }
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let (when, attributes) = (parts.first()?, parts.iter().skip(1).filter_map(condition).collect::<Vec<_>>());
    (!attributes.is_empty()).then(|| Meta::List(MetaList { tokens: quote!(#when, #(#attributes),*), ..list.clone() }))
}

/// Whether an attribute sets a lint level, or may set one.
fn is_level(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid", "cfg_attr"].iter().any(|level| attribute.path().is_ident(level))
}

/// Whether the pattern is a plain name.
fn is_plain(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Ident(ident) if ident.subpat.is_none() && ident.by_ref.is_none())
}

/// The default binding mode of patterns for this type.
fn mode_behind(ty: &Type) -> Mode {
    match types::ungroup(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => Mode::RefMut,
        Type::Reference(_) => Mode::Ref,
        _ => Mode::Value,
    }
}

/// Every name that a pattern binds, in order. `mode` is the default binding mode.
///
/// A unit struct, a unit variant or a constant looks like a name, and only the compiler can tell them apart. All are read as names: an
/// overlooked name would be missing from a cache key, whereas an additional constant does no harm. Parameter patterns are irrefutable, so
/// the constant has a single value.
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

/// All alternatives bind the same names: a name that only some of them mention is a unit variant, as in `(On | Off)`.
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

/// Removes `mut` from the names for which `chosen` holds, because a second binding carries it.
pub(crate) fn strip_mut(signature: &mut Signature, chosen: &dyn Fn(&Ident) -> bool) {
    for input in &mut signature.inputs {
        if let FnArg::Typed(typed) = input {
            strip_mut_in(&mut typed.pat, chosen);
        }
    }
}

pub(crate) fn strip_mut_in(pattern: &mut Pat, chosen: &dyn Fn(&Ident) -> bool) {
    each_name(pattern, &mut |name| {
        if name.by_ref.is_none() && chosen(&name.ident) {
            name.mutability = None;
        }
    });
}

/// Changes each name in a pattern.
fn each_name(pattern: &mut Pat, change: &mut dyn FnMut(&mut PatIdent)) {
    match pattern {
        Pat::Ident(ident) => {
            change(ident);
            if let Some((_, pattern)) = &mut ident.subpat {
                each_name(pattern, change);
            }
        }
        Pat::Or(or) => or.cases.iter_mut().for_each(|case| each_name(case, change)),
        Pat::Paren(paren) => each_name(&mut paren.pat, change),
        Pat::Reference(reference) => each_name(&mut reference.pat, change),
        Pat::Slice(slice) => slice.elems.iter_mut().for_each(|element| each_name(element, change)),
        Pat::Struct(fields) => fields.fields.iter_mut().for_each(|field| each_name(&mut field.pat, change)),
        Pat::Tuple(tuple) => tuple.elems.iter_mut().for_each(|element| each_name(element, change)),
        Pat::TupleStruct(tuple) => tuple.elems.iter_mut().for_each(|element| each_name(element, change)),
        Pat::Type(typed) => each_name(&mut typed.pat, change),
        _ => {}
    }
}
