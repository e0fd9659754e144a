//! From an attribute and the item under it to tokens.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ReturnType, Signature};

use crate::ATTRIBUTES;
use crate::batched;
use crate::diagnostics::Errors;
use crate::function::{Function, Item, Shape, all, self_ident, with_braces};
use crate::layer::Layer;
use crate::manifest;
use crate::parameters::{Parameters, strip_mut, strip_mut_in};
use crate::site;
use crate::stack::{Stack, TAKEN};
use crate::tokens;
use crate::types;
use crate::weaver::{Purpose, Weaver};

/// Expands the attribute `name`, and with it all its siblings on the same item. Errors come out next to the item, so that nothing but
/// them is reported and editors keep working.
pub(crate) fn attribute(name: &str, arguments: TokenStream, item: &TokenStream) -> TokenStream {
    if arguments.to_string() == TAKEN {
        return TokenStream::new();
    }
    let first = ATTRIBUTES.iter().find(|attribute| attribute.name == name).expect("an entry point is made for each of them");
    let mut errors = Errors::default();
    if tokens::mentions(item, &Ident::new(site::ENTER, Span::call_site())) {
        errors.at_span(
            Span::call_site(),
            format!(
                "this is `#[{name}]` under another name, which the attributes of `steadfast` above it do not know: it would stand around all of \
                 them, and not below. Write `#[{name}]` or `#[steadfast::{name}]`"
            ),
        );
        let errors = errors.into_tokens();
        return quote!(#errors #item);
    }
    match syn::parse2(item.clone()) {
        Ok(Item::Function(mut function)) => {
            let stack = Stack::collect(first, arguments, &mut function.attributes, &mut errors);
            let layers = || stack.layers.iter().map(|entry| &entry.parsed.layer);
            function.look_in_front(&stack.written, &|function, name| layers().any(|layer| layer.looks_at(function, name)));
            function.note_mentions(&stack.written, &|function, name| layers().any(|layer| layer.looks_at(function, name)));
            check_function(&function, &stack, &mut errors);
            let one = stack.above_batch().and_then(|_| batched::of_one(&function, &root(&stack)));
            stack.check(&function, one.as_ref(), &mut errors);
            if let Some(errors) = errors.into_tokens() {
                let item = function.unchanged(stack.makes_async(), &stack.uses());
                let items = names_beside(&function, &stack);
                return quote!(#errors #item #items);
            }
            if layers().any(|layer| layer.needs_own_arguments()) {
                function.own_references();
            }
            let one = stack.above_batch().and_then(|_| batched::of_one(&function, &root(&stack)));
            function_tokens(&function, one.as_ref(), &stack)
        }
        Ok(Item::Declaration { semicolon, mut attributes, rest }) => {
            let _ = Stack::collect(first, arguments, &mut attributes, &mut errors);
            errors.at(
                semicolon,
                format!("`#[{name}]` needs a body to work on: put it on the implementation, or give the method a default body"),
            );
            let (errors, attributes) = (errors.into_tokens(), all(&attributes));
            quote!(#errors #attributes #rest)
        }
        Err(error) => {
            let tokens = item.clone();
            errors.push(match tokens.into_iter().next() {
                Some(token) if !looks_like_function(item) => {
                    syn::Error::new(token.span(), format!("`#[{name}]` goes on a function, one at a time"))
                }
                _ => error,
            });
            let errors = errors.into_tokens();
            quote!(#errors #item)
        }
    }
}

fn looks_like_function(item: &TokenStream) -> bool {
    item.clone().into_iter().any(|token| matches!(&token, proc_macro2::TokenTree::Ident(ident) if *ident == "fn"))
}

/// The kinds of function that nothing can be done for.
fn check_function(function: &Function, stack: &Stack, errors: &mut Errors) {
    let Signature { constness, abi, variadic, .. } = &function.signature;
    let outermost = &stack.layers[0];
    let name = outermost.attribute.name;
    if let Some(constness) = constness {
        errors.at(constness, format!("`#[{name}]` cannot stand on a `const fn`: it runs at compile time, where nothing waits"));
    }
    if let Some(abi) = abi {
        errors.at(abi, format!("`#[{name}]` cannot stand on an `extern` function: callers outside of Rust cannot await it"));
    }
    if let Some(variadic) = variadic {
        errors.at(variadic, format!("`#[{name}]` cannot pass on the arguments of a variadic function"));
    }
    match function.shape {
        Shape::Plain if !stack.makes_async() && constness.is_none() && abi.is_none() => {
            if let ReturnType::Type(_, returned) = &function.signature.output
                && types::is_named_like_a_future(returned)
            {
                errors.at(
                    returned,
                    format!(
                        "`#[{name}]` wraps the future in one of its own, which is not of this type: return `impl Future<Output = ..>`, or write \
                         `async fn` and await it there"
                    ),
                );
                return;
            }
            let message = if is_test(function) {
                format!(
                    "`#[tokio::test]` stands above `#[{name}]` and has already made a plain `fn` of this one: put `#[{name}]` above it"
                )
            } else if function.signature.ident == "main" {
                format!(
                    "`#[{name}]` needs an async function: write `async fn`, and put `#[{name}]` above `#[tokio::main]`, which makes a plain one"
                )
            } else {
                format!("`#[{name}]` needs an async function: {}", outermost.parsed.layer.on_plain_fn())
            };
            errors.at(function.signature.fn_token, message);
        }
        _ => {}
    }
}

/// `#[tokio::test]` leaves this behind when it has been expanded.
fn is_test(function: &Function) -> bool {
    let is_test = |attribute: &syn::Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "test");
    function.attributes.iter().any(is_test)
}

/// A receiver that is put back for each attempt is assigned to.
fn assign_self(signature: &mut Signature, assigned: &dyn Fn(&Ident) -> bool) {
    for input in &mut signature.inputs {
        if let FnArg::Receiver(receiver) = input
            && !matches!(receiver.kind, syn::ReceiverKind::Reference(..))
            && assigned(&self_ident(receiver))
        {
            receiver.mutability = Some(syn::Token![mut](receiver.self_token.span));
        }
    }
}

/// What stands beside a function that has errors, so that nothing is said of those who use it: its handles.
fn names_beside(function: &Function, stack: &Stack) -> TokenStream {
    let layers: Vec<&dyn Layer> = stack.layers.iter().map(|entry| &*entry.parsed.layer).collect();
    let mut weaver = Weaver::new(function, &layers, root(stack), false);
    weaver.purpose = Purpose::Names;
    layers.iter().map(|layer| layer.items(&weaver)).collect()
}

/// Where the library is found.
fn root(stack: &Stack) -> TokenStream {
    let krate = stack.layers.iter().find_map(|entry| entry.parsed.common.krate.as_ref());
    if let Some(path) = krate {
        return quote!(#path);
    }
    let name = Ident::new(&manifest::renamed().unwrap_or_else(|| "steadfast".to_owned()), Span::call_site());
    quote!(::#name)
}

/// An item that only the library of this version makes compile: with two versions side by side, `::steadfast` may be the other.
///
/// ```text
/// Output: const _: () = ::steadfast::__private::version_0_1();
/// ```
fn version(root: &TokenStream) -> TokenStream {
    let name = concat!("version_", env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"));
    let function = tokens::own(name);
    quote_spanned!(Span::mixed_site()=> const _: () = #root::__private::#function();)
}

/// The function, with one body for the whole stack.
///
/// Where a layer makes a batch of calls, `one` is what the function is to a caller.
fn function_tokens(function: &Function, one: Option<&Function>, stack: &Stack) -> TokenStream {
    let batch = one.is_some().then_some(function);
    let function = one.unwrap_or(function);
    let root = root(stack);
    let layers: Vec<&dyn Layer> = stack.layers.iter().map(|entry| &*entry.parsed.layer).collect();
    let (above, below) = layers.split_at(stack.above_batch().map_or(layers.len(), |above| above + 1));
    let mut weaver = Weaver::new(function, above, root, stack.makes_async());
    if let Some(batch) = batch {
        weaver.serve(batch, below);
    }
    let woven = site::watched(&mut weaver, &mut |weaver| weaver.weave(&layers)).tokens();
    let woven = site::counted(&weaver, stack, &woven);
    let mut items: TokenStream = above.iter().map(|layer| layer.items(&weaver)).collect();
    weaver.about_batch(|weaver| items.extend(below.iter().map(|layer| layer.items(weaver))));

    let mut signature = function.signature.clone();
    if stack.makes_async() && signature.asyncness.is_none() {
        signature.asyncness = Some(syn::Token![async](signature.fn_token.span()));
    }
    // Also in a batch, which takes along what its callers share.
    let again_in_batch = weaver.about_batch(|weaver| {
        let Parameters { receiver, bindings } = &weaver.function.parameters;
        let names = bindings.iter().map(|binding| binding.ident.clone()).chain(receiver.as_ref().map(self_ident));
        names.filter(|name| below.iter().any(|layer| layer.binds_again(weaver, name))).collect::<Vec<_>>()
    });
    // Where an argument is bound again, the `mut` belongs there.
    let binds_again = |ident: &Ident| {
        again_in_batch.as_ref().is_some_and(|names| names.contains(ident))
            || above.iter().any(|layer| layer.binds_again(&weaver, ident))
    };
    strip_mut(&mut signature, &binds_again);
    assign_self(&mut signature, &binds_again);
    let mut prologue = function.prologue.clone();
    for local in &mut prologue {
        strip_mut_in(&mut local.pat, &binds_again);
    }
    let (uses, version) = (stack.uses(), version(&weaver.root));
    let uses = quote!(#version #uses);
    let body = match &function.shape {
        Shape::Returned { before, boxed, braces } => {
            let block = quote_spanned!(Span::mixed_site()=> async move { #(#prologue)* #woven });
            let last = boxed.as_ref().map_or_else(|| block.clone(), |pin| quote!(#pin(#block)));
            with_braces(braces, quote!(#uses #before #last))
        }
        Shape::Made { wrap, .. } => {
            let made = wrap.around(&quote_spanned!(Span::mixed_site()=> async move { #woven }));
            with_braces(&function.body, quote!(#uses #made))
        }
        Shape::Async | Shape::Plain => with_braces(&function.body, quote!(#uses #woven)),
    };
    let item = function.item(&signature, &quote!(#body));
    quote!(#item #items)
}
