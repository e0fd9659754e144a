//! Options that are closures.

use quote::ToTokens;
use syn::{Expr, UnOp};

use crate::diagnostics::Errors;
use crate::parse::expression::plain;

/// An option that takes a closure.
pub(crate) struct Closure<'a> {
    pub(crate) option: &'a str,
    /// The names of its arguments in messages.
    pub(crate) arguments: &'a [&'a str],
    pub(crate) written: Option<&'a Expr>,
    /// What a message adds about the arguments.
    pub(crate) hint: &'a str,
}

/// Checks `or_else`, which every attribute that can reject a call takes.
pub(crate) fn check_or_else(written: Option<&Expr>, errors: &mut Errors) {
    Closure { option: "or_else", arguments: &["error"], written, hint: "" }.check(errors);
}

impl Closure<'_> {
    /// Reports what cannot be such a closure: a closure with other arguments, or a plain value. A path or a call may evaluate to one; that
    /// is left to the type checker.
    pub(crate) fn check(&self, errors: &mut Errors) {
        let Some(written) = self.written else { return };
        let (option, bars, hint) = (self.option, self.arguments.join(", "), self.hint);
        let count =
            if let [_] = self.arguments { "one argument".to_owned() } else { format!("{} arguments", self.arguments.len()) };
        match plain(written) {
            Expr::Closure(closure) if closure.inputs.len() != self.arguments.len() => {
                let inputs = &closure.inputs;
                let message = format!("`{option}` takes a closure with {count}: write `{option} = |{bars}| ..`{hint}");
                if inputs.is_empty() { errors.at(closure, message) } else { errors.at(inputs, message) }
            }
            value if is_value(value) => {
                let value = value.to_token_stream().to_string().replace(" !", "!").replace("! (", "!(").replace("- ", "-");
                let bars = vec!["_"; self.arguments.len()].join(", ");
                errors.at(written, format!("`{option}` takes a closure with {count}: write `{option} = |{bars}| {value}`"));
            }
            _ => {}
        }
    }
}

/// Whether the expression is a value that cannot be called.
fn is_value(expression: &Expr) -> bool {
    const MACROS: [&str; 8] = ["println", "print", "eprintln", "eprint", "format", "vec", "matches", "assert"];
    match expression {
        Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_) | Expr::Binary(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_value(plain(&unary.expr)),
        Expr::Macro(call) => call.mac.path.segments.last().is_some_and(|last| MACROS.iter().any(|name| last.ident == name)),
        _ => false,
    }
}
