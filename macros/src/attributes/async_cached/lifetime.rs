//! How long each outcome is stored: in the settings of the cache if that is known there, otherwise at the end of a computation.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;

use super::options::{Options, Ttl};
use crate::codegen::context::Context;
use crate::item::function::Function;
use crate::item::tokens::{local, mixed_site};
use crate::parse::duration::Duration;
use crate::parse::once::{self, SharedBy};

/// The options that are durations: the name, which is also that of the setter, and the value.
fn durations(options: &Options) -> Vec<(&'static str, &Duration)> {
    let ttl = match &options.ttl {
        Some(Ttl::Same(ttl)) => Some(ttl),
        _ => None,
    };
    let all = [
        ("ttl", ttl),
        ("ttl_jitter", options.ttl_jitter.as_ref()),
        ("tti", options.tti.as_ref()),
        ("error_ttl", options.error_ttl.as_ref()),
        ("none_ttl", options.none_ttl.as_ref()),
        ("stale_while_revalidate", options.stale_while_revalidate.as_ref()),
        ("stale_if_error", options.stale_if_error.as_ref()),
    ];
    all.into_iter().filter_map(|(name, time)| time.map(|time| (name, time))).collect()
}

/// The setters for the settings that do not depend on the arguments. Expressions that are not literals are evaluated for each value,
/// whether it comes from the function or by hand (`insert`, `get_or_load`).
pub(super) fn settings(options: &Options, function: &Function, private: &TokenStream) -> TokenStream {
    let (mut setters, mut evaluated) = (TokenStream::new(), TokenStream::new());
    for (name, time) in durations(options) {
        let setter = mixed_site(name);
        if time.literal().is_some() {
            setters.extend(quote!(.#setter(#time)));
        } else if !names_an_argument(time.written(), function) {
            evaluated.extend(quote!(.#setter(#time)));
        }
    }
    if let Some(Ttl::OfValue(closure)) = &options.ttl
        && !names_an_argument(closure, function)
    {
        let setter = mixed_site(if options.ttl_of_change().is_some() { "ttl_of_change" } else { "ttl_of" });
        setters.extend(quote!(.#setter(#closure)));
    }
    if let Some(share) = options.refresh_ahead.as_ref() {
        if matches!(share, Expr::Lit(_)) {
            setters.extend(quote!(.refresh_ahead(#share)));
        } else if !names_an_argument(share, function) {
            evaluated.extend(quote!(.refresh_ahead(#share)));
        }
    }
    if evaluated.is_empty() { setters } else { quote!(#setters .times(|| #private::cache::Lifetime::new() #evaluated)) }
}

/// The expressions that are evaluated before a computation, for use at its end. Literals are in the settings, unless the cache is shared.
pub(super) struct Bound {
    /// The statements.
    pub(super) statements: TokenStream,
    /// The names that they bind.
    pub(super) names: Vec<Ident>,
}

/// The window of stale hits. The lookup needs it, and the entry of this call gets the same one.
const WINDOW: &str = "stale_while_revalidate";

pub(super) fn bind(context: &Context<'_>, options: &Options) -> Bound {
    let mut bound = Bound { statements: TokenStream::new(), names: Vec::new() };
    for (name, time) in durations(options) {
        if time.literal().is_none() && name != WINDOW {
            let name = local(name);
            bound.statements.extend(context.bind_duration(time, &name));
            bound.names.push(name);
        }
    }
    if let Some(share) = options.refresh_ahead.as_ref().filter(|share| !matches!(share, Expr::Lit(_))) {
        let name = local("refresh_ahead");
        let share = context.evaluate_option(share, &quote!(#share));
        bound.statements.extend(quote_spanned!(Span::mixed_site()=> let #name: f64 = #share;));
        bound.names.push(name);
    }
    bound
}

/// The window for the lookup: a statement that binds it, and the window, if there is one.
pub(super) fn window(context: &Context<'_>, options: &Options) -> (TokenStream, TokenStream) {
    match &options.stale_while_revalidate {
        None => (TokenStream::new(), quote!(::core::option::Option::None)),
        Some(window) if window.literal().is_some() => (TokenStream::new(), quote!(::core::option::Option::Some(#window))),
        Some(window) => {
            let name = local(WINDOW);
            (context.bind_duration(window, &name), quote!(::core::option::Option::Some(#name)))
        }
    }
}

/// The lifetime of a computed value, after `out` and `shape` have been bound.
pub(super) fn lifetime(context: &Context<'_>, options: &Options, shape: &Ident, out: &Ident) -> TokenStream {
    let Context { private, function, .. } = context;
    let mut lifetime = quote!(#private::cache::Lifetime::new());
    let elsewhere = options.cache.is_some();
    for (name, time) in durations(options) {
        let setter = mixed_site(name);
        match time.literal() {
            Some(_) if elsewhere => lifetime.extend(quote!(.#setter(#time))),
            Some(_) => {}
            None => {
                let value = local(name);
                lifetime.extend(quote!(.#setter(#value)));
            }
        }
    }
    if elsewhere && options.ttl.is_some() && options.ttl_jitter.is_none() {
        // The jitter of a shared cache belongs to its own ttl: on a shorter ttl it might be many times as long.
        lifetime.extend(quote!(.ttl_jitter(::core::time::Duration::ZERO)));
    }
    if let Some(Ttl::OfValue(closure)) = &options.ttl
        && (elsewhere || names_an_argument(closure, function))
    {
        let ttl_of = mixed_site(if options.none_ttl.is_some() { "ttl_of_some" } else { "ttl_of" });
        let closure = if options.ttl_of_change().is_some() {
            let previous = context.name(PREVIOUS);
            quote_spanned!(Span::mixed_site()=> |__value| #private::cache::ttl_of_change(&#previous, __value, #closure))
        } else {
            quote!(#closure)
        };
        let ttl = context.evaluate(&quote!(#private::cache::#ttl_of(#shape, &#out, #closure)));
        lifetime.extend(if options.store_if.is_some() {
            quote_spanned!(Span::mixed_site()=> .with_ttl(if __stored { #ttl } else { ::core::option::Option::None }))
        } else {
            quote!(.with_ttl(#ttl))
        });
    }
    match &options.refresh_ahead {
        Some(Expr::Lit(share)) if elsewhere => lifetime.extend(quote!(.refresh_ahead(#share))),
        Some(Expr::Lit(_)) | None => {}
        Some(_) => {
            let name = local("refresh_ahead");
            lifetime.extend(quote!(.refresh_ahead(#name)));
        }
    }
    let Some(stores) = &options.store_if else { return lifetime };
    let stored = context.evaluate(&quote!(#private::cache::store_if(#shape, &#out, #stores)));
    quote_spanned!(Span::mixed_site()=> { let __stored = #stored; #lifetime.stored(__stored) })
}

/// The name of what finds the value that a computed one replaces.
const PREVIOUS: &str = "previous";

/// The expression that finds the value that a computed one replaces, with its name; where the end of a computation asks for it.
pub(super) fn previous(context: &Context<'_>, options: &Options, cache: &Ident, key: &TokenStream) -> Option<(Ident, TokenStream)> {
    let private = &context.private;
    let closure = options.ttl_of_change()?;
    let asks = options.cache.is_some() || names_an_argument(closure, context.function);
    asks.then(|| (context.name(PREVIOUS), quote!(#private::cache::Previous::new(#cache, #key))))
}

/// The expressions that are evaluated after the body: those computed from the value.
pub(super) fn deferred_exprs(options: &Options) -> Vec<&Expr> {
    let ttl = match &options.ttl {
        Some(Ttl::OfValue(closure)) => Some(closure),
        _ => None,
    };
    ttl.into_iter().chain(&options.store_if).collect()
}

fn names_an_argument(expression: &Expr, function: &Function) -> bool {
    !once::of_callers(expression, function, SharedBy::Instantiation).is_empty()
}
