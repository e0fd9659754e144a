//! Invalid options and combinations, and what to write instead.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit};

use super::Cached;
use super::handle;
use super::key;
use super::options::{Options, Ttl};
use crate::codegen::layer::Target;
use crate::codegen::policy;
use crate::codegen::spawned;
use crate::diagnostics::{Errors, available};
use crate::item::function::{FnKind, Function, self_ident};
use crate::item::tokens;
use crate::item::types;
use crate::parse::closure::Closure;
use crate::parse::duration::Duration;
use crate::parse::expression::{is_constructor, plain};
use crate::parse::once::{self, Named, Once, SharedBy};

impl Cached {
    pub(super) fn check_all(&self, target: Target<'_>, errors: &mut Errors) {
        let function = target.function;
        self.options.check_values(errors);
        self.options.check_share(errors);
        self.options.check_unused(errors);
        self.options.check_cache(errors);
        self.options.check_once(function, errors);
        self.options.check_shared_error(function, errors);
        self.options.check_closures(errors);
        self.check_names(function, errors);
        self.check_receiver(function, errors);
        self.options.check_background(function, errors);
        self.check_value(function, errors);
        if function.diverges() {
            errors.at_span(target.span, "a function that never returns has no result to cache or to share: remove this attribute");
        }
    }

    fn check_names(&self, function: &Function, errors: &mut Errors) {
        let Options { skip, key, .. } = &self.options;
        let known = function.parameters.names();
        for (index, name) in skip.iter().enumerate() {
            if skip[..index].contains(name) {
                errors.at(name, format!("`{name}` is listed twice: remove one"));
            } else if name != "self" && function.parameters.find(name).is_none()
                || (name == "self" && function.parameters.receiver.is_none())
            {
                let known = available(&known);
                errors.at(name, format!("`{}` has no argument `{name}` to skip ({known})", function.name()));
            }
        }
        key::check_varies(key.as_ref(), self.options.cache.is_some(), errors);
        if let (Some(_), Some(name)) = (key, skip.first()) {
            errors.at(name, "`skip` and `key` are mutually exclusive: remove one");
        }
    }

    /// A value that later or concurrent callers receive cannot borrow from one of them.
    fn check_value(&self, function: &Function, errors: &mut Errors) {
        let value = function.output.as_ref().and_then(handle::value_in).filter(|value| types::borrows(value));
        if let Some(value) = value.filter(|_| self.options.background().is_none()) {
            let what = if self.stores { "a cached value" } else { "a shared result" };
            let advice = types::owned_value(value);
            errors.at(value, format!("{what} cannot borrow: {advice}"));
        }
    }

    /// A method may use one cache for all instances or one for each, and only its author knows which.
    fn check_receiver(&self, function: &Function, errors: &mut Errors) {
        let Some(receiver) = &function.parameters.receiver else { return };
        let Options { skip, key, cache, .. } = &self.options;
        let this = self_ident(receiver);
        let in_self = cache.as_ref().is_some_and(|cache| tokens::mentions(&cache.to_token_stream(), &this));
        if skip.contains(&this) || key.is_some() || in_self {
            return;
        }
        errors.at(
            receiver,
            if self.stores {
                "`#[async_cached]` cannot tell how the value depends on `self`: add `skip(self)` if it does not, `key = \
                 (self.id, ..)` if it depends on a part of it, or `cache = self.field` if each instance has its own \
                 `steadfast::Cache`"
            } else {
                "`#[coalesce]` cannot tell how the result depends on `self`: add `skip(self)` if it does not, or `key = \
                 (self.id, ..)` if it depends on a part of it"
            },
        );
    }
}

impl Options {
    fn check_values(&self, errors: &mut Errors) {
        let ttl = match &self.ttl {
            Some(Ttl::Same(ttl)) => Some(ttl),
            _ => None,
        };
        let zero = |time: Option<&Duration>| time.is_some_and(|time| time.literal().is_some_and(|time| time.is_zero()));
        for (name, time) in
            [("ttl", ttl), ("tti", self.tti.as_ref()), ("error_ttl", self.error_ttl.as_ref()), ("none_ttl", self.none_ttl.as_ref())]
        {
            if let Some(time) = time.filter(|time| zero(Some(time))) {
                errors.at(time.written(), format!("`{name}` must be greater than zero: write a longer duration, or remove it"));
            }
        }
        for (name, time) in [
            ("ttl_jitter", &self.ttl_jitter),
            ("stale_while_revalidate", &self.stale_while_revalidate),
            ("stale_if_error", &self.stale_if_error),
        ] {
            if let Some(time) = time.as_ref().filter(|time| zero(Some(time))) {
                errors.at(time.written(), format!("`{name}` must be greater than zero: write a longer duration, or remove it"));
            }
        }
        if let Some(limit) = self.load_timeout.as_ref().filter(|limit| zero(Some(limit))) {
            errors.at(limit.written(), "a `load_timeout` of zero disables waiting: write `single_flight = false` instead");
        }
        if let Some(capacity) = self.capacity.as_ref().filter(|capacity| capacity.literal() == Some(0)) {
            errors.at(&capacity.0, "`capacity` must be at least 1");
        }
        if let (Some(capacity), Some(_)) = (&self.capacity, &self.unbounded) {
            errors.at(&capacity.0, "`capacity` and `unbounded` are mutually exclusive: remove one");
        }
        if let Some(tags) = self.tags.as_ref().filter(|tags| tags.elems.is_empty()) {
            errors.at(tags, "`tags` is empty: add a tag, or remove it");
        }
    }

    fn check_share(&self, errors: &mut Errors) {
        let Some(share) = &self.refresh_ahead else { return };
        let value: Option<f64> = match share {
            Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) if float.suffix().is_empty() || float.suffix() == "f64" => {
                float.base10_parse().ok()
            }
            Expr::Lit(_) => None,
            // A literal with a unit has already become a `Duration`.
            other if !matches!(plain(other), Expr::MethodCall(_)) && is_constructor(other, "Duration") => None,
            _ => return,
        };
        if !value.is_some_and(|value| value > 0.0 && value < 1.0) {
            errors.at(share, "`refresh_ahead` is a fraction of the ttl, between 0 and 1: write `refresh_ahead = 0.8`");
        }
    }

    /// Options that have no effect without, or together with, another one.
    fn check_unused(&self, errors: &mut Errors) {
        if self.ttl.is_none() && self.cache.is_none() {
            let of_ttl = [
                ("ttl_jitter", self.ttl_jitter.as_ref().map(written)),
                ("stale_while_revalidate", self.stale_while_revalidate.as_ref().map(written)),
                ("stale_if_error", self.stale_if_error.as_ref().map(written)),
                ("refresh_ahead", self.refresh_ahead.as_ref().map(ToTokens::to_token_stream)),
            ];
            for (name, at) in of_ttl {
                if let Some(at) = at {
                    errors.at(at, format!("`{name}` requires `ttl`: add `ttl = ..`"));
                }
            }
        }
        let alone = self.single_flight.as_ref().is_some_and(|flag| !flag.value);
        if let Some(limit) = self.load_timeout.as_ref().filter(|_| alone) {
            errors.at(limit.written(), "`load_timeout` has no effect with `single_flight = false`: remove one");
        }
        if let Some(shared) = self.shared_error.as_ref().filter(|_| alone && self.error_ttl.is_none() && self.cache.is_none()) {
            errors.at(shared, "`shared_error` has no effect with `single_flight = false`: remove one");
        }
        if let Some(Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. })) = self.cache_if.as_ref().map(plain) {
            let message = if literal.value {
                "`cache_if = true` has no effect: write a condition over the arguments, or remove it"
            } else {
                "`cache_if = false` never uses the cache: write a condition over the arguments, or remove `#[async_cached]`"
            };
            errors.at(literal, message);
        }
        if let (Some(weight), Some(_)) = (&self.weight, &self.unbounded) {
            errors.at(weight, "`weight` has no effect on an `unbounded` cache: write `capacity = ..` instead, or remove `weight`");
        }
    }

    /// Options that have no effect on a cache that is created elsewhere.
    fn check_cache(&self, errors: &mut Errors) {
        let Some(cache) = &self.cache else { return };
        policy::check_not_temporary(cache, "Cache", errors);
        let settings = [
            self.capacity.as_ref().map(|capacity| capacity.0.to_token_stream()),
            self.unbounded.as_ref().map(ToTokens::to_token_stream),
        ];
        for at in settings.into_iter().flatten() {
            errors
                .at(at, "the capacity has no effect with `cache = ..`: set it on that cache, with `Cache::builder().capacity(..)`");
        }
        if let Some(weight) = &self.weight {
            errors.at(weight, "`weight` has no effect with `cache = ..`: set it on that cache, with `Cache::builder().weight(..)`");
        }
        if let Some(listener) = &self.on_evict {
            errors.at(
                listener,
                "`on_evict` has no effect with `cache = ..`: set it on that cache, with `Cache::builder().on_evict(..)`",
            );
        }
        if let Some(handle) = &self.handle {
            errors.at(handle.path(), "`handle` is redundant with `cache = ..`: remove it, and use that cache itself");
        }
    }

    fn check_closures(&self, errors: &mut Errors) {
        for (option, arguments, written) in
            [("weight", &["key", "value"][..], &self.weight), ("on_evict", &["key", "value", "cause"], &self.on_evict)]
        {
            Closure { option, arguments, written: written.as_ref(), hint: "" }.check(errors);
        }
        if let Some(Ttl::OfValue(closure)) = &self.ttl
            && self.ttl_of_change().is_none()
        {
            let hint = ", or `ttl = |value, previous| ..`";
            Closure { option: "ttl", arguments: &["value"], written: Some(closure), hint }.check(errors);
        }
        Closure { option: "store_if", arguments: &["value"], written: self.store_if.as_ref(), hint: "" }.check(errors);
        Closure { option: "shared_error", arguments: &["error"], written: self.shared_error.as_ref(), hint: "" }.check(errors);
        if let Some(Expr::Closure(closure)) = self.cache_if.as_ref().map(plain) {
            errors.at(closure, "`cache_if` takes an expression over the arguments, not a closure: remove the `|..|`");
        }
    }

    /// The waiters of a computation have other arguments than the caller whose error they receive.
    fn check_shared_error(&self, function: &Function, errors: &mut Errors) {
        let way_out = |_: &Named| "the closure receives the error, and what it adds must not depend on the call".to_owned();
        once::check(
            [Once::option("shared_error", self.shared_error.as_ref())],
            SharedBy::Instantiation,
            function,
            &way_out,
            errors,
        );
    }

    /// Options of the function's own cache, which is created at the first call of each instantiation.
    fn check_once(&self, function: &Function, errors: &mut Errors) {
        if self.cache.is_some() {
            return;
        }
        let capacity = Once::option("capacity", self.capacity.as_ref().map(|capacity| &capacity.0));
        once::check([capacity], SharedBy::Instantiation, function, &cache_instead, errors);
        let closures = [("weight", &self.weight), ("on_evict", &self.on_evict)];
        let closures = closures.map(|(name, closure)| Once::option(name, closure.as_ref()));
        let way_out = |named: &Named| format!("its closure receives the key and the value; {}", cache_instead(named));
        once::check(closures, SharedBy::Instantiation, function, &way_out, errors);
    }

    /// A computation in the background outlives its caller.
    fn check_background(&self, function: &Function, errors: &mut Errors) {
        if let Some((option, _)) = self.background() {
            spawned::check(function, &format!("with `{option}`, the computation"), errors);
        }
    }
}

/// The advice for options of the function's own cache that depend on the call.
fn cache_instead(named: &Named) -> String {
    let (each, cache) = match named {
        Named::This => ("instance".to_owned(), "self.cache".to_owned()),
        other => (format!("`{}`", other.name()), other.chosen_by("cache_of")),
    };
    format!("for one cache per {each}, create them with `Cache::builder()` and select one, as in `cache = {cache}`")
}

fn written(time: &Duration) -> proc_macro2::TokenStream {
    time.written().to_token_stream()
}

impl Cached {
    /// Whether the argument `name` is excluded from the key: it is skipped, or only `refresh_if` or `cache_if` uses it. Any other mention may affect the
    /// value: in the body, before it, and in the attributes below. Attributes above do not affect the value.
    pub(super) fn is_skipped(&self, function: &Function, name: &Ident) -> bool {
        self.options.skip.iter().any(|skipped| tokens::is_same(skipped, name))
            || (self.options.condition_names(name) && !self.is_named_elsewhere(function, name))
    }

    fn is_named_elsewhere(&self, function: &Function, name: &Ident) -> bool {
        let before = match &function.shape {
            FnKind::Returned { before, .. } => tokens::mentions(before, name),
            _ => false,
        };
        before
            || tokens::mentions(&function.body.stream(), name)
            || tokens::options_mention(&self.below, name)
            || self.options.mention_elsewhere(name)
    }
}
