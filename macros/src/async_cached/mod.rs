//! `#[async_cached(ttl = 60s, skip(db))]`

mod handle;
mod key;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitBool, Type};

use self::handle::Handle;
use self::key::Key;
use crate::args::{self, Count, OptionName};
use crate::diagnostics::Errors;
use crate::duration::Duration;
use crate::function::{Function, self_ident};
use crate::layer::{Layer, Parsed, Place};
use crate::tokens::{self, own};
use crate::types;
use crate::weaver::{Guard, Weaver, Woven};

const OPTIONS: &[&str] =
    &["handle", "capacity", "unbounded", "ttl", "key", "skip", "cache", "error_ttl", "none_ttl", "refresh_if", "single_flight"];

#[derive(Default)]
struct AsyncCached {
    handle: Option<Handle>,
    capacity: Option<Count>,
    unbounded: Option<Ident>,
    ttl: Option<Duration>,
    key: Option<Expr>,
    skip: Vec<Ident>,
    cache: Option<Expr>,
    error_ttl: Option<Duration>,
    none_ttl: Option<Duration>,
    refresh_if: Option<Expr>,
    single_flight: Option<LitBool>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut cached = AsyncCached::default();
    let common = args::read("async_cached", tokens, OPTIONS, errors, None, &mut |option, input| cached.option(option, input));
    Parsed::new(cached, common)
}

impl AsyncCached {
    fn option(&mut self, option: &OptionName, input: syn::parse::ParseStream<'_>) -> syn::Result<()> {
        match option.name.as_str() {
            "handle" => self.handle = Some(option.parse(input)?),
            "capacity" => self.capacity = Some(option.parse(input)?),
            "unbounded" => self.unbounded = Some(option.ident.clone()),
            "ttl" => self.ttl = Some(option.parse(input)?),
            "key" => self.key = Some(option.parse(input)?),
            "skip" => self.skip = option.names(input)?,
            "cache" => self.cache = Some(option.parse(input)?),
            "error_ttl" => self.error_ttl = Some(option.parse(input)?),
            "none_ttl" => self.none_ttl = Some(option.parse(input)?),
            "refresh_if" => self.refresh_if = Some(option.parse(input)?),
            _ => {
                let written = option.parse::<LitBool>(input);
                self.single_flight =
                    Some(written.map_err(|error| syn::Error::new(error.span(), "write `single_flight = false`, or leave it out"))?);
            }
        }
        Ok(())
    }
}

impl Layer for AsyncCached {
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        self.check_values(errors);
        self.check_cache(errors);
        self.check_names(place, errors);
        self.check_receiver(place, errors);
        let function = place.function;
        if function.diverges() {
            errors.at_span(place.span, "a function that never returns leaves nothing to cache");
        }
        if self.key.is_none() {
            key::check(function, &|name| self.is_skipped(function, name), errors);
        }
        if let Some(handle) = &self.handle {
            handle.check(function, &self.key(function), errors);
        }
    }

    fn on_plain_fn(&self) -> &'static str {
        "write `async fn`, or put `#[offload_blocking]` below it, which makes a blocking `fn` async"
    }

    // 'cached: {
    //     let turn = match begin(cache, &key, || owned) { Hit(value) => break 'cached value, Miss(turn) => turn };
    //     let body = pin!(..);
    //     let lead = match turn { Lead(lead) => lead, Wait(waiter) => waiter.wait().await };
    //     let out = lead.scope(body).await;
    //     lead.land(out)
    // }
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let label = weaver.label("cached");
        let (cache, shape, lead) = (weaver.name("cache"), weaver.name("shape"), weaver.name("lead"));
        let begin = self.begin(weaver, &cache, &shape, &label);
        let mut wait = TokenStream::new();
        let Woven { evaluate, mut carried, setup, run } = weaver.with_pinned_body(&mut |weaver| {
            wait = Self::wait(weaver, &shape, &label);
            let scope = lead.clone();
            let wrap = move |future: &TokenStream| quote_spanned!(span=> #scope.scope(#future));
            weaver.guarded(Guard { wrap: Box::new(wrap), breaks_to: None }, below)
        });
        let times = self.times();
        carried.extend([shape.clone(), own("turn")]);
        carried.extend(times.iter().filter_map(|(_, name, time)| time.filter(|time| time.literal().is_none()).map(|_| name.clone())));
        let bind_times = times.iter().filter_map(|(_, name, time)| time.filter(|time| time.literal().is_none()).map(|time| time.bind(name)));
        let enclosed = weaver.enclose(&quote!(#begin #(#bind_times)* #evaluate), &carried, &|name| self.key_names(weaver.function, name));
        let freshness = Self::freshness(&private, &times);
        Woven {
            run: quote_spanned! {span=>
                #label: {
                    #enclosed
                    #setup
                    let #lead = #wait;
                    let out = #run;
                    #lead.land(#shape, out, #freshness)
                }
            },
            ..Woven::default()
        }
    }

    fn binds_again(&self, weaver: &Weaver<'_>, argument: &Ident) -> bool {
        weaver.is_rebound(argument, &|name| self.key_names(weaver.function, name))
    }

    fn items(&self, weaver: &Weaver<'_>) -> TokenStream {
        match &self.handle {
            Some(handle) => handle.item(weaver, &self.key(weaver.function), &self.settings(weaver)),
            None => TokenStream::new(),
        }
    }
}

impl AsyncCached {
    fn key(&self, function: &Function) -> Key {
        match &self.key {
            Some(expression) => Key::of_expression(function, expression),
            None => Key::of_arguments(function, &|name| self.is_skipped(function, name)),
        }
    }

    /// `skip(name)`, or an argument that is there for `refresh_if` only.
    fn is_skipped(&self, function: &Function, name: &Ident) -> bool {
        let only_refreshes = || {
            let refresh = self.refresh_if.to_token_stream();
            tokens::mentions(&refresh, name) && !tokens::mentions(&function.body.stream(), name)
        };
        self.skip.contains(name) || only_refreshes()
    }

    /// Look-up, and the way out of a hit.
    fn begin(&self, weaver: &Weaver<'_>, cache: &Ident, shape: &Ident, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let (root, private) = (&weaver.root, &weaver.private);
        let store = self.store(weaver);
        let bind_shape = self.shape(weaver, shape);
        let key = self.key(weaver.function);
        let (bind_key, probe, owned) = (key.bind(private), key.probe(), key.owned());
        let refresh = self.refresh_if.as_ref().map_or_else(|| quote!(false), |refresh| quote!(#refresh));
        let single_flight = self.single_flight.as_ref().is_none_or(|flag| flag.value);
        let name = weaver.function_name();
        let recursion = weaver.refuse_or_panic(&quote!(#private::cache::recursion(#name)));
        quote_spanned! {span=>
            let #cache: &#root::Cache<_, _> = #store;
            #bind_shape
            #bind_key
            let mode = #private::cache::Mode { refresh: #refresh, single_flight: #single_flight };
            let turn = match #private::cache::begin(#cache, #probe, || #owned, #shape, mode) {
                #private::cache::Begin::Hit(out) => break #label out,
                #private::cache::Begin::Miss(turn) => turn,
                #private::cache::Begin::Recursion => {
                    let refusal = #recursion;
                    break #label refusal
                }
            };
        }
    }

    /// Until this caller computes, or has the result of another.
    fn wait(weaver: &Weaver<'_>, shape: &Ident, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let private = &weaver.private;
        let waited = weaver.awaiting(&quote_spanned!(span=> waiter.wait(#shape)));
        let drop_body = weaver.drop_body();
        quote_spanned! {span=>
            match turn {
                #private::cache::Turn::Lead(lead) => lead,
                #private::cache::Turn::Wait(waiter) => match #waited {
                    #private::cache::Waited::Done(out) => { #drop_body break #label out }
                    #private::cache::Waited::Lead(lead) => lead,
                },
            }
        }
    }

    /// The cache: one that is named, that of the handle, or the function's own.
    fn store(&self, weaver: &Weaver<'_>) -> TokenStream {
        match (&self.cache, &self.handle) {
            (Some(cache), _) => quote!(&(#cache)),
            (None, Some(handle)) => handle.call(weaver.function),
            (None, None) => handle::slot(weaver, &self.settings(weaver)),
        }
    }

    /// `capacity`, `unbounded`, and the `ttl` of what is inserted by hand where that does not depend on the arguments.
    fn settings(&self, weaver: &Weaver<'_>) -> TokenStream {
        let private = &weaver.private;
        let parameters = &weaver.function.parameters;
        let capacity = self.capacity.as_ref().map(|count| {
            let count = count.tokens(private);
            quote!(.capacity(#count))
        });
        let unbounded = self.unbounded.as_ref().map(|_| quote!(.unbounded()));
        let of_arguments = |ttl: &Duration| {
            let ttl = ttl.written().to_token_stream();
            let this = parameters.receiver.as_ref().map(self_ident);
            parameters.bindings.iter().map(|binding| &binding.ident).chain(&this).any(|name| tokens::mentions(&ttl, name))
        };
        let ttl = self.ttl.as_ref().filter(|ttl| !of_arguments(ttl)).map(|ttl| quote!(.ttl(#ttl)));
        quote!(#private::cache::settings() #capacity #unbounded #ttl)
    }

    /// The shape of the return type, and what is asked of it.
    fn shape(&self, weaver: &Weaver<'_>, shape: &Ident) -> TokenStream {
        let span = Span::mixed_site();
        let private = &weaver.private;
        let function = weaver.function;
        let output = function.output();
        let found = match function.output.as_ref().map(types::bare) {
            Some(Type::ImplTrait(_)) | None => quote_spanned!(span=> #private::cache::Kind::<_>::plain()),
            Some(_) => quote_spanned!(span=> #private::cache::Kind::<#output>::new().shape()),
        };
        let at_output = function.output.as_ref().map_or(span, Spanned::span);
        let value = quote_spanned!(at_output=> #private::cache::assert_value(&#shape););
        let errors = self.error_ttl.as_ref().map(|ttl| {
            quote_spanned!(ttl.written().span()=> #private::cache::remember_errors(&#shape);)
        });
        let none = self.none_ttl.as_ref().map(|ttl| {
            quote_spanned!(ttl.written().span()=> #private::cache::assert_option::<#output>();)
        });
        let handle = self.handle.as_ref().map(|handle| handle.assert_readable(weaver, shape));
        quote_spanned!(span=> let #shape = #found; #value #errors #none #handle)
    }

    /// The times for which outcomes are kept, as fields of `Freshness`, with a name for those that must be evaluated.
    fn times(&self) -> [(Ident, Ident, Option<&Duration>); 3] {
        [("value", "ttl", &self.ttl), ("error", "error_ttl", &self.error_ttl), ("none", "none_ttl", &self.none_ttl)]
            .map(|(field, name, time)| (own(field), own(name), time.as_ref()))
    }

    /// A literal is written where it is needed, so that no future carries it along.
    fn freshness(private: &TokenStream, times: &[(Ident, Ident, Option<&Duration>)]) -> TokenStream {
        let fields = times.iter().map(|(field, name, time)| match time {
            None => quote!(#field: ::core::option::Option::None),
            Some(literal) if literal.literal().is_some() => quote!(#field: ::core::option::Option::Some(#literal)),
            Some(_) => quote!(#field: ::core::option::Option::Some(#name)),
        });
        quote!(#private::cache::Freshness { #(#fields),* })
    }

    /// Whether the look-up mentions the argument.
    fn key_names(&self, function: &Function, name: &Ident) -> bool {
        match &self.key {
            Some(key) => tokens::mentions(&key.to_token_stream(), name),
            None => !self.is_skipped(function, name),
        }
    }

    fn check_values(&self, errors: &mut Errors) {
        for (name, ttl) in [("ttl", &self.ttl), ("error_ttl", &self.error_ttl), ("none_ttl", &self.none_ttl)] {
            if let Some(ttl) = ttl.as_ref().filter(|ttl| ttl.literal().is_some_and(|ttl| ttl.is_zero())) {
                errors.at(ttl.written(), format!("nothing would ever be kept: remove `{name}`, or give it a time"));
            }
        }
        if let Some(capacity) = self.capacity.as_ref().filter(|capacity| capacity.literal() == Some(0)) {
            errors.at(&capacity.0, "a cache of capacity 0 keeps nothing: write at least 1");
        }
        if let (Some(capacity), Some(_)) = (&self.capacity, &self.unbounded) {
            errors.at(&capacity.0, "`capacity` and `unbounded` contradict each other: write one of them");
        }
    }

    /// What has no effect on a cache that is made elsewhere.
    fn check_cache(&self, errors: &mut Errors) {
        if self.cache.is_none() {
            return;
        }
        if let Some(capacity) = &self.capacity {
            errors.at(&capacity.0, "the cache that `cache` names has its own capacity: set it there");
        }
        if let Some(unbounded) = &self.unbounded {
            errors.at(unbounded, "the cache that `cache` names has its own capacity: set it there");
        }
        if let Some(handle) = &self.handle {
            errors.at(&handle.path, "the cache that `cache` names has a name already: use that one, and remove `handle`");
        }
    }

    fn check_names(&self, place: Place<'_>, errors: &mut Errors) {
        let function = place.function;
        let known = function.parameters.names();
        for (index, name) in self.skip.iter().enumerate() {
            if self.skip[..index].contains(name) {
                errors.at(name, format!("`{name}` is named twice"));
            } else if !known.iter().any(|known| name == known) {
                let known = if known.is_empty() { "there is none".to_owned() } else { format!("there is {}", crate::diagnostics::list(&known)) };
                errors.at(name, format!("`{}` has no argument `{name}` to skip ({known})", function.name()));
            }
        }
        if let (Some(_), Some(name)) = (&self.key, self.skip.first()) {
            errors.at(name, "`key` says all of what the value depends on: nothing is left to skip");
        }
    }

    /// A method may keep one cache for all instances or one for each, and only its author knows which.
    fn check_receiver(&self, place: Place<'_>, errors: &mut Errors) {
        let Some(receiver) = &place.function.parameters.receiver else { return };
        let this = self_ident(receiver);
        let in_self = self.cache.as_ref().is_some_and(|cache| tokens::mentions(&cache.to_token_stream(), &this));
        if !self.skip.contains(&this) && self.key.is_none() && !in_self {
            errors.at(
                receiver,
                "what is `self` to the cache? Write `skip(self)` if the value does not depend on it, `key = (self.id, ..)` if it depends on a \
                 part of it, or `cache = self.field` if each instance has a `steadfast::Cache` of its own",
            );
        }
    }
}
