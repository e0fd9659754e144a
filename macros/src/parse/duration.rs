//! Durations: literals with a unit, or expressions.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, UnOp};

use crate::parse::expression::plain;
use crate::parse::literal::{number, value};
use crate::parse::units::{self, Value};

/// A duration in an attribute.
#[derive(Clone)]
pub(crate) enum Duration {
    /// `500ms`.
    Literal { value: std::time::Duration, written: Expr },
    /// Any expression of type `Duration`.
    Expression(Expr),
}

impl Duration {
    /// The value of a literal.
    pub(crate) fn literal(&self) -> Option<std::time::Duration> {
        match self {
            Self::Literal { value, .. } => Some(*value),
            Self::Expression(_) => None,
        }
    }

    /// The expression as written.
    pub(crate) fn written(&self) -> &Expr {
        match self {
            Self::Literal { written, .. } | Self::Expression(written) => written,
        }
    }

    pub(crate) fn new(expression: Expr) -> syn::Result<Self> {
        let inner = plain(&expression);
        let Expr::Lit(literal) = inner else {
            if let Expr::Unary(unary) = inner
                && matches!((&unary.op, &*unary.expr), (UnOp::Neg(_), Expr::Lit(_)))
            {
                return Err(syn::Error::new_spanned(inner, "a duration cannot be negative"));
            }
            if let Expr::Closure(_) = inner {
                return Err(syn::Error::new_spanned(
                    inner,
                    "expected a duration, not a closure: write one as in `500ms`, or an expression over the arguments",
                ));
            }
            return units::read(expression).map(Self::Expression);
        };
        let Some((digits, suffix)) = number(&literal.lit) else {
            return Err(syn::Error::new_spanned(literal, "expected a duration: write a number with a unit, as in `500ms` or `5s`"));
        };
        let value = value(digits, suffix).map_err(|message| syn::Error::new_spanned(literal, message))?;
        Ok(Self::Literal { value, written: expression })
    }
}

// It reads units itself, since some of its literals have a special meaning.
impl Value for Duration {}

impl Parse for Duration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Self::new(input.parse()?)
    }
}

/// As an expression of type `core::time::Duration`.
impl ToTokens for Duration {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Literal { value, .. } => {
                let (seconds, nanos) = (value.as_secs(), value.subsec_nanos());
                quote!(::core::time::Duration::new(#seconds, #nanos))
            }
            Self::Expression(expression) => quote!(#expression),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration as Time;

    fn parse(text: &str) -> Result<Time, String> {
        syn::parse_str::<Duration>(text).map(|duration| duration.literal().expect("a literal")).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_unit() {
        assert_eq!(parse("500ms"), Ok(Time::from_millis(500)));
        assert_eq!(parse("5s"), Ok(Time::from_secs(5)));
        assert_eq!(parse("2.5s"), Ok(Time::from_millis(2_500)));
        assert_eq!(parse("1h"), Ok(Time::from_secs(3_600)));
        assert_eq!(parse("1_000us"), Ok(Time::from_millis(1)));
        assert_eq!(parse("7ns"), Ok(Time::from_nanos(7)));
        assert_eq!(parse("0.5min"), Ok(Time::from_secs(30)));
        assert_eq!(parse("2d"), Ok(Time::from_secs(172_800)));
        assert_eq!(parse("(0ms)"), Ok(Time::ZERO));
        assert_eq!(parse("0.1s"), Ok(Time::from_millis(100)));
    }

    #[test]
    fn says_what_to_write() {
        assert_eq!(parse("5"), Err("`5` has no unit: write `5s`".to_owned()));
        assert_eq!(parse("5m"), Err("`5m` is ambiguous: write `5min` or `5ms`".to_owned()));
        assert!(parse("5sec").unwrap_err().contains("`sec` is not a unit"));
        assert!(parse("\"5s\"").unwrap_err().contains("write a number with a unit"));
        assert!(parse("99999999999999999999d").unwrap_err().contains("exceeds the range"));
    }

    #[test]
    fn leaves_expressions_alone() {
        let duration: Duration = syn::parse_str("self.patience * 2").unwrap();
        assert!(duration.literal().is_none());
        assert_eq!(duration.to_token_stream().to_string(), "self . patience * 2");
    }
}
