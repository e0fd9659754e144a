//! A policy for each key: `key = expr` and `max_keys = n`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::bounds::{self, BoundCheck};
use super::context::{Context, Purpose};
use super::instrument;
use super::policy::{self, PolicyInit};
use crate::attributes::async_cached::key::{self, Key};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::parameters::cfgs;
use crate::item::tokens::local;
use crate::parse::args::Count;
use crate::parse::handle::Handle;
use crate::parse::once::{self, Once};

/// The two options.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) key: Option<Expr>,
    pub(crate) max_keys: Option<Count>,
}

impl Keys {
    /// Reports what does not go together. `object`: the policies are created elsewhere.
    pub(crate) fn check(&self, object: Option<&Expr>, errors: &mut Errors) {
        key::check_varies(self.key.as_ref(), object.is_some(), errors);
        let Some(max_keys) = &self.max_keys else { return };
        policy::check_positive(Some(max_keys), "`max_keys` must be at least 1", errors);
        match (object, &self.key) {
            (_, None) => errors.at(&max_keys.0, "`max_keys` requires a `key`: add `key = ..`, or remove `max_keys`"),
            (Some(object), Some(_)) => {
                let named = object.to_token_stream().to_string().replace(' ', "");
                errors.at(&max_keys.0, format!("`max_keys` has no effect here: set it where `{named}` is created"));
            }
            (None, Some(_)) => {}
        }
    }

    /// `max_keys`, which is evaluated once.
    pub(crate) fn once(&self) -> Option<Once<'_>> {
        Once::option("max_keys", self.max_keys.as_ref().map(|count| &count.0))
    }

    /// Reports a handle whose type would have to name a type that is only inferred.
    pub(crate) fn check_handle(&self, handle: Option<&Handle>, function: &Function, ty: &str, errors: &mut Errors) {
        if let (Some(handle), Some(key)) = (handle, &self.key)
            && Key::of_expression(function, key).ty().is_none()
        {
            let message = format!(
                "the type of the key cannot be inferred from the signature: name an argument in `key`, or put a `Keyed<_, {ty}>` \
                 in a `static` and name that"
            );
            errors.at(handle.path(), message);
        }
    }

    /// Binds `name` to the policy of the call's key. `object`: a `Keyed` that is created elsewhere.
    ///
    /// ```text
    /// Output: let entry = { bind the key; SLOT.of(max, make, &key, || owned) }; let name: &CircuitBreaker = &entry;
    /// ```
    pub(crate) fn bind(
        &self,
        context: &Context<'_>,
        key: &Expr,
        object: Option<&Expr>,
        recipe: &PolicyInit,
        handle: Option<&Handle>,
        name: &Ident,
    ) -> TokenStream {
        let (span, private) = (Span::mixed_site(), &context.private);
        let (entry, ty) = (context.name("entry"), recipe.ty(context));
        let keyed = context.name("keyed");
        let attach = instrument::attach_handle(context, object, &keyed);
        let place = match (object, handle) {
            (Some(object), _) => {
                let value = context.evaluate_option(object, &object.to_token_stream());
                let place = quote_spanned!(object.span()=> &(#value));
                Some(quote!(#private::keyed::map(#place)))
            }
            (None, handle) => handle.map(Handle::call),
        };
        let (place, found) = if let Some(place) = place {
            (place, Self::find(context, key, &quote!(#private::keyed::of), &quote!(#keyed)))
        } else {
            let (place, max_keys) = (Self::slot(context, &ty), self.maximum_once(context));
            let make = once::maker(&recipe.make, &ty);
            (place, Self::find(context, key, &quote!(#keyed.of), &quote!(#max_keys, #make)))
        };
        quote_spanned! {span=>
            let #keyed = #place;
            #attach
            let #entry = #found;
            let #name: &#ty = &#entry;
        }
    }

    /// The static of the function's own map.
    fn slot(context: &Context<'_>, ty: &TokenStream) -> TokenStream {
        let private = &context.private;
        quote_spanned! {Span::mixed_site()=> {
            static __STEADFAST_POLICIES: #private::keyed::KeyedSlot<#ty> = #private::keyed::KeyedSlot::new();
            &__STEADFAST_POLICIES
        }}
    }

    fn maximum_once(&self, context: &Context<'_>) -> TokenStream {
        once::maker(&self.maximum(context), &quote!(::core::primitive::usize))
    }

    /// The entry of the call's key in a map of the function's own. `make` is a function that makes a `ty`.
    pub(crate) fn find_own(&self, context: &Context<'_>, key: &Expr, ty: &TokenStream, make: &TokenStream) -> TokenStream {
        let (slot, max_keys) = (Self::slot(context, ty), self.maximum_once(context));
        Self::find(context, key, &quote!((#slot).of), &quote!(#max_keys, #make))
    }

    /// ```text
    /// Output: { bind the key; of(arguments, &key, || owned) }
    /// ```
    fn find(context: &Context<'_>, key: &Expr, of: &TokenStream, arguments: &TokenStream) -> TokenStream {
        let private = &context.private;
        let key = Key::of_expression(context.function, key);
        let (bind, probe, owned) = (key.bind(context), key.probe(), key.owned());
        let asks: Vec<BoundCheck> = key.asks().collect();
        let asks = bounds::statements(&key::fit(), private, &quote!(#private::cache), &asks);
        quote_spanned!(Span::mixed_site()=> { #bind #asks #of(#arguments, #probe, || #owned) })
    }

    fn maximum(&self, context: &Context<'_>) -> TokenStream {
        let private = &context.private;
        self.max_keys.as_ref().map_or_else(|| quote!(#private::keyed::MAX_KEYS), |count| count.tokens(private))
    }

    /// The function that the user calls: it returns the policies of all keys.
    pub(crate) fn handle(&self, context: &Context<'_>, key: &Expr, recipe: &PolicyInit, handle: Option<&Handle>) -> TokenStream {
        let function = context.function;
        let Some(handle) = handle.filter(|handle| handle.problem(function).is_none()) else { return TokenStream::new() };
        let Some(key) = Key::of_expression(function, key).ty() else { return TokenStream::new() };
        let (visibility, name, root, policy) = (&function.visibility, handle.name(), &context.root, recipe.ty(context));
        let ty = quote!(#root::Keyed<#key, #policy>);
        let documentation = handle.documentation(&format!("{}s, by key,", recipe.noun), function);
        let cfgs = cfgs(&function.attributes);
        let span = Span::mixed_site();
        let own = if context.purpose == Purpose::Names {
            quote_spanned!(span=> loop {})
        } else {
            let (private, keyed) = (&context.private, local("KEYED"));
            let (max_keys, make) = (self.maximum(context), once::maker(&recipe.make, &policy));
            quote_spanned! {span=>
                static #keyed: #private::PolicySlot<#ty> = #private::PolicySlot::new();
                #keyed.get(|| #root::Keyed::new(#make).max_keys(#max_keys))
            }
        };
        quote! {
            #(#cfgs)*
            #[doc = #documentation]
            #[must_use]
            #visibility fn #name() -> &'static #ty { #own }
        }
    }
}
