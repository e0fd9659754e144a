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
use self::lifetime::Bound;
pub(crate) use self::options::Options;
use self::options::Ttl;
use crate::codegen::context::Context;
use crate::codegen::fragment::{Fragment, Wrapper};
use crate::codegen::layer::{Boundary, Layer, LayerPlan, Parsed, Target};
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
    //     let lead = match turn { Leader(lead) => lead, Waiter(waiter) => waiter.wait().await };
    //     let out = lead.scope(body).await;
    //     lead.complete(out)
    // }
    fn expand_inline(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { function, .. } = context;
        let label = context.label("cached");
        let (cache, shape, lead) = (context.name("cache"), context.name("shape"), context.name("lead"));
        let looking = &context.before_body();
        let begin = self.begin(looking, &cache, &shape, &label);
        let wait = self.wait(context, &shape, &label);
        let bind = context.guard(&mut inner, &lead, &wait);
        let Bound { statements, mut names } = lifetime::bind(looking, &self.options);
        names.extend(self.begun(context, &cache, &shape));
        let look = quote_spanned!(span=> #begin #statements);
        let before = context.before_wait(&mut inner, &look, names, &|name| self.names(function, name));
        let out = local("out");
        let lifetime = self.lifetime(context, &shape, &out);
        let mut completed = quote_spanned!(span=> #lead.complete(#shape, #out, __lifetime));
        if let Some(Ttl::OfValue(_)) = &self.options.ttl {
            // The cache calls the closure.
            completed = context.evaluate(&completed);
        }
        inner.map(|expr| {
            quote_spanned! {span=>
                #label: {
                    #before
                    #bind
                    let #out = #expr;
                    let __lifetime = #lifetime;
                    #completed
                }
            }
        })
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

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let lead = context.name("lead");
        let background = self.options.background().is_some();
        LayerPlan {
            wrapper: (!background).then(|| Wrapper {
                call: quote_spanned!(Span::mixed_site()=> #lead.scope),
                argument: None,
                breaks_to: None,
                during: None,
            }),
            boundary: background.then_some(Boundary::Task),
            waits: !background,
            deferred_exprs: lifetime::deferred_exprs(&self.options),
            needs_turn: true,
            ..LayerPlan::default()
        }
    }

    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        if self.options.background().is_some() {
            self.expand_in_background(context, inner)
        } else {
            self.expand_inline(context, inner)
        }
    }

    fn stands_above(&mut self, below: &TokenStream) {
        self.below = below.clone();
    }

    fn needs_own_arguments(&self) -> bool {
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
