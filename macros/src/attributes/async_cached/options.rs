//! The options.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, ExprArray, LitBool};

use super::handle::Handle;
use crate::item::tokens;
use crate::parse::args::{Count, OptionName};
use crate::parse::duration::Duration;
use crate::parse::expression::plain;
use crate::parse::units::{self, Value};

pub(super) const OPTIONS: &[&str] = &[
    "handle",
    "capacity",
    "unbounded",
    "weight",
    "ttl",
    "tti",
    "on_evict",
    "ttl_jitter",
    "key",
    "skip",
    "cache",
    "error_ttl",
    "none_ttl",
    "stale_while_revalidate",
    "stale_if_error",
    "refresh_ahead",
    "load_timeout",
    "refresh_if",
    "store_if",
    "cache_if",
    "shared_error",
    "tags",
    "detached",
    "single_flight",
];

/// The options of `async_cached`, some of which `coalesce` has too.
#[derive(Default)]
pub(crate) struct Options {
    pub(super) handle: Option<Handle>,
    pub(super) capacity: Option<Count>,
    pub(super) unbounded: Option<Ident>,
    pub(super) weight: Option<Expr>,
    pub(super) ttl: Option<Ttl>,
    pub(super) tti: Option<Duration>,
    pub(super) on_evict: Option<Expr>,
    pub(super) ttl_jitter: Option<Duration>,
    pub(crate) key: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(super) cache: Option<Expr>,
    pub(super) error_ttl: Option<Duration>,
    pub(super) none_ttl: Option<Duration>,
    pub(super) stale_while_revalidate: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
    pub(super) refresh_ahead: Option<Expr>,
    pub(super) load_timeout: Option<Duration>,
    pub(super) refresh_if: Option<Expr>,
    pub(super) store_if: Option<Expr>,
    pub(super) cache_if: Option<Expr>,
    pub(super) shared_error: Option<Expr>,
    pub(super) tags: Option<ExprArray>,
    pub(super) detached: Option<Ident>,
    pub(super) single_flight: Option<LitBool>,
}

/// `ttl = 60s`, `ttl = |token| token.expires_in()`, or `ttl = |stock, previous| ..`.
pub(super) enum Ttl {
    Same(Duration),
    /// A closure.
    OfValue(Expr),
}

impl Parse for Ttl {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        match input.parse()? {
            closure @ Expr::Closure(_) => units::read(closure).map(Self::OfValue),
            other => Duration::new(other).map(Self::Same),
        }
    }
}

impl Value for Ttl {}

impl Options {
    pub(super) fn read(&mut self, option: &OptionName, input: ParseStream<'_>) -> syn::Result<()> {
        match option.name.as_str() {
            "handle" => self.handle = Some(option.parse(input)?),
            "capacity" => self.capacity = Some(option.parse(input)?),
            "unbounded" => self.unbounded = Some(option.flag(input)?),
            "weight" => self.weight = Some(option.parse(input)?),
            "ttl" => self.ttl = Some(option.parse(input)?),
            "tti" => self.tti = Some(option.parse(input)?),
            "on_evict" => self.on_evict = Some(option.parse(input)?),
            "ttl_jitter" => self.ttl_jitter = Some(option.parse(input)?),
            "key" => self.key = Some(option.parse(input)?),
            "skip" => self.skip = option.names(input)?,
            "cache" => self.cache = Some(option.parse(input)?),
            "error_ttl" => self.error_ttl = Some(option.parse(input)?),
            "none_ttl" => self.none_ttl = Some(option.parse(input)?),
            "stale_while_revalidate" => self.stale_while_revalidate = Some(option.parse(input)?),
            "stale_if_error" => self.stale_if_error = Some(option.parse(input)?),
            "refresh_ahead" => self.refresh_ahead = Some(option.parse(input)?),
            "load_timeout" => self.load_timeout = Some(option.parse(input)?),
            "refresh_if" => self.refresh_if = Some(option.parse(input)?),
            "store_if" => self.store_if = Some(option.parse(input)?),
            "cache_if" => self.cache_if = Some(option.parse(input)?),
            "shared_error" => self.shared_error = Some(option.parse(input)?),
            "tags" => {
                let written = option
                    .value(input, ExprArray::parse)
                    .map_err(|error| syn::Error::new(error.span(), "`tags` takes a list: write `tags = [\"users\", tenant]`"))?;
                self.tags = Some(written.with_units()?);
            }
            "detached" => self.detached = Some(option.flag(input)?),
            _ => {
                let written = option.parse::<LitBool>(input);
                self.single_flight = Some(written.map_err(|error| {
                    syn::Error::new(
                        error.span(),
                        "`single_flight` takes `true` or `false`: write `single_flight = false`, or leave it out",
                    )
                })?);
            }
        }
        Ok(())
    }

    /// The option that makes a computation continue without its caller, with its name.
    pub(super) fn background(&self) -> Option<(&'static str, TokenStream)> {
        let detached = self.detached.as_ref().map(|flag| ("detached", flag.to_token_stream()));
        let revalidate =
            self.stale_while_revalidate.as_ref().map(|time| ("stale_while_revalidate", time.written().to_token_stream()));
        let ahead = self.refresh_ahead.as_ref().map(|share| ("refresh_ahead", share.to_token_stream()));
        detached.or(revalidate).or(ahead)
    }

    /// Whether a hit may start a computation: if the function says so, or if it can and its cache may say so.
    pub(super) fn refreshes(&self) -> bool {
        self.stale_while_revalidate.is_some() || self.refresh_ahead.is_some() || (self.detached.is_some() && self.cache.is_some())
    }

    /// Whether the tags mention the argument.
    pub(super) fn tags_name(&self, name: &Ident) -> bool {
        mentions(self.tags.as_ref(), name)
    }

    /// Whether an option that decides how a call uses the cache mentions the argument.
    pub(super) fn condition_names(&self, name: &Ident) -> bool {
        mentions(self.refresh_if.as_ref(), name) || mentions(self.cache_if.as_ref(), name)
    }

    /// The closure of `ttl = |value, previous| ..`.
    pub(super) fn ttl_of_change(&self) -> Option<&Expr> {
        match &self.ttl {
            Some(Ttl::OfValue(written)) => match plain(written) {
                Expr::Closure(closure) if closure.inputs.len() == 2 => Some(written),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether an option other than those conditions and those that define the key mentions the argument.
    pub(super) fn mention_elsewhere(&self, name: &Ident) -> bool {
        let Self {
            handle: _,
            capacity,
            unbounded: _,
            weight,
            ttl,
            tti,
            on_evict,
            ttl_jitter,
            key: _,
            skip: _,
            cache,
            error_ttl,
            none_ttl,
            stale_while_revalidate,
            stale_if_error,
            refresh_ahead,
            load_timeout,
            refresh_if: _,
            store_if,
            cache_if: _,
            shared_error,
            tags: _,
            detached: _,
            single_flight: _,
        } = self;
        let in_ttl = match ttl {
            Some(Ttl::Same(ttl)) => mentions(Some(ttl.written()), name),
            Some(Ttl::OfValue(closure)) => mentions(Some(closure), name),
            None => false,
        };
        let times = [tti, ttl_jitter, error_ttl, none_ttl, stale_while_revalidate, stale_if_error, load_timeout];
        in_ttl
            || times.into_iter().flatten().any(|time| mentions(Some(time.written()), name))
            || [weight, on_evict, cache, refresh_ahead, store_if, shared_error]
                .into_iter()
                .any(|expression| mentions(expression.as_ref(), name))
            || mentions(capacity.as_ref().map(|count| &count.0), name)
            || self.tags_name(name)
    }
}

fn mentions(expression: Option<&impl ToTokens>, name: &Ident) -> bool {
    expression.is_some_and(|expression| tokens::mentions(&expression.to_token_stream(), name))
}
