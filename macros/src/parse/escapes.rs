//! Control flow that would leave an option's expression: `.await`, `?`, `return`, `break`.
//!
//! The expression becomes a part of the function's body, inside the wrappers of the attributes above. The deadlines of those could not
//! bound an `.await` there, and a `?` or a `return` would leave the function past all of them. Inside a closure, an `async` block, a loop
//! or an item of its own, an expression may do all of that.
//!
//! Macro calls are checked if their arguments parse as expressions; otherwise only an `.await` or a `return` is recognized.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, Item, Label, Lifetime, Macro, Token};

use crate::diagnostics::Errors;
use crate::item::tokens::{is_ident, is_punct};

/// Reports control flow that would leave the expression. `awaits`: the expression is itself awaited within the attributes above, and so may
/// await.
pub(crate) fn check(expression: &Expr, awaits: bool, errors: &mut Errors) {
    let mut escapes = Escapes { found: Vec::new(), loops: 0, labels: Vec::new(), is_async: awaits };
    escapes.visit_expr(expression);
    for (span, escape) in escapes.found {
        errors.at_span(span, escape.message());
    }
}

/// Whether the expression awaits something, outside of closures and `async` blocks of its own.
pub(crate) fn awaits(expression: &Expr) -> bool {
    let mut escapes = Escapes { found: Vec::new(), loops: 0, labels: Vec::new(), is_async: false };
    escapes.visit_expr(expression);
    escapes.found.iter().any(|(_, escape)| *escape == Escape::Await)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Await,
    Try,
    Return,
    Break,
}

impl Escape {
    fn message(self) -> &'static str {
        match self {
            Self::Await => {
                "an option cannot `.await`, since the attributes above would not bound it: await the value before the call, and pass it as an argument"
            }
            Self::Try => {
                "an option cannot use `?`, which would bypass the attributes above: handle the error here, or in a function that the option calls"
            }
            Self::Return => "an option cannot `return`, which would bypass the attributes above: write the value without `return`",
            Self::Break => "`break` and `continue` cannot leave an option: remove this one",
        }
    }
}

struct Escapes {
    found: Vec<(Span, Escape)>,
    /// The loops of the expression around this place.
    loops: usize,
    labels: Vec<Lifetime>,
    /// Whether an `.await` is within reach of the attributes above.
    is_async: bool,
}

impl Escapes {
    fn leave(&mut self, span: Span, label: Option<&Lifetime>) {
        let stays = label.map_or(self.loops > 0, |label| self.labels.contains(label));
        if !stays {
            self.found.push((span, Escape::Break));
        }
    }

    fn in_loop(&mut self, label: Option<&Label>, visit: impl FnOnce(&mut Self)) {
        self.loops += 1;
        self.labeled(label, visit);
        self.loops -= 1;
    }

    fn labeled(&mut self, label: Option<&Label>, visit: impl FnOnce(&mut Self)) {
        self.labels.extend(label.map(|label| label.name.clone()));
        visit(self);
        self.labels.truncate(self.labels.len() - usize::from(label.is_some()));
    }

    /// The tokens of a macro that takes no expressions.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            let before = |back: usize| at.checked_sub(back).and_then(|at| trees.get(at));
            let is = |tree: Option<&TokenTree>, name| tree.is_some_and(|tree| is_ident(tree, name));
            match tree {
                TokenTree::Ident(ident)
                    if ident == "await" && before(1).is_some_and(|tree| is_punct(tree, '.')) && !self.is_async =>
                {
                    self.found.push((ident.span(), Escape::Await));
                }
                TokenTree::Ident(ident) if ident == "return" => self.found.push((ident.span(), Escape::Return)),
                TokenTree::Group(group) => {
                    let of_its_own = group.delimiter() == Delimiter::Brace
                        && (is(before(1), "async") || (is(before(1), "move") && is(before(2), "async")));
                    if !of_its_own {
                        self.tokens(group.stream());
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Escapes {
    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        if !self.is_async {
            self.found.push((expression.await_token.span, Escape::Await));
        }
        visit::visit_expr_await(self, expression);
    }

    fn visit_expr_try(&mut self, expression: &'ast syn::ExprTry) {
        self.found.push((expression.question_token.span, Escape::Try));
        visit::visit_expr_try(self, expression);
    }

    fn visit_expr_return(&mut self, expression: &'ast syn::ExprReturn) {
        self.found.push((expression.return_token.span, Escape::Return));
        visit::visit_expr_return(self, expression);
    }

    fn visit_expr_break(&mut self, expression: &'ast syn::ExprBreak) {
        self.leave(expression.break_token.span, expression.label.as_ref());
        visit::visit_expr_break(self, expression);
    }

    fn visit_expr_continue(&mut self, expression: &'ast syn::ExprContinue) {
        self.leave(expression.continue_token.span, expression.label.as_ref());
    }

    fn visit_expr_loop(&mut self, expression: &'ast syn::ExprLoop) {
        self.in_loop(expression.label.as_ref(), |escapes| visit::visit_expr_loop(escapes, expression));
    }

    fn visit_expr_while(&mut self, expression: &'ast syn::ExprWhile) {
        self.in_loop(expression.label.as_ref(), |escapes| visit::visit_expr_while(escapes, expression));
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast syn::ExprForLoop) {
        self.visit_expr(&expression.expr);
        self.in_loop(expression.label.as_ref(), |escapes| escapes.visit_block(&expression.body));
    }

    fn visit_expr_block(&mut self, expression: &'ast syn::ExprBlock) {
        self.labeled(expression.label.as_ref(), |escapes| visit::visit_expr_block(escapes, expression));
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_macro(&mut self, call: &'ast Macro) {
        match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.tokens.clone()) {
            Ok(arguments) => arguments.iter().for_each(|argument| {
                let mut inner =
                    Escapes { found: Vec::new(), loops: self.loops, labels: self.labels.clone(), is_async: self.is_async };
                inner.visit_expr(argument);
                self.found.append(&mut inner.found);
            }),
            Err(_) => self.tokens(call.tokens.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escapes(expression: &str) -> usize {
        let expression: Expr = syn::parse_str(expression).expect("an expression");
        let mut escapes = Escapes { found: Vec::new(), loops: 0, labels: Vec::new(), is_async: false };
        escapes.visit_expr(&expression);
        escapes.found.len()
    }

    #[test]
    fn finds_what_leaves_an_expression() {
        for one in [
            "f().await",
            "f()?",
            "{ if n > 0 { return 1 } 2 }",
            "{ if n > 0 { break } 2 }",
            "{ if n > 0 { continue } 2 }",
            "{ loop { break 'outer } }",
            "format!(\"{}\", f().await)",
            "vec![f()?, 2]",
            "{ let n = f()?; g(n) }",
            "if ready().await { 1 } else { 2 }",
            "odd!(a => b.await)",
            "odd!(a => return)",
            "|| 1 + { 2 }.await",
        ] {
            assert_eq!(escapes(one), usize::from(!one.starts_with("||")), "{one}");
        }
    }

    #[test]
    fn leaves_alone_what_stays() {
        for none in [
            "|error| error.check()?",
            "async { f().await?; return 1 }",
            "async move { f().await }",
            "loop { if n > 0 { break n } else { continue } }",
            "'outer: loop { loop { break 'outer 1 } }",
            "'block: { if n > 0 { break 'block 1 } 2 }",
            "for n in all { if n > 0 { break } }",
            "{ fn helper() -> Option<u8> { return Some(f()?) } helper() }",
            "odd!(a => async move { b.await })",
            "(n.await_all)(1)",
            "tracing::info!(?n, \"text\")",
        ] {
            assert_eq!(escapes(none), 0, "{none}");
        }
    }
}
