//! The free names of an expression: variables, `self`, type and const parameters.
//!
//! Unlike [`tokens::mentions`], which only looks for occurrences, this follows scopes: a name that the expression itself binds (by a
//! closure, a `let`, a pattern), a field, a method, and a segment in the middle of a path are not free.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Item, Local, Macro, Pat, Path, Stmt, Token};

use crate::item::tokens::{self, is_punct};

/// The names to look for, each with a value of the caller's choice.
pub(crate) struct Wanted<T> {
    /// Arguments, and `self`.
    pub(crate) values: Vec<(String, T)>,
    /// Type parameters.
    pub(crate) types: Vec<(String, T)>,
    /// Const parameters, which are used both as values and as types.
    pub(crate) consts: Vec<(String, T)>,
}

/// Every wanted name that is free in the expression, in order of first use, with its span.
pub(crate) fn taken_from_outside<T: Clone>(expression: &Expr, wanted: &Wanted<T>) -> Vec<(Span, T)> {
    let mut uses = Uses { wanted, scopes: Vec::new(), found: Vec::new() };
    uses.visit_expr(expression);
    uses.found.into_iter().map(|(_, span, what)| (span, what)).collect()
}

/// Whether the expression takes the variable, or `self`, from outside.
pub(crate) fn takes(expression: &Expr, name: &Ident) -> bool {
    let wanted = Wanted { values: vec![(name.unraw().to_string(), ())], types: Vec::new(), consts: Vec::new() };
    !taken_from_outside(expression, &wanted).is_empty()
}

/// The names that the `let`s among these statements bind.
pub(crate) fn bound_by_statements(statements: &TokenStream) -> Vec<String> {
    struct Bound(Vec<String>);
    impl Visit<'_> for Bound {
        fn visit_pat_ident(&mut self, pattern: &syn::PatIdent) {
            self.0.push(pattern.ident.unraw().to_string());
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut bound = Bound(Vec::new());
    for statement in Block::parse_within.parse2(statements.clone()).unwrap_or_default() {
        if let Stmt::Local(local) = &statement {
            bound.visit_pat(&local.pat);
        }
    }
    bound.0
}

struct Uses<'w, T> {
    wanted: &'w Wanted<T>,
    /// The names that the expression binds, by scope, innermost last.
    scopes: Vec<Vec<String>>,
    found: Vec<(String, Span, T)>,
}

impl<T: Clone> Uses<'_, T> {
    fn scoped(&mut self, visit: impl FnOnce(&mut Self)) {
        self.scopes.push(Vec::new());
        visit(self);
        self.scopes.pop();
    }

    fn bind(&mut self, name: String) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(name);
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.scopes.iter().flatten().any(|bound| bound == name)
    }

    fn use_of(&mut self, name: String, span: Span, wanted: &[(String, T)]) {
        if self.is_bound(&name) || self.found.iter().any(|(found, ..)| *found == name) {
            return;
        }
        if let Some((_, what)) = wanted.iter().find(|(known, _)| *known == name) {
            self.found.push((name, span, what.clone()));
        }
    }

    fn value(&mut self, ident: &Ident) {
        let wanted = self.wanted;
        self.use_of(ident.unraw().to_string(), ident.span(), &wanted.values);
        self.use_of(ident.unraw().to_string(), ident.span(), &wanted.consts);
    }

    fn generic(&mut self, ident: &Ident) {
        let wanted = self.wanted;
        self.use_of(ident.unraw().to_string(), ident.span(), &wanted.types);
        self.use_of(ident.unraw().to_string(), ident.span(), &wanted.consts);
    }

    /// Variables captured by a format string among the arguments of a macro.
    fn captures(&mut self, literal: &TokenTree) {
        let wanted = self.wanted;
        for (name, _) in wanted.values.iter().chain(&wanted.consts) {
            let ident = Ident::new(if name == "self" { continue } else { name }, literal.span());
            if tokens::mentions(&literal.to_token_stream(), &ident) {
                self.value(&ident);
            }
        }
    }

    /// For tokens that do not parse as expressions, every name that could be a variable or a parameter counts as one.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(_) => self.captures(tree),
                TokenTree::Ident(ident) => {
                    let is = |at: Option<usize>, character| {
                        at.and_then(|at| trees.get(at)).is_some_and(|tree| is_punct(tree, character))
                    };
                    let (before, second) = (at.checked_sub(1), at.checked_sub(2));
                    let follows_path = is(before, ':') && is(second, ':');
                    let is_member = is(before, '.') && !is(second, '.');
                    let begins_path = is(Some(at + 1), ':') && is(Some(at + 2), ':');
                    let is_field = is(Some(at + 1), ':') && !begins_path;
                    if !follows_path && !is_member && !is_field {
                        self.generic(ident);
                        if !begins_path {
                            self.value(ident);
                        }
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast, T: Clone> Visit<'ast> for Uses<'_, T> {
    fn visit_path(&mut self, path: &'ast Path) {
        if let (None, Some(first)) = (path.leading_colon, path.segments.first()) {
            self.generic(&first.ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let (None, Some(ident)) = (&path.qself, path.path.get_ident()) {
            self.value(ident);
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bind(pattern.ident.unraw().to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.scoped(|uses| visit::visit_expr_closure(uses, closure));
    }

    /// Constants, statics and functions of a block are in scope in all of it.
    fn visit_block(&mut self, block: &'ast Block) {
        self.scoped(|uses| {
            block.stmts.iter().filter_map(item_name).for_each(|name| uses.bind(name));
            visit::visit_block(uses, block);
        });
    }

    /// A `let` binds its names after its own initializer.
    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                self.visit_expr(diverge);
            }
        }
        self.visit_pat(&local.pat);
    }

    /// An item sees neither variables nor parameters from around it.
    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        self.visit_expr(&condition.expr);
        self.visit_pat(&condition.pat);
    }

    fn visit_expr_if(&mut self, branches: &'ast syn::ExprIf) {
        self.scoped(|uses| {
            uses.visit_expr(&branches.cond);
            uses.visit_block(&branches.then_branch);
        });
        if let Some((_, otherwise)) = &branches.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, repeated: &'ast syn::ExprWhile) {
        self.scoped(|uses| visit::visit_expr_while(uses, repeated));
    }

    fn visit_expr_for_loop(&mut self, repeated: &'ast syn::ExprForLoop) {
        self.visit_expr(&repeated.expr);
        self.scoped(|uses| {
            uses.visit_pat(&repeated.pat);
            uses.visit_block(&repeated.body);
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.scoped(|uses| visit::visit_arm(uses, arm));
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        if call.path.segments.last().is_some_and(|last| last.ident == "matches")
            && let Ok((value, pattern, guard)) = matches_arguments.parse2(call.tokens.clone())
        {
            self.visit_expr(&value);
            self.scoped(|uses| {
                uses.visit_pat(&pattern);
                if let Some(guard) = &guard {
                    uses.visit_expr(guard);
                }
            });
            return;
        }
        let Ok(arguments) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.tokens.clone()) else {
            return self.tokens(call.tokens.clone());
        };
        let (literals, values): (Vec<&Expr>, Vec<&Expr>) = arguments.iter().partition(|argument| matches!(argument, Expr::Lit(_)));
        let mut names = Vec::new();
        for value in values {
            match value {
                // The name of a named argument exists for the macro only, as in `format!("{n}", n = 1)`.
                Expr::Assign(named) if let Expr::Path(name) = &*named.left => {
                    self.visit_expr(&named.right);
                    names.extend(name.path.get_ident().map(|name| name.unraw().to_string()));
                }
                other => self.visit_expr(other),
            }
        }
        self.scoped(|uses| {
            for name in names {
                uses.bind(name);
            }
            for literal in literals.iter().flat_map(ToTokens::to_token_stream) {
                uses.captures(&literal);
            }
        });
    }
}

/// The arguments of `matches!(value, pattern if guard)`.
fn matches_arguments(input: ParseStream<'_>) -> syn::Result<(Expr, Pat, Option<Expr>)> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    let guard = input.parse::<Option<Token![if]>>()?.map(|_| input.parse()).transpose()?;
    input.parse::<Option<Token![,]>>()?;
    Ok((value, pattern, guard))
}

fn item_name(statement: &Stmt) -> Option<String> {
    let Stmt::Item(item) = statement else { return None };
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        _ => return None,
    };
    Some(ident.unraw().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of `n`, `self`, `T` and `N` are free.
    fn taken(expression: &str) -> Vec<&'static str> {
        let name = |name: &'static str| (name.to_owned(), name);
        let wanted = Wanted { values: vec![name("n"), name("self")], types: vec![name("T")], consts: vec![name("N")] };
        let expression: Expr = syn::parse_str(expression).expect("an expression");
        taken_from_outside(&expression, &wanted).into_iter().map(|(_, what)| what).collect()
    }

    #[test]
    fn finds_what_is_taken_from_outside() {
        for of_n in [
            "n",
            "n * 2",
            "(n)",
            "f(n)",
            "n.len()",
            "n()",
            "S { n }",
            "S { m: n }",
            "[1, n]",
            "&n",
            "|m| m + n",
            "move || n",
            "{ let n = n + 1; n }",
            "{ let Some(m) = f() else { return n }; m }",
            "if let Some(n) = n { n } else { 1 }",
            "if let Some(n) = f() { n } else { n }",
            "match n { n => n }",
            "match 1 { m if m == n => 1, _ => 2 }",
            "while let Some(n) = n.next() {}",
            "for n in n {}",
            "async { n }",
            "format!(\"{n:?}\")",
            "format!(\"{}\", n)",
            "format!(\"{m}\", m = n)",
            "matches!(n, 1)",
            "matches!(1, m if m == n)",
            "strange!(a => n)",
            "strange!(a; .. n)",
        ] {
            assert_eq!(taken(of_n), ["n"], "{of_n}");
        }
        assert_eq!(taken("self.n"), ["self"]);
        assert_eq!(taken("strange!(a => self.n)"), ["self"]);
        assert_eq!(taken("vec![self.n, n]"), ["self", "n"]);
        for of_t in
            ["T::LIMIT", "f::<T>()", "<T as Plan>::LIMIT", "size_of::<Vec<T>>()", "<S as Plan<T>>::f()", "strange!(a => T::M)"]
        {
            assert_eq!(taken(of_t), ["T"], "{of_t}");
        }
        for of_n in ["N", "N * 2", "f::<N>()", "f::<{ N }>()", "[0; N].len()", "|_| N", "strange!(a => N)", "format!(\"{N}\")"] {
            assert_eq!(taken(of_n), ["N"], "{of_n}");
        }
    }

    #[test]
    fn leaves_what_the_expression_has_of_its_own() {
        for own in [
            "1",
            "m",
            "x.n",
            "x.n()",
            "n::LIMIT",
            "crate::n",
            "x::n::y()",
            "::n::m()",
            "S { n: 1 }",
            "|n| n + 1",
            "|(n, m): (u8, u8)| n",
            "|S { n, .. }| n",
            "{ let n = 1; n }",
            "{ const N: usize = 1; N }",
            "{ fn f(n: u8) -> u8 { n } f(1) }",
            "if let Some(n) = f() { n } else { 1 }",
            "if let Some(n) = f() && n > 1 { n } else { 1 }",
            "match f() { Some(n) => n, None => 1 }",
            "for n in f() { g(n) }",
            "while let Some(n) = f() { g(n) }",
            "matches!(f(), Some(n) if n > 1)",
            "format!(\"{n}\", n = 1)",
            "format!(\"{m} n\")",
            "strange!(a => b.n)",
            "strange!(a => x::n)",
            "strange!(a => S { n: 1 })",
            "self::LIMIT",
            "strange!(a => self::LIMIT)",
            "x::T",
            "x::N",
            "'n: loop { break 'n }",
            "\"n\"",
        ] {
            assert_eq!(taken(own), [""; 0], "{own}");
        }
    }
}
