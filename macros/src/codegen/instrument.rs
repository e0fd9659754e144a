//! What an expansion reports about the function as a whole, to the registry, metrics and chaos. Macros of the library decide whether a token of it
//! is left.

use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use crate::codegen::context::Context;
use crate::codegen::fragment::Wrapper;
use crate::codegen::rejection;
use crate::item::function::Function;
use crate::item::tokens::{local, mixed_site};
use crate::parse::expression::is_static;

/// What every expanded body begins with, and no other.
pub(crate) const ENTER: &str = "__steadfast_enter";

/// The static that stands for the function.
fn site() -> Ident {
    // An item, and so within sight of the body: not a name that anybody would write.
    mixed_site("__STEADFAST_SITE")
}

/// The expanded body as a call that is counted.
///
/// ```text
/// Input:  body
/// Output: enter!(SITE seen "user" [("timeout", "2s")]); let out = { body }; leave!(seen, failed(&out)); out
/// ```
pub(crate) fn count_call<'a>(
    context: &Context<'_>,
    policies: impl Iterator<Item = (&'static str, &'a TokenStream)>,
    body: &TokenStream,
) -> TokenStream {
    if context.function.diverges() {
        return body.clone();
    }
    let span = proc_macro2::Span::mixed_site();
    let (root, function) = (&context.root, context.function_name());
    let policies = policies.map(|(attribute, settings)| {
        let settings = written(settings);
        quote!((#attribute, #settings))
    });
    let (site, seen, out) = (site(), local("seen"), local("returned"));
    let failed = rejection::verdict(context, &quote_spanned!(span=> &#out));
    quote_spanned! {span=>
        #root::__steadfast_enter!(#site, #seen, #function, [#(#policies),*]);
        let #out = #body;
        #root::__steadfast_leave!(#seen, #failed);
        #out
    }
}

/// What is around everything that a [counted](count_call) call awaits: whether it was running when it was dropped.
pub(crate) fn track_polls(function: &Function, root: &TokenStream) -> Option<Wrapper> {
    let seen = local("seen");
    (!function.diverges()).then(|| Wrapper {
        call: quote_spanned!(proc_macro2::Span::mixed_site()=> #root::__steadfast_watched!),
        argument: Some(seen.to_token_stream()),
        breaks_to: None,
        during: None,
    })
}

/// Gives the function the handle of a policy: its own, or a static that the attribute names.
pub(crate) fn attach_handle(context: &Context<'_>, object: Option<&Expr>, policy: &Ident) -> TokenStream {
    if context.function.diverges() || object.is_some_and(|object| !is_static(object, &context.function.parameters)) {
        return TokenStream::new();
    }
    let span = proc_macro2::Span::mixed_site();
    let (root, site) = (&context.root, site());
    quote_spanned!(span=> #root::__steadfast_attach!(#site, #policy);)
}

/// What chaos does where the body begins. `kind` says how it may wait.
pub(crate) fn chaos(context: &Context<'_>, kind: &str) -> TokenStream {
    let span = proc_macro2::Span::mixed_site();
    let (root, function, error, kind) = (&context.root, context.function_name(), local("error"), mixed_site(kind));
    let refusal = context.reject_or_panic(&error.to_token_stream());
    quote_spanned!(span=> #root::__steadfast_chaos!(#kind #function #error #refusal);)
}

/// The arguments of an attribute in source form, without the contents of strings: operators see it, and a string may be a secret.
fn written(arguments: &TokenStream) -> String {
    let text = without_strings(arguments.clone()).to_string();
    let tight =
        [(" ,", ","), ("( ", "("), (" )", ")"), (" (", "("), (" . ", "."), (" :: ", "::"), ("& ", "&"), (" ;", ";"), ("=(", "= (")];
    let text =
        tight.iter().fold(text, |text, (loose, tight)| text.replace(loose, tight)).split_whitespace().collect::<Vec<_>>().join(" ");
    closures(&text)
}

/// Each string of characters or bytes as `".."`.
fn without_strings(tokens: TokenStream) -> TokenStream {
    let elide = |tree| match tree {
        TokenTree::Group(group) => Group::new(group.delimiter(), without_strings(group.stream())).into(),
        TokenTree::Literal(literal) if literal.to_string().trim_start_matches(['b', 'c', 'r', '#']).starts_with('"') => {
            Literal::string("..").into()
        }
        other => other,
    };
    tokens.into_iter().map(elide).collect()
}

/// The bars of closures with a space behind them, and none inside: `|error| f(error)`.
fn closures(text: &str) -> String {
    let Some((before, rest)) = text.split_once('|') else { return text.to_owned() };
    let begins = before.trim_end().is_empty() || before.trim_end().ends_with(['=', ',', '(']);
    match rest.split_once('|') {
        Some((arguments, body)) if begins => format!("{before}|{}| {}", arguments.trim(), closures(body.trim_start())),
        _ => format!("{before}|{}", closures(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_as_they_are_written() {
        assert_eq!(written(&quote!(ttl = 60s, skip(db), handle = Self::cache)), "ttl = 60s, skip(db), handle = Self::cache");
        assert_eq!(written(&quote!(when = |e| e.is_transient(), delay = 5ms)), "when = |e| e.is_transient(), delay = 5ms");
        assert_eq!(written(&quote!(|_| Ok(a || b))), "|_| Ok(a || b)");
        assert_eq!(written(&quote!()), "");
    }

    #[test]
    fn strings_are_left_out() {
        let secrets =
            quote!(key = ("hunter2", id, b"hunter2", r#"hunter"2"#, c"hunter2", 'x', 7), or_else = |_| login(&["hunter2"]));
        assert_eq!(written(&secrets), r#"key = ("..", id, "..", "..", "..", 'x', 7), or_else = |_| login(&[".."])"#);
    }
}
