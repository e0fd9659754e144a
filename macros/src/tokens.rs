//! Looking at tokens without parsing them.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// An identifier of the expansion's own: one that the user's code can neither see nor shadow.
pub(crate) fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A variable of the expansion's own. Hygiene keeps a user's variable of that name apart, but not a constant or a unit struct: of a name
/// that one has, a pattern would be made. Hence one that nobody gives. What is written in a `quote!` begins with the same two underscores.
pub(crate) fn local(name: &str) -> Ident {
    own(&format!("__{name}"))
}

/// The tokens at another place, each with the hygiene that it has. What the compiler has to say about a call comes to the place that all
/// of its tokens have, and is said once.
pub(crate) fn located_at(place: Span, tokens: TokenStream) -> TokenStream {
    let relocate = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            tree = Group::new(group.delimiter(), located_at(place, group.stream())).into();
        }
        tree.set_span(tree.span().located_at(place));
        tree
    };
    tokens.into_iter().map(relocate).collect()
}

/// Whether `name` occurs in `tokens`: as an identifier, or captured by a format string (`"{name}"`).
///
/// It may occur and still not be used, as in `let name = ..`; then an expansion that relies on it does a little more than it must.
pub(crate) fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Literal(literal) => format_string_captures(&literal.to_string(), &name.to_string()),
        TokenTree::Punct(_) => false,
    })
}

/// Another name for every `from`, where it stands.
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

/// `self` means what it means where it stands; any other name is what `to` is.
fn located(place: Span, to: &Ident) -> Span {
    if to == "self" { place } else { to.span().located_at(place) }
}

/// Whether a block begins with an item.
pub(crate) fn begins_with_item(block: &TokenStream) -> bool {
    const KEYWORDS: [&str; 12] =
        ["use", "fn", "struct", "enum", "impl", "const", "static", "type", "trait", "mod", "macro_rules", "extern"];
    let mut trees = block.clone().into_iter().peekable();
    while trees.next_if(|tree| is_punct(tree, '#')).is_some() {
        trees.next();
    }
    trees.next_if(|tree| matches!(tree, TokenTree::Ident(ident) if *ident == "async" || *ident == "unsafe"));
    let keyword = matches!(trees.next(), Some(TokenTree::Ident(ident)) if KEYWORDS.iter().any(|keyword| ident == keyword));
    // `const { .. }` is an expression, and so is `async { .. }`.
    keyword && !matches!(trees.next(), Some(TokenTree::Group(_)))
}

pub(crate) fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The same, among the arguments of attributes: where `skip(..)` and `clone(..)` list names, these are no expressions.
pub(crate) fn mentions_in_expressions(arguments: &TokenStream, name: &Ident) -> bool {
    let mut lists = false;
    arguments.clone().into_iter().any(|tree| {
        let listed = std::mem::replace(&mut lists, matches!(&tree, TokenTree::Ident(ident) if ident == "skip" || ident == "clone"));
        !(listed && matches!(tree, TokenTree::Group(_))) && mentions(&tree.into(), name)
    })
}

/// The same, where the name of an option (`delay = ..`) is none of an argument.
pub(crate) fn options_mention(arguments: &TokenStream, name: &Ident) -> bool {
    let trees: Vec<TokenTree> = arguments.clone().into_iter().collect();
    let is_name = |index: usize| {
        let begins = index == 0 || is_punct(&trees[index - 1], ',');
        // Not in front of a `==`.
        let set = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '=' && punct.spacing() == Spacing::Alone);
        begins && trees.get(index + 1).is_some_and(set)
    };
    let values = trees.iter().enumerate().filter(|(index, _)| !is_name(*index)).map(|(_, tree)| tree.clone()).collect();
    mentions_in_expressions(&values, name)
}

/// The arguments of an attribute, where a fragment of a `macro_rules` that is all of an argument stands in no group of its own: it is read
/// as if it had been written there.
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
                // Not behind the second half of a `==`.
                begins = is_punct(other, ',') || (is_punct(other, '=') && !joined);
                joined = matches!(other, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
                flat.extend([tree]);
            }
        }
    }
    flat
}

fn format_string_captures(literal: &str, name: &str) -> bool {
    let is_string = literal.starts_with('"') || literal.starts_with("r\"") || literal.starts_with("r#");
    is_string
        && literal
            .match_indices(&format!("{{{name}"))
            .any(|(at, found)| matches!(literal.as_bytes().get(at + found.len()), Some(b'}' | b':')))
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
        ];
        assert!(items.iter().all(begins_with_item));
        let others =
            [quote!(), quote!(a), quote!(const { 1 }), quote!(async { 1 }), quote!(unsafe { f() }), quote!(let a = 1; fn f() {})];
        assert!(!others.iter().any(begins_with_item));
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
        assert!(!mentions(&quote!(format!("{ids} id", ids = 1)), &id));
        assert!(!mentions(&quote!(identity(x)), &id));
        assert!(mentions_in_expressions(&quote!(skip(a), key = id), &id));
        assert!(!mentions_in_expressions(&quote!(skip(id), key = a), &id));
    }
}
