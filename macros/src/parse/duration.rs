//! Durations: literals with a unit, or expressions.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, ExprLit, Lit, UnOp};

use crate::parse::expression::plain;
use crate::parse::units;

/// A duration in an attribute.
#[derive(Clone)]
pub(crate) enum Duration {
    /// `500ms`.
    Literal { value: std::time::Duration, written: Expr },
    /// Any expression of type `Duration`.
    Expression(Expr),
}

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("min", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
];

const NANOS_PER_SECOND: u64 = 1_000_000_000;

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

/// The digits and the suffix of a number.
fn number(literal: &Lit) -> Option<(&str, &str)> {
    match literal {
        Lit::Int(int) => Some((int.base10_digits(), int.suffix())),
        Lit::Float(float) => Some((float.base10_digits(), float.suffix())),
        _ => None,
    }
}

/// The duration of a literal inside an expression. `None` for a literal that Rust can read.
pub(crate) fn of_literal(literal: &proc_macro2::Literal) -> Option<Result<std::time::Duration, String>> {
    const RUST: [&str; 15] =
        ["", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];
    let literal = Lit::new(literal.clone());
    let (digits, suffix) = number(&literal)?;
    (!RUST.contains(&suffix)).then(|| value(digits, suffix))
}

/// Whether a literal ends in a unit, even if its digits are invalid.
pub(crate) fn ends_in_unit(literal: &proc_macro2::Literal) -> bool {
    number(&Lit::new(literal.clone())).is_some_and(|(_, suffix)| is_unit(suffix))
}

fn is_unit(suffix: &str) -> bool {
    UNITS.iter().any(|(unit, _)| *unit == suffix)
}

/// Whether the literal has a unit, so that only an attribute can read it.
pub(crate) fn has_unit(literal: &ExprLit) -> bool {
    number(&literal.lit).is_some_and(|(_, suffix)| is_unit(suffix))
}

fn value(digits: &str, suffix: &str) -> Result<std::time::Duration, String> {
    let Some(&(_, unit)) = UNITS.iter().find(|(name, _)| *name == suffix) else {
        return Err(match suffix {
            // A number with three digits or more usually means milliseconds.
            "" if digits.len() > 2 && !digits.contains('.') => format!("`{digits}` has no unit: write `{digits}ms` or `{digits}s`"),
            "" => format!("`{digits}` has no unit: write `{digits}s`"),
            "m" => format!("`{digits}m` is ambiguous: write `{digits}min` or `{digits}ms`"),
            other => format!("`{other}` is not a unit of time: use `ns`, `us`, `ms`, `s`, `min`, `h` or `d`, as in `{digits}s`"),
        });
    };
    let too_long = || format!("`{digits}{suffix}` exceeds the range of a `Duration`");
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || fraction.len() > 18 {
        return Err(format!("`{digits}{suffix}` is not a plain decimal number: write one as in `2.5s` or `1_000us`"));
    }
    let unit = u128::from(unit);
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u128>().map_err(|_| too_long())? };
    let fraction = match fraction.parse::<u128>() {
        Ok(numerator) => numerator * unit / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0)),
        Err(_) => 0,
    };
    let nanos = whole.checked_mul(unit).and_then(|nanos| nanos.checked_add(fraction)).ok_or_else(too_long)?;
    let seconds = u64::try_from(nanos / u128::from(NANOS_PER_SECOND)).map_err(|_| too_long())?;
    let nanos = u32::try_from(nanos % u128::from(NANOS_PER_SECOND)).unwrap_or(0);
    Ok(std::time::Duration::new(seconds, nanos))
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
