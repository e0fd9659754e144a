//! `#[concurrency_limit(8)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::parse::ParseStream;
use syn::spanned::Spanned;

use crate::codegen::admission::Admission;
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::instrument;
use crate::codegen::keyed::Keys;
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Rejects, Target};
use crate::codegen::policy::{self, PolicyInit};
use crate::codegen::rejection;
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::tokens::{self, enclosed, respan};
use crate::parse::args::{self, Count};
use crate::parse::closure;
use crate::parse::duration::Duration;
use crate::parse::expression::{self, is_place, plain};
use crate::parse::handle::Handle;
use crate::parse::once::{self, Once, SharedBy};

const NAME: &str = "concurrency_limit";

const OPTIONS: &[&str] = &["max_wait", "queue", "adaptive", "key", "max_keys", "or_else", "handle"];

/// Whether the expression is an associated constant, or computed from such: no call selects a limiter that way.
fn is_figure(expression: &Expr) -> bool {
    match plain(expression) {
        Expr::Path(path) => path.path.segments.len() > 1 && path.path.segments[0].ident != "Self",
        Expr::Binary(binary) => is_figure(&binary.left) || is_figure(&binary.right),
        Expr::Cast(cast) => is_figure(&cast.expr),
        Expr::Paren(inner) => is_figure(&inner.expr),
        _ => false,
    }
}

#[derive(Default)]
struct ConcurrencyLimit {
    /// A count, or a limiter that is created elsewhere: its type decides, unless it is a literal.
    limit: Option<Count>,
    max_wait: Option<Duration>,
    queue: Option<Count>,
    adaptive: Option<Ident>,
    keys: Keys,
    or_else: Option<Expr>,
    handle: Option<Handle>,
    /// Whether a limit was written but is invalid.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut concurrency = ConcurrencyLimit::default();
    let (mut limit, mut failed) = (None, false);
    let mut positional = |input: ParseStream<'_>| {
        failed = true;
        // Anything that is not an expression is not a count either.
        let _ = args::object(&input.fork(), &OPTIONS[..2])?;
        if is_flag(input) {
            return Err(input.error("missing limit: write the number of concurrent calls first, as in `8, adaptive`"));
        }
        limit = Some(input.parse()?);
        failed = false;
        Ok(())
    };
    let common = args::read("concurrency_limit", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        match option.name.as_str() {
            "max_wait" => concurrency.max_wait = Some(option.parse(input)?),
            "queue" => concurrency.queue = Some(option.parse(input)?),
            "adaptive" => concurrency.adaptive = Some(option.flag(input)?),
            "key" => concurrency.keys.key = Some(option.parse(input)?),
            "max_keys" => concurrency.keys.max_keys = Some(option.parse(input)?),
            "or_else" => concurrency.or_else = Some(option.parse(input)?),
            _ => concurrency.handle = Some(option.parse(input)?),
        }
        Ok(())
    });
    concurrency.limit = limit;
    concurrency.failed = failed;
    Parsed::new(concurrency, common)
}

fn is_flag(input: ParseStream<'_>) -> bool {
    input.fork().parse::<Ident>().is_ok_and(|ident| ident == "adaptive")
}

impl Layer for ConcurrencyLimit {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        policy::check_returns(target.function, target.span, "would hold its permit forever: remove `#[concurrency_limit]`", errors);
        if self.limit.is_none() && !self.failed {
            errors.at_span(target.span, "`#[concurrency_limit]` requires a number of calls: write `#[concurrency_limit(8)]`");
        }
        policy::check_positive(self.limit.as_ref(), "the limit must be at least 1", errors);
        if let Some(object) = self.external() {
            policy::check_not_temporary(object, "ConcurrencyLimiter", errors);
        }
        if let (Some(queue), Some(max_wait)) = (&self.queue, &self.max_wait)
            && max_wait.literal().is_some_and(|max_wait| max_wait.is_zero())
        {
            errors.at(&queue.0, "`queue` has no effect with `max_wait = 0s`: remove one");
        }
        if let (Some(0), Some(max_wait)) = (self.queue.as_ref().and_then(Count::literal), &self.max_wait) {
            errors.at(max_wait.written(), "`max_wait` has no effect with `queue = 0`: remove one");
        }
        let queue = Once::option("queue", self.queue.as_ref().map(|queue| &queue.0));
        let once = [self.count(target.function), queue, self.keys.once()];
        policy::check_once(NAME, "ConcurrencyLimiter", "limiter", once, target.function, errors);
        self.keys.check(self.external(), errors);
        self.keys.check_handle(self.handle.as_ref(), target.function, "ConcurrencyLimiter", errors);
        if self.adaptive.is_some() {
            policy::check_known(target.function, "no outcome would lower the limit", "", errors);
        }
        if let Some(handle) = &self.handle {
            handle.check(target.function, errors);
        }
    }

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let object = self.limit.as_ref().filter(|limit| limit.literal().is_none()).map(|limit| &limit.0);
        LayerPlan {
            guard: Some(context.name("place")),
            waits: !self.never_waits(),
            turn_exprs: self.keys.key.iter().chain(self.max_wait.as_ref().map(Duration::written)).collect(),
            deferred_exprs: object.into_iter().chain(&self.or_else).collect(),
            needs_turn: self.keys.key.is_some() || self.external().is_some_and(|object| !is_place(object)),
            rejects: if self.refuses() { Rejects::by(self.or_else.as_ref()) } else { Rejects::Never },
            ..LayerPlan::default()
        }
    }

    // 'concurrency_limit: {
    //     let place = match (enter(limiter, max_wait), or a wait) { Ok(place) => place, Err(saturated) => break 'concurrency_limit rejection };
    //     let outcome = ..;
    //     place.settle(failed(&outcome));
    //     outcome
    // }
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let label = context.label("concurrency_limit");
        let names = Names {
            limiter: context.name("limiter"),
            max_wait: context.name("max_wait"),
            place: context.name("place"),
            turn: context.label("turn"),
        };
        let looking = &context.before_body();
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
        let failed = rejection::verdict(context, &quote_spanned!(span=> &__outcome));
        let enter = self.enter(context, &mut inner, &names, &label);
        let (place, limiter) = (&names.place, &names.limiter);
        let object = self.find(context, looking, limiter);
        let inner = inner.map(|expr| {
            quote_spanned! {span=>
                let __outcome = #expr;
                #place.record_outcome(#failed);
                __outcome
            }
        });
        Admission { label: &label, object, look, captures, named: &|ident| self.names(ident), enter }.around(context, inner)
    }

    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        context.rebinds(argument, &|ident| self.names(ident))
    }

    fn sibling_items(&self, context: &Context<'_>) -> TokenStream {
        let (recipe, handle) = (self.recipe(context), self.handle.as_ref());
        match &self.keys.key {
            Some(key) => self.keys.handle(context, key, &recipe, handle),
            None => recipe.handle(context, handle),
        }
    }
}

struct Names {
    limiter: Ident,
    max_wait: Ident,
    place: Ident,
    /// Wraps the wait.
    turn: syn::Lifetime,
}

impl ConcurrencyLimit {
    fn never_waits(&self) -> bool {
        self.max_wait.as_ref().and_then(Duration::literal).is_some_and(|max_wait| max_wait.is_zero())
    }

    /// Whether a call can be rejected: not if it waits forever in an unbounded queue. A limiter that is created elsewhere has its own
    /// queue.
    fn refuses(&self) -> bool {
        self.max_wait.is_some() || self.queue.is_some() || self.or_else.is_some() || self.external().is_some()
    }

    /// Whether an expression that is evaluated before the body mentions the argument.
    fn names(&self, ident: &Ident) -> bool {
        self.max_wait.as_ref().is_some_and(|max_wait| tokens::mentions(&max_wait.written().to_token_stream(), ident))
    }

    fn enter(&self, context: &Context<'_>, inner: &mut Fragment, names: &Names, label: &syn::Lifetime) -> TokenStream {
        let span = Span::mixed_site();
        let (private, Names { limiter, max_wait, place, turn }) = (&context.private, names);
        let entered = if self.never_waits() {
            quote_spanned!(span=> #private::concurrency_limit::try_acquire(#limiter))
        } else {
            let max_wait = match &self.max_wait {
                None => quote!(::core::option::Option::None),
                Some(literal) if literal.literal().is_some() => quote!(::core::option::Option::Some(#literal)),
                Some(_) => quote!(::core::option::Option::Some(#max_wait)),
            };
            let (waited, origin) = (context.await_wrapped(&quote_spanned!(span=> __wait)), context.origin());
            // Waiting inside the match arm would keep the matched value alive during the wait.
            quote_spanned! {span=>
                #turn: {
                    let __wait = match #private::concurrency_limit::acquire(#limiter, #max_wait, #origin) {
                        #private::concurrency_limit::Admission::Now(__place) => {
                            let __entered = ::core::result::Result::Ok(__place);
                            break #turn __entered
                        }
                        #private::concurrency_limit::Admission::Wait(__wait) => __wait,
                        #private::concurrency_limit::Admission::Rejected(__saturated) => {
                            let __refused = ::core::result::Result::Err(__saturated);
                            break #turn __refused
                        }
                    };
                    #waited
                }
            }
        };
        let refused = if self.refuses() {
            let name = context.function_name();
            let refusal =
                context.reject("concurrency_limit", &quote_spanned!(span=> __saturated.error(#name)), self.or_else.as_ref());
            let drop_body = context.drop_body();
            quote_spanned!(span=> { #drop_body let __refusal = #refusal; break #label __refusal })
        } else {
            quote_spanned!(span=> #private::concurrency_limit::never_rejects(__saturated))
        };
        let admitted = quote_spanned! {span=>
            match #entered {
                ::core::result::Result::Ok(__place) => __place,
                ::core::result::Result::Err(__saturated) => #refused,
            }
        };
        context.guard(inner, place, &admitted)
    }

    /// The limit, if it is certainly a count: next to options that only a limiter of the function's own has, or by its syntax.
    fn count(&self, function: &Function) -> Option<Once<'_>> {
        let limit = self.limit.as_ref()?;
        let is_parameter = || {
            let Expr::Path(path) = plain(&limit.0) else { return false };
            let is_it = |parameter: &&syn::ConstParam| path.path.is_ident(&parameter.ident);
            function.signature.generics.const_params().any(|parameter| is_it(&parameter))
        };
        let certain = self.external().is_none() || is_parameter();
        certain.then(|| Once { option: "the limit".to_owned(), written: &limit.0 })
    }

    /// The expression that may name a limiter.
    fn external(&self) -> Option<&Expr> {
        let of_its_own = self.queue.is_some() || self.adaptive.is_some() || self.handle.is_some();
        self.limit.as_ref().filter(|limit| limit.literal().is_none() && !of_its_own).map(|limit| &limit.0)
    }

    /// Binds the limiter, of all calls or of the call's key.
    fn find(&self, context: &Context<'_>, looking: &Context<'_>, limiter: &Ident) -> TokenStream {
        let object = self.external();
        if let Some(key) = &self.keys.key {
            return self.keys.bind(looking, key, object, &self.recipe(context), self.handle.as_ref(), limiter);
        }
        let (bind, attach) = (self.bind(looking, limiter), instrument::attach_handle(context, object, limiter));
        quote!(#bind #attach)
    }

    /// Binds the limiter: the function's own, or the value of the expression, whose temporaries live as long as the call.
    fn bind(&self, context: &Context<'_>, limiter: &Ident) -> TokenStream {
        let (root, private, span) = (&context.root, &context.private, Span::mixed_site());
        let Some(either) = self.external() else {
            let object = self.recipe(context).reference(context, self.handle.as_ref());
            return quote_spanned!(span=> let #limiter: &#root::ConcurrencyLimiter = #object;);
        };
        let ty = policy::reference_type(context.function, Some(either), &quote!(#root::ConcurrencyLimiter));
        let (owner, slot) = (tokens::local("owner"), tokens::local("slot"));
        let value = context.evaluate_option(either, &either.to_token_stream());
        let callers = once::of_callers(either, context.function, SharedBy::Function);
        let once = (callers.is_empty() && is_figure(either)).then(|| once::seen_from_outside(either));
        let found = match callers.first() {
            None => {
                let found = enclosed(either.span(), &owner.to_token_stream());
                quote_spanned!(span=> #private::concurrency_limit::Limit::limiter(#found, #slot))
            }
            // At the name, where a count should be reported.
            Some((name, _)) => respan(*name, quote_spanned!(span=> #private::concurrency_limit::of_call(#owner))),
        };
        quote_spanned! {span=>
            let #owner = &(#value);
            let #slot = {
                static __STEADFAST_POLICY: #private::PolicySlot<#root::ConcurrencyLimiter> = #private::PolicySlot::new();
                #once
                &__STEADFAST_POLICY
            };
            let #limiter: #ty = #found;
        }
    }

    fn recipe(&self, context: &Context<'_>) -> PolicyInit {
        let (root, private) = (&context.root, &context.private);
        let limit = self.limit.as_ref().map(|limit| {
            if limit.literal().is_some() {
                return limit.tokens(private);
            }
            let limit = &limit.0;
            quote!(#private::concurrency_limit::calls(#limit))
        });
        let queue = self.queue.as_ref().map(|queue| {
            let queue = queue.tokens(private);
            quote!(.queue(#queue))
        });
        let adaptive = self.adaptive.as_ref().map(|_| quote!(.adaptive()));
        let written = [&self.limit, &self.queue].into_iter().flatten().map(|count| &count.0);
        PolicyInit {
            ty: "ConcurrencyLimiter",
            noun: "concurrency limiter",
            make: quote_spanned!(Span::mixed_site()=> #root::ConcurrencyLimiter::new(#limit) #queue #adaptive),
            constant: written.into_iter().all(expression::is_literal),
        }
    }
}
