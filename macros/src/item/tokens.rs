//! Questions about tokens, without parsing them.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// An identifier with mixed-site hygiene, which user code can neither see nor shadow.
pub(crate) fn mixed_site(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A local variable of the expansion. Hygiene separates it from a user's variable of the same name, but not from a constant or a unit
/// struct, which would turn a binding into a pattern. The underscores make such a clash unlikely; names written inside `quote!` begin with
/// the same two.
pub(crate) fn local(name: &str) -> Ident {
    mixed_site(&format!("__{name}"))
}

/// The tokens at another location, each with its own hygiene. Errors about a call are reported at the location that all of its tokens
/// share, and so are reported once.
pub(crate) fn respan(place: Span, tokens: TokenStream) -> TokenStream {
    let relocate = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            tree = Group::new(group.delimiter(), respan(place, group.stream())).into();
        }
        tree.set_span(tree.span().located_at(place));
        tree
    };
    tokens.into_iter().map(relocate).collect()
}

/// `function(&(expression))`, reported at the expression. Only the punctuation has its location: an identifier of the expansion there would
/// be what an editor completes, in the place of the user's.
pub(crate) fn calling(function: &TokenStream, expression: &syn::Expr) -> TokenStream {
    calling_at(expression.span(), function, expression)
}

/// The same with an argument of ours.
pub(crate) fn calling_at(place: Span, function: &TokenStream, argument: &impl ToTokens) -> TokenStream {
    let argument = quote_spanned!(place=> &(#argument));
    quote!(#function(#argument))
}

/// `(tokens)`, reported at a location of the user's code. For the same reason, only the parentheses have it.
pub(crate) fn enclosed(place: Span, tokens: &TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, tokens.clone());
    group.set_span(Span::mixed_site().located_at(place));
    group
}

/// A block with the braces of another.
pub(crate) fn with_braces(braces: &Group, content: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(braces.span());
    group
}

/// Whether two identifiers are the same name: `r#value` is `value`.
pub(crate) fn is_same(one: &Ident, other: &Ident) -> bool {
    one == other || one.unraw() == other.unraw()
}

/// Whether `name` occurs in `tokens`: as an identifier, or captured by a format string (`"{name}"`).
///
/// An occurrence need not be a use, as in `let name = ..`; the expansion then does slightly more than necessary.
pub(crate) fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is_same(&ident, name),
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Literal(literal) => format_string_captures(&literal.to_string(), &name.to_string()),
        TokenTree::Punct(_) => false,
    })
}

/// The names that may be those of local variables: not in capitals, not called, not part of a path, a field or a method.
pub(crate) fn possible_locals(tokens: &TokenStream) -> Vec<Ident> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut locals = Vec::new();
    for (index, tree) in trees.iter().enumerate() {
        let (before, next) = (index.checked_sub(1).and_then(|at| trees.get(at)), trees.get(index + 1));
        let in_path = before.is_some_and(|tree| is_punct(tree, '.') || is_punct(tree, ':'));
        let goes_on = next.is_some_and(|tree| match tree {
            TokenTree::Punct(punct) => punct.as_char() == '!' || (punct.as_char() == ':' && punct.spacing() == Spacing::Joint),
            TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
            _ => false,
        });
        match tree {
            TokenTree::Group(group) => locals.extend(possible_locals(&group.stream())),
            TokenTree::Ident(ident) if !in_path && !goes_on && *ident != ident.to_string().to_uppercase() => {
                locals.push(ident.clone());
            }
            _ => {}
        }
    }
    locals
}

/// Renames every `from`, keeping its span.
pub(crate) fn rename(tokens: TokenStream, from: &Ident, to: &Ident) -> TokenStream {
    let rename_one = |tree| match tree {
        TokenTree::Ident(ident) if ident == *from => TokenTree::Ident(Ident::new(&to.to_string(), located(ident.span(), to))),
        TokenTree::Group(group) => {
            let mut renamed = Group::new(group.delimiter(), rename(group.stream(), from, to));
            renamed.set_span(group.span());
            TokenTree::Group(renamed)
        }
        other => other,
    };
    tokens.into_iter().map(rename_one).collect()
}

/// `self` keeps its own hygiene; any other name takes that of `to`.
fn located(place: Span, to: &Ident) -> Span {
    if to == "self" { place } else { to.span().located_at(place) }
}

/// Whether a block begins with an item.
pub(crate) fn begins_with_item(block: &TokenStream) -> bool {
    const KEYWORDS: &[&str] = &["use", "fn", "struct", "enum", "impl", "const", "static", "type", "trait", "mod", "extern"];
    // Qualifiers before those keywords.
    const QUALIFIERS: &[&str] = &["pub", "async", "unsafe", "default"];
    let mut trees = block.clone().into_iter().peekable();
    while trees.next_if(|tree| is_punct(tree, '#')).is_some() {
        trees.next();
    }
    let is_one_of =
        |tree: &TokenTree, names: &[&str]| matches!(tree, TokenTree::Ident(ident) if names.iter().any(|name| ident == name));
    while let Some(qualifier) = trees.next_if(|tree| is_one_of(tree, QUALIFIERS)) {
        // `pub(crate)`
        trees.next_if(|tree| {
            is_one_of(&qualifier, &["pub"])
                && matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
        });
    }
    let (Some(first), second) = (trees.next(), trees.next()) else { return false };
    match second {
        // `const { .. }` is an expression, and so is `async { .. }`.
        Some(TokenTree::Group(_)) => false,
        // `union` may also be a name; it is a keyword only before another name.
        Some(TokenTree::Ident(_)) if is_one_of(&first, &["union"]) => true,
        Some(second) if is_punct(&second, '!') => is_one_of(&first, &["macro_rules"]),
        _ => is_one_of(&first, KEYWORDS),
    }
}

/// Whether the statements may return from the enclosing function: by a `return` outside of nested items, closures and `async` blocks, or by
/// a macro that might contain one.
pub(crate) fn may_return(statements: &TokenStream) -> bool {
    #[rustfmt::skip]
    const HARMLESS: &[&str] = &[
        "assert", "assert_eq", "assert_ne", "cfg", "column", "concat", "dbg", "debug", "debug_assert", "debug_assert_eq",
        "debug_assert_ne", "debug_span", "env", "eprint", "eprintln", "error", "error_span", "file", "format", "format_args",
        "include_bytes", "include_str", "info", "info_span", "line", "matches", "module_path", "option_env", "panic", "print",
        "println", "span", "stringify", "todo", "trace", "trace_span", "unimplemented", "unreachable", "vec", "warn", "warn_span",
        "write", "writeln",
    ];
    let trees: Vec<TokenTree> = statements.clone().into_iter().collect();
    let is = |tree: Option<&TokenTree>, name: &str| matches!(tree, Some(TokenTree::Ident(ident)) if ident == name);
    let (mut item, mut parameters, mut closure) = (false, false, false);
    for (index, tree) in trees.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).and_then(|at| trees.get(at));
        match tree {
            TokenTree::Ident(ident) if ident == "return" => return true,
            TokenTree::Ident(ident) if ident == "fn" => item = true,
            TokenTree::Ident(name) if trees.get(index + 1).is_some_and(|next| is_punct(next, '!')) => {
                let called = matches!(trees.get(index + 2), Some(TokenTree::Group(_)));
                if called && !HARMLESS.iter().any(|harmless| name == harmless) {
                    return true;
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                '|' if parameters => (parameters, closure) = (false, true),
                // After an operand, it is an operator.
                '|' => {
                    parameters = match before(1) {
                        None => true,
                        Some(TokenTree::Punct(punct)) => punct.as_char() != '?',
                        Some(TokenTree::Ident(ident)) => ident == "move" || ident == "async" || ident == "static",
                        Some(_) => false,
                    }
                }
                _ if parameters => {}
                ';' | ',' | '=' => (item, closure) = (false, false),
                _ => {}
            },
            TokenTree::Group(group) => {
                let of_its_own = group.delimiter() == Delimiter::Brace
                    && (std::mem::take(&mut item)
                        || std::mem::take(&mut closure)
                        || is(before(1), "async")
                        || (is(before(1), "move") && is(before(2), "async")));
                if !of_its_own && may_return(&group.stream()) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

pub(crate) fn is_ident(tree: &TokenTree, name: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if *ident == name)
}

pub(crate) fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The same for the arguments of attributes, where the names in `skip(..)` and `clone(..)` are not expressions.
pub(crate) fn mentions_in_expressions(arguments: &TokenStream, name: &Ident) -> bool {
    let mut lists = false;
    arguments.clone().into_iter().any(|tree| {
        let listed = std::mem::replace(&mut lists, matches!(&tree, TokenTree::Ident(ident) if ident == "skip" || ident == "clone"));
        !(listed && matches!(tree, TokenTree::Group(_))) && mentions(&tree.into(), name)
    })
}

/// The same, except for the names of options (`delay = ..`).
pub(crate) fn options_mention(arguments: &TokenStream, name: &Ident) -> bool {
    let trees: Vec<TokenTree> = arguments.clone().into_iter().collect();
    let is_name = |index: usize| {
        let begins = index == 0 || is_punct(&trees[index - 1], ',');
        // But not `==`.
        let set = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '=' && punct.spacing() == Spacing::Alone);
        begins && trees.get(index + 1).is_some_and(set)
    };
    let values = trees.iter().enumerate().filter(|(index, _)| !is_name(*index)).map(|(_, tree)| tree.clone()).collect();
    mentions_in_expressions(&values, name)
}

/// The arguments of an attribute with `macro_rules` fragments ungrouped, if a fragment is a whole argument: it is read as if it had been
/// written there.
pub(crate) fn without_fragments(arguments: TokenStream) -> TokenStream {
    let mut trees = arguments.into_iter().peekable();
    let (mut flat, mut begins, mut joined) = (TokenStream::new(), true, false);
    while let Some(tree) = trees.next() {
        let ends = trees.peek().is_none_or(|next| is_punct(next, ','));
        match &tree {
            TokenTree::Group(group) if begins && ends && group.delimiter() == Delimiter::None => {
                flat.extend(without_fragments(group.stream()));
            }
            other => {
                // But not after `==`.
                begins = is_punct(other, ',') || (is_punct(other, '=') && !joined);
                joined = matches!(other, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
                flat.extend([tree]);
            }
        }
    }
    flat
}

/// Whether a format string captures the argument: as a value (`{name}`, `{name :?}`), a width (`{:>name$}`) or a precision (`{:.name$}`).
fn format_string_captures(literal: &str, name: &str) -> bool {
    if !(literal.starts_with('"') || literal.starts_with("r\"") || literal.starts_with("r#")) {
        return false;
    }
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut rest = literal;
    while let Some((_, behind)) = rest.split_once('{') {
        if let Some(escaped) = behind.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let place = behind.split(['{', '}']).next().unwrap_or_default();
        let (argument, format) = place.split_once(':').unwrap_or((place, ""));
        // The type follows the last `$`.
        let mut counts = format.split('$').rev().skip(1).map(last_name);
        if argument.trim() == name || counts.any(|count| count == name) {
            return true;
        }
        rest = behind;
    }
    false
}

/// The name at the end of the text, after the flag `0`.
fn last_name(text: &str) -> &str {
    let is_sign = |character: char| character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_';
    text.rsplit(is_sign).next().unwrap_or_default().trim_start_matches(|digit: char| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, format_ident, quote};

    #[test]
    fn tells_items_from_expressions() {
        let items = [
            quote!(const A: u8 = 1;, a),
            quote!(
                #[derive(Debug)]
                struct A;,
                a
            ),
            quote!(async fn f() {}, a),
            quote!(use a::b;, b),
            quote!(pub const A: u8 = 1;, a),
            quote!(pub(crate) unsafe fn f() {}, a),
            quote!(
                union Bits {
                    a: u8,
                }
            ),
            quote!(
                macro_rules! m {
                    () => {};
                }
            ),
            quote!(
                unsafe extern "C" {}
            ),
        ];
        assert!(items.iter().all(begins_with_item));
        let others = [
            quote!(),
            quote!(a),
            quote!(const { 1 }),
            quote!(async { 1 }),
            quote!(unsafe { f() }),
            quote!(let a = 1; fn f() {}),
            quote!(union = 1;),
            quote!(union.f()),
            quote!(async move { 1 }),
        ];
        assert!(!others.iter().any(begins_with_item));
    }

    #[test]
    fn sees_where_a_function_may_be_left() {
        let ways = [
            quote!(if n == 0 {
                return done;
            }),
            quote!(if a || b {
                return done;
            }),
            quote!(if a | b {
                return done;
            }),
            quote!(let Some(x) = y else { return done; };),
            quote!(match x {
                A | B => {
                    return done;
                }
                C => {}
            }),
            quote!(let f = |x| { x }; if f(1) || f(2) { return done; }),
            quote!(ensure!(n > 0, done);),
            quote!(let x = (|| 1)(); { { return done } }),
        ];
        assert!(ways.iter().all(may_return));
        let others = [
            quote!(),
            quote!(let n = n + 1; let x = n | 2; println!("{n}");),
            quote!(
                fn helper(n: u32) -> u32 {
                    return n;
                }
            ),
            quote!(let f = |x: u32| { return x; };),
            quote!(let f = move || -> u32 { return 1; };),
            quote!(let all = items.iter().map(|&x| { return x; });),
            quote!(let other = async move { return 1; };),
        ];
        assert!(!others.iter().any(may_return));
    }

    #[test]
    fn fragments_are_read_as_if_they_were_written() {
        let fragment = |tokens| Group::new(Delimiter::None, tokens);
        let (closure, two) = (fragment(quote!(fragment(|error| f(error)))), fragment(quote!(2)));
        let nested = fragment(fragment(quote!(p95)).to_token_stream());
        let flat = without_fragments(quote!(#two, when = #closure, after = #nested, delay = #two * SECOND, refresh_if = n == #two));
        let written = quote!(2, when = fragment(|error| f(error)), after = p95, delay = #two * SECOND, refresh_if = n == #two);
        assert_eq!(flat.to_string(), written.to_string());
    }

    #[test]
    fn finds_names_in_code_and_in_format_strings() {
        let id = format_ident!("id");
        assert!(mentions(&quote!(f(a, { id })), &id));
        assert!(mentions(&quote!(format!("user {id:?}")), &id));
        assert!(mentions(&quote!(format!("{id}")), &id));
        assert!(mentions(&quote!(format!("{id :?}")), &id) && mentions(&quote!(format!("{{{id}}}")), &id));
        assert!(mentions(&quote!(format!("{n:>id$}")), &id) && mentions(&quote!(format!("{n:0id$.2}")), &id));
        assert!(mentions(&quote!(format!(r"{n:>width$.id$?}")), &id) && mentions(&quote!(format!("{:.id$}", 1.0)), &id));
        assert!(mentions(&quote!(format!("{match}")), &format_ident!("r#match")));
        assert!(mentions(&quote!(format!("{n:-^été$}")), &format_ident!("été")));
        assert!(!mentions(&quote!(format!("{{id}} {n:id>3} {n:x$id}", n = 1)), &id));
        assert!(!mentions(&quote!(format!("{ids} id", ids = 1)), &id));
        assert!(!mentions(&quote!(identity(x)), &id));
        assert!(mentions_in_expressions(&quote!(skip(a), key = id), &id));
        assert!(!mentions_in_expressions(&quote!(skip(id), key = a), &id));
    }
}
