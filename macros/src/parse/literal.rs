//! Literals with a unit of time, as in `500ms`.

use syn::{ExprLit, Lit};

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

/// The digits and the suffix of a number.
pub(crate) fn number(literal: &Lit) -> Option<(&str, &str)> {
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

/// The duration that digits with a unit mean.
pub(crate) fn value(digits: &str, suffix: &str) -> Result<std::time::Duration, String> {
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
