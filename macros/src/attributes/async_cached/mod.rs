//! `#[async_cached(ttl = 60s, skip(db))]`, and what it has in common with `#[coalesce]`.

mod background;
mod checks;
mod handle;
pub(crate) mod key;
mod lifetime;
mod lookup;
mod options;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use self::key::Key;
pub(crate) use self::options::Options;
use crate::codegen::context::{Context, Fragment, Wrapper};
use crate::codegen::layer::{Layer, Parsed, Target};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::tokens::{self, local};
use crate::parse::args;

/// A layer that looks a result up, or lets one caller compute it for all.
pub(crate) struct Cached {
    options: Options,
    /// Whether results are stored.
    stores: bool,
    /// The arguments of the attributes below.
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

    /// Whether the lookup mentions the argument.
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
    fn expand_inline(&self, context: &mut Context<'_>, below: &mut dyn FnMut(&mut Context<'_>) -> Fragment) -> Fragment {
        let span = Span::mixed_site();
        let private = context.private.clone();
        let label = context.label("cached");
        let (cache, shape, lead) = (context.name("cache"), context.name("shape"), context.name("lead"));
        let begin = self.begin(context, &cache, &shape, &label);
        let (mut bind, mut wait) = (TokenStream::new(), TokenStream::new());
        let pins = context.pins();
        let Fragment { prelude, mut captures, setup, expr } = context.with_pinned_body(&mut |context| {
            bind = context.declare_before_body(&lead);
            wait = self.wait(context, &shape, &label);
            let scope = lead.clone();
            let wrap = move |future: &TokenStream| quote_spanned!(span=> #scope.scope(#future));
            context.with_wrapper(Wrapper { wrap: Box::new(wrap), breaks_to: None }, below)
        });
        let bound = lifetime::bind(&self.options);
        captures.extend([shape.clone(), local("turn")]);
        captures.extend(bound.names);
        let bind_times = bound.statements;
        let looked = quote_spanned!(span=> #begin #bind_times #prelude);
        let function = context.function;
        let enclosed = if pins { context.rebind_arguments(&looked, &captures, &|name| self.names(function, name)) } else { looked };
        let out = local("out");
        let lifetime = lifetime::lifetime(&self.options, context.function, &private, &shape, &out);
        Fragment {
            expr: quote_spanned! {span=>
                #label: {
                    #enclosed
                    #setup
                    #bind = #wait;
                    let #out = #expr;
                    let __lifetime = #lifetime;
                    #lead.complete(#shape, #out, __lifetime)
                }
            },
            ..Fragment::default()
        }
    }
}

impl Layer for Cached {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        self.check_all(target, errors);
        let function = target.function;
        if self.options.key.is_none() {
            key::check(function, &|name| self.is_skipped(function, name), errors);
        }
        if let Some(handle) = &self.options.handle {
            handle.check(function, &self.key(function), errors);
        }
    }

    fn sync_fn_hint(&self) -> &'static str {
        "write `async fn`, or add `#[offload_blocking]` below it, which makes a blocking `fn` async"
    }

    fn expand(&self, context: &mut Context<'_>, below: &mut dyn FnMut(&mut Context<'_>) -> Fragment) -> Fragment {
        if self.options.background().is_some() {
            self.expand_in_background(context, below)
        } else {
            self.expand_inline(context, below)
        }
    }

    fn deferred_exprs(&self) -> TokenStream {
        lifetime::deferred_exprs(&self.options)
    }

    fn stands_above(&mut self, below: &TokenStream) {
        self.below = below.clone();
    }

    fn reads_args_late(&self) -> bool {
        true
    }

    fn spawns(&self) -> bool {
        self.options.background().is_some()
    }

    fn looks_at(&self, function: &Function, argument: &Ident) -> bool {
        self.names(function, argument)
    }

    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        if self.options.background().is_none() {
            return context.rebinds(argument, &|name| self.names(context.function, name));
        }
        crate::codegen::spawned::rebinds(context, argument)
    }

    fn sibling_items(&self, context: &Context<'_>) -> TokenStream {
        let key = self.key(context.function);
        match &self.options.handle {
            Some(handle) if handle.can_stand(context.function, &key) => handle.item(context, &key, &self.settings(context)),
            _ => TokenStream::new(),
        }
    }
}
