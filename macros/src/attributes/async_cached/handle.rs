//! `handle = user_cache`: a function next to the attributed one that returns its cache.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{GenericParam, Path, Token, Type, WherePredicate};

use super::key::Key;
use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::{Context, Purpose};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::parameters::cfgs;
use crate::item::types::{has_impl, last_segment, ungroup};
use crate::parse::handle;
use crate::parse::units::Value;

/// `name`, `Self::name`, `name: Cache<K, V>`.
pub(super) struct Handle {
    pub(super) function: handle::Handle,
    pub(super) ty: Option<Type>,
}

impl Parse for Handle {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let function = input.parse()?;
        let colon: Option<Token![:]> = input.parse()?;
        let ty = colon.map(|_| input.parse()).transpose()?;
        Ok(Self { function, ty })
    }
}

impl Value for Handle {}

impl Handle {
    pub(super) fn check(&self, function: &Function, key: &Key, errors: &mut Errors) {
        self.function.check(function, errors);
        if !self.has_type(function, key) {
            let path = self.path();
            let name = path.to_token_stream().to_string().replace(' ', "");
            errors.at(
                path,
                format!("the types of the cache cannot be inferred from the signature: write `handle = {name}: Cache<K, V>`"),
            );
        }
    }

    /// Whether it can be added next to the function.
    pub(super) fn can_stand(&self, function: &Function, key: &Key) -> bool {
        self.function.problem(function).is_none() && self.has_type(function, key)
    }

    /// Whether the type of the cache is written, or can be inferred.
    fn has_type(&self, function: &Function, key: &Key) -> bool {
        self.ty.is_some() || (key.ty().is_some() && value_type(function).is_some())
    }

    pub(super) fn path(&self) -> &Path {
        &self.function.0
    }

    /// The function's reference to its own cache.
    pub(super) fn call(&self, function: &Function, private: &TokenStream) -> TokenStream {
        let path = self.function.path();
        let generics: Vec<&Ident> = generics(function).map(name_of).collect();
        let turbofish = (!generics.is_empty()).then(|| quote!(::<#(#generics),*>));
        let call = quote!(#path #turbofish ());
        // A wrong type is already reported next to the function.
        let types = self.ty.as_ref().map(|ty| quote!(<#ty as #private::cache::IsCache<_>>::types()));
        types.map_or_else(|| call.clone(), |types| quote!(#types.pass(#call)))
    }

    /// The function that the user calls.
    pub(super) fn item(&self, context: &Context<'_>, key: &Key, settings: &TokenStream) -> TokenStream {
        let function = context.function;
        let (visibility, name) = (&function.visibility, self.function.name());
        let root = &context.root;
        let ty = self.ty.as_ref().map_or_else(
            || {
                let (key, value) = (key.ty(), value_type(function));
                quote!(#root::Cache<#key, #value>)
            },
            ToTokens::to_token_stream,
        );
        let cfgs = cfgs(&function.attributes);
        let documentation = self.function.documentation("cache", function);
        let generics: Vec<&GenericParam> = generics(function).collect();
        let generics = (!generics.is_empty()).then(|| quote!(<#(#generics),*>));
        let predicates: Vec<&WherePredicate> = function
            .signature
            .generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates)
            .filter(|predicate| !mentions_lifetime(&predicate.to_token_stream()))
            .collect();
        let private = &context.private;
        let slot = slot(context, &quote!(<#ty as #private::cache::IsCache<_>>::types()), settings);
        quote! {
            #(#cfgs)*
            #[doc = #documentation]
            #[must_use]
            #visibility fn #name #generics () -> &'static #ty where #(#predicates),* { #slot }
        }
    }

    /// Checks that the value type in the signature of the handle is the one that the function stores.
    pub(super) fn ask_readable(&self, function: &Function, shape: &Ident) -> Option<BoundCheck> {
        let value = value_type(function).filter(|_| self.ty.is_none())?;
        Some(BoundCheck::of_value(self.path().span(), "assert_readable", quote!(&#shape)).against(value))
    }
}

/// A cache in a separate static.
pub(super) fn slot(context: &Context<'_>, types: &TokenStream, settings: &TokenStream) -> TokenStream {
    let private = &context.private;
    if context.purpose == Purpose::Names {
        return quote_spanned!(Span::mixed_site()=> loop {});
    }
    quote_spanned! {Span::mixed_site()=> {
        static __STEADFAST_SLOT: #private::cache::CacheSlot = #private::cache::CacheSlot::new();
        #types.cache(&__STEADFAST_SLOT, || (), |__settings| __settings #settings)
    }}
}

/// The type that the function stores, if it can be inferred: the `T` of a `Result<T, E>` or an `Option<T>`, otherwise the return type.
fn value_type(function: &Function) -> Option<TokenStream> {
    let output = function.output.as_ref().filter(|ty| !has_impl(ty))?;
    value_in(output).map(ToTokens::to_token_stream)
}

/// The part of a return type that is stored, if it can be inferred.
pub(super) fn value_in(output: &Type) -> Option<&Type> {
    match last_segment(output) {
        Some((name, arguments)) if name == "Result" || name == "Option" => arguments.first().copied(),
        _ => Some(ungroup(output)),
    }
}

/// The type and const parameters: the cache does not depend on lifetimes.
fn generics(function: &Function) -> impl Iterator<Item = &GenericParam> {
    function.signature.generics.params.iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
}

fn name_of(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Type(ty) => &ty.ident,
        GenericParam::Const(constant) => &constant.ident,
        GenericParam::Lifetime(lifetime) => &lifetime.lifetime.ident,
    }
}

fn mentions_lifetime(tokens: &TokenStream) -> bool {
    let text = tokens.to_string();
    text.replace("'static", "").contains('\'')
}
