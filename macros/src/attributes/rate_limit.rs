//! `#[rate_limit(100 / 1s)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Lit};

use crate::attributes::async_cached::key::{Key, fit};
use crate::codegen::admission::Admission;
use crate::codegen::bounds::{self, BoundCheck};
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::instrument;
use crate::codegen::keyed::Keys;
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Rejects, Target};
use crate::codegen::policy::{self, PolicyInit, Setting};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::tokens;
use crate::parse::args::{self, Count};
use crate::parse::closure;
use crate::parse::duration::Duration;
use crate::parse::expression::{self, is_place, plain};
use crate::parse::handle::Handle;
use crate::parse::once::Once;
use crate::parse::units;

const OPTIONS: &[&str] = &["burst", "max_wait", "key", "max_keys", "cost", "rate", "or_else", "handle"];

/// The number of rates that a limiter can have.
const MOST_RATES: usize = 4;

#[derive(Default)]
struct RateLimit {
    limit: Option<Limit>,
    /// The rates behind the first.
    further: Vec<(Count, Duration)>,
    burst: Option<Count>,
    max_wait: Option<Duration>,
    keys: Keys,
    cost: Option<Count>,
    rate: Option<KeyRate>,
    or_else: Option<Expr>,
    handle: Option<Handle>,
    /// Whether a limit was written but is invalid.
    failed: bool,
}

enum Limit {
    /// `100 / 1s`
    Rate(Count, Duration),
    /// A limiter that is created elsewhere.
    Object(Expr),
}

/// The rate of a key.
enum KeyRate {
    /// `calls_of(tenant) / 1s`
    Quotient(Count, Duration),
    /// A count and a period.
    Value(Expr),
}

impl KeyRate {
    fn written(&self) -> Vec<&Expr> {
        match self {
            Self::Quotient(count, period) => vec![&count.0, period.written()],
            Self::Value(rate) => vec![rate],
        }
    }

    fn tokens(&self, context: &Context<'_>) -> TokenStream {
        match self {
            Self::Quotient(count, period) => {
                let count = context.evaluate_option(&count.0, &count.0.to_token_stream());
                let period = context.evaluate_option(period.written(), &period.to_token_stream());
                quote!((#count, #period))
            }
            Self::Value(rate) => context.evaluate_option(rate, &rate.to_token_stream()),
        }
    }
}

impl Parse for KeyRate {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression: Expr = input.parse()?;
        match quotient(&expression)? {
            Some((count, period)) => Ok(Self::Quotient(count, period)),
            None => units::read(expression).map(Self::Value),
        }
    }
}

// It reads units itself.
impl units::Value for KeyRate {}

/// `100 / 1s`
fn quotient(expression: &Expr) -> syn::Result<Option<(Count, Duration)>> {
    match plain(expression) {
        Expr::Binary(binary) if matches!(binary.op, BinOp::Div(_)) => {
            // Parentheses around an operand of the quotient are unnecessary around an argument.
            let (count, period) = (plain(&binary.left).to_token_stream(), plain(&binary.right).to_token_stream());
            Ok(Some((syn::parse2(count)?, syn::parse2(period)?)))
        }
        _ => Ok(None),
    }
}

impl Limit {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression = args::object(input, OPTIONS)?;
        if let Some((count, period)) = quotient(&expression)? {
            return Ok(Self::Rate(count, period));
        }
        match plain(&expression) {
            Expr::Lit(literal) => {
                let written = match &literal.lit {
                    Lit::Int(int) if int.suffix().is_empty() => int.to_string(),
                    _ => "100".to_owned(),
                };
                Err(syn::Error::new(literal.span(), format!("missing period: write a rate, as in `{written} / 1s`")))
            }
            // `/` binds more tightly than the operator, so the quotient is only a part of the expression.
            Expr::Binary(binary) if let Some((count, period)) = quotient_at_the_end(&binary.right) => {
                let (left, operator) = (spaced(&binary.left), binary.op.to_token_stream());
                let (count, period) = (spaced(count), spaced(period));
                Err(syn::Error::new_spanned(
                    &expression,
                    format!("a count with operators needs parentheses: write `({left} {operator} {count}) / {period}`"),
                ))
            }
            Expr::Binary(binary) if is_arithmetic(&binary.op) => Err(syn::Error::new_spanned(
                &expression,
                format!("missing period: write a rate, as in `({}) / 1s`", spaced(&expression)),
            )),
            _ => units::read(expression).map(Self::Object),
        }
    }
}

/// The count and the period of a quotient at the end of an arithmetic expression.
fn quotient_at_the_end(expression: &Expr) -> Option<(&Expr, &Expr)> {
    match expression {
        Expr::Binary(binary) if matches!(binary.op, BinOp::Div(_)) => Some((&binary.left, &binary.right)),
        _ => None,
    }
}

fn is_arithmetic(operator: &BinOp) -> bool {
    matches!(operator, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Rem(_) | BinOp::Shl(_) | BinOp::Shr(_))
}

/// The source text with conventional spacing.
fn spaced(expression: &Expr) -> String {
    let text = expression.to_token_stream().to_string();
    [(" . ", "."), (" :: ", "::"), (" (", "("), ("( ", "("), (" )", ")"), (" ,", ",")]
        .iter()
        .fold(text, |text, (loose, tight)| text.replace(loose, tight))
}

/// Reports a rate that makes no sense.
fn check_rate(count: &Count, period: &Duration, function: &Function, errors: &mut Errors) {
    if let Some(unit) = unit_alone(period, function) {
        errors.at(period.written(), format!("missing number in the period: write `{} / 1{unit}`", count.0.to_token_stream()));
    }
    policy::check_positive(Some(count), "the count must be at least 1", errors);
    policy::check_nonzero(Some(period), "the period must be greater than zero: write a rate, as in `100 / 1s`", errors);
}

/// The unit of a period without a number: `100 / s`, `100 / second`.
fn unit_alone(period: &Duration, function: &Function) -> Option<&'static str> {
    let Expr::Path(path) = period.written() else { return None };
    let name = path.path.get_ident().filter(|name| function.parameters.find(name).is_none())?.to_string();
    let units = [
        ("s", "s"),
        ("sec", "s"),
        ("second", "s"),
        ("min", "min"),
        ("minute", "min"),
        ("h", "h"),
        ("hour", "h"),
        ("d", "d"),
        ("day", "d"),
    ];
    units.iter().find(|(written, _)| name == *written).map(|(_, unit)| *unit)
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut rate_limit = RateLimit::default();
    let (mut limits, mut failed) = (Vec::new(), false);
    let mut positional = |input: ParseStream<'_>| {
        let fails = failed;
        failed = true;
        let behind = input.span();
        match (Limit::read(input)?, limits.last()) {
            (Limit::Rate(..), None | Some(Limit::Rate(..))) if limits.len() == MOST_RATES => {
                return Err(syn::Error::new(behind, format!("a rate limiter has at most {MOST_RATES} rates: remove one")));
            }
            (limit @ Limit::Rate(..), None | Some(Limit::Rate(..))) | (limit @ Limit::Object(_), None) => limits.push(limit),
            (..) => {
                let message = "several limits in one attribute must be rates, as in `10 / 1s, 1_000 / 1h`: write one \
                               `#[rate_limit]` for each limiter";
                return Err(syn::Error::new(behind, message));
            }
        }
        failed = fails;
        Ok(())
    };
    let common = args::read_several("rate_limit", tokens, OPTIONS, errors, &mut positional, &mut |option, input| {
        match option.name.as_str() {
            "burst" => rate_limit.burst = Some(option.parse(input)?),
            "max_wait" => rate_limit.max_wait = Some(option.parse(input)?),
            "key" => rate_limit.keys.key = Some(option.parse(input)?),
            "max_keys" => rate_limit.keys.max_keys = Some(option.parse(input)?),
            "cost" => rate_limit.cost = Some(option.parse(input)?),
            "rate" => rate_limit.rate = Some(option.parse(input)?),
            "or_else" => rate_limit.or_else = Some(option.parse(input)?),
            _ => rate_limit.handle = Some(option.parse(input)?),
        }
        Ok(())
    });
    let mut limits = limits.into_iter();
    rate_limit.limit = limits.next();
    rate_limit.further = limits
        .filter_map(|limit| match limit {
            Limit::Rate(count, period) => Some((count, period)),
            Limit::Object(_) => None,
        })
        .collect();
    rate_limit.failed = failed;
    Parsed::new(rate_limit, common)
}

impl Layer for RateLimit {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        policy::check_returns(
            target.function,
            target.span,
            "has no value for a rejection: return a `Result` or an `Option`",
            errors,
        );
        self.keys.check(self.object(), errors);
        self.check_options(errors);
        match &self.limit {
            None if self.failed => {}
            None => errors.at_span(target.span, "`#[rate_limit]` requires a rate: write `#[rate_limit(100 / 1s)]`"),
            Some(Limit::Object(object)) => {
                policy::check_not_temporary(object, "RateLimiter", errors);
                let burst = Setting { name: "burst", written: self.burst.as_ref().map(|burst| &burst.0) };
                policy::check_unused(object, &[burst], self.handle.as_ref(), errors);
            }
            Some(Limit::Rate(..)) => {
                let mut settings = Vec::new();
                for (count, period) in self.rates() {
                    check_rate(count, period, target.function, errors);
                    let rate = |written| Some(Once { option: "the rate".to_owned(), written });
                    settings.extend([rate(&count.0), rate(period.written())]);
                }
                policy::check_positive(self.burst.as_ref(), "`burst` must be at least 1", errors);
                settings.push(Once::option("burst", self.burst.as_ref().map(|burst| &burst.0)));
                settings.push(self.keys.once());
                policy::check_once("rate_limit", "RateLimiter", "limiter", settings, target.function, errors);
                self.check_periods(errors);
                self.check_cost(errors);
                if let Some(handle) = &self.handle {
                    handle.check(target.function, errors);
                }
            }
        }
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        let object = self.object();
        LayerPlan {
            waits: self.requests() || !self.never_waits(),
            hints: true,
            turn_exprs: self.turn_exprs(),
            deferred_exprs: object.into_iter().chain(&self.or_else).collect(),
            needs_turn: self.requests() || object.is_some_and(|object| !is_place(object)),
            rejects: Rejects::by(self.or_else.as_ref()),
            ..LayerPlan::default()
        }
    }

    // 'rate_limit: {
    //     if let Err(limited) = (enter(limiter, max_wait), or a wait) { break 'rate_limit rejection; }
    //     ..
    // }
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let label = context.label("rate_limit");
        let names = Names {
            limiter: context.name("limiter"),
            keyed: context.name("keyed"),
            max_wait: context.name("max_wait"),
            turn: context.label("turn"),
        };
        let looking = &context.before_body();
        let bind_limiter = self.limiter(looking, &names);
        let (mut look, mut captures) = (TokenStream::new(), Vec::new());
        if let Some(max_wait) = self.max_wait.as_ref().filter(|max_wait| max_wait.literal().is_none()) {
            look = context.bind_option(
                &mut inner,
                &names.max_wait,
                max_wait.written(),
                looking.bind_duration(max_wait, &names.max_wait),
            );
            captures.push(names.max_wait.clone());
        }
        let enter = self.enter(context, &names, &label);
        let object = if self.requests() {
            look.extend(self.request(looking, &names, &bind_limiter));
            captures.push(names.keyed.clone());
            TokenStream::new()
        } else {
            bind_limiter
        };
        Admission { label: &label, object, look, captures, named: &|ident| self.names(ident), enter }.around(context, inner)
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        context.rebinds(argument, &|ident| self.names(ident))
    }

    fn sibling_items(&self, context: &Context<'_>) -> TokenStream {
        self.recipe(context).map(|recipe| recipe.handle(context, self.handle.as_ref())).unwrap_or_default()
    }
}

struct Names {
    limiter: Ident,
    keyed: Ident,
    max_wait: Ident,
    /// Wraps the wait.
    turn: syn::Lifetime,
}

impl RateLimit {
    fn never_waits(&self) -> bool {
        self.max_wait.as_ref().is_none_or(|max_wait| max_wait.literal().is_some_and(|max_wait| max_wait.is_zero()))
    }

    /// The expression that names a limiter that is created elsewhere.
    fn object(&self) -> Option<&Expr> {
        match &self.limit {
            Some(Limit::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// Whether a call asks for more than a permit of the limiter itself.
    fn requests(&self) -> bool {
        self.keys.key.is_some() || self.cost.is_some()
    }

    /// The options that are evaluated at each call, before the body.
    fn turn_exprs(&self) -> Vec<&Expr> {
        let rate = self.rate.iter().flat_map(KeyRate::written);
        let cost = self.cost.iter().map(|cost| &cost.0);
        self.keys.key.iter().chain(self.max_wait.as_ref().map(Duration::written)).chain(rate).chain(cost).collect()
    }

    /// All rates, the first one in front.
    fn rates(&self) -> impl Iterator<Item = (&Count, &Duration)> {
        let first = match &self.limit {
            Some(Limit::Rate(count, period)) => Some((count, period)),
            _ => None,
        };
        first.into_iter().chain(self.further.iter().map(|(count, period)| (count, period)))
    }

    /// Checks the options that are evaluated at each call.
    fn check_options(&self, errors: &mut Errors) {
        if let (Some(rate), None) = (&self.rate, &self.keys.key) {
            errors.at(
                rate.written()[0],
                "`rate` is the rate of a key: set `key = ..`, or write the rate of all calls first and without a name, as in `100 / 1s`",
            );
        }
        if let Some(KeyRate::Quotient(count, period)) = &self.rate {
            policy::check_positive(Some(count), "the count must be at least 1", errors);
            policy::check_nonzero(Some(period), "the period must be greater than zero: write a rate, as in `100 / 1s`", errors);
        }
        policy::check_positive(self.cost.as_ref(), "`cost` must be at least 1: a call that costs nothing is not limited", errors);
    }

    /// Reports a cost that no burst allows for.
    fn check_cost(&self, errors: &mut Errors) {
        let Some((cost, written)) = self.cost.as_ref().and_then(|cost| Some((cost.literal()?, &cost.0))) else { return };
        let bursts = self.rates().enumerate().filter_map(|(index, (count, _))| match &self.burst {
            Some(burst) if index == 0 => burst.literal(),
            // A key may have another rate, and with it another burst.
            None if index == 0 && self.rate.is_some() => None,
            _ => count.literal(),
        });
        if let Some(burst) = bursts.min().filter(|burst| cost > *burst) {
            errors.at(written, format!("a cost of {cost} exceeds the burst of {burst}, so that no call is ever admitted"));
        }
    }

    /// Reports two rates over the same time.
    fn check_periods(&self, errors: &mut Errors) {
        let periods: Vec<_> = self.rates().map(|(_, period)| period).collect();
        for (index, period) in periods.iter().enumerate() {
            let is_same = |other: &&&Duration| period.literal().is_some() && other.literal() == period.literal();
            if periods[..index].iter().any(|other| is_same(&other)) {
                errors.at(period.written(), "two rates have the same period: keep the lower one");
            }
        }
    }

    /// Whether an expression that is evaluated before the body mentions the argument.
    fn names(&self, ident: &Ident) -> bool {
        self.turn_exprs().iter().any(|written| tokens::mentions(&written.to_token_stream(), ident))
    }

    fn limiter(&self, context: &Context<'_>, names: &Names) -> TokenStream {
        let span = Span::mixed_site();
        let (root, limiter) = (&context.root, &names.limiter);
        let place = match (&self.limit, self.recipe(context)) {
            (Some(Limit::Object(object)), _) => {
                let object = context.evaluate_option(object, &object.to_token_stream());
                quote_spanned!(object.span()=> &(#object))
            }
            (_, recipe) => recipe.map(|recipe| recipe.reference(context, self.handle.as_ref())).unwrap_or_default(),
        };
        let object = self.object();
        let attach = instrument::attach_handle(context, object, limiter);
        let ty = policy::reference_type(context.function, object, &quote!(#root::RateLimiter));
        quote_spanned!(span=> let #limiter: #ty = #place; #attach)
    }

    /// Binds the request for the permits of a key, or for several permits.
    fn request(&self, context: &Context<'_>, names: &Names, bind_limiter: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (private, Names { limiter, keyed, .. }) = (&context.private, names);
        let (before, mut request) = match &self.keys.key {
            None => (TokenStream::new(), quote_spanned!(span=> #private::rate_limit::request(#limiter))),
            Some(key) => {
                let key = Key::of_expression(context.function, key);
                let (bind, probe, owned) = (key.bind(context), key.probe(), key.owned());
                let asks: Vec<BoundCheck> = key.asks().collect();
                let asks = bounds::statements(&fit(), private, &quote!(#private::cache), &asks);
                (quote!(#bind #asks), quote_spanned!(span=> #private::rate_limit::keyed(#limiter, #probe, || #owned)))
            }
        };
        if let Some(rate) = &self.rate {
            let rate = rate.tokens(context);
            request = quote_spanned!(span=> #private::rate_limit::at_rate(#request, #rate));
        }
        if let Some(cost) = &self.cost {
            let cost = context.evaluate_option(&cost.0, &cost.tokens(private));
            request = quote_spanned!(span=> #private::rate_limit::costing(#request, #cost));
        }
        quote_spanned! {span=>
            let #keyed = {
                #bind_limiter
                #before
                #request
            };
        }
    }

    fn enter(&self, context: &Context<'_>, names: &Names, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let (private, Names { limiter, keyed, max_wait, turn }) = (&context.private, names);
        let entered = match (self.never_waits(), self.requests()) {
            (true, false) => quote_spanned!(span=> #private::rate_limit::try_acquire(#limiter)),
            (true, true) => quote_spanned!(span=> #private::rate_limit::try_acquire_requested(#keyed)),
            (false, requests) => {
                let max_wait = match &self.max_wait {
                    Some(literal) if literal.literal().is_some() => literal.to_token_stream(),
                    _ => max_wait.to_token_stream(),
                };
                let origin = context.origin();
                let enter = if requests {
                    quote_spanned!(span=> #private::rate_limit::acquire_requested(#keyed, #max_wait, #origin))
                } else {
                    quote_spanned!(span=> #private::rate_limit::acquire(#limiter, #max_wait, #origin))
                };
                let waited = context.await_wrapped(&quote_spanned!(span=> __wait));
                // Waiting inside the match arm would keep the matched value alive during the wait.
                quote_spanned! {span=>
                    #turn: {
                        let __wait = match #enter {
                            #private::rate_limit::Admission::Now => {
                                let __entered = ::core::result::Result::Ok(());
                                break #turn __entered
                            }
                            #private::rate_limit::Admission::Wait(__wait) => __wait,
                            #private::rate_limit::Admission::Rejected(__limited) => {
                                let __refused = ::core::result::Result::Err(__limited);
                                break #turn __refused
                            }
                        };
                        #waited
                    }
                }
            }
        };
        let name = context.function_name();
        let refusal = context.reject_with_hint("rate_limit", &quote_spanned!(span=> __limited.error(#name)), self.or_else.as_ref());
        let drop_body = context.drop_body();
        quote_spanned! {span=>
            if let ::core::result::Result::Err(__limited) = #entered {
                #drop_body
                let __refusal = #refusal;
                break #label __refusal;
            }
        }
    }

    fn recipe(&self, context: &Context<'_>) -> Option<PolicyInit> {
        let Some(Limit::Rate(count, period)) = &self.limit else { return None };
        let (root, private) = (&context.root, &context.private);
        let calls = count.tokens(private);
        let burst = self.burst.as_ref().map(|burst| {
            let burst = burst.tokens(private);
            quote!(.burst(#burst))
        });
        let further = self.further.iter().map(|(count, period)| {
            let calls = count.tokens(private);
            quote!(.and(#calls, #period))
        });
        let further: TokenStream = further.collect();
        let max_keys = self.keys.max_keys.as_ref().map(|keys| {
            let keys = keys.tokens(private);
            quote!(.max_keys(#keys))
        });
        let rates = self.rates().flat_map(|(count, period)| [&count.0, period.written()]);
        let mut written = rates.chain(self.burst.iter().chain(&self.keys.max_keys).map(|count| &count.0));
        Some(PolicyInit {
            ty: "RateLimiter",
            noun: "rate limiter",
            make: quote_spanned!(Span::mixed_site()=> #root::RateLimiter::new(#calls, #period) #burst #further #max_keys),
            constant: written.all(expression::is_literal),
        })
    }
}
