//! `#[invalidates(user_cache(), key = id)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure};

use crate::attributes::async_cached::Cached;
use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Target};
use crate::codegen::policy;
use crate::codegen::rejection;
use crate::diagnostics::Errors;
use crate::item::tokens::{calling, calling_at, local};
use crate::parse::args;
use crate::parse::expression::{is_place, plain};

const OPTIONS: &[&str] = &["key", "tag", "all", "always"];

#[derive(Default)]
struct Invalidates {
    cache: Option<Expr>,
    /// Whether a cache was written but is invalid.
    failed: bool,
    key: Option<Expr>,
    tag: Option<Expr>,
    all: Option<Ident>,
    always: Option<Ident>,
    /// Whether options were written that are unknown or invalid.
    misread: bool,
}

/// Which entries are invalidated.
enum Entries<'a> {
    OfKey(&'a Expr),
    WithTag(&'a Expr),
    All,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut written = Invalidates::default();
    let (mut cache, mut failed) = (None, false);
    let mut positional = |input: ParseStream<'_>| {
        failed = true;
        if is_flag(input) {
            let error = input.error("missing cache: write it first, as in `user_cache(), all`");
            // The cache that follows would be reported too, and is correct once it comes first.
            input.parse::<TokenStream>()?;
            return Err(error);
        }
        cache = Some(args::object(input, OPTIONS)?);
        failed = false;
        Ok(())
    };
    let mut read = 0;
    let common = args::read("invalidates", tokens, OPTIONS, errors, Some(&mut positional), &mut |option, input| {
        match option.name.as_str() {
            "key" => written.key = Some(option.parse(input)?),
            "tag" => written.tag = Some(option.parse(input)?),
            "all" => written.all = Some(option.flag(input)?),
            _ => written.always = Some(option.flag(input)?),
        }
        read += 1;
        Ok(())
    });
    let misread = common.options.len() > read + usize::from(common.krate.is_some());
    Parsed::new(Invalidates { cache, failed, misread, ..written }, common)
}

fn is_flag(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Ident>().is_ok_and(|ident| ident == "all" || ident == "always")
        && (ahead.is_empty() || ahead.peek(syn::Token![,]))
}

/// A key or a tag that is computed from the result.
fn of_value(expression: &Expr) -> Option<&ExprClosure> {
    match plain(expression) {
        Expr::Closure(closure) => Some(closure),
        _ => None,
    }
}

impl Layer for Invalidates {
    fn repeatable(&self) -> bool {
        true
    }

    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        match &self.cache {
            None if self.failed => return,
            None => {
                let message = "`#[invalidates]` requires a cache: write it first, as in `#[invalidates(user_cache(), key = id)]`";
                errors.at_span(target.span, message);
                return;
            }
            Some(cache) => policy::check_not_temporary(cache, "Cache", errors),
        }
        self.check_entries(target, errors);
        if self.always.is_some() {
            return;
        }
        let consequence = "a failed call would invalidate as well";
        policy::check_known(target.function, consequence, "add `always` if it should, or ", errors);
        let reason = "never ends successfully, so nothing would be invalidated: add `always`, or remove `#[invalidates]`";
        policy::check_returns(target.function, target.span, reason, errors);
    }

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let (of_value, in_turn): (Vec<_>, Vec<_>) =
            self.key.iter().chain(&self.tag).partition(|written| of_value(written).is_some());
        LayerPlan {
            guard: self.always.is_some().then(|| context.name("invalidation")),
            turn_exprs: in_turn,
            deferred_exprs: self.cache.iter().chain(of_value).collect(),
            // What is invalidated is evaluated while the arguments are there, and runs code of the user's.
            needs_turn: true,
            ..LayerPlan::default()
        }
    }

    // let cache = user_cache();
    // let key = Named::new(&id).keep();
    // let outcome = ..;
    // if !failed(&outcome) { cache.invalidate(key.part()); }
    // outcome
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { root, private, .. } = context;
        let (Some(written), Some(entries)) = (&self.cache, self.entries()) else { return inner };
        let cache = context.name("cache");
        let value = context.evaluate_option(written, &written.to_token_stream());
        let value = quote_spanned!(written.span()=> &(#value));
        let ty = policy::reference_type(context.function, Some(written), &quote!(#root::Cache<_, _>));
        let (bind, invalidate) = Self::invalidate(context, &cache, &entries);
        let (note, end) = if self.always.is_some() {
            let (guard, name) = (context.name("invalidation"), context.function_name());
            let made = quote_spanned!(span=> #private::invalidates::Always::new(#name, move || #invalidate));
            let end = context.evaluate(&quote_spanned!(span=> #guard.end()));
            (context.guard(&mut inner, &guard, &made), quote_spanned!(span=> #end;))
        } else if matches!(entries, Entries::OfKey(written) | Entries::WithTag(written) if of_value(written).is_some()) {
            let end = context.evaluate(&invalidate);
            (TokenStream::new(), quote_spanned!(span=> #end;))
        } else {
            let (failed, end) = (rejection::verdict(context, &quote_spanned!(span=> &__outcome)), context.evaluate(&invalidate));
            (TokenStream::new(), quote_spanned!(span=> if !#failed { #end; }))
        };
        inner.map(|expr| {
            quote_spanned! {span=> {
                let #cache: #ty = #value;
                #bind
                #note
                let __outcome = #expr;
                #end
                __outcome
            }}
        })
    }
}

impl Invalidates {
    fn check_entries(&self, target: Target<'_>, errors: &mut Errors) {
        let key = self.key.as_ref().map(ToTokens::to_token_stream);
        let tag = self.tag.as_ref().map(ToTokens::to_token_stream);
        let all = self.all.as_ref().map(ToTokens::to_token_stream);
        let mut written = [key, tag, all].into_iter().flatten();
        if written.next().is_none() && !self.misread {
            let message = "`#[invalidates]` requires what to invalidate: add `key = id`, `tag = \"users\"` or `all`";
            errors.at_span(target.span, message);
        }
        for second in written {
            errors.at(
                second,
                "`key`, `tag` and `all` are mutually exclusive: remove one, or write another `#[invalidates(..)]` for it",
            );
        }
        for (option, written) in [("key", &self.key), ("tag", &self.tag)] {
            let Some(closure) = written.as_ref().and_then(of_value) else { continue };
            if closure.inputs.len() != 1 {
                let message = format!(
                    "`{option}` takes an expression over the arguments, or a closure over the value that the function returns: write \
                     `{option} = |value| ..`"
                );
                errors.at(closure, message);
            } else if let Some(always) = &self.always {
                let message = format!(
                    "`always` also invalidates if the function returns no value for this closure: write `{option} = ..` over the \
                     arguments, or remove `always`"
                );
                errors.at(always, message);
            }
        }
    }

    fn entries(&self) -> Option<Entries<'_>> {
        let key = self.key.as_ref().map(Entries::OfKey);
        let tag = self.tag.as_ref().map(Entries::WithTag);
        key.or(tag).or(self.all.as_ref().map(|_| Entries::All))
    }

    /// The statements in front of the body, and the expression that invalidates.
    fn invalidate(context: &Context<'_>, cache: &Ident, entries: &Entries<'_>) -> (TokenStream, TokenStream) {
        let span = Span::mixed_site();
        let private = &context.private;
        match entries {
            Entries::All => (TokenStream::new(), quote_spanned!(span=> #cache.clear())),
            Entries::WithTag(written) => {
                if let Some(closure) = of_value(written) {
                    let tag = local("tag");
                    let tagged = calling_at(closure.body.span(), &quote!(#private::cache::tag), &tag);
                    let invalidate = quote_spanned!(span=> #cache.invalidate_tag(&#tagged));
                    return Self::with_value(context, closure, &tag, &invalidate);
                }
                let tag = context.name("tag");
                let value = context.evaluate(&calling(&quote!(#private::cache::tag), written));
                (quote_spanned!(span=> let #tag = #value;), quote_spanned!(span=> #cache.invalidate_tag(&#tag)))
            }
            Entries::OfKey(written) => {
                if let Some(closure) = of_value(written) {
                    let key = local("key");
                    let invalidate = invalidate_key(context, cache, written.span(), &quote_spanned!(span=> &#key));
                    return Self::with_value(context, closure, &key, &invalidate);
                }
                let parts: Vec<&Expr> = match plain(written) {
                    Expr::Tuple(tuple) => tuple.elems.iter().collect(),
                    other => vec![other],
                };
                let names: Vec<Ident> = (0..parts.len()).map(|part| format_ident!("{}_{part}", context.name("key"))).collect();
                let bind = names.iter().zip(&parts).map(|(name, part)| bind_part(context, name, part)).collect();
                let probe = match names.as_slice() {
                    [name] if !matches!(plain(written), Expr::Tuple(_)) => quote_spanned!(span=> #name.part()),
                    names => quote_spanned!(span=> &(#(#names.part(),)*)),
                };
                (bind, invalidate_key(context, cache, written.span(), &probe))
            }
        }
    }

    /// The expression that invalidates what a closure computes from the value that the function returns, if it returns one.
    fn with_value(
        context: &Context<'_>,
        closure: &ExprClosure,
        name: &Ident,
        invalidate: &TokenStream,
    ) -> (TokenStream, TokenStream) {
        let (span, private, shape) = (Span::mixed_site(), &context.private, context.name("shape"));
        let bind = Cached::shape(context, &shape);
        let invalidate = quote_spanned! {span=> {
            #bind
            if let ::core::option::Option::Some(#name) = #private::cache::of_value(#shape, &__outcome, #closure) {
                #invalidate
            }
        }};
        (TokenStream::new(), invalidate)
    }
}

/// Keeps one part of the key until the body has ended, which may take the arguments along.
fn bind_part(context: &Context<'_>, name: &Ident, part: &Expr) -> TokenStream {
    let (span, private) = (Span::mixed_site(), &context.private);
    let mut place = plain(part);
    while let Expr::Reference(reference) = place {
        place = plain(&reference.expr);
    }
    let named = if is_place(place) {
        quote_spanned!(span=> #private::invalidates::Named::new(&#place))
    } else {
        quote_spanned!(span=> #private::invalidates::Computed::new(#part))
    };
    let keep = quote_spanned!(part.span()=> .keep());
    let kept = context.evaluate(&quote!(#named #keep));
    quote_spanned!(span=> let #name = #kept;)
}

/// Invalidates the key that `probe` refers to. A key of another type is reported at the option, and once.
fn invalidate_key(context: &Context<'_>, cache: &Ident, place: Span, probe: &TokenStream) -> TokenStream {
    let (span, private) = (Span::mixed_site(), &context.private);
    let checked = local("checked");
    let ask = BoundCheck::of_value(place, "assert_key_of", quote!(#cache, #probe));
    let passed = ask.pass(&quote!(#private::invalidates), &cache.to_token_stream());
    quote_spanned!(span=> { let #checked = #passed; #checked.invalidate(#probe) })
}
