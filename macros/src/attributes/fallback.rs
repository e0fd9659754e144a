//! `#[fallback(value)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Pat, ReturnType, Stmt};

use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Target};
use crate::codegen::policy;
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::tokens;
use crate::item::types;
use crate::parse::args;
use crate::parse::escapes;
use crate::parse::expression::{called, is_decided_by_its_use, plain};
use crate::parse::units;

const OPTIONS: &[&str] = &[];

#[derive(Default)]
struct Fallback {
    value: Option<Expr>,
    /// Whether a value was written but is invalid.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let (mut value, mut failed) = (None, false);
    let mut positional = |input: syn::parse::ParseStream<'_>| {
        failed = true;
        value = Some(units::read(input.parse()?)?);
        failed = false;
        Ok(())
    };
    let common = args::read("fallback", tokens, OPTIONS, errors, Some(&mut positional), &mut |_, _| Ok(()));
    Parsed::new(Fallback { value, failed }, common)
}

impl Layer for Fallback {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        policy::check_returns(
            target.function,
            target.span,
            "never fails, so there is nothing to replace: remove `#[fallback]`",
            errors,
        );
        match &self.value {
            None if self.failed => {}
            None => errors
                .at_span(target.span, "`#[fallback]` requires a value: write `#[fallback(value)]` or `#[fallback(|error| value)]`"),
            Some(Expr::Closure(closure)) if closure.inputs.len() != 1 => {
                errors.at(closure, "the closure takes the error as its only argument: write `|error| value`, or `|_| value`");
            }
            Some(Expr::Closure(closure)) if closure.asyncness.is_some() || matches!(&*closure.body, Expr::Async(_)) => {
                errors.at(closure, "a plain closure may await: write `|error| value.await`, without `async`");
            }
            // Its body is written in place.
            Some(Expr::Closure(closure)) if is_plain(closure) => escapes::check(&closure.body, true, errors),
            Some(Expr::Async(block)) => errors.at(block, "a plain expression may await: write `value.await`, without `async`"),
            Some(_) => {}
        }
        if let Some(text) = self.value.as_ref().and_then(|value| text_for_string(value, target.function)) {
            let written = text.to_token_stream();
            errors.at(text, format!("expected a `String`, found a `&str`: write `{written}.to_owned()`"));
        }
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        LayerPlan { deferred_exprs: self.value.iter().collect(), ..LayerPlan::default() }
    }

    // match settle(..) { Ok(outcome) => outcome, Err(failure) => value }
    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, function, .. } = context;
        let output = function.output();
        let whole = function.output.as_ref().is_some_and(is_result_of_values);
        let stood_in = Reporter { context, origin: &context.origin() };
        let replaced = self.value.as_ref().map(|value| replace(value, whole, &stood_in));
        // At the return type, so that a type that cannot fail is reported there, and once.
        let at = function.output.as_ref().map_or(span, |output| output.span().resolved_at(span));
        inner.map(|expr| {
            let settled = quote_spanned!(at=> #private::fallback::settle::<#output, _>(#expr));
            quote_spanned! {span=>
                match #settled {
                    ::core::result::Result::Ok(__outcome) => __outcome,
                    ::core::result::Result::Err(__failure) => { #replaced }
                }
            }
        })
    }
}

/// Reports that a fallback was used.
struct Reporter<'a> {
    context: &'a Context<'a>,
    origin: &'a TokenStream,
}

impl Reporter<'_> {
    /// The outcome, and the report of it.
    fn of(&self, outcome: &TokenStream) -> TokenStream {
        let (private, origin) = (&self.context.private, self.origin);
        quote_spanned!(Span::mixed_site()=> #private::fallback::stood_in(#origin, #outcome))
    }
}

/// The replacement of `failure`. The body of a closure is inlined, so that it may await, and so that clippy does not suggest naming the
/// function that it calls.
///
/// ```text
/// Input:  |error| f(error)
/// Output: { let (stand_in, error) = failure.tell(); let error = error; stood_in(origin, stand_in.replace(f(error))) }
/// ```
fn replace(value: &Expr, whole: bool, reporter: &Reporter<'_>) -> TokenStream {
    let span = Span::mixed_site();
    match value {
        Expr::Closure(closure) if is_plain(closure) => {
            let (body, argument) = (value_of(closure), &closure.inputs[0]);
            let body = if is_alone(closure) { body.to_token_stream() } else { closure.body.to_token_stream() };
            let applied = stand_in(&quote_spanned!(span=> __stand_in), (&closure.body, value_of(closure)), &body, whole, reporter);
            if matches!(argument, Pat::Wild(_)) {
                return quote_spanned!(span=> { let __stand_in = __failure.forget(); #applied });
            }
            quote_spanned!(span=> { let (__stand_in, __error) = __failure.tell(); let #argument = __error; #applied })
        }
        // It contains a `return` of its own.
        Expr::Closure(_) => {
            let replaced = quote_spanned!(value.span().resolved_at(span)=> __failure.replace_with(#value));
            reporter.of(&reporter.context.evaluate(&replaced))
        }
        _ => stand_in(&quote_spanned!(span=> __failure.forget()), (value, value), &value.to_token_stream(), whole, reporter),
    }
}

/// Applies a value, with the span of the value, where a type error should be reported. `whole`: an expression that looks like an outcome is
/// one.
fn stand_in(
    target: &TokenStream,
    (written, decides): (&Expr, &Expr),
    value: &TokenStream,
    whole: bool,
    reporter: &Reporter<'_>,
) -> TokenStream {
    // A diverging expression is not passed on: the call would be unreachable.
    if panics(decides) {
        return quote!(#value);
    }
    let method = match plain(decides) {
        decided if whole && is_outcome(decided) => "end_as",
        // An expression whose type is inferred is the success value, since nothing else would determine its type.
        decided if is_decided_by_its_use(decided) => "succeed",
        _ => "replace",
    };
    // With the location but not the hygiene of the value, so that rustc reports no unreachable call that the user did not write.
    let place = Span::mixed_site().located_at(decides.span());
    let method = Ident::new(method, place);
    let value = if escapes::awaits(written) {
        reporter.context.await_wrapped(&quote_spanned!(Span::mixed_site()=> async { #value }))
    } else {
        reporter.context.evaluate_option(written, value)
    };
    let applied = quote_spanned!(place=> .#method(#value));
    reporter.of(&quote!(#target #applied))
}

/// A string literal for a return type that is written with a `String`.
fn text_for_string<'a>(value: &'a Expr, function: &Function) -> Option<&'a Expr> {
    let value = match value {
        Expr::Closure(closure) => value_of(closure),
        other => other,
    };
    let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(_), .. }) = plain(value) else { return None };
    let (name, arguments) = types::last_segment(function.output.as_ref()?)?;
    let held = types::last_segment(arguments.first()?)?;
    (["Result", "Option"].contains(&name.as_str()) && held.0 == "String" && held.1.is_empty()).then_some(value)
}

/// Whether the return type is written as a `Result` of something other than a `Result`: then an `Ok` is the outcome, not its value.
fn is_result_of_values(output: &syn::Type) -> bool {
    let is_result = |ty: &syn::Type| types::last_segment(ty).is_some_and(|(name, _)| name == "Result");
    let value = types::last_segment(output).and_then(|(_, arguments)| arguments.first().copied().map(is_result));
    is_result(output) && value == Some(false)
}

/// Whether the expression is syntactically a whole outcome; its contents may still be coerced.
fn is_outcome(value: &Expr) -> bool {
    called(value).and_then(syn::Path::get_ident).is_some_and(|name| name == "Ok" || name == "Err")
}

/// Whether the body of the closure has the same meaning when it is inlined.
fn is_plain(closure: &ExprClosure) -> bool {
    closure.asyncness.is_none()
        && matches!(closure.output, ReturnType::Default)
        && !tokens::mentions(&closure.body.to_token_stream(), &Ident::new("return", Span::call_site()))
}

/// Whether the body has no statements before its value, so that its braces, if any, would be unnecessary.
fn is_alone(closure: &ExprClosure) -> bool {
    match &*closure.body {
        Expr::Block(block) => block.label.is_none() && block.attrs.is_empty() && block.block.stmts.len() == 1,
        _ => true,
    }
}

fn value_of(closure: &ExprClosure) -> &Expr {
    match &*closure.body {
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Expr(last, None)) => last,
            _ => &closure.body,
        },
        other => other,
    }
}

/// Whether the expression is a panicking macro, or ends the process.
fn panics(value: &Expr) -> bool {
    let gives_up = |path: &syn::Path| {
        let names = ["panic", "unreachable", "todo", "unimplemented"];
        path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
    };
    match plain(value) {
        Expr::Macro(call) => gives_up(&call.mac.path),
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Macro(last)) => gives_up(&last.mac.path),
            Some(Stmt::Expr(last, _)) => panics(last),
            _ => false,
        },
        other => called(other).is_some_and(ends_the_process),
    }
}

/// `process::exit`, `std::process::abort`: matched with their module, since a user's own function may have the same name.
fn ends_the_process(function: &syn::Path) -> bool {
    let mut names = function.segments.iter().rev().map(|segment| &segment.ident);
    let ends = names.next().is_some_and(|name| name == "exit" || name == "abort");
    ends && names.next().is_some_and(|module| module == "process")
}
