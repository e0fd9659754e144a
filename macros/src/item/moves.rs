//! Arguments that a body certainly moves.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Type};

use crate::item::tokens::is_same;
use crate::item::types;

/// Where the body passes the variable to a call by value. A body that binds the name again is left to the compiler, which knows which of the
/// two is meant.
pub(crate) fn passed_on(body: &TokenStream, name: &Ident) -> Option<Span> {
    struct Passed<'n> {
        name: &'n Ident,
        rebound: bool,
        at: Option<Span>,
    }
    impl Passed<'_> {
        fn arguments<'e>(&mut self, arguments: impl IntoIterator<Item = &'e Expr>) {
            let is_name = |path: &syn::Path| path.get_ident().is_some_and(|ident| is_same(ident, self.name));
            for argument in arguments {
                if let Expr::Path(path) = argument
                    && path.qself.is_none()
                    && is_name(&path.path)
                {
                    self.at = self.at.or_else(|| path.path.get_ident().map(Ident::span));
                }
            }
        }
    }
    impl Visit<'_> for Passed<'_> {
        fn visit_pat_ident(&mut self, pattern: &syn::PatIdent) {
            self.rebound |= is_same(&pattern.ident, self.name);
            visit::visit_pat_ident(self, pattern);
        }
        fn visit_expr_call(&mut self, call: &syn::ExprCall) {
            self.arguments(&call.args);
            visit::visit_expr_call(self, call);
        }
        fn visit_expr_method_call(&mut self, call: &syn::ExprMethodCall) {
            self.arguments(&call.args);
            visit::visit_expr_method_call(self, call);
        }
        fn visit_item(&mut self, _: &syn::Item) {}
    }
    let mut passed = Passed { name, rebound: false, at: None };
    for statement in Block::parse_within.parse2(body.clone()).ok()? {
        passed.visit_stmt(&statement);
    }
    passed.at.filter(|_| !passed.rebound)
}

/// Whether the type is one of the standard library's that own something, by the name that it is written with.
pub(crate) fn is_owner(ty: &Type) -> bool {
    const OWNERS: &[&str] =
        &["String", "Vec", "Box", "Arc", "Rc", "PathBuf", "OsString", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque"];
    let Type::Path(path) = types::ungroup(ty) else { return false };
    path.path.segments.last().is_some_and(|last| OWNERS.iter().any(|owner| last.ident.unraw() == owner))
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn an_argument_of_a_call_is_moved() {
        let name = format_ident!("body");
        let moves = |body: TokenStream| passed_on(&body, &name).is_some();
        assert!(moves(quote!(send(body).await)));
        assert!(moves(quote!(if let Some(n) = n {
            client.post(url, body).send().await?;
        })));
        assert!(!moves(quote!(send(&body).await)));
        assert!(!moves(quote!(send(body.len()).await)));
        assert!(!moves(quote!(send(body::new()).await)));
    }

    #[test]
    fn another_variable_of_the_name_is_not_meant() {
        let name = format_ident!("body");
        let moves = |body: TokenStream| passed_on(&body, &name).is_some();
        assert!(!moves(quote!(let body = body.trim(); send(body).await)));
        assert!(!moves(quote!(parts.map(|body| send(body)))));
        assert!(!moves(quote!(
            fn inner(n: u32) {
                send(body)
            },
            1
        )));
    }

    #[test]
    fn owners_are_known_by_name() {
        let is = |ty: TokenStream| is_owner(&syn::parse2(ty).expect("a type"));
        assert!(is(quote!(String)) && is(quote!(std::vec::Vec<u8>)) && is(quote!(Arc<str>)));
        assert!(!is(quote!(&String)) && !is(quote!(UserId)) && !is(quote!(u32)));
    }
}
