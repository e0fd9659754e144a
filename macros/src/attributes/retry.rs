//! `#[retry(attempts = 3, delay = 100ms)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::parse::ParseStream;
use syn::spanned::Spanned;

use crate::codegen::clones;
use crate::codegen::context::{Context, Hints};
use crate::codegen::fragment::Fragment;
use crate::codegen::layer::{Attempts, Layer, LayerPlan, Parsed, Target};
use crate::codegen::output::Output;
use crate::codegen::policy;
use crate::codegen::rejection;
use crate::diagnostics::{Errors, available, suggest};
use crate::item::function::Function;
use crate::item::moves;
use crate::item::tokens::{is_same, mixed_site};
use crate::item::types;
use crate::parse::args::{self, Count};
use crate::parse::closure::Closure;
use crate::parse::duration::Duration;
use crate::parse::expression::{number, runs_code};
use crate::parse::literal::has_unit;
use crate::parse::units;

const OPTIONS: &[&str] = &[
    "attempts",
    "delay",
    "factor",
    "max_delay",
    "jitter",
    "max_elapsed",
    "when",
    "failure",
    "retry_after",
    "on_retry",
    "budget",
    "clone",
];

const JITTERS: &[(&str, &str)] = &[("full", "Full"), ("equal", "Equal"), ("none", "None")];

#[derive(Default)]
struct Retry {
    attempts: Option<Count>,
    delay: Option<Duration>,
    factor: Option<Expr>,
    max_delay: Option<Duration>,
    jitter: Option<Ident>,
    max_elapsed: Option<Duration>,
    when: Option<Expr>,
    failure: Option<Expr>,
    retry_after: Option<Expr>,
    on_retry: Option<Expr>,
    budget: Option<Expr>,
    clone: Vec<Ident>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut retry = Retry::default();
    let common = args::read("retry", tokens, OPTIONS, errors, None, &mut |option, input| {
        match option.name.as_str() {
            "attempts" => retry.attempts = Some(option.parse(input)?),
            "delay" => retry.delay = Some(option.value(input, delay)?),
            "factor" => retry.factor = Some(option.parse(input)?),
            "max_delay" => retry.max_delay = Some(option.parse(input)?),
            "jitter" => {
                retry.jitter = Some(option.value(input, |input| {
                    let written: Expr = input.parse()?;
                    let name = match &written {
                        Expr::Path(path) => path.path.get_ident().cloned(),
                        _ => None,
                    };
                    name.ok_or_else(|| {
                        syn::Error::new_spanned(written, "`jitter` takes a name: write `jitter = full`, `equal` or `none`")
                    })
                })?);
            }
            "max_elapsed" => retry.max_elapsed = Some(option.parse(input)?),
            "when" => retry.when = Some(option.parse(input)?),
            "failure" => retry.failure = Some(option.parse(input)?),
            "retry_after" => retry.retry_after = Some(option.value(input, retry_after)?),
            "on_retry" => retry.on_retry = Some(option.parse(input)?),
            "budget" => retry.budget = Some(option.parse(input)?),
            _ => retry.clone = option.names(input)?,
        }
        Ok(())
    });
    Parsed::new(retry, common)
}

/// The first wait. A closure is a mistake for an option that computes each wait.
fn delay(input: ParseStream<'_>) -> syn::Result<Duration> {
    match input.parse()? {
        Expr::Closure(closure) => Err(syn::Error::new_spanned(
            closure,
            "`delay` takes a duration, the wait before the first retry: later waits grow by `factor` up to `max_delay`, and \
             `retry_after = |error| Some(..)` takes a wait from the error",
        )),
        other => Duration::new(other),
    }
}

/// The wait requested by the error. A duration is a mistake for a constant wait.
fn retry_after(input: ParseStream<'_>) -> syn::Result<Expr> {
    match input.parse()? {
        Expr::Lit(time) if has_unit(&time) => {
            let time = time.to_token_stream();
            let message = format!(
                "`retry_after` takes a closure with one argument: write `retry_after = |_| Some({time})`, or `delay = {time}, \
                 factor = 1` for a constant wait"
            );
            Err(syn::Error::new_spanned(time, message))
        }
        other => units::read(other),
    }
}

impl Layer for Retry {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        self.check_values(errors);
        self.check_closures(errors);
        self.check_unused(errors);
        self.check_clone(target, errors);
        self.check_moves(target, errors);
        if target.function.diverges() {
            errors
                .at_span(target.span, "a function that never returns never fails, so there is nothing to retry: remove `#[retry]`");
        }
    }

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let attempts = Some(Attempts { count: context.name("attempts"), hint: context.name("hint") });
        LayerPlan { attempts, ..LayerPlan::default() }
    }

    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        self.clones(context, argument)
    }

    // let mut attempts = Attempts::new(3);
    // loop {
    //     attempts.begin();
    //     let delay = { let outcome = ..; if no more { break outcome; } wait };
    //     wait(delay).await;
    // }
    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { root, private, .. } = context;
        let names = Names {
            attempts: context.name("attempts"),
            started: context.name("started"),
            last: context.name("last"),
            budget: context.name("budget"),
            hint: context.name("hint"),
        };
        let Names { attempts, started, last, budget, hint } = &names;
        let limit =
            self.attempts.as_ref().map_or_else(|| quote!(3), |count| context.evaluate_option(&count.0, &count.tokens(private)));
        let (originals, copies) = clones::for_attempts(context, last, &|name| self.clones(context, name));
        let clock = self.max_elapsed.as_ref().map(|_| quote_spanned!(span=> let #started = #private::retry::Attempts::clock();));
        let bind_hint = match context.hints {
            Hints::None => TokenStream::new(),
            Hints::Here => quote_spanned!(span=> let #hint = #private::retry::RequestedDelay::new();),
            Hints::OnTask => quote_spanned!(span=> let #hint = #private::retry::RequestedDelay::shared();),
        };
        let bind_budget = self.budget.as_ref().map(|of| {
            let ty = policy::reference_type(context.function, Some(of), &quote!(#root::RetryBudget));
            let value = context.evaluate_option(of, &of.to_token_stream());
            let of = quote_spanned!(of.span()=> &(#value));
            quote_spanned!(span=> let #budget: #ty = #of;)
        });
        let decision = self.decision(context, &names);
        let wait = context.await_wrapped(&quote_spanned!(span=> #private::retry::wait(__delay)));
        let wait = if self.never_waits() {
            // Only a rejection makes it wait.
            quote_spanned!(span=> if !__delay.is_zero() { #wait; })
        } else {
            quote_spanned!(span=> #wait;)
        };
        let origin = context.origin();
        // After the wait, since a call that is dropped during it makes no further attempt.
        let retrying = quote_spanned!(span=> #private::retry::retrying(#origin, #attempts.made(), __delay););
        let begin = if copies.is_empty() {
            quote_spanned!(span=> #attempts.begin();)
        } else {
            quote_spanned!(span=> let #last = #attempts.begin();)
        };
        let repeat = syn::Token![loop](span.located_at(context.span));
        inner.map(|expr| {
            quote_spanned! {span=> {
                let mut #attempts = #private::retry::Attempts::new(#limit);
                #clock
                #bind_budget
                #originals
                #repeat {
                    #begin
                    #copies
                    #bind_hint
                    let __delay = {
                        let __outcome = #expr;
                        #decision
                    };
                    #wait
                    #retrying
                }
            }}
        })
    }
}

struct Names {
    attempts: Ident,
    started: Ident,
    last: Ident,
    budget: Ident,
    /// The delay that a rejection by a layer below asks for.
    hint: Ident,
}

impl Retry {
    /// Whether each attempt receives a clone of the argument: if it is listed in `clone(..)`, or for all arguments if the attempt runs
    /// elsewhere.
    fn clones(&self, context: &Context<'_>, argument: &Ident) -> bool {
        context.moves_below || self.clone.iter().any(|cloned| is_same(cloned, argument))
    }

    /// What follows an attempt: leaving the loop with its outcome, or the delay before the next one.
    fn decision(&self, context: &Context<'_>, names: &Names) -> TokenStream {
        let span = Span::mixed_site();
        let Names { attempts, started, budget, hint, .. } = names;
        let (private, name, failure_of) = (&context.private, context.function_name(), rejection::failure_of(context));
        let failed = self.failed(context);
        let backoff = self.backoff(context);
        let computed = self.evaluate_backoff(context, &quote_spanned!(span=> #attempts.wait(&#backoff)));
        let delay = match &self.retry_after {
            None if self.never_waits() => quote_spanned!(span=> ::core::time::Duration::ZERO),
            None => computed,
            Some(after) => {
                let asked = context.evaluate(&quote_spanned!(span=> #private::retry::retry_after(#failure_of, #after)));
                quote_spanned! {span=>
                    match #asked {
                        ::core::option::Option::Some(__delay) => __delay,
                        ::core::option::Option::None => #computed,
                    }
                }
            }
        };
        let noted = if context.hints == Hints::None { quote!(0) } else { quote_spanned!(span=> #hint.nanos()) };
        let hint = Self::hint(context);
        let in_time = self.in_time(context, started);
        // A failure that `when` does not retry is not a success that refills the budget.
        let deposit = quote_spanned!(span=> #budget.deposit(););
        let deposit = if self.when.is_some() {
            quote_spanned!(span=> if !#private::retry::failed(#failure_of) { #deposit })
        } else {
            deposit
        };
        let (stop, withdraw) = match &self.budget {
            None => (quote_spanned!(span=> if !#failed || !#attempts.left() { break __outcome; }), TokenStream::new()),
            Some(_) => (
                quote_spanned! {span=>
                    if !#failed {
                        #deposit
                        break __outcome;
                    }
                    if !#attempts.left() { break __outcome; }
                },
                quote_spanned!(span=> if !#budget.withdraw() { break __outcome; }),
            ),
        };
        let tell = self.on_retry.as_ref().map(|listener| {
            let told = context.evaluate(&quote_spanned! {span=>
                #private::retry::on_retry(&#private::retry::RetryEvent::new(#name, #attempts.made(), __delay, &__outcome), #listener)
            });
            quote!(#told;)
        });
        quote_spanned! {span=>
            #stop
            let __delay = #private::retry::at_least(#delay, #noted, #hint);
            #in_time
            #withdraw
            #tell
            __delay
        }
    }

    /// The delay that a rejection asks for if it has become part of the error.
    fn hint(context: &Context<'_>) -> TokenStream {
        let private = &context.private;
        let hint = Output::of(context.function).chain(&quote!(#private::retry::Hint));
        let wait = hint.map(|hint| quote_spanned!(Span::mixed_site()=> #hint.wait(&__outcome)));
        wait.unwrap_or_else(|| quote!(::core::option::Option::None))
    }

    /// Leaves the loop if the wait would not end in time: by `max_elapsed`, a deadline of this function, or one of a caller.
    fn in_time(&self, context: &Context<'_>, started: &Ident) -> TokenStream {
        let span = Span::mixed_site();
        let private = &context.private;
        let elapsed = self.max_elapsed.as_ref().map(|limit| {
            let limit = context.evaluate_option(limit.written(), &limit.to_token_stream());
            quote_spanned!(span=> || !#private::retry::Attempts::ends_in_time(#started, #limit, __delay))
        });
        let deadlines = context.deadlines.iter().map(|deadline| quote_spanned!(span=> || !#deadline.leaves_room(__delay)));
        quote_spanned! {span=>
            if !#private::retry::is_in_time(__delay) #(#deadlines)* #elapsed { break __outcome; }
        }
    }

    /// `delay = 0s`, and no other option that sets a wait.
    fn never_waits(&self) -> bool {
        self.retry_after.is_none() && self.delay.as_ref().and_then(Duration::literal).is_some_and(|delay| delay.is_zero())
    }

    fn failed(&self, context: &Context<'_>) -> TokenStream {
        let span = Span::mixed_site();
        let (private, failure_of) = (&context.private, rejection::failure_of(context));
        match (&self.failure, &self.when) {
            (Some(failure), _) => context.evaluate(&quote_spanned!(span=> #private::retry::failure(&__outcome, #failure))),
            (None, Some(when)) => context.evaluate(&quote_spanned!(span=> #private::retry::when(#failure_of, #when))),
            (None, None) => quote_spanned!(span=> #private::retry::failed(#failure_of)),
        }
    }

    fn backoff(&self, context: &Context<'_>) -> TokenStream {
        let private = &context.private;
        let delay = self.delay.as_ref().map_or_else(|| milliseconds(100), ToTokens::to_token_stream);
        let max_delay = self.max_delay.as_ref().map_or_else(|| milliseconds(30_000), ToTokens::to_token_stream);
        let factor = self.factor.as_ref().map_or_else(|| quote!(2.0), |factor| quote!(#private::factor(#factor)));
        let variant = self.jitter.as_ref().and_then(jitter).unwrap_or("Full");
        let variant = mixed_site(variant);
        quote!(#private::retry::Backoff { delay: #delay, factor: #factor, max_delay: #max_delay, jitter: #private::retry::Jitter::#variant })
    }

    /// Evaluates `wait`, which has the options of the backoff in it.
    fn evaluate_backoff(&self, context: &Context<'_>, wait: &TokenStream) -> TokenStream {
        let times = [&self.delay, &self.max_delay].into_iter().flatten().map(Duration::written);
        if times.chain(&self.factor).any(runs_code) { context.evaluate(wait) } else { wait.clone() }
    }

    fn check_closures(&self, errors: &mut Errors) {
        let event = ", with `event.attempt()`, `event.error()` and `event.delay()`";
        for (option, argument, written, hint) in [
            ("when", "error", &self.when, ""),
            ("failure", "outcome", &self.failure, ""),
            ("retry_after", "error", &self.retry_after, ""),
            ("on_retry", "event", &self.on_retry, event),
        ] {
            Closure { option, arguments: &[argument], written: written.as_ref(), hint }.check(errors);
        }
    }

    fn check_values(&self, errors: &mut Errors) {
        if let Some(attempts) = self.attempts.as_ref().filter(|attempts| attempts.literal() == Some(0)) {
            errors.at(&attempts.0, "`attempts` must be at least 1: it includes the first attempt");
        }
        if let Some(jitter) = self.jitter.as_ref().filter(|ident| jitter(ident).is_none()) {
            let known: Vec<&str> = JITTERS.iter().map(|(name, _)| *name).collect();
            let meant = suggest(&jitter.to_string(), &known).map(|name| format!(": write `{name}`")).unwrap_or_default();
            errors.at(jitter, format!("unknown jitter `{jitter}`{meant} ({})", available(&known)));
        }
        if let Some(factor) = self.factor.as_ref().filter(|factor| number(factor).is_some_and(|factor| factor < 1.0)) {
            errors.at(factor, "`factor` must be at least 1");
        }
        if let (Some(delay), Some(max)) = (&self.delay, &self.max_delay)
            && let (Some(shortest), Some(longest)) = (delay.literal(), max.literal())
            && longest < shortest
        {
            errors.at(max.written(), "`max_delay` must be at least as long as `delay`");
        }
    }

    fn check_unused(&self, errors: &mut Errors) {
        if let Some(budget) = &self.budget {
            policy::check_not_temporary(budget, "RetryBudget", errors);
        }
        if let (Some(when), Some(_)) = (&self.when, &self.failure) {
            errors.at(when, "`when` and `failure` are mutually exclusive: remove one");
        }
        if self.delay.as_ref().and_then(Duration::literal).is_some_and(|delay| delay.is_zero()) {
            let waits = [
                ("factor", self.factor.as_ref().map(ToTokens::to_token_stream)),
                ("max_delay", self.max_delay.as_ref().map(|max| max.written().to_token_stream())),
                ("jitter", self.jitter.as_ref().map(ToTokens::to_token_stream)),
            ];
            for (name, written) in waits {
                if let Some(written) = written {
                    errors.at(written, format!("`{name}` has no effect with a `delay` of zero: remove one"));
                }
            }
        }
    }

    fn check_clone(&self, target: Target<'_>, errors: &mut Errors) {
        let function: &Function = target.function;
        for (index, name) in self.clone.iter().enumerate() {
            if self.clone[..index].contains(name) {
                errors.at(name, format!("`{name}` is listed twice: remove one"));
                continue;
            }
            match function.parameters.find(name) {
                None if *name == "self" && function.parameters.receiver.is_some() => {
                    Self::check_clone_of_self(name, target, errors);
                }
                None => {
                    let known = available(&function.parameters.names());
                    errors.at(name, format!("`{}` has no argument `{name}` to clone ({known})", function.name()));
                }
                Some(binding) if binding.ty.as_ref().is_some_and(|ty| matches!(types::ungroup(ty), syn::Type::Reference(_))) => {
                    errors.at(name, format!("`{name}` is a reference, which needs no clone: remove it from `clone(..)`"));
                }
                Some(_) if target.makes_async => errors.at(name, CLONED_ANYWAY),
                Some(_) => {}
            }
        }
    }

    /// Reports an argument that the body certainly moves, if it is not cloned for each attempt. What this does not see is an error of the
    /// compiler's, at the attribute.
    fn check_moves(&self, target: Target<'_>, errors: &mut Errors) {
        // An error in `clone(..)` would be reported twice.
        if target.makes_async || target.moves_below || !errors.is_empty() {
            return;
        }
        let body = target.function.body.stream();
        for binding in &target.function.parameters.bindings {
            let name = &binding.ident;
            let is_cloned = self.clone.iter().any(|cloned| is_same(cloned, name));
            if is_cloned || binding.by_ref || !binding.ty.as_ref().is_some_and(moves::is_owner) {
                continue;
            }
            if let Some(at) = moves::passed_on(&body, name) {
                let message = format!(
                    "this moves `{name}`, which the next attempt of `#[retry]` needs as well: add `clone({name})` to the attribute, \
                     or pass `&{name}`"
                );
                errors.at_span(at, message);
            }
        }
    }

    fn check_clone_of_self(name: &Ident, target: Target<'_>, errors: &mut Errors) {
        let receiver = target.function.parameters.receiver.as_ref();
        if target.makes_async {
            errors.at(name, CLONED_ANYWAY);
        } else if receiver.is_some_and(|receiver| matches!(receiver.kind, syn::ReceiverKind::Reference(..))) {
            errors.at(name, "`self` is a reference, which needs no clone: remove it from `clone(..)`");
        }
    }
}

const CLONED_ANYWAY: &str = "above `#[offload_blocking]`, all arguments are cloned automatically: remove `clone(..)`";

fn jitter(ident: &Ident) -> Option<&'static str> {
    JITTERS.iter().find(|(name, _)| ident == name).map(|(_, variant)| *variant)
}

fn milliseconds(count: u64) -> TokenStream {
    quote!(::core::time::Duration::from_millis(#count))
}
