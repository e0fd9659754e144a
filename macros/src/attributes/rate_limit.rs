//! `#[rate_limit(100 / 1s)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Lit};

use crate::attributes::async_cached::key::{self, Key, fit};
use crate::codegen::admission::Admission;
use crate::codegen::bounds::{self, BoundCheck};
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::instrument;
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

const OPTIONS: &[&str] = &["burst", "max_wait", "key", "or_else", "handle"];

#[derive(Default)]
struct RateLimit {
    limit: Option<Limit>,
    burst: Option<Count>,
    max_wait: Option<Duration>,
    key: Option<Expr>,
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

impl Limit {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression = args::object(input, OPTIONS)?;
        match plain(&expression) {
            Expr::Binary(binary) if matches!(binary.op, BinOp::Div(_)) => {
                // Parentheses around an operand of the quotient are unnecessary around an argument.
                let (count, period) = (plain(&binary.left).to_token_stream(), plain(&binary.right).to_token_stream());
                Ok(Self::Rate(syn::parse2(count)?, syn::parse2(period)?))
            }
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
    let (mut limit, mut failed) = (None, false);
    let mut positional = |input: ParseStream<'_>| {
        failed = true;
        limit = Some(Limit::read(input)?);
        failed = false;
        Ok(())
    };
    let common = args::read("rate_limit", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        match option.name.as_str() {
            "burst" => rate_limit.burst = Some(option.parse(input)?),
            "max_wait" => rate_limit.max_wait = Some(option.parse(input)?),
            "key" => rate_limit.key = Some(option.parse(input)?),
            "or_else" => rate_limit.or_else = Some(option.parse(input)?),
            _ => rate_limit.handle = Some(option.parse(input)?),
        }
        Ok(())
    });
    rate_limit.limit = limit;
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
        key::check_varies(self.key.as_ref(), matches!(self.limit, Some(Limit::Object(_))), errors);
        match &self.limit {
            None if self.failed => {}
            None => errors.at_span(target.span, "`#[rate_limit]` requires a rate: write `#[rate_limit(100 / 1s)]`"),
            Some(Limit::Object(object)) => {
                policy::check_not_temporary(object, "RateLimiter", errors);
                let burst = Setting { name: "burst", written: self.burst.as_ref().map(|burst| &burst.0) };
                policy::check_unused(object, &[burst], self.handle.as_ref(), errors);
            }
            Some(Limit::Rate(count, period)) => {
                if let Some(unit) = unit_alone(period, target.function) {
                    errors.at(
                        period.written(),
                        format!("missing number in the period: write `{} / 1{unit}`", count.0.to_token_stream()),
                    );
                }
                policy::check_positive(Some(count), "the count must be at least 1", errors);
                policy::check_nonzero(Some(period), "the period must be greater than zero: write a rate, as in `100 / 1s`", errors);
                policy::check_positive(self.burst.as_ref(), "`burst` must be at least 1", errors);
                let rate = |written| Some(Once { option: "the rate".to_owned(), written });
                let burst = Once::option("burst", self.burst.as_ref().map(|burst| &burst.0));
                let settings = [rate(&count.0), rate(period.written()), burst];
                policy::check_once("rate_limit", "RateLimiter", "limiter", settings, target.function, errors);
                if let Some(handle) = &self.handle {
                    handle.check(target.function, errors);
                }
            }
        }
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        let object = match &self.limit {
            Some(Limit::Object(object)) => Some(object),
            _ => None,
        };
        LayerPlan {
            waits: self.key.is_some() || !self.never_waits(),
            hints: true,
            turn_exprs: self.key.iter().chain(self.max_wait.as_ref().map(Duration::written)).collect(),
            deferred_exprs: object.into_iter().chain(&self.or_else).collect(),
            needs_turn: self.key.is_some() || object.is_some_and(|object| !is_place(object)),
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
        let object = if let Some(key) = &self.key {
            look.extend(Self::find_line(looking, key, &names, &bind_limiter));
            captures.push(names.keyed.clone());
            TokenStream::new()
        } else {
            bind_limiter
        };
        Admission { label: &label, object, look, captures, named: &|ident| self.names(ident), enter }.around(context, inner)
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

    /// Whether an expression that is evaluated before the body mentions the argument.
    fn names(&self, ident: &Ident) -> bool {
        let written =
            [self.key.to_token_stream(), self.max_wait.as_ref().map(|wait| wait.written().to_token_stream()).unwrap_or_default()];
        written.iter().any(|written| tokens::mentions(written, ident))
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
        let object = match &self.limit {
            Some(Limit::Object(object)) => Some(object),
            _ => None,
        };
        let attach = instrument::attach_handle(context, object, limiter);
        let ty = policy::reference_type(context.function, object, &quote!(#root::RateLimiter));
        quote_spanned!(span=> let #limiter: #ty = #place; #attach)
    }

    fn find_line(context: &Context<'_>, key: &Expr, names: &Names, bind_limiter: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (private, Names { limiter, keyed, .. }) = (&context.private, names);
        let key = Key::of_expression(context.function, key);
        let (bind, probe, owned) = (key.bind(context), key.probe(), key.owned());
        let asks: Vec<BoundCheck> = key.asks().collect();
        let asks = bounds::statements(&fit(), private, &quote!(#private::cache), &asks);
        quote_spanned! {span=>
            let #keyed = {
                #bind_limiter
                #bind
            #asks
                #private::rate_limit::keyed(#limiter, #probe, || #owned)
            };
        }
    }

    fn enter(&self, context: &Context<'_>, names: &Names, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let (private, Names { limiter, keyed, max_wait, turn }) = (&context.private, names);
        let entered = match (self.never_waits(), &self.key) {
            (true, None) => quote_spanned!(span=> #private::rate_limit::try_acquire(#limiter)),
            (true, Some(_)) => quote_spanned!(span=> #private::rate_limit::try_acquire_keyed(#keyed)),
            (false, key) => {
                let max_wait = match &self.max_wait {
                    Some(literal) if literal.literal().is_some() => literal.to_token_stream(),
                    _ => max_wait.to_token_stream(),
                };
                let origin = context.origin();
                let enter = if key.is_none() {
                    quote_spanned!(span=> #private::rate_limit::acquire(#limiter, #max_wait, #origin))
                } else {
                    quote_spanned!(span=> #private::rate_limit::acquire_keyed(#keyed, #max_wait, #origin))
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
        let written = [Some(&count.0), Some(period.written()), self.burst.as_ref().map(|burst| &burst.0)];
        Some(PolicyInit {
            ty: "RateLimiter",
            noun: "rate limiter",
            make: quote_spanned!(Span::mixed_site()=> #root::RateLimiter::new(#calls, #period) #burst),
            constant: written.into_iter().flatten().all(expression::is_literal),
        })
    }
}
