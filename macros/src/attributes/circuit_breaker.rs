//! `#[circuit_breaker(failures = 5)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, Lit, Token};

use crate::codegen::context::Context;
use crate::codegen::fragment::{Fragment, Wrapper};
use crate::codegen::instrument;
use crate::codegen::keyed::Keys;
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Rejects, Target};
use crate::codegen::policy::{self, PolicyInit, Setting};
use crate::codegen::rejection;
use crate::diagnostics::Errors;
use crate::parse::args::{self, Count, OptionName};
use crate::parse::closure::{self, Closure};
use crate::parse::duration::Duration;
use crate::parse::expression::{self, is_place};
use crate::parse::handle::Handle;
use crate::parse::literal::has_unit;
use crate::parse::units;

const OPTIONS: &[&str] = &[
    "failures",
    "window",
    "failure_rate",
    "min_calls",
    "open_for",
    "open_for_max",
    "probes",
    "probe_timeout",
    "when",
    "failure",
    "slow_call",
    "slow_rate",
    "open_jitter",
    "ignore",
    "key",
    "max_keys",
    "or_else",
    "handle",
];

#[derive(Default)]
struct CircuitBreaker {
    /// A breaker that is created elsewhere.
    object: Option<Expr>,
    failures: Option<Count>,
    window: Option<Window>,
    failure_rate: Option<Expr>,
    min_calls: Option<Count>,
    open_for: Option<Duration>,
    open_for_max: Option<Duration>,
    probes: Option<Count>,
    probe_timeout: Option<Duration>,
    when: Option<Expr>,
    failure: Option<Expr>,
    slow_call: Option<Duration>,
    slow_rate: Option<Expr>,
    open_jitter: Option<Expr>,
    ignore: Option<Expr>,
    keys: Keys,
    or_else: Option<Expr>,
    handle: Option<Handle>,
}

/// `100` calls or `30s`. An expression may be either; its type decides.
enum Window {
    Calls(Count),
    Time(Duration),
}

/// The default of `open_for`.
const DEFAULT_OPEN_FOR: std::time::Duration = std::time::Duration::from_secs(30);

/// A fraction between 0 and 1.
fn share(input: ParseStream<'_>) -> syn::Result<Expr> {
    if args::is_percent(input) {
        return Err(input.error("expected a fraction between 0 and 1: write `0.5` for 50%"));
    }
    units::read(input.parse()?)
}

impl Window {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let number = ahead.parse::<Lit>().is_ok_and(|literal| matches!(&literal, Lit::Int(int) if int.suffix().is_empty()));
        let bare = number && (ahead.is_empty() || ahead.peek(Token![,]));
        if bare { input.parse().map(Self::Calls) } else { input.parse().map(Self::Time) }
    }

    fn written(&self) -> &Expr {
        match self {
            Self::Calls(count) => &count.0,
            Self::Time(time) => time.written(),
        }
    }
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut breaker = CircuitBreaker::default();
    let mut object = None;
    let mut positional = |input: ParseStream<'_>| {
        let named = args::object(input, OPTIONS)?;
        let Expr::Lit(literal) = &named else {
            object = Some(units::read(named)?);
            return Ok(());
        };
        let setting = match &literal.lit {
            _ if has_unit(literal) => Some("open_for"),
            Lit::Int(_) => Some("failures"),
            _ => None,
        };
        let way_out = setting.map_or_else(
            || "name a `static CircuitBreaker`".to_owned(),
            |setting| format!("to set an option, write `{setting} = {}`", literal.to_token_stream()),
        );
        Err(syn::Error::new(literal.span(), format!("expected a `CircuitBreaker`: {way_out}")))
    };
    let common = args::read("circuit_breaker", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        breaker.option(option, input)
    });
    breaker.object = object;
    Parsed::new(breaker, common)
}

impl CircuitBreaker {
    fn option(&mut self, option: &OptionName, input: ParseStream<'_>) -> syn::Result<()> {
        match option.name.as_str() {
            "failures" => self.failures = Some(option.parse(input)?),
            "window" => self.window = Some(option.value(input, Window::read)?),
            "failure_rate" => self.failure_rate = Some(option.value(input, share)?),
            "min_calls" => self.min_calls = Some(option.parse(input)?),
            "open_for" => self.open_for = Some(option.parse(input)?),
            "open_for_max" => self.open_for_max = Some(option.parse(input)?),
            "probes" => self.probes = Some(option.parse(input)?),
            "probe_timeout" => self.probe_timeout = Some(option.parse(input)?),
            "when" => self.when = Some(option.parse(input)?),
            "failure" => self.failure = Some(option.parse(input)?),
            "slow_call" => self.slow_call = Some(option.parse(input)?),
            "slow_rate" => self.slow_rate = Some(option.value(input, share)?),
            "open_jitter" => self.open_jitter = Some(option.value(input, share)?),
            "ignore" => self.ignore = Some(option.parse(input)?),
            "key" => self.keys.key = Some(option.parse(input)?),
            "max_keys" => self.keys.max_keys = Some(option.parse(input)?),
            "or_else" => self.or_else = Some(option.parse(input)?),
            _ => self.handle = Some(option.parse(input)?),
        }
        Ok(())
    }
}

impl Layer for CircuitBreaker {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        Closure { option: "when", arguments: &["error"], written: self.when.as_ref(), hint: "" }.check(errors);
        Closure { option: "failure", arguments: &["outcome"], written: self.failure.as_ref(), hint: "" }.check(errors);
        Closure { option: "ignore", arguments: &["error"], written: self.ignore.as_ref(), hint: "" }.check(errors);
        self.keys.check(self.object.as_ref(), errors);
        policy::check_returns(
            target.function,
            target.span,
            "neither succeeds nor fails, so its circuit would never open: remove `#[circuit_breaker]`",
            errors,
        );
        if self.slow_call.is_some() && self.failure.is_none() && self.when.is_none() && self.ignore.is_none() {
            let (consequence, way_out) = ("only slow calls would open the circuit", "set `failure = |outcome| ..`, or ");
            policy::check_known(target.function, consequence, way_out, errors);
        }
        if let (Some(when), Some(_)) = (&self.when, &self.failure) {
            errors.at(when, "`when` and `failure` are mutually exclusive: remove one");
        }
        if let Some(object) = &self.object {
            policy::check_not_temporary(object, "CircuitBreaker", errors);
            return policy::check_unused(object, &self.settings(), self.handle.as_ref(), errors);
        }
        self.check_rules(errors);
        self.check_values(errors);
        let settings = self.settings();
        let settings = settings.iter().map(Setting::once).chain([self.keys.once()]);
        policy::check_once("circuit_breaker", "CircuitBreaker", "breaker", settings, target.function, errors);
        if let Some(handle) = &self.handle {
            handle.check(target.function, errors);
        }
        self.keys.check_handle(self.handle.as_ref(), target.function, "CircuitBreaker", errors);
    }

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let permit = context.name("permit");
        let Self { object, when, failure, ignore, or_else, .. } = self;
        LayerPlan {
            wrapper: Some(Wrapper {
                call: quote_spanned!(Span::mixed_site()=> #permit.state.watch),
                argument: None,
                breaks_to: None,
                during: None,
            }),
            guard: Some(permit),
            hints: true,
            turn_exprs: self.keys.key.iter().collect(),
            deferred_exprs: [object, when, failure, ignore, or_else].into_iter().flatten().collect(),
            needs_turn: self.keys.key.is_some() || object.as_ref().is_some_and(|object| !is_place(object)),
            rejects: Rejects::by(or_else.as_ref()),
            ..LayerPlan::default()
        }
    }

    // 'circuit_breaker: {
    //     let permit = at(breaker);
    //     if let Err(open) = permit.enter() { break 'circuit_breaker rejection; }
    //     let outcome = ..;
    //     permit.settle(failed(&outcome));
    //     outcome
    // }
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (breaker, permit, label) = (context.name("breaker"), context.name("permit"), context.label("circuit_breaker"));
        let find = self.find(context, &breaker);
        let (name, origin) = (context.function_name(), context.origin());
        let at = quote_spanned!(span=> #private::circuit_breaker::permit(#breaker, #origin));
        let bind = context.guard_mut(&mut inner, &permit, &at);
        let rejection =
            context.reject_with_hint("circuit_breaker", &quote_spanned!(span=> __open.error(#name)), self.or_else.as_ref());
        let (drop_body, record) = (context.drop_body(), self.record(context, &permit));
        inner.map(|expr| {
            quote_spanned! {span=>
                #label: {
                    #find
                    #bind
                    if let ::core::result::Result::Err(__open) = #permit.acquire() {
                        #drop_body
                        let __refusal = #rejection;
                        break #label __refusal;
                    }
                    let __outcome = #expr;
                    #record
                    __outcome
                }
            }
        })
    }

    fn sibling_items(&self, context: &Context<'_>) -> TokenStream {
        let (recipe, handle) = (self.recipe(context), self.handle.as_ref());
        match &self.keys.key {
            Some(key) => self.keys.handle(context, key, &recipe, handle),
            None => recipe.handle(context, handle),
        }
    }
}

impl CircuitBreaker {
    /// Binds the breaker.
    fn find(&self, context: &Context<'_>, breaker: &Ident) -> TokenStream {
        let (span, root) = (Span::mixed_site(), &context.root);
        let (object, recipe, handle) = (self.object.as_ref(), self.recipe(context), self.handle.as_ref());
        if let Some(key) = &self.keys.key {
            return self.keys.bind(context, key, object, &recipe, handle, breaker);
        }
        let place = match object {
            Some(object) => {
                let value = context.evaluate_option(object, &object.to_token_stream());
                quote_spanned!(object.span()=> &(#value))
            }
            None => recipe.reference(context, handle),
        };
        let ty = policy::reference_type(context.function, object, &quote!(#root::CircuitBreaker));
        let attach = instrument::attach_handle(context, object, breaker);
        quote_spanned!(span=> let #breaker: #ty = #place; #attach)
    }

    /// Records the outcome.
    fn record(&self, context: &Context<'_>, permit: &Ident) -> TokenStream {
        let (span, failed) = (Span::mixed_site(), self.failed(context));
        let record = quote_spanned!(span=> #permit.record_outcome(#failed););
        let Some(ignore) = &self.ignore else { return record };
        let (private, failure_of) = (&context.private, rejection::failure_of(context));
        let ignored = context.evaluate(&quote_spanned!(span=> #private::retry::when(#failure_of, #ignore)));
        quote_spanned!(span=> if #ignored { #permit.ignore_outcome(); } else { #record })
    }

    fn failed(&self, context: &Context<'_>) -> TokenStream {
        let span = Span::mixed_site();
        let private = &context.private;
        let failure_of = rejection::failure_of(context);
        match (&self.failure, &self.when) {
            (Some(failure), _) => context.evaluate(&quote_spanned!(span=> #private::retry::failure(&__outcome, #failure))),
            (None, Some(when)) => context.evaluate(&quote_spanned!(span=> #private::retry::when(#failure_of, #when))),
            // The duration alone decides which calls fail if the value cannot.
            (None, None) if self.slow_call.is_some() && self.ignore.is_none() => {
                rejection::verdict(context, &quote_spanned!(span=> &__outcome))
            }
            (None, None) => quote_spanned!(span=> #private::retry::failed(#failure_of)),
        }
    }

    fn recipe(&self, context: &Context<'_>) -> PolicyInit {
        let (root, private) = (&context.root, &context.private);
        let span = Span::mixed_site();
        let mut make = quote_spanned!(span=> #root::CircuitBreaker::new());
        let counts = [("failures", &self.failures), ("min_calls", &self.min_calls), ("probes", &self.probes)];
        for (name, count) in counts {
            if let Some(count) = count {
                let (name, count) = (crate::item::tokens::mixed_site(name), count.tokens(private));
                make.extend(quote!(.#name(#count)));
            }
        }
        let times = [
            ("open_for", &self.open_for),
            ("open_for_max", &self.open_for_max),
            ("probe_timeout", &self.probe_timeout),
            ("slow_call", &self.slow_call),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                let name = crate::item::tokens::mixed_site(name);
                make.extend(quote!(.#name(#time)));
            }
        }
        if let Some(rate) = &self.failure_rate {
            let rate = expression::number(rate).map_or_else(|| rate.to_token_stream(), |rate| quote!(#rate));
            make.extend(quote!(.failure_rate(#rate)));
        }
        for (name, share) in [("slow_rate", &self.slow_rate), ("open_jitter", &self.open_jitter)] {
            if let Some(share) = share {
                let name = crate::item::tokens::mixed_site(name);
                let share = expression::number(share).map_or_else(|| share.to_token_stream(), |share| quote!(#share));
                make.extend(quote!(.#name(#share)));
            }
        }
        let make = match &self.window {
            None => make,
            Some(Window::Calls(calls)) => {
                let calls = calls.tokens(private);
                quote!(#make.window_calls(#calls))
            }
            Some(Window::Time(time)) if time.literal().is_some() || !self.has_rate() => quote!(#make.window(#time)),
            Some(Window::Time(either)) => quote!(#private::circuit_breaker::window(#make, #either)),
        };
        let constant = self.settings().iter().filter_map(|setting| setting.written).all(expression::is_literal);
        PolicyInit { ty: "CircuitBreaker", noun: "circuit breaker", make, constant }
    }

    /// Whether the window may be one of calls.
    fn has_rate(&self) -> bool {
        self.failure_rate.is_some() || self.slow_rate.is_some()
    }

    fn settings(&self) -> [Setting<'_>; 11] {
        [
            ("failures", self.failures.as_ref().map(|count| &count.0)),
            ("window", self.window.as_ref().map(Window::written)),
            ("failure_rate", self.failure_rate.as_ref()),
            ("min_calls", self.min_calls.as_ref().map(|count| &count.0)),
            ("open_for", self.open_for.as_ref().map(Duration::written)),
            ("open_for_max", self.open_for_max.as_ref().map(Duration::written)),
            ("probes", self.probes.as_ref().map(|count| &count.0)),
            ("probe_timeout", self.probe_timeout.as_ref().map(Duration::written)),
            ("slow_call", self.slow_call.as_ref().map(Duration::written)),
            ("slow_rate", self.slow_rate.as_ref()),
            ("open_jitter", self.open_jitter.as_ref()),
        ]
        .map(|(name, written)| Setting { name, written })
    }

    /// The rules are mutually exclusive, and each has its own settings.
    fn check_rules(&self, errors: &mut Errors) {
        if let (Some(_), Some(failures)) = (&self.failure_rate, &self.failures) {
            errors.at(&failures.0, "`failures` and `failure_rate` are mutually exclusive: remove one");
        }
        if !self.has_rate() {
            if let Some(min_calls) = &self.min_calls {
                errors.at(&min_calls.0, "`min_calls` requires `failure_rate`: add `failure_rate = 0.5`, or remove `min_calls`");
            }
            if let Some(Window::Calls(calls)) = &self.window {
                errors.at(
                    &calls.0,
                    "a `window` of calls requires `failure_rate`: add `failure_rate = 0.5`, or write a duration, as in `window = 1min`",
                );
            }
        }
        if let (Some(rate), None) = (&self.slow_rate, &self.slow_call) {
            errors.at(rate, "`slow_rate` requires `slow_call`: add `slow_call = 1s`, or remove `slow_rate`");
        }
        if let (Some(min_calls), Some(Window::Calls(calls))) = (&self.min_calls, &self.window)
            && let (Some(least), Some(most)) = (min_calls.literal(), calls.literal())
            && self.has_rate()
            && least > most
        {
            errors.at(&min_calls.0, format!("`min_calls` exceeds the window of {most} calls: write at most {most}"));
        }
    }

    fn check_values(&self, errors: &mut Errors) {
        policy::check_positive(self.failures.as_ref(), "`failures` must be at least 1", errors);
        policy::check_positive(self.probes.as_ref(), "`probes` must be at least 1", errors);
        policy::check_nonzero(self.open_for.as_ref(), "`open_for` must be greater than zero", errors);
        policy::check_nonzero(self.slow_call.as_ref(), "`slow_call` must be greater than zero", errors);
        match &self.window {
            Some(Window::Calls(calls)) => {
                policy::check_positive(Some(calls), "`window` must be at least 1", errors);
            }
            Some(Window::Time(time)) => {
                policy::check_nonzero(Some(time), "`window` must be greater than zero", errors);
            }
            None => {}
        }
        for (name, rate) in [("failure_rate", &self.failure_rate), ("slow_rate", &self.slow_rate)] {
            if let Some(rate) = rate
                && expression::number(rate).is_some_and(|rate| rate <= 0.0 || rate > 1.0)
            {
                errors.at(rate, format!("`{name}` must be above 0 and at most 1: write `0.5` for 50%"));
            }
        }
        if let Some(jitter) = &self.open_jitter
            && expression::number(jitter).is_some_and(|jitter| !(0.0..=1.0).contains(&jitter))
        {
            errors.at(jitter, "`open_jitter` must be between 0 and 1: write `0.2` for 20%");
        }
        let first = self.open_for.as_ref().map_or(Some(DEFAULT_OPEN_FOR), Duration::literal);
        if let (Some(shortest), Some(most)) = (first, &self.open_for_max)
            && most.literal().is_some_and(|longest| longest < shortest)
        {
            let default = if self.open_for.is_none() { " (30s by default)" } else { "" };
            errors.at(most.written(), format!("`open_for_max` must be at least as long as `open_for`{default}"));
        }
    }
}
