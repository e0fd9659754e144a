//! `#[async_cached(ttl = 60s, skip(db))]`, and what it has in common with `#[coalesce]`.

mod background;
mod checks;
mod handle;
pub(crate) mod key;
mod lookup;
mod options;
mod times;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use self::key::Key;
pub(crate) use self::options::Options;
use crate::args;
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::layer::{Layer, Parsed, Place};
use crate::tokens::{self, local};
use crate::weaver::{Guard, Weaver, Woven};

/// A layer that looks a result up, or lets one caller compute it for all.
pub(crate) struct Cached {
    options: Options,
    /// Whether results are kept.
    stores: bool,
    /// What stands in the attributes below.
    below: TokenStream,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut options = Options::default();
    let common =
        args::read("async_cached", tokens, options::OPTIONS, errors, None, &mut |option, input| options.read(option, input));
    Parsed::new(Cached { options, stores: true, below: TokenStream::new() }, common)
}

impl Cached {
    /// Single flight without a store.
    pub(crate) fn coalescing(options: Options) -> Self {
        Self { options, stores: false, below: TokenStream::new() }
    }

    fn key(&self, function: &Function) -> Key {
        match &self.options.key {
            Some(expression) => Key::of_expression(function, expression),
            None => Key::of_arguments(function, &|name| self.is_skipped(function, name)),
        }
    }

    /// Whether the look-up mentions the argument.
    fn names(&self, function: &Function, name: &Ident) -> bool {
        let in_key = match &self.options.key {
            Some(key) => tokens::mentions(&key.to_token_stream(), name),
            None => !self.is_skipped(function, name),
        };
        in_key || self.options.tags_name(name)
    }

    // 'cached: {
    //     let turn = match begin(cache, &key, || owned) { Hit(value) => break 'cached value, Miss(turn) => turn };
    //     let body = pin!(..);
    //     let lead = match turn { Lead(lead) => lead, Wait(waiter) => waiter.wait().await };
    //     let out = lead.scope(body).await;
    //     lead.land(out)
    // }
    fn weave_inline(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let label = weaver.label("cached");
        let (cache, shape, lead) = (weaver.name("cache"), weaver.name("shape"), weaver.name("lead"));
        let begin = self.begin(weaver, &cache, &shape, &label);
        let (mut bind, mut wait) = (TokenStream::new(), TokenStream::new());
        let pins = weaver.pins();
        let Woven { evaluate, mut carried, setup, run } = weaver.with_pinned_body(&mut |weaver| {
            bind = weaver.hold(&lead);
            wait = self.wait(weaver, &shape, &label);
            let scope = lead.clone();
            let wrap = move |future: &TokenStream| quote_spanned!(span=> #scope.scope(#future));
            weaver.guarded(Guard { wrap: Box::new(wrap), breaks_to: None }, below)
        });
        let bound = times::bind(&self.options);
        carried.extend([shape.clone(), local("turn")]);
        carried.extend(bound.names);
        let bind_times = bound.statements;
        let looked = quote_spanned!(span=> #begin #bind_times #evaluate);
        let function = weaver.function;
        let enclosed = if pins { weaver.enclose(&looked, &carried, &|name| self.names(function, name)) } else { looked };
        let out = local("out");
        let lifetime = times::lifetime(&self.options, weaver.function, &private, &shape, &out);
        Woven {
            run: quote_spanned! {span=>
                #label: {
                    #enclosed
                    #setup
                    #bind = #wait;
                    let #out = #run;
                    let __lifetime = #lifetime;
                    #lead.land(#shape, #out, __lifetime)
                }
            },
            ..Woven::default()
        }
    }
}

impl Layer for Cached {
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        self.check_all(place, errors);
        let function = place.function;
        if self.options.key.is_none() {
            key::check(function, &|name| self.is_skipped(function, name), errors);
        }
        if let Some(handle) = &self.options.handle {
            handle.check(function, &self.key(function), errors);
        }
    }

    fn on_plain_fn(&self) -> &'static str {
        "write `async fn`, or put `#[offload_blocking]` below it, which makes a blocking `fn` async"
    }

    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        if self.options.background().is_some() { self.weave_in_background(weaver, below) } else { self.weave_inline(weaver, below) }
    }

    fn late(&self) -> TokenStream {
        times::late(&self.options)
    }

    fn stands_above(&mut self, below: &TokenStream) {
        self.below = below.clone();
    }

    fn looks_late(&self) -> bool {
        true
    }

    fn spawns(&self) -> bool {
        self.options.background().is_some()
    }

    fn looks_at(&self, function: &Function, argument: &Ident) -> bool {
        self.names(function, argument)
    }

    fn binds_again(&self, weaver: &Weaver<'_>, argument: &Ident) -> bool {
        if self.options.background().is_none() {
            return weaver.rebinds(argument, &|name| self.names(weaver.function, name));
        }
        crate::background::binds_again(weaver, argument)
    }

    fn items(&self, weaver: &Weaver<'_>) -> TokenStream {
        let key = self.key(weaver.function);
        match &self.options.handle {
            Some(handle) if handle.can_stand(weaver.function, &key) => handle.item(weaver, &key, &self.settings(weaver)),
            _ => TokenStream::new(),
        }
    }
}
