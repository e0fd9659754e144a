//! Errors, collected so that all of them are reported at once.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds an error at the given tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error at the given span.
    pub(crate) fn at_span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// `None` if there is none.
    pub(crate) fn into_error(self) -> Option<syn::Error> {
        self.0
    }

    /// `None` if there is none.
    pub(crate) fn into_tokens(self) -> Option<TokenStream> {
        self.0.map(syn::Error::into_compile_error)
    }
}

/// "`a`, `b` and `c`".
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{}`", only.as_ref()),
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(|name| format!("`{}`", name.as_ref())).collect();
            format!("{} and `{}`", all.join(", "), last.as_ref())
        }
    }
}

/// "available: `a` and `b`", "available: none".
pub(crate) fn available<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() { "available: none".to_owned() } else { format!("available: {}", list(names)) }
}

/// The name that was probably meant: at most two edits away and at most a third of its letters, or a part of a longer word
/// (`max_attempts`).
pub(crate) fn suggest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &str| edits(written, name);
    let nearest = names.iter().copied().min_by_key(|name| distance(name))?;
    if distance(nearest) <= 2.min(1 + written.chars().count() / 4) {
        return Some(nearest);
    }
    let words: Vec<&str> = written.split('_').collect();
    let is_part = |name: &&&str| words.windows(name.split('_').count()).any(|part| part.join("_") == **name);
    names.iter().filter(is_part).max_by_key(|name| name.len()).copied()
}

/// Edit distance with transpositions of adjacent letters (Damerau; optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["attempts", "delay", "max_delay", "ttl", "key"];
        assert_eq!(suggest("atempts", &names), Some("attempts"));
        assert_eq!(suggest("dealy", &names), Some("delay"));
        assert_eq!(suggest("tll", &names), Some("ttl"));
        assert_eq!(suggest("colour", &names), None);
        assert_eq!(suggest("max_attempts", &names), Some("attempts"));
        assert_eq!(suggest("initial_max_delay", &names), Some("max_delay"));
        assert_eq!(suggest("delayed", &["timeout"]), None);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(available(&["a", "b"]), "available: `a` and `b`");
        assert_eq!(available::<&str>(&[]), "available: none");
    }
}
