//! Undoes the rewriting of `#[async_trait]`, which has expanded before an attribute below it.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Expr, Local, Pat, Receiver, Stmt};

use crate::item::parameters::Parameters;
use crate::item::tokens::{self, is_ident, is_punct, mixed_site, with_braces};

/// The contents of the block that `#[async_trait]` returns.
pub(crate) struct Unwrapped {
    /// The statements that rebind the arguments at the beginning of the block.
    pub(crate) prologue: Vec<Local>,
    /// The user's own block.
    pub(crate) body: Group,
}

/// Splits the block, if `#[async_trait]` wrote it.
///
/// ```text
/// Input:  if let Some(__ret) = None::<Ret> { return __ret; }
///         let __self = self; let mut x = x; let (a, b) = { let __arg1 = __arg1; __arg1 };
///         let __ret: Ret = { __self.body };
///         __ret
/// Output: prologue `let mut x = x; let (a, b) = { .. };`, body `{ self.body }`
/// ```
///
/// If the prologue stayed in the body, `#[retry]` would run it again, the first attempt would consume the arguments, and options could not
/// name what it binds. The receiver needs no second name: inside a block it is `self` as well.
pub(crate) fn unwrap(block: &Group, receiver: Option<&mut Receiver>) -> Option<Unwrapped> {
    let mut statements = statements(block.stream());
    let (last, mut prologue) = match statements.as_slice() {
        [prologue @ .., last, returned] if ends_in(returned, "__ret") => (user_block(last, "__ret")?, prologue),
        [prologue @ .., last] => (user_block(last, "_")?, prologue),
        [] => return None,
    };
    if let [hint, rest @ ..] = prologue
        && starts_with(hint, "if")
    {
        prologue = rest;
    }
    let mut prologue: Vec<Local> = prologue.iter().map(|statement| rebinding(statement)).collect::<Option<_>>()?;
    statements.clear();
    let mut body = last;
    if let Some(first) = prologue.first().filter(|local| bound_name(local).is_some_and(|name| name == "__self")) {
        let mutability = match &first.pat {
            Pat::Ident(ident) => ident.mutability,
            _ => None,
        };
        let receiver = receiver?;
        if !matches!(receiver.kind, syn::ReceiverKind::Reference(..)) {
            receiver.mutability = mutability;
        }
        body = with_braces(&body, tokens::rename(body.stream(), &mixed_site("__self"), &mixed_site("self")));
        prologue.remove(0);
    }
    Some(Unwrapped { prologue, body })
}

impl Unwrapped {
    /// Replaces the names that the prologue consumes by those that it binds.
    pub(crate) fn rename(&self, parameters: &mut Parameters) {
        for local in &self.prologue {
            if let Some(taken) = taken_name(local) {
                parameters.rebind(&taken, &local.pat);
            }
        }
    }
}

/// Splits a block into statements, which end in a semicolon or in the braces of an `if let`.
fn statements(block: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut statements = vec![Vec::new()];
    for tree in block {
        let statement = statements.last_mut().expect("there is one from the start");
        let braces = matches!(&tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let ends = is_punct(&tree, ';') || (braces && starts_with(statement, "if"));
        statement.push(tree);
        if ends {
            statements.push(Vec::new());
        }
    }
    statements.retain(|statement| !statement.is_empty());
    statements
}

fn starts_with(statement: &[TokenTree], name: &str) -> bool {
    statement.first().is_some_and(|first| is_ident(first, name))
}

fn ends_in(statement: &[TokenTree], name: &str) -> bool {
    statement.last().is_some_and(|last| is_ident(last, name))
}

/// The block of `let name: Type = { .. };`
fn user_block(statement: &[TokenTree], name: &str) -> Option<Group> {
    match statement {
        [keyword, bound, colon, .., TokenTree::Group(block), _semicolon]
            if is_ident(keyword, "let")
                && (is_ident(bound, name) || is_punct(bound, '_'))
                && is_punct(colon, ':')
                && block.delimiter() == Delimiter::Brace =>
        {
            Some(block.clone())
        }
        _ => None,
    }
}

/// `let pattern = name;`, or `let pattern = { let name = name; name };`
fn rebinding(statement: &[TokenTree]) -> Option<Local> {
    let statement: TokenStream = statement.iter().cloned().collect();
    match syn::parse2(statement).ok()? {
        Stmt::Local(local) => taken_name(&local).is_some().then_some(local),
        _ => None,
    }
}

/// The name on the right-hand side of a [rebinding].
fn taken_name(local: &Local) -> Option<Ident> {
    match &*local.init.as_ref()?.expr {
        Expr::Path(path) => path.path.get_ident().cloned(),
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [Stmt::Local(_), Stmt::Expr(Expr::Path(path), None)] => path.path.get_ident().cloned(),
            _ => None,
        },
        _ => None,
    }
}

fn bound_name(local: &Local) -> Option<&Ident> {
    match &local.pat {
        Pat::Ident(ident) => Some(&ident.ident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn parts(block: TokenStream) -> Option<(String, String)> {
        let mut receiver = syn::parse_quote!(self);
        let unwrapped = unwrap(&Group::new(Delimiter::Brace, block), Some(&mut receiver))?;
        let prologue = &unwrapped.prologue;
        Some((quote!(#(#prologue)*).to_string(), unwrapped.body.to_string()))
    }

    #[test]
    fn finds_what_the_user_wrote() {
        let found = parts(quote!(
            if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<u8> {
                #[allow(unreachable_code)]
                return __ret;
            }
            let __self = self;
            let mut x = x;
            let (a, b) = {
                let __arg1 = __arg1;
                __arg1
            };
            let __ret: u8 = { __self.f(x, [__self.y]) };
            #[allow(unreachable_code)]
            __ret
        ));
        let prologue = "let mut x = x ; let (a , b) = { let __arg1 = __arg1 ; __arg1 } ;";
        assert_eq!(found, Some((prologue.to_owned(), "{ self . f (x , [self . y]) }".to_owned())));
        assert_eq!(parts(quote!(let _: () = { x };)), Some((String::new(), "{ x }".to_owned())));
    }

    #[test]
    fn leaves_other_blocks_alone() {
        assert_eq!(parts(quote!(let x = 1; x)), None);
        assert_eq!(parts(quote!()), None);
        assert_eq!(parts(quote!(f(); let __ret: u8 = { 1 }; __ret)), None);
    }
}
