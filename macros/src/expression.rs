//! What can be told of an expression by its looks.

use syn::{Expr, Lit};

/// The expression without parentheses, and without the groups that come from `macro_rules`.
pub(crate) fn plain(mut expression: &Expr) -> &Expr {
    while let Expr::Group(syn::ExprGroup { expr, .. }) | Expr::Paren(syn::ExprParen { expr, .. }) = expression {
        expression = expr;
    }
    expression
}

/// Whether the expression is a number or the like, so that it can stand in a constant.
pub(crate) fn is_literal(expression: &Expr) -> bool {
    match plain(expression) {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_literal(&unary.expr),
        _ => false,
    }
}

/// The value of a number that is written out.
pub(crate) fn number(expression: &Expr) -> Option<f64> {
    match plain(expression) {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => int.base10_parse().ok(),
        Expr::Lit(syn::ExprLit { lit: Lit::Float(float), .. }) if float.suffix().is_empty() => float.base10_parse().ok(),
        Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => number(expr).map(|value| -value),
        _ => None,
    }
}

/// Whether the expression is of whatever type is expected: nothing can be told from its own.
pub(crate) fn is_decided_by_its_use(expression: &Expr) -> bool {
    match expression {
        Expr::MethodCall(call) => call.turbofish.is_none() && ["into", "collect"].iter().any(|name| call.method == name),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                path.path.segments.len() == 2 && path.path.segments.iter().map(|segment| &segment.ident).eq(["Default", "default"])
            }
            _ => false,
        },
        _ => false,
    }
}
