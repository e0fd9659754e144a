//! Syntactic properties of an expression.

use syn::{Expr, Lit};

use crate::item::parameters::Parameters;

/// The expression without parentheses and without the groups that `macro_rules` fragments arrive in.
pub(crate) fn plain(mut expression: &Expr) -> &Expr {
    while let Expr::Group(syn::ExprGroup { expr, .. }) | Expr::Paren(syn::ExprParen { expr, .. }) = expression {
        expression = expr;
    }
    expression
}

/// Whether the expression is a literal, with or without a sign, so that it may be part of a constant.
pub(crate) fn is_literal(expression: &Expr) -> bool {
    match plain(expression) {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_literal(&unary.expr),
        _ => false,
    }
}

/// Whether the expression only names something, as `limit`, `self.limit`, `&LIMIT`: to evaluate it runs no code of the user's.
pub(crate) fn is_place(expression: &Expr) -> bool {
    match plain(expression) {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Reference(reference) => is_place(&reference.expr),
        _ => false,
    }
}

/// Whether to evaluate the expression runs code of the user's.
pub(crate) fn runs_code(expression: &Expr) -> bool {
    !is_place(expression) && !is_literal(expression)
}

/// Whether the expression names an item and so a static: any other name in an attribute is an argument. A `const` is rejected by its type,
/// which is not a reference to a `'static` object. Where local variables can be named, statics are those in capitals, or with a path.
pub(crate) fn is_static(expression: &Expr, parameters: &Parameters) -> bool {
    let Expr::Path(path) = plain(expression) else { return false };
    path.path.get_ident().is_none_or(|name| {
        let is_local = || parameters.sees_locals && *name != name.to_string().to_uppercase();
        name != "self" && parameters.find(name).is_none() && !is_local()
    })
}

/// The function that the expression calls by name.
pub(crate) fn called(expression: &Expr) -> Option<&syn::Path> {
    let Expr::Call(call) = plain(expression) else { return None };
    let Expr::Path(function) = &*call.func else { return None };
    Some(&function.path)
}

/// Whether the expression creates a new `ty`: `Type::new(..)`, and any method calls on it.
pub(crate) fn is_constructor(expression: &Expr, ty: &str) -> bool {
    if let Expr::MethodCall(call) = plain(expression) {
        return is_constructor(&call.receiver, ty);
    }
    called(expression).is_some_and(|function| {
        let mut names = function.segments.iter().rev().map(|segment| &segment.ident);
        let constructor =
            names.next().is_some_and(|name| ["new", "default", "builder", "unbounded"].iter().any(|known| name == known));
        constructor && names.next().is_some_and(|name| name == ty)
    })
}

/// The value of a number literal, which may be negative.
pub(crate) fn number(expression: &Expr) -> Option<f64> {
    match plain(expression) {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => int.base10_parse().ok(),
        Expr::Lit(syn::ExprLit { lit: Lit::Float(float), .. }) if float.suffix().is_empty() => float.base10_parse().ok(),
        Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => number(expr).map(|value| -value),
        _ => None,
    }
}

/// Whether the type of the expression is inferred from its context.
pub(crate) fn is_decided_by_its_use(expression: &Expr) -> bool {
    if let Expr::MethodCall(call) = plain(expression) {
        return call.turbofish.is_none() && ["into", "collect"].iter().any(|name| call.method == name);
    }
    called(expression).is_some_and(|function| function.segments.iter().map(|segment| &segment.ident).eq(["Default", "default"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn statics_are_told_from_arguments() {
        let mut signature: syn::Signature = parse_quote!(fn f(&self, limiter: &RateLimiter, LIMITER: &RateLimiter));
        let parameters = Parameters::of(&mut signature);
        let is_static = |expression| is_static(&expression, &parameters);
        assert!(
            is_static(parse_quote!(PAYMENTS)) && is_static(parse_quote!(payments)) && is_static(parse_quote!(crate::limits::v2))
        );
        assert!(!is_static(parse_quote!(limiter)) && !is_static(parse_quote!(LIMITER)) && !is_static(parse_quote!((LIMITER))));
        assert!(!is_static(parse_quote!(self.users)) && !is_static(parse_quote!(self)) && !is_static(parse_quote!(limits()[0])));
    }

    #[test]
    fn what_is_made_in_place_is_told_by_its_type() {
        assert!(is_constructor(&parse_quote!(steadfast::CircuitBreaker::new().failures(3)), "CircuitBreaker"));
        assert!(
            !is_constructor(&parse_quote!(breakers.get(id)), "CircuitBreaker")
                && !is_constructor(&parse_quote!(CircuitBreaker::of(id)), "CircuitBreaker")
        );
    }
}
