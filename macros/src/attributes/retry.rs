//! `#[retry(attempts = 3, delay = 100ms)]`

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Pat};

use crate::codegen::clones;
use crate::codegen::context::{Context, Hints};
use crate::codegen::fragment::{During, Fragment, Wrapper};
use crate::codegen::layer::{Attempts, Layer, LayerPlan, Parsed, Target};
use crate::codegen::output::Output;
use crate::codegen::policy;
use crate::codegen::rejection;
use crate::diagnostics::{Errors, available, suggest};
use crate::item::function::Function;
use crate::item::moves;
use crate::item::tokens::{is_ident, is_punct, is_same, mentions, mixed_site};
use crate::item::types;
use crate::parse::args::{self, Count};
use crate::parse::closure::Closure;
use crate::parse::duration::Duration;
use crate::parse::expression::{number, plain, runs_code};
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
    "gave_up",
    "budget",
    "clone",
];

const JITTERS: &[(&str, &str)] = &[("full", "Full"), ("equal", "Equal"), ("none", "None")];

#[derive(Default)]
struct Retry {
    attempts: Option<Count>,
    delay: Option<Duration>,
    /// A `delay` that is a closure.
    computed: Option<Expr>,
    factor: Option<Expr>,
    max_delay: Option<Duration>,
    jitter: Option<Ident>,
    max_elapsed: Option<Duration>,
    when: Option<Expr>,
    failure: Option<Expr>,
    retry_after: Option<Expr>,
    on_retry: Option<Expr>,
    gave_up: Option<Expr>,
    budget: Option<Expr>,
    clone: Vec<Ident>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut retry = Retry::default();
    let common = args::read("retry", tokens, OPTIONS, errors, None, &mut |option, input| {
        match option.name.as_str() {
            "attempts" => retry.attempts = Some(option.parse(input)?),
            "delay" => match option.value(input, Expr::parse)? {
                computed if matches!(plain(&computed), Expr::Closure(_)) => retry.computed = Some(units::read(computed)?),
                written => retry.delay = Some(Duration::new(written)?),
            },
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
            "gave_up" => retry.gave_up = Some(option.parse(input)?),
            "budget" => retry.budget = Some(option.parse(input)?),
            _ => retry.clone = option.names(input)?,
        }
        Ok(())
    });
    Parsed::new(retry, common)
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
        LayerPlan { attempts, wrapper: Some(wrapper(context)), ..LayerPlan::default() }
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
            waited: context.name("waited"),
            hint: context.name("hint"),
        };
        let Names { attempts, started, last, budget, waited, hint } = &names;
        let limit =
            self.attempts.as_ref().map_or_else(|| quote!(3), |count| context.evaluate_option(&count.0, &count.tokens(private)));
        let (originals, copies) = clones::for_attempts(context, last, &|name| self.clones(context, name));
        let made = match context.call() {
            None => quote_spanned!(span=> #private::retry::Attempts::new(#limit)),
            Some(call) => quote_spanned!(span=> #private::retry::Attempts::of(#call, #limit)),
        };
        let clock = (self.max_elapsed.is_some() || self.tells_elapsed())
            .then(|| quote_spanned!(span=> let #started = #private::retry::Attempts::clock();));
        let bind_waited = self.computed.as_ref().map(|_| quote_spanned!(span=> let mut #waited = ::core::time::Duration::ZERO;));
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
                let mut #attempts = #made;
                #clock
                #bind_waited
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
    /// The delay before the attempt, for a `delay` that computes the next.
    waited: Ident,
    /// The delay that a rejection by a layer below asks for.
    hint: Ident,
}

impl Retry {
    /// Whether each attempt receives a clone of the argument: if it is listed in `clone(..)`, or for all arguments if the attempt runs
    /// elsewhere.
    fn clones(&self, context: &Context<'_>, argument: &Ident) -> bool {
        context.moves_below || self.clone.iter().any(|cloned| is_same(cloned, argument))
    }

    /// What follows an attempt: leaving the loop with its outcome, or the delay before the next one. `context` is that of the retry, whose
    /// callbacks are part of the attempt that they are about.
    ///
    /// ```text
    /// Output: if !failed { break outcome; } let delay = ..; if !in_time { break outcome; } notify(on_retry); delay
    ///
    /// With gave_up: if !failed { break outcome; }
    ///     let next = 'gave_up: { ..; if !in_time { break 'gave_up None; } Some(delay) };
    ///     let delay = match next { Some(delay) => delay, None => { notify(gave_up); break outcome; } }; ..
    /// ```
    fn decision(&self, context: &Context<'_>, names: &Names) -> TokenStream {
        let span = Span::mixed_site();
        let Names { attempts, budget, waited, .. } = names;
        let mut context = context.clone();
        context.wrappers.push(wrapper(&context));
        let context = &context;
        let private = &context.private;
        let (label, failed) = (context.label("gave_up"), self.failed(context));
        let leave = if self.gave_up.is_some() {
            quote_spanned!(span=> break #label ::core::option::Option::None;)
        } else {
            quote_spanned!(span=> break __outcome;)
        };
        let (delay, in_time) = (self.delay(context, names), self.in_time(context, names, &leave));
        // A failure that `when` does not retry is not a success that refills the budget.
        let deposit = self.budget.as_ref().map(|_| {
            let deposit = quote_spanned!(span=> #budget.deposit(););
            if self.when.is_none() {
                return deposit;
            }
            let failure_of = rejection::failure_of(context);
            quote_spanned!(span=> if !#private::retry::failed(#failure_of) { #deposit })
        });
        let withdraw = self.budget.as_ref().map(|_| quote_spanned!(span=> if !#budget.withdraw() { #leave }));
        let note = self.computed.as_ref().map(|_| quote_spanned!(span=> #waited = __delay;));
        let delay_of_event = quote_spanned!(span=> __delay);
        let tell = self.on_retry.as_ref().map(|listener| self.notify(context, names, listener, &delay_of_event));
        let Some(listener) = &self.gave_up else {
            let stop = if self.budget.is_some() {
                quote_spanned!(span=> if !#failed { #deposit #leave } if !#attempts.left() { #leave })
            } else {
                quote_spanned!(span=> if !#failed || !#attempts.left() { #leave })
            };
            return quote_spanned!(span=> #stop let __delay = #delay; #in_time #withdraw #tell #note __delay);
        };
        let gave_up = self.notify(context, names, listener, &quote_spanned!(span=> ::core::time::Duration::ZERO));
        quote_spanned! {span=>
            if !#failed { #deposit break __outcome; }
            let __next = #label: {
                if !#attempts.left() { #leave }
                let __delay = #delay;
                #in_time
                #withdraw
                ::core::option::Option::Some(__delay)
            };
            let __delay = match __next {
                ::core::option::Option::Some(__delay) => __delay,
                ::core::option::Option::None => {
                    #gave_up
                    break __outcome;
                }
            };
            #tell
            #note
            __delay
        }
    }

    /// The delay before the next attempt.
    fn delay(&self, context: &Context<'_>, names: &Names) -> TokenStream {
        let span = Span::mixed_site();
        let (private, failure_of) = (&context.private, rejection::failure_of(context));
        let computed = self.backoff(context, names);
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
        let hint = &names.hint;
        let noted = if context.hints == Hints::None { quote!(0) } else { quote_spanned!(span=> #hint.nanos()) };
        let hint = Self::hint(context);
        quote_spanned!(span=> #private::retry::at_least(#delay, #noted, #hint))
    }

    /// Calls `on_retry` or `gave_up`. An async closure is written in place, as a block: its future borrows the event.
    fn notify(&self, context: &Context<'_>, names: &Names, listener: &Expr, delay: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (private, event) = (&context.private, self.event(context, names, delay));
        let Expr::Closure(ExprClosure { asyncness: Some(block), capture, inputs, body, .. }) = plain(listener) else {
            let told = context.evaluate(&quote_spanned!(span=> #private::retry::notify(&#event, #listener)));
            return quote!(#told;);
        };
        let bind = match inputs.first() {
            None | Some(Pat::Wild(_)) => TokenStream::new(),
            Some(argument) => quote_spanned!(span=> let #argument = __event;),
        };
        let told = context.await_wrapped(&quote_spanned!(span=> #private::retry::listening(#block #capture { #bind #body })));
        quote_spanned!(span=> let __event = &#event; #told;)
    }

    /// What a callback receives.
    fn event(&self, context: &Context<'_>, names: &Names, delay: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (private, name) = (&context.private, context.function_name());
        let Names { attempts, started, .. } = names;
        let elapsed = if self.tells_elapsed() {
            quote_spanned!(span=> #started.elapsed())
        } else {
            quote_spanned!(span=> ::core::time::Duration::ZERO)
        };
        quote_spanned!(span=> #private::retry::RetryEvent::new(#name, #attempts.made(), #delay, #elapsed, &__outcome))
    }

    /// Whether a callback may ask for the time that has elapsed, for which the call must read the clock when it begins.
    fn tells_elapsed(&self) -> bool {
        [&self.computed, &self.on_retry, &self.gave_up].into_iter().flatten().any(may_ask_elapsed)
    }

    /// The delay that a rejection asks for if it has become part of the error.
    fn hint(context: &Context<'_>) -> TokenStream {
        let private = &context.private;
        let span = Span::mixed_site();
        let output = Output::of(context.function);
        if matches!(output, Output::Variable(_)) {
            return quote_spanned!(span=> #private::retry::late_hint(&__outcome, (0, 0, 0, 0, 0)));
        }
        let wait = output.chain(&quote!(#private::retry::Hint)).map(|hint| quote_spanned!(span=> #hint.wait(&__outcome)));
        wait.unwrap_or_else(|| quote!(::core::option::Option::None))
    }

    /// Leaves the loop if the wait would not end in time: by `max_elapsed`, a deadline of this function, or one of a caller.
    fn in_time(&self, context: &Context<'_>, names: &Names, leave: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (private, started) = (&context.private, &names.started);
        let elapsed = self.max_elapsed.as_ref().map(|limit| {
            let limit = context.evaluate_option(limit.written(), &limit.to_token_stream());
            quote_spanned!(span=> || !#private::retry::Attempts::ends_in_time(#started, #limit, __delay))
        });
        let deadlines = context.deadlines.iter().map(|deadline| quote_spanned!(span=> || !#deadline.leaves_room(__delay)));
        quote_spanned! {span=>
            if !#private::retry::is_in_time(__delay) #(#deadlines)* #elapsed { #leave }
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

    /// The wait by `delay`.
    fn backoff(&self, context: &Context<'_>, names: &Names) -> TokenStream {
        let span = Span::mixed_site();
        let (private, attempts) = (&context.private, &names.attempts);
        let (delay, factor, longest, jitter) = if let Some(computed) = &self.computed {
            let waited = &names.waited;
            let event = self.event(context, names, &waited.to_token_stream());
            let delay = quote_spanned!(span=> #private::retry::delay(&#event, #computed));
            if self.max_delay.is_none() && self.jitter.is_none() {
                return context.evaluate(&delay);
            }
            (delay, quote!(1.0), quote!(::core::time::Duration::MAX), "None")
        } else {
            let delay = self.delay.as_ref().map_or_else(|| milliseconds(100), ToTokens::to_token_stream);
            let factor = self.factor.as_ref().map_or_else(|| quote!(2.0), |factor| quote!(#private::factor(#factor)));
            (delay, factor, milliseconds(30_000), "Full")
        };
        let longest = self.max_delay.as_ref().map_or(longest, ToTokens::to_token_stream);
        let jitter = mixed_site(self.jitter.as_ref().and_then(variant).unwrap_or(jitter));
        let backoff = quote!(#private::retry::Backoff { delay: #delay, factor: #factor, max_delay: #longest, jitter: #private::retry::Jitter::#jitter });
        let wait = quote_spanned!(span=> #attempts.wait(&#backoff));
        let times = [&self.delay, &self.max_delay].into_iter().flatten().map(Duration::written);
        if times.chain(&self.factor).chain(&self.computed).any(runs_code) { context.evaluate(&wait) } else { wait }
    }

    fn check_closures(&self, errors: &mut Errors) {
        let event = ", with `event.attempt()`, `event.error()` and `event.elapsed()`";
        let retried = ", with `event.attempt()`, `event.error()` and `event.delay()`";
        for (option, argument, written, hint) in [
            ("when", "error", &self.when, ""),
            ("failure", "outcome", &self.failure, ""),
            ("retry_after", "error", &self.retry_after, ""),
            ("delay", "event", &self.computed, event),
            ("on_retry", "event", &self.on_retry, retried),
            ("gave_up", "event", &self.gave_up, event),
        ] {
            Closure { option, arguments: &[argument], written: written.as_ref(), hint }.check(errors);
            let may_await = ["on_retry", "gave_up"].contains(&option);
            if let Some(Expr::Closure(closure)) = written.as_ref().map(plain) {
                if let Some(block) = closure.asyncness.filter(|_| !may_await) {
                    errors.at(
                        block,
                        format!("`{option}` cannot await: of the callbacks, only `on_retry` and `gave_up` may be async"),
                    );
                } else if let Expr::Async(block) = plain(&closure.body)
                    && may_await
                    && closure.asyncness.is_none()
                {
                    let message = format!("this future would not be awaited: write `{option} = async |{argument}| ..`");
                    errors.at(block.async_token, message);
                }
            }
        }
    }

    fn check_values(&self, errors: &mut Errors) {
        if let Some(attempts) = self.attempts.as_ref().filter(|attempts| attempts.literal() == Some(0)) {
            errors.at(&attempts.0, "`attempts` must be at least 1: it includes the first attempt");
        }
        if let Some(jitter) = self.jitter.as_ref().filter(|ident| variant(ident).is_none()) {
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
        if let Some(factor) = self.factor.as_ref().filter(|_| self.computed.is_some()) {
            errors.at(factor, "`factor` has no effect with a `delay` that computes each wait: remove one");
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

/// Around everything that an attempt awaits and evaluates: it knows which one it is.
fn wrapper(context: &Context<'_>) -> Wrapper {
    let (span, attempts) = (Span::mixed_site(), context.name("attempts"));
    Wrapper {
        call: quote_spanned!(span=> #attempts.within),
        argument: None,
        breaks_to: None,
        during: Some(During::Value(quote_spanned!(span=> #attempts.during))),
    }
}

/// Whether the callback may ask its event for the time that has elapsed: by name, or somewhere that it passes the event to.
fn may_ask_elapsed(callback: &Expr) -> bool {
    let Expr::Closure(closure) = plain(callback) else { return true };
    let argument = match closure.inputs.first() {
        Some(Pat::Type(typed)) => Some(&*typed.pat),
        argument => argument,
    };
    match argument {
        Some(Pat::Ident(event)) => asks_more(&closure.body.to_token_stream(), &event.ident),
        argument => !matches!(argument, Some(Pat::Wild(_))),
    }
}

/// Whether the event is used for more than to ask what is known without a clock.
fn asks_more(tokens: &TokenStream, event: &Ident) -> bool {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    trees.iter().enumerate().any(|(at, tree)| match tree {
        TokenTree::Ident(ident) if is_same(ident, event) => {
            let asks = trees.get(at + 1).is_some_and(|tree| is_punct(tree, '.'));
            let cheap =
                |tree: &TokenTree| ["function", "attempt", "delay", "outcome", "error"].iter().any(|name| is_ident(tree, name));
            !(asks && trees.get(at + 2).is_some_and(cheap))
        }
        TokenTree::Group(group) => asks_more(&group.stream(), event),
        other => mentions(&other.to_token_stream(), event),
    })
}

const CLONED_ANYWAY: &str = "above `#[offload_blocking]`, all arguments are cloned automatically: remove `clone(..)`";

fn variant(ident: &Ident) -> Option<&'static str> {
    JITTERS.iter().find(|(name, _)| ident == name).map(|(_, variant)| *variant)
}

fn milliseconds(count: u64) -> TokenStream {
    quote!(::core::time::Duration::from_millis(#count))
}
