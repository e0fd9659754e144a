//! The beginning of a cached call: the cache, the shape of the return type, the key, and the way out of a hit.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Cached, handle, key, lifetime};
use crate::codegen::bounds::{self, BoundCheck};
use crate::codegen::context::Context;
use crate::codegen::instrument;
use crate::codegen::output::Output;
use crate::codegen::policy;
use crate::codegen::spawned;
use crate::item::tokens::{calling, local};
use crate::item::types;
use crate::parse::duration::Duration;
use crate::parse::expression::runs_code;

/// The name of what says that the call runs alone (`cache_if`).
fn alone(context: &Context<'_>) -> Ident {
    context.name("alone")
}

impl Cached {
    /// Binds the cache, the shape, and `turn`, the result of a miss.
    pub(super) fn begin(&self, context: &Context<'_>, cache: &Ident, shape: &Ident, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let (root, private, options) = (&context.root, &context.private, &self.options);
        let store = self.store(context, shape);
        let attach =
            if self.stores { instrument::attach_handle(context, options.cache.as_ref(), cache) } else { TokenStream::new() };
        let ty = policy::reference_type(context.function, options.cache.as_ref(), &quote!(#root::Cache<_, _>));
        let mut bind_shape = Self::shape(context, shape);
        if let Some(closure) = &options.shared_error {
            let shares = BoundCheck::of_value(closure.span(), "assert_shared_error", quote!(&#shape))
                .pass(&quote!(#private::cache), &shape.to_token_stream());
            bind_shape
                .extend(quote_spanned!(span=> let #shape = #shares; let #shape = #private::cache::shared_by(#shape, #closure);));
        }
        let key = self.key(context.function);
        let (bind_key, probe, owned) = (key.bind(context), key.probe(), key.owned());
        let fit = key::fit();
        let asks: Vec<BoundCheck> = key.asks().chain(self.asks(context, shape)).collect();
        let asks = bounds::statements(&fit, private, &quote!(#private::cache), &asks);
        let belongs = self.belongs(context, shape, &fit);
        let tags = self.tags(private);
        let refresh = options
            .refresh_if
            .as_ref()
            .map_or_else(|| quote!(false), |refresh| context.evaluate_option(refresh, &quote!(#refresh)));
        let single_flight = options.single_flight.as_ref().is_none_or(|flag| flag.value);
        let name = context.function_name();
        let recursion = context.reject_or_panic(&quote!(#private::cache::recursion(#name)));
        let (bind_window, begin, window) = if options.refreshes() {
            let (bind, window) = lifetime::window(context, options);
            (bind, quote!(begin_or_refresh), quote!(, #window))
        } else {
            (TokenStream::new(), quote!(begin), TokenStream::new())
        };
        // Only at run time is it known whether a shared cache asks for refreshes, which this function cannot do.
        let in_turn = options.cache.is_some() && !options.refreshes();
        let missed = if in_turn {
            quote_spanned! {span=> {
                static __STEADFAST_TOLD: #private::cache::RefreshWarning = #private::cache::RefreshWarning::new();
                __STEADFAST_TOLD.check(#cache, #name);
                __turn
            }}
        } else {
            quote_spanned!(span=> __turn,)
        };
        let previous = lifetime::previous(context, options, cache, &owned);
        let bind_previous = previous.as_ref().map(|(name, value)| quote_spanned!(span=> let #name = #value;));
        // The tags are evaluated on the way.
        let looked_up = quote_spanned!(span=> #private::cache::#begin(#cache, #probe, __owned, #shape, __mode #window));
        let tags_run = options.tags.as_ref().is_some_and(|tags| tags.elems.iter().any(runs_code));
        let looked_up = if tags_run { context.evaluate(&looked_up) } else { looked_up };
        let look = quote_spanned! {span=>
            #bind_key
            #asks
            let #shape = #fit.gate(#shape);
            let __owned = #private::cache::Owned { key: || #owned, tags: #tags };
            let __store: #ty = #store;
            #belongs
            let #cache = #fit.gate(__store);
            #attach
            #bind_window
            let __mode = #private::cache::Mode { refresh: #refresh, single_flight: #single_flight };
            let __turn = match #looked_up {
                #private::cache::Begin::Hit(__out) => break #label __out,
                #private::cache::Begin::Miss(__turn) => #missed
                #private::cache::Begin::Recursion => {
                    let __refusal = #recursion;
                    break #label __refusal
                }
            };
            #bind_previous
        };
        let Some(condition) = &options.cache_if else { return quote!(#bind_shape #look) };
        let condition = context.evaluate_option(condition, &condition.to_token_stream());
        let (alone, previous) = (alone(context), previous.map(|(name, _)| name));
        let no_previous = previous.as_ref().map(|_| quote!(#private::cache::Previous::none()));
        quote_spanned! {span=>
            #bind_shape
            let (#shape, #fit, __turn, #previous) = if #condition {
                #look
                (#shape, #fit, ::core::option::Option::Some(__turn), #previous)
            } else {
                (#shape, #private::Satisfied, ::core::option::Option::None, #no_previous)
            };
            let #alone = ::core::option::Option::is_none(&__turn);
        }
    }

    /// The names that [`begin`](Self::begin) binds for what follows the lookup, besides the cache and the fit of the bounds.
    pub(super) fn begun(&self, context: &Context<'_>, cache: &Ident, shape: &Ident) -> Vec<Ident> {
        let previous = lifetime::previous(context, &self.options, cache, &TokenStream::new()).map(|(name, _)| name);
        let alone = self.options.cache_if.as_ref().map(|_| alone(context));
        [shape.clone(), local("turn")].into_iter().chain(previous).chain(alone).collect()
    }

    /// The lifetime of what a computation yields; a call that runs alone stores nothing.
    pub(super) fn lifetime(&self, context: &Context<'_>, shape: &Ident, out: &Ident) -> TokenStream {
        let (private, lifetime) = (&context.private, lifetime::lifetime(context, &self.options, shape, out));
        if self.options.cache_if.is_none() {
            return lifetime;
        }
        let alone = alone(context);
        quote_spanned!(Span::mixed_site()=> if #alone { #private::cache::Lifetime::new() } else { #lifetime })
    }

    fn tags(&self, private: &TokenStream) -> TokenStream {
        let Some(tags) = &self.options.tags else { return quote!(#private::cache::Tags::none) };
        let tags = tags.elems.iter().map(|tag| calling(&quote!(#private::cache::tag), tag));
        quote!(|| #private::cache::Tags::new([#(#tags),*]))
    }

    /// Waits until this caller computes, or has the result of another.
    pub(super) fn wait(&self, context: &Context<'_>, shape: &Ident, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let private = &context.private;
        let waiting = match &self.options.load_timeout {
            None if self.options.cache.is_some() => quote_spanned!(span=> __waiter.wait_as_set(#shape)),
            None => quote_spanned!(span=> __waiter.wait(#shape)),
            Some(limit) => {
                let limit = context.evaluate_option(limit.written(), &limit.to_token_stream());
                quote_spanned!(span=> __waiter.wait_at_most(#shape, #limit))
            }
        };
        let waited = context.await_wrapped(&waiting);
        let drop_body = context.drop_body();
        let lead = quote_spanned! {span=>
            match __turn {
                #private::cache::Role::Leader(__lead) => __lead,
                #private::cache::Role::Waiter(__waiter) => match #waited {
                    #private::cache::Waited::Done(__out) => { #drop_body break #label __out }
                    #private::cache::Waited::Leader(__lead) => __lead,
                },
            }
        };
        if self.options.cache_if.is_none() {
            return lead;
        }
        quote_spanned! {span=>
            match __turn {
                ::core::option::Option::Some(__turn) => #private::cache::Lead::Of(#lead),
                ::core::option::Option::None => #private::cache::Lead::Alone,
            }
        }
    }

    /// The cache: the named one, that of the handle, or the function's own.
    fn store(&self, context: &Context<'_>, shape: &Ident) -> TokenStream {
        let private = &context.private;
        match (&self.options.cache, &self.options.handle) {
            (Some(cache), _) => {
                let borrow = Span::mixed_site().located_at(cache.span());
                let value = context.evaluate_option(cache, &cache.to_token_stream());
                quote_spanned!(borrow=> &(#value))
            }
            (None, Some(handle)) => handle.call(context.function, private),
            (None, None) => {
                let types = quote_spanned!(Span::mixed_site()=> #private::cache::Types::of_call(&__owned, #shape));
                handle::slot(context, &types, &self.settings(context))
            }
        }
    }

    /// The setters of the function's own cache.
    pub(super) fn settings(&self, context: &Context<'_>) -> TokenStream {
        let (private, options) = (&context.private, &self.options);
        if !self.stores {
            return quote!(.capacity(0).ttl(::core::time::Duration::ZERO));
        }
        let capacity = options.capacity.as_ref().map(|count| {
            let count = count.tokens(private);
            quote!(.capacity(#count))
        });
        let unbounded = options.unbounded.as_ref().map(|_| quote!(.unbounded()));
        let times = lifetime::settings(options, context.function, private);
        let weight = options.weight.as_ref().map(|weight| quote!(.weight(#weight)));
        let on_evict = options.on_evict.as_ref().map(|listener| quote!(.on_evict(#listener)));
        // So that an inserted `None` is stored for as long as a computed one.
        let known = match Output::of(context.function) {
            output @ Output::Type(ty, _) => Some(output).filter(|_| !types::has_impl(ty) && !types::borrows(ty)),
            output => Some(output),
        };
        let kind = known.filter(|_| options.none_ttl.is_some()).and_then(|output| kind_of(&output, private));
        let nones = kind.map(|kind| quote!(.nones_of(#kind.kind())));
        quote!(#capacity #unbounded #times #weight #on_evict #nones)
    }

    /// Checks that the function stores what a cache of the given type holds.
    fn belongs(&self, context: &Context<'_>, shape: &Ident, fit: &Ident) -> TokenStream {
        let span = Span::mixed_site();
        let at_handle = self.options.handle.as_ref().and_then(|handle| handle.ty.as_ref()).map(Spanned::span);
        let Some(place) = self.options.cache.as_ref().map(Spanned::span).or(at_handle) else { return TokenStream::new() };
        let (store, owned, private) = (local("store"), local("owned"), &context.private);
        let key = BoundCheck::of_value(place, "assert_key_in", quote!(#store, &#owned));
        let value = BoundCheck::of_value(place, "assert_value_in", quote!(#store, &#shape));
        let value = if Self::infers_value(context) { value.of_later() } else { value };
        let belongs = local("belongs");
        let asks = bounds::statements(&belongs, private, &quote!(#private::cache), &[key, value]);
        quote_spanned!(span=> #asks let #fit = #fit.and(#belongs); let #shape = #fit.gate(#shape);)
    }

    /// Whether the type of the value is only inferred from the body.
    fn infers_value(context: &Context<'_>) -> bool {
        match Output::of(context.function) {
            Output::Type(ty, _) => types::has_impl(ty),
            Output::Variable(_) => false,
            Output::Unknown => true,
        }
    }

    /// The shape of the return type.
    pub(crate) fn shape(context: &Context<'_>, shape: &Ident) -> TokenStream {
        let span = Span::mixed_site();
        let private = &context.private;
        let output = Output::of(context.function);
        match (&output, kind_of(&output, private)) {
            (Output::Type(ty, output), _) if types::has_impl(ty) => {
                quote_spanned!(span=> let #shape = #private::cache::KindOf::<#output>::new_in_part().kind();)
            }
            (_, Some(kind)) => quote_spanned!(span=> let #shape = #kind.kind();),
            (_, None) => quote_spanned!(span=> let #shape = #private::cache::KindOf::<_>::plain();),
        }
    }

    /// The bounds on the return type, reported there or at the option that requires them.
    fn asks(&self, context: &Context<'_>, shape: &Ident) -> Vec<BoundCheck> {
        let options = &self.options;
        let at_output = context.function.output.as_ref().map_or_else(Span::call_site, Spanned::span);
        let ask = |place: Span, function| BoundCheck::of_value(place, function, quote!(&#shape));
        let at_option = |time: &Option<Duration>, function| time.as_ref().map(|time| ask(time.written().span(), function));
        let value = ask(at_output, "assert_value");
        let mut asks = vec![if Self::infers_value(context) { value.of_later() } else { value }];
        if options.shared_error.is_none() {
            asks.extend(at_option(&options.error_ttl, "assert_error_ttl"));
        }
        asks.extend(at_option(&options.stale_if_error, "assert_stale_if_error"));
        asks.extend(at_option(&options.none_ttl, "assert_none_ttl"));
        asks.extend(options.handle.as_ref().and_then(|handle| handle.ask_readable(context.function, shape)));
        asks.extend(if options.background().is_some() { spawned::checks(context, "assert_background") } else { Vec::new() });
        asks
    }
}

/// Where the kind of the output is looked up.
fn kind_of(output: &Output<'_>, private: &TokenStream) -> Option<TokenStream> {
    match output {
        Output::Variable(output) => Some(quote_spanned!(Span::mixed_site()=> #private::cache::LateKindOf::of(#output, 0))),
        output => output.chain(&quote!(#private::cache::KindOf)),
    }
}
