//! `#[hedge(after = 50ms)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::{Expr, Member};

use crate::codegen::clones;
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::keyed::Keys;
use crate::codegen::layer::{Boundary, Layer, LayerPlan, Parsed, Target};
use crate::codegen::policy;
use crate::codegen::rejection;
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::parameters::Mode;
use crate::item::types;
use crate::parse::args::{self, Count};
use crate::parse::duration::Duration;
use crate::parse::once::{self, SharedBy};

const OPTIONS: &[&str] = &["after", "max", "key", "max_keys"];

#[derive(Default)]
struct Hedge {
    after: Option<After>,
    max: Option<Count>,
    keys: Keys,
    /// Whether `after` was written but is invalid.
    failed: bool,
}

enum After {
    Time(Duration),
    /// `p95`, unless an argument has that name.
    Percentile(Ident, Duration),
}

impl After {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        if args::is_percent(input) {
            return Err(input.error("a percentile is written without `%`: write one as in `p95`"));
        }
        let time: Duration = input.parse()?;
        if let Expr::Field(field) = time.written()
            && matches!((&*field.base, &field.member), (Expr::Path(_), Member::Unnamed(_)))
        {
            return Err(syn::Error::new_spanned(field, "a percentile must be a whole number: write `p1` to `p99`"));
        }
        let Expr::Path(path) = time.written() else { return Ok(Self::Time(time)) };
        let Some(name) = path.path.get_ident() else { return Ok(Self::Time(time)) };
        let text = name.to_string();
        let digits = text.strip_prefix('p').unwrap_or_default();
        let percentile = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        Ok(if percentile { Self::Percentile(name.clone(), time) } else { Self::Time(time) })
    }

    /// The percentile as written, if it is one.
    fn percentile(&self, function: &Function) -> Option<&Ident> {
        match self {
            Self::Percentile(name, _) => Some(name).filter(|name| function.parameters.find(name).is_none()),
            Self::Time(_) => None,
        }
    }
}

/// `p95` as a number, if there is such a percentile.
fn percent(name: &Ident) -> Option<usize> {
    let text = name.to_string();
    text.get(1..).and_then(|digits| digits.parse().ok()).filter(|percent| (1..=99).contains(percent))
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut hedge = Hedge::default();
    let mut nameless = false;
    let mut positional = |input: ParseStream<'_>| {
        nameless = true;
        let written = args::object(input, OPTIONS)?;
        let example = written.to_token_stream();
        Err(syn::Error::new_spanned(written, format!("missing option name: write `after = {example}`")))
    };
    let common = args::read("hedge", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        match option.name.as_str() {
            "after" => {
                hedge.failed = true;
                hedge.after = Some(option.value(input, After::read)?);
            }
            "key" => hedge.keys.key = Some(option.parse(input)?),
            "max_keys" => hedge.keys.max_keys = Some(option.parse(input)?),
            _ => hedge.max = Some(option.parse(input)?),
        }
        Ok(())
    });
    hedge.failed |= nameless;
    Parsed::new(hedge, common)
}

impl Layer for Hedge {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        policy::check_returns(target.function, target.span, "has no outcome that could win: remove `#[hedge]`", errors);
        policy::check_known(target.function, "the first outcome would win, whatever it is", "", errors);
        if self.after.is_none() && !self.failed {
            errors.at_span(target.span, "`#[hedge]` requires `after`: write `after = 50ms` or `after = p95`");
        }
        if let Some(name) = self.after.as_ref().and_then(|after| after.percentile(target.function))
            && percent(name).is_none()
        {
            errors.at(name, format!("`{name}` is not a percentile: write `p1` to `p99`"));
        }
        policy::check_positive(self.max.as_ref(), "`max` must be at least 1: it counts the attempts after the first", errors);
        self.check_keys(target.function, errors);
        check_arguments(target, errors);
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        LayerPlan {
            boundary: Some(Boundary::Attempt),
            turn_exprs: self.keys.key.iter().collect(),
            needs_turn: self.keys.key.is_some(),
            ..LayerPlan::default()
        }
    }

    fn rebinds(&self, context: &Context<'_>, _: &Ident) -> bool {
        context.moves_below
    }

    // let race = pin!(Race::new(1, after));
    // loop {
    //     race.start(async { .. });
    //     match race.next().await { Done(outcome) => break outcome, Another => {} }
    // }
    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (race, after, last) = (context.name("race"), context.name("after"), context.name("last"));
        let max = self.max.as_ref().map_or_else(|| quote!(1), |max| context.evaluate_option(&max.0, &max.tokens(private)));
        let clones = context.moves_below;
        let (originals, copies) =
            if clones { clones::for_attempts(context, &last, &|_| true) } else { (TokenStream::new(), TokenStream::new()) };
        let share_hint = clones.then(|| context.lend_hint());
        // Arguments that an attempt only reads are its own too.
        let mode = clones.then(|| quote!(move));
        let copies = if copies.is_empty() { copies } else { quote_spanned!(span=> let #last = #race.as_mut().ends(); #copies) };
        let failed = rejection::failed(context, &quote_spanned!(span=> __outcome)).map_or_else(
            || quote_spanned!(span=> #private::hedge::never_fails),
            |failed| quote_spanned!(span=> |__outcome| #failed),
        );
        let step = context.await_wrapped(&quote_spanned!(span=> #race.as_mut().next(#failed)));
        let origin = context.origin();
        let made = match context.call() {
            None => quote_spanned!(span=> #private::hedge::Race::new(#max, #after, #origin)),
            Some(call) => quote_spanned!(span=> #private::hedge::Race::of(#call, #max, #after, #origin)),
        };
        let Clock { bind, start, note } = self.clock(context, &after);
        inner.map(|expr| {
            quote_spanned! {span=> {
                #bind
                #originals
                #share_hint
                let mut #race = ::core::pin::pin!(#made);
                #start
                loop {
                    #copies
                    #race.as_mut().start(async #mode { #expr });
                    match #step {
                        #private::hedge::Step::Done(__outcome) => {
                            #note
                            break __outcome;
                        }
                        #private::hedge::Step::Another => {}
                    }
                }
            }}
        })
    }
}

/// The statements that determine when the next attempt starts.
struct Clock {
    bind: TokenStream,
    start: TokenStream,
    note: TokenStream,
}

impl Hedge {
    fn check_keys(&self, function: &Function, errors: &mut Errors) {
        self.keys.check(None, errors);
        let advice = |_: &once::Named| "name a constant".to_owned();
        once::check([self.keys.once()], SharedBy::Function, function, &advice, errors);
        if let (Some(key), Some(after)) = (&self.keys.key, &self.after)
            && after.percentile(function).is_none()
        {
            errors.at(key, "`key` requires a percentile, which it keeps for each key: write `after = p95`, or remove `key`");
        }
    }

    fn clock(&self, context: &Context<'_>, after: &Ident) -> Clock {
        let span = Span::mixed_site();
        let private = context.private.clone();
        let percentile = self.after.as_ref().and_then(|after| after.percentile(context.function)).and_then(percent);
        match (percentile, &self.after) {
            (Some(percent), _) => {
                let (latencies, started) = (context.name("latencies"), context.name("started"));
                let failed = rejection::verdict(context, &quote_spanned!(span=> &__outcome));
                let found = if let Some(key) = &self.keys.key {
                    let ty = quote!(#private::hedge::Latencies);
                    self.keys.find_own(context, key, &ty, &quote_spanned!(span=> || #ty::new(#percent)))
                } else {
                    quote_spanned! {span=> {
                        static __STEADFAST_LATENCIES: #private::hedge::Instances = #private::hedge::Instances::new(#percent);
                        __STEADFAST_LATENCIES.of(|| {})
                    }}
                };
                Clock {
                    bind: quote_spanned! {span=>
                        let #latencies = #found;
                        let #after = #latencies.percentile();
                    },
                    start: quote_spanned!(span=> let #started = #private::hedge::clock();),
                    note: quote_spanned!(span=> if !#failed { #latencies.record(#started.elapsed()); }),
                }
            }
            (None, written) => {
                let time = match written {
                    Some(After::Time(time) | After::Percentile(_, time)) => {
                        context.evaluate_option(time.written(), &time.to_token_stream())
                    }
                    None => TokenStream::new(),
                };
                let bind = quote_spanned! {span=>
                    let #after: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(#time);
                };
                Clock { bind, start: TokenStream::new(), note: TokenStream::new() }
            }
        }
    }
}

/// Attempts run concurrently and cannot all modify an argument.
fn check_arguments(target: Target<'_>, errors: &mut Errors) {
    // What the closure of a `run!` modifies is an error of the compiler's.
    if target.makes_async || target.function.run.is_some() {
        return;
    }
    let parameters = &target.function.parameters;
    if let Some(receiver) = &parameters.receiver {
        let mutable = match &receiver.kind {
            syn::ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
            syn::ReceiverKind::Typed(_, ty) => types::any_part(ty, &mut is_mutable),
            _ => receiver.mutability.is_some(),
        };
        if mutable {
            errors.at(receiver, "attempts run concurrently and cannot all modify `self`: take `&self`");
        }
    }
    for binding in &parameters.bindings {
        let name = &binding.ident;
        if binding.mode == Mode::RefMut || binding.ty.as_ref().is_some_and(|ty| types::any_part(ty, &mut is_mutable)) {
            errors.at(name, format!("attempts run concurrently and cannot all modify `{name}`: take it by `&`"));
        } else if let Some(mutability) = &binding.mutability {
            errors.at(
                mutability,
                format!(
                    "attempts run concurrently and cannot all modify `{name}`: write `let mut {name} = {name}.clone();` in the body"
                ),
            );
        }
    }
}

fn is_mutable(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Reference(reference) if reference.mutability.is_some())
}
