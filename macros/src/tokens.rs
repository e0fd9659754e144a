//! Looking at tokens without parsing them.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// An identifier of the expansion's own: one that the user's code can neither see nor shadow.
pub(crate) fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
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
    use quote::{format_ident, quote};

    #[test]
    fn finds_names_in_code_and_in_format_strings() {
        let id = format_ident!("id");
        assert!(mentions(&quote!(f(a, { id })), &id));
        assert!(mentions(&quote!(format!("user {id:?}")), &id));
        assert!(mentions(&quote!(format!("{id}")), &id));
        assert!(!mentions(&quote!(format!("{ids} id", ids = 1)), &id));
        assert!(!mentions(&quote!(identity(x)), &id));
    }
}
