//! Literals with a unit inside of expressions: `if vip { 60s } else { 5s }`, `|_| 60s`, `2 * 1s`.
//!
//! To Rust, `60s` is a token but not an expression. Each such literal becomes a `Duration`, also among the tokens of a macro call, since
//! the arguments of `vec![1s, 5s]` are expressions too. A suffix that Rust knows (`1u8`), a string, a hexadecimal number (`0x5d`) and a
//! tuple field (`pair.0`) are left alone.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::parse::Parse;
use syn::{Expr, ExprArray};

use crate::diagnostics::Errors;
use crate::item::tokens::is_punct;
use crate::parse::literal::{ends_in_unit, of_literal};

/// The value of an option.
pub(crate) trait Value: Parse {
    /// The value with the literals in its expressions converted.
    fn with_units(self) -> syn::Result<Self> {
        Ok(self)
    }
}

impl Value for Expr {
    fn with_units(self) -> syn::Result<Self> {
        read(self)
    }
}

impl Value for ExprArray {
    fn with_units(self) -> syn::Result<Self> {
        read(self)
    }
}

impl Value for syn::LitBool {}

/// The expression with every literal that has a unit replaced by a `Duration`.
pub(crate) fn read<T: Parse + ToTokens>(written: T) -> syn::Result<T> {
    let tokens = written.to_token_stream();
    if !any_literal(tokens.clone()) {
        return Ok(written);
    }
    let mut errors = Errors::default();
    let (read, changed) = replace(tokens, false, &mut errors);
    match errors.into_error() {
        Some(error) => Err(error),
        None if changed => syn::parse2(read),
        None => Ok(written),
    }
}

/// The `Duration` as an expression, with the span of the literal.
fn tokens(value: std::time::Duration, span: Span) -> TokenStream {
    let (seconds, nanos) = (value.as_secs(), value.subsec_nanos());
    quote_spanned!(span.resolved_at(Span::mixed_site())=> ::core::time::Duration::new(#seconds, #nanos))
}

fn any_literal(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Literal(_) => true,
        TokenTree::Group(group) => any_literal(group.stream()),
        _ => false,
    })
}

/// The tokens with each literal converted, and whether there was one. `foreign` tokens are those of a macro call, which may give other
/// suffixes a meaning of its own.
fn replace(tokens: TokenStream, foreign: bool, errors: &mut Errors) -> (TokenStream, bool) {
    let (mut replaced, mut any) = (TokenStream::new(), false);
    let (mut before, mut second): (Option<TokenTree>, Option<TokenTree>) = (None, None);
    for tree in tokens {
        let is = |tree: &Option<TokenTree>, character| tree.as_ref().is_some_and(|tree| is_punct(tree, character));
        match &tree {
            TokenTree::Group(group) => {
                let called = is(&before, '!') && matches!(second, Some(TokenTree::Ident(_)));
                let (inside, changed) = replace(group.stream(), foreign || called, errors);
                any |= changed;
                let mut group_read = Group::new(group.delimiter(), inside);
                group_read.set_span(group.span());
                replaced.extend([if changed { TokenTree::Group(group_read) } else { tree.clone() }]);
            }
            // `pair.0`, but not `1s..2s`.
            TokenTree::Literal(literal) if !is(&before, '.') || is(&second, '.') => match of_literal(literal) {
                Some(Ok(value)) => {
                    any = true;
                    replaced.extend(self::tokens(value, literal.span()));
                }
                Some(Err(_)) if foreign && !ends_in_unit(literal) => replaced.extend([tree.clone()]),
                Some(Err(message)) => errors.at(literal, message),
                None => replaced.extend([tree.clone()]),
            },
            _ => replaced.extend([tree.clone()]),
        }
        second = before.replace(tree);
    }
    (replaced, any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> String {
        let read = read(syn::parse_str::<Expr>(text).expect("an expression"));
        read.map_or_else(|error| error.to_string(), |read| read.to_token_stream().to_string().replace(' ', ""))
    }

    #[test]
    fn reads_units_wherever_they_stand() {
        let second = "::core::time::Duration::new(1u64,0u32)";
        for text in [
            "if vip { 1s } else { 1s }",
            "match plan { Free => 1s, _ => 1s }",
            "|_| 1s",
            "|error| Some(1s)",
            "(1s, 2)",
            "[1s, 1s]",
            "{ let wait = 1s; wait }",
            "f(1s).max(1s)",
            "1s.as_secs()",
            "2 * 1s",
            "1s..1s",
            "..=1s",
            "S { wait: 1s }",
            "vec![1s]",
            "format!(\"{:?} 1s\", 1s)",
            "if x > 1s { 1.0s } else { 1_000ms }",
        ] {
            let mut expected = text.replace("1.0s", "1s").replace("1_000ms", "1s").replace("\"{:?} 1s\"", "\"{:?} @\"");
            expected = expected.replace("1s", second).replace(' ', "").replace('@', "1s");
            assert_eq!(read_text(text), expected, "{text}");
        }
    }

    #[test]
    fn leaves_other_literals() {
        for text in
            ["1u8 + 2_i64", "0x5d", "\"1s\"", "b\"1s\"", "'s'", "pair.0", "1.5", "1f32", "2.5f64", "dur!(5px)", "x.0.1", "1e3"]
        {
            assert_eq!(read_text(text), text.replace(' ', ""), "{text}");
        }
    }

    #[test]
    fn says_what_to_write() {
        assert_eq!(read_text("if vip { 5m } else { 1s }"), "`5m` is ambiguous: write `5min` or `5ms`");
        assert!(read_text("|_| Some(5sec)").contains("`sec` is not a unit"));
        assert!(read_text("f(1e3s)").contains("not a plain decimal"));
        assert!(read_text("vec![1e3s]").contains("not a plain decimal"));
    }
}
