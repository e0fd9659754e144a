//! The function under the attributes: its signature parsed, its body left as tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, LitStr, Local, ReturnType, Signature, Token, Type, Visibility};

use crate::item::async_trait::{self, Unwrapped};
use crate::item::names::{self, Wanted};
use crate::item::parameters::Parameters;
use crate::item::tokens::{self, is_ident, is_punct, with_braces};
use crate::item::types;

/// A function with a body.
#[derive(Clone)]
pub(crate) struct Function {
    /// All attributes that are not part of the stack.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) default: Option<Token![default]>,
    pub(crate) signature: Signature,
    pub(crate) parameters: Parameters,
    /// The output of a call: the return type, or the output of the returned future. `None` if the signature does not tell.
    pub(crate) output: Option<Type>,
    pub(crate) shape: FnKind,
    /// Statements of `#[async_trait]` that rebind the arguments.
    pub(crate) prologue: Vec<Local>,
    /// The body itself.
    pub(crate) body: Group,
    /// If this is a `run!`, and not a function of the user's.
    pub(crate) run: Option<Run>,
}

/// A body that is not a function's: it is called through a closure, which is the only parameter.
#[derive(Clone)]
pub(crate) struct Run {
    /// The variable that stands for the type of the output.
    pub(crate) output: Ident,
    /// Where the body is written.
    pub(crate) place: Span,
    /// What errors, registry and metrics call it, unless that is its place in the source.
    pub(crate) name: Option<LitStr>,
}

/// How the body becomes a future.
#[derive(Clone)]
pub(crate) enum FnKind {
    /// `async fn f() { body }`
    Async,
    /// `fn f() { body }`
    Plain,
    /// `fn f() -> impl Future { before; async move { body } }`, also inside a `Box::pin(..)`, as `#[async_trait]` writes it.
    Returned {
        /// The statements before the returned block.
        before: TokenStream,
        /// The `Box::pin` around it.
        boxed: Option<TokenStream>,
        braces: Group,
    },
    /// The body yields a future in any other way: by a call, a branch, an early `return`.
    Made {
        /// How an `async` block of the expansion becomes the return value.
        wrap: Wrap,
        /// The type of the body, as it can be written in an expression.
        made: Box<Type>,
    },
}

/// The wrapper of the returned future.
#[derive(Clone, Copy)]
pub(crate) enum Wrap {
    /// `-> impl Future`
    Nothing,
    /// `-> Pin<Box<dyn Future>>`
    Pinned,
    /// `-> Box<dyn Future + Unpin>`
    Boxed,
}

impl Wrap {
    fn of(returned: &Type) -> Self {
        match types::last_segment(returned) {
            None => Self::Nothing,
            Some((name, _)) if name == "Box" => Self::Boxed,
            Some(_) => Self::Pinned,
        }
    }

    /// The block, wrapped as the function's return value.
    pub(crate) fn around(self, block: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        match self {
            Self::Nothing => block.clone(),
            Self::Pinned => quote_spanned!(span=> ::std::boxed::Box::pin(#block)),
            Self::Boxed => quote_spanned!(span=> ::std::boxed::Box::new(::std::boxed::Box::pin(#block))),
        }
    }
}

/// An attributed item, parsed as far as possible.
pub(crate) enum Item {
    Function(Box<Function>),
    /// A declaration without a body.
    Declaration {
        semicolon: Token![;],
        attributes: Vec<Attribute>,
        rest: TokenStream,
    },
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        let default: Option<Token![default]> = input.parse()?;
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let semicolon = input.parse()?;
            let rest = quote!(#visibility #default #signature #semicolon);
            return Ok(Self::Declaration { semicolon, attributes, rest });
        }
        let body = block(&input.parse()?)?;
        let body = outer(&body, &mut attributes)?;
        Ok(Self::Function(Box::new(Function::new(attributes, visibility, default, signature, body))))
    }
}

impl Function {
    fn new(
        attributes: Vec<Attribute>,
        visibility: Visibility,
        default: Option<Token![default]>,
        mut signature: Signature,
        body: Group,
    ) -> Self {
        let parameters = Parameters::of(&mut signature);
        let returned = match &signature.output {
            ReturnType::Default => Type::Tuple(syn::TypeTuple {
                attrs: Vec::new(),
                paren_token: syn::token::Paren::default(),
                elems: syn::punctuated::Punctuated::new(),
            }),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let mut output = Some(returned.clone());
        let (shape, body) = match (signature.asyncness, types::future_output(&returned)) {
            (Some(_), _) => (FnKind::Async, body),
            (None, None) => (FnKind::Plain, body),
            (None, Some(awaited)) => {
                output = Some(awaited.clone());
                returned_block(&body).unwrap_or_else(|| {
                    let made = Box::new(types::in_an_expression(&returned));
                    (FnKind::Made { wrap: Wrap::of(&returned), made }, body)
                })
            }
        };
        let mut function =
            Self { attributes, visibility, default, signature, parameters, output, shape, prologue: Vec::new(), body, run: None };
        if matches!(function.shape, FnKind::Returned { boxed: Some(_), .. }) {
            function.undo_async_trait();
        }
        function
    }

    /// Records which arguments are mentioned: by the body, by options, or by a layer for which `named` holds.
    ///
    /// An unmentioned `_name` becomes a name of the expansion: it is dropped with the other arguments, for which the expansion must name
    /// it, and clippy would report that as a use of an underscore binding.
    pub(crate) fn note_mentions(&mut self, options: &TokenStream, named: &dyn Fn(&Self, &Ident) -> bool) {
        let is_mentioned = |name: &Ident| self.body_mentions(name) || tokens::options_mention(options, name);
        let unmentioned: Vec<Ident> =
            self.parameters.bindings.iter().map(|binding| &binding.ident).filter(|name| !is_mentioned(name)).cloned().collect();
        let looked_at: Vec<bool> = unmentioned.iter().map(|name| named(self, name)).collect();
        for (name, looked_at) in unmentioned.iter().zip(looked_at) {
            for binding in self.parameters.bindings.iter_mut().filter(|binding| binding.ident == *name) {
                binding.unmentioned = !looked_at;
            }
        }
        // Arguments that `#[async_trait]` has rebound carry the attributes they need.
        if self.prologue.is_empty() {
            let ignored = |name: &Ident| name.to_string().starts_with('_') && unmentioned.contains(name);
            self.parameters.hide(&mut self.signature, &ignored);
        }
    }

    /// If a statement before the returned block rebinds an argument that an attribute uses, all of these statements move below the
    /// attributes, which then see the arguments of the call. Otherwise a key would be computed from the rebound value, and belong to
    /// another call.
    pub(crate) fn look_in_front(&mut self, options: &TokenStream, named: &dyn Fn(&Self, &Ident) -> bool) {
        let FnKind::Returned { before, braces, .. } = &self.shape else { return };
        if before.is_empty() || !self.prologue.is_empty() {
            return;
        }
        let bound = names::bound_by_statements(before);
        let mut arguments = self.parameters.bindings.iter().map(|binding| &binding.ident);
        let hidden = arguments
            .any(|name| bound.contains(&name.unraw().to_string()) && (tokens::options_mention(options, name) || named(self, name)));
        if let (true, ReturnType::Type(_, returned)) = (hidden, &self.signature.output) {
            let (made, wrap) = (Box::new(types::in_an_expression(returned)), Wrap::of(returned));
            self.body = braces.clone();
            self.shape = FnKind::Made { wrap, made };
        }
    }

    /// Removes `ref` from the arguments, for a body that runs without its caller.
    pub(crate) fn own_references(&mut self) {
        self.parameters.own_references(&mut self.signature);
    }

    /// Whether the body, or a statement before it, may refer to the argument by this name. Uses from another file (`include!`) are not
    /// seen.
    fn body_mentions(&self, name: &Ident) -> bool {
        let body = self.body.stream();
        let before = match &self.shape {
            FnKind::Returned { before, .. } => before.clone(),
            _ => TokenStream::new(),
        };
        if tokens::mentions(&quote!(#before #body), &Ident::new("include", Span::call_site())) {
            return true;
        }
        let mentions = tokens::mentions(&before, name) || tokens::mentions(&body, name);
        // The body may bind another `_name`; for other names, rustc reports the same with and without the expansion.
        mentions && (!name.to_string().starts_with('_') || self.takes(name))
    }

    /// Whether the body, or a statement before it, takes the name from its environment.
    fn takes(&self, name: &Ident) -> bool {
        let before = match &self.shape {
            FnKind::Returned { before, .. } => before.clone(),
            _ => TokenStream::new(),
        };
        let body = &self.body;
        let Ok(block) = syn::parse2::<syn::Expr>(quote!({ #before #body })) else { return true };
        let wanted = Wanted { values: vec![(name.unraw().to_string(), ())], types: Vec::new(), consts: Vec::new() };
        !names::taken_from_outside(&block, &wanted).is_empty()
    }

    fn undo_async_trait(&mut self) {
        let receiver = self.signature.inputs.iter_mut().find_map(|input| match input {
            syn::FnArg::Receiver(receiver) => Some(receiver),
            syn::FnArg::Typed(_) => None,
        });
        let Some(unwrapped) = async_trait::unwrap(&self.body, receiver) else { return };
        self.parameters.receiver = self.signature.receiver().cloned();
        unwrapped.rename(&mut self.parameters);
        let Unwrapped { prologue, body } = unwrapped;
        self.prologue = prologue;
        self.body = body;
    }

    /// The name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.signature.ident.unraw().to_string()
    }

    /// The name by which errors, registry and metrics call it, as one token tree.
    ///
    /// ```text
    /// Output: "load"     or     PLACE
    /// ```
    pub(crate) fn reported_name(&self) -> TokenStream {
        match &self.run {
            None => self.name().into_token_stream(),
            Some(Run { name: Some(name), .. }) => name.to_token_stream(),
            Some(_) => Self::place_name().into_token_stream(),
        }
    }

    /// The constant with the place of a `run!` in the source.
    pub(crate) fn place_name() -> Ident {
        tokens::mixed_site("__STEADFAST_PLACE")
    }

    /// The output type of a call, with `_` for parts that cannot be named.
    pub(crate) fn output(&self) -> TokenStream {
        self.output.as_ref().map_or_else(|| quote!(_), |ty| types::without_impl(ty).into_token_stream())
    }

    /// `-> !`
    pub(crate) fn diverges(&self) -> bool {
        self.output.as_ref().is_some_and(|ty| matches!(types::ungroup(ty), Type::Never(_)))
    }

    /// The item with the given attributes in front and the given body.
    pub(crate) fn item(&self, signature: &Signature, body: &TokenStream) -> TokenStream {
        let Self { attributes, visibility, default, .. } = self;
        quote!(#(#attributes)* #visibility #default #signature #body)
    }

    /// The original item, without the attributes of the stack.
    pub(crate) fn unchanged(&self, makes_async: bool, uses: &TokenStream) -> TokenStream {
        let content = self.body.stream();
        let body = if let FnKind::Returned { before, boxed, braces } = &self.shape {
            let block = with_braces(&self.body, content);
            let prologue = &self.prologue;
            let block = quote!(async move { #(#prologue)* #block });
            let last = boxed.as_ref().map_or_else(|| block.clone(), |pin| quote!(#pin(#block)));
            with_braces(braces, quote!(#uses #before #last))
        } else {
            with_braces(&self.body, quote!(#uses #content))
        };
        let mut signature = self.signature.clone();
        if makes_async && signature.asyncness.is_none() && signature.constness.is_none() {
            signature.asyncness = Some(Token![async](signature.fn_token.span));
        }
        self.item(&signature, &body.into_token_stream())
    }
}

/// The block of the body, also if it is a `macro_rules` fragment.
fn block(tree: &TokenTree) -> syn::Result<Group> {
    if let TokenTree::Group(group) = tree {
        let mut inside = group.stream().into_iter();
        match (group.delimiter(), inside.next(), inside.next()) {
            (Delimiter::Brace, ..) => return Ok(group.clone()),
            (Delimiter::None, Some(tree), None) => return block(&tree),
            _ => {}
        }
    }
    Err(syn::Error::new(tree.span(), "expected a function body"))
}

/// Moves the inner attributes of a body (`#![..]`) to the function, since the block that the body becomes does not allow them.
fn outer(body: &Group, attributes: &mut Vec<Attribute>) -> syn::Result<Group> {
    let split = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?));
    let (inner, rest) = syn::parse::Parser::parse2(split, body.stream())?;
    if inner.is_empty() {
        return Ok(body.clone());
    }
    attributes.extend(inner.into_iter().map(|attribute| Attribute { style: syn::AttrStyle::Outer, ..attribute }));
    Ok(with_braces(body, rest))
}

/// Finds the `async` block at the end of the body, if it is the only way out of it. The statements before the block run when the function
/// is called.
///
/// ```text
/// Input:  { let x = 1; Box::pin(async move { x }) }
/// Output: before `let x = 1;`, boxed `Box::pin`, body `{ x }`
/// ```
fn returned_block(braces: &Group) -> Option<(FnKind, Group)> {
    let mut trees: Vec<TokenTree> = braces.stream().into_iter().collect();
    if let Some(body) = pop_async_block(&mut trees) {
        let before = statements(trees)?;
        return Some((FnKind::Returned { before, boxed: None, braces: braces.clone() }, body));
    }
    let TokenTree::Group(arguments) = trees.pop()? else { return None };
    if arguments.delimiter() != Delimiter::Parenthesis || !trees.last().is_some_and(|tree| is_ident(tree, "pin")) {
        return None;
    }
    let mut argument: Vec<TokenTree> = arguments.stream().into_iter().collect();
    if argument.last().is_some_and(|tree| is_punct(tree, ',')) {
        argument.pop();
    }
    let body = pop_async_block(&mut argument).filter(|_| argument.is_empty())?;
    let boxed = pop_path(&mut trees);
    let before = statements(trees)?;
    Some((FnKind::Returned { before, boxed: Some(boxed), braces: braces.clone() }, body))
}

/// The tokens before the last expression, if they are complete statements.
fn statements(before: Vec<TokenTree>) -> Option<TokenStream> {
    let ends = match before.last() {
        None => true,
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(last) => is_punct(last, ';'),
    };
    let before: TokenStream = before.into_iter().collect();
    (ends && !tokens::may_return(&before)).then_some(before)
}

/// Removes `async { .. }` or `async move { .. }` from the end.
fn pop_async_block(trees: &mut Vec<TokenTree>) -> Option<Group> {
    let (start, body) = match trees.as_slice() {
        [.., keyword, mode, TokenTree::Group(body)] if is_ident(keyword, "async") && is_ident(mode, "move") => {
            (trees.len() - 3, body.clone())
        }
        [.., keyword, TokenTree::Group(body)] if is_ident(keyword, "async") => (trees.len() - 2, body.clone()),
        _ => return None,
    };
    trees.truncate(start);
    (body.delimiter() == Delimiter::Brace).then_some(body)
}

/// Removes a path, `Box::pin` or `::std::boxed::Box::pin`, from the end.
fn pop_path(trees: &mut Vec<TokenTree>) -> TokenStream {
    let is_separator = |tree: &TokenTree| is_punct(tree, ':');
    let mut start = trees.len();
    let mut want_ident = true;
    while start > 0 {
        let tree = &trees[start - 1];
        if want_ident && matches!(tree, TokenTree::Ident(_)) {
            start -= 1;
            want_ident = false;
        } else if !want_ident && start > 1 && is_separator(tree) && is_separator(&trees[start - 2]) {
            start -= 2;
            want_ident = true;
        } else {
            break;
        }
    }
    trees.split_off(start).into_iter().collect()
}

/// The attributes, as tokens.
pub(crate) fn all(attributes: &[Attribute]) -> TokenStream {
    let mut tokens = TokenStream::new();
    tokens.append_all(attributes);
    tokens
}

/// A `self` with the hygiene of the function.
pub(crate) fn self_ident(receiver: &syn::Receiver) -> Ident {
    Ident::new("self", receiver.self_token.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(item: TokenStream) -> (String, String, String) {
        match syn::parse2::<Item>(item).unwrap() {
            Item::Function(function) => match function.shape {
                FnKind::Returned { before, boxed, .. } => {
                    (before.to_string(), boxed.unwrap_or_default().to_string(), function.body.stream().to_string())
                }
                _ => panic!("no block found"),
            },
            Item::Declaration { .. } => panic!("not a function"),
        }
    }

    #[test]
    fn finds_the_block_that_is_returned() {
        let found = shape(quote!(
            fn f() -> Pin<Box<dyn Future<Output = u8> + Send>> {
                let x = 1;
                ::std::boxed::Box::pin(async move { x })
            }
        ));
        assert_eq!(found, ("let x = 1 ;".into(), ":: std :: boxed :: Box :: pin".into(), "x".into()));
        let found = shape(quote!(
            fn f() -> impl Future<Output = u8> {
                async { 1 }
            }
        ));
        assert_eq!(found, (String::new(), String::new(), "1".into()));
    }

    #[test]
    fn moves_inner_attributes_out_of_the_body() {
        let Ok(Item::Function(function)) = syn::parse2(quote!(
            async fn f() {
                #![allow(unused)]
                let x = 1;
            }
        )) else {
            panic!()
        };
        assert_eq!(all(&function.attributes).to_string(), "# [allow (unused)]");
        assert_eq!(function.body.stream().to_string(), "let x = 1 ;");
    }
}
