//! From an attribute and its item to tokens.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ReturnType, Signature};

use crate::attributes::batched;
use crate::codegen::compose;
use crate::codegen::context::{Context, Purpose};
use crate::codegen::instrument;
use crate::codegen::layer::{AttributeDef, Layer};
use crate::codegen::plan::{Plan, Stacked};
use crate::diagnostics::Errors;
use crate::item::function::{FnKind, Function, Item, all, self_ident};
use crate::item::parameters::{strip_mut, strip_mut_in};
use crate::item::tokens::{self, with_braces};
use crate::item::types;
use crate::manifest;
use crate::splice;
use crate::stack::{CONSUMED, First, Stack, named};

/// Expands the attribute `name` and all its siblings on the same item. Errors are emitted next to the item, so that only they are reported
/// and editors keep working.
pub(crate) fn attribute(known: &'static [AttributeDef], name: &str, arguments: TokenStream, item: &TokenStream) -> TokenStream {
    if arguments.to_string() == CONSUMED {
        return TokenStream::new();
    }
    let attribute = named(known, name).expect("an entry point is made for each of them");
    if let Some(tokens) = splice::resolve(&written(attribute, &arguments), item, splice::ON_FUNCTION) {
        return tokens;
    }
    stack(known, First { attribute, span: Span::call_site(), arguments }, item)
}

/// The attribute as it was written.
fn written(attribute: &AttributeDef, arguments: &TokenStream) -> TokenStream {
    let name = Ident::new(attribute.name, Span::call_site());
    if arguments.is_empty() { quote!(#[#name]) } else { quote!(#[#name(#arguments)]) }
}

/// Expands the attribute `first` and all its siblings on the same item.
pub(crate) fn stack(known: &'static [AttributeDef], first: First, item: &TokenStream) -> TokenStream {
    let name = first.attribute.name;
    let mut errors = Errors::default();
    if tokens::mentions(item, &Ident::new(instrument::ENTER, Span::call_site())) {
        errors.at_span(
            Span::call_site(),
            format!(
                "`#[{name}]` is used under an alias, which the attributes of `steadfast` above it cannot recognize, so that it \
                 would wrap them: write `#[{name}]` or `#[steadfast::{name}]`"
            ),
        );
        let errors = errors.into_tokens();
        return quote!(#errors #item);
    }
    match syn::parse2(item.clone()) {
        Ok(Item::Function(mut function)) => {
            let stack = Stack::collect(known, Some(first), &mut function.attributes, &mut errors);
            stack.refuse_names(&mut errors);
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
            let _ = Stack::collect(known, Some(first), &mut attributes, &mut errors);
            errors.at(
                semicolon,
                format!("`#[{name}]` requires a function body: move it to the implementation, or give the method a default body"),
            );
            let (errors, attributes) = (errors.into_tokens(), all(&attributes));
            quote!(#errors #attributes #rest)
        }
        Err(error) => {
            let tokens = item.clone();
            errors.push(match tokens.into_iter().next() {
                Some(token) if !looks_like_function(item) => syn::Error::new(
                    token.span(),
                    format!("`#[{name}]` can only be applied to a function: write it on each function that needs it"),
                ),
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

/// Reports functions that no attribute can be applied to.
fn check_function(function: &Function, stack: &Stack, errors: &mut Errors) {
    let Signature { constness, abi, variadic, .. } = &function.signature;
    let outermost = &stack.layers[0];
    let name = outermost.attribute.name;
    if let Some(constness) = constness {
        errors.at(constness, format!("`#[{name}]` cannot be applied to a `const fn`, which cannot await: remove `const`"));
    }
    if let Some(abi) = abi {
        errors.at(
            abi,
            format!(
                "`#[{name}]` cannot be applied to an `extern` function, which callers outside of Rust cannot await: remove \
                 `extern`"
            ),
        );
    }
    if let Some(variadic) = variadic {
        errors.at(variadic, format!("`#[{name}]` cannot be applied to a variadic function: take the arguments in a slice"));
    }
    match function.shape {
        FnKind::Plain if !stack.makes_async() && constness.is_none() && abi.is_none() => {
            if let ReturnType::Type(_, returned) = &function.signature.output
                && types::is_named_like_a_future(returned)
            {
                errors.at(
                    returned,
                    format!(
                        "`#[{name}]` wraps the future, which changes its type: return `impl Future<Output = ..>`, or write `async fn` \
                         and await it there"
                    ),
                );
                return;
            }
            let message = if is_test(function) {
                format!(
                    "`#[tokio::test]` must be below `#[{name}]`, since it turns this function into a plain `fn`: move `#[{name}]` \
                     above it"
                )
            } else if function.signature.ident == "main" {
                format!(
                    "`#[{name}]` requires an async function: write `async fn`, and move `#[{name}]` above `#[tokio::main]`, which \
                     turns it into a plain `fn`"
                )
            } else {
                format!("`#[{name}]` requires an async function: {}", outermost.parsed.layer.sync_fn_hint())
            };
            errors.at(function.signature.fn_token, message);
        }
        _ => {}
    }
}

/// `#[tokio::test]` leaves this attribute behind when it has expanded.
fn is_test(function: &Function) -> bool {
    let is_test = |attribute: &syn::Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "test");
    function.attributes.iter().any(is_test)
}

/// A receiver that is restored for each attempt is assigned to.
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

/// The items next to a function that has errors, so that code which uses them reports no errors of its own: its handles.
fn names_beside(function: &Function, stack: &Stack) -> TokenStream {
    let context = Context::new(function, root(stack), Purpose::Names);
    stack.layers.iter().map(|entry| entry.parsed.layer.sibling_items(&context)).collect()
}

/// The path to the library.
pub(crate) fn root(stack: &Stack) -> TokenStream {
    let krate = stack.layers.iter().find_map(|entry| entry.parsed.common.krate.as_ref());
    krate.map_or_else(manifest::root, ToTokens::to_token_stream)
}

/// An item that only compiles with the library of this version: with two versions side by side, `::steadfast` may be the other one.
///
/// ```text
/// Output: const _: () = ::steadfast::__private::version_0_1();
/// ```
pub(crate) fn version(root: &TokenStream) -> TokenStream {
    let name = concat!("version_", env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"));
    let function = tokens::mixed_site(name);
    quote_spanned!(Span::mixed_site()=> const _: () = #root::__private::#function();)
}

/// The function, with one body for the whole stack.
///
/// If a layer batches calls, `one` is the function as its callers see it.
fn function_tokens(function: &Function, one: Option<&Function>, stack: &Stack) -> TokenStream {
    let root = root(stack);
    let layers: Vec<&dyn Layer> = stack.layers.iter().map(|entry| &*entry.parsed.layer).collect();
    let (above, below) = layers.split_at(stack.above_batch().map_or(layers.len(), |above| above + 1));
    let spans: Vec<Span> = stack.layers.iter().map(|entry| entry.span).collect();
    let (spans_above, spans_below) = spans.split_at(above.len());
    let call = Stacked { function: one.unwrap_or(function), layers: above, spans: spans_above };
    let batch = one.is_some().then_some(Stacked { function, layers: below, spans: spans_below });
    let plan = Plan::of(&call, batch.as_ref(), &root, instrument::track_polls(call.function, &root));
    let body = compose::expand(&plan, &layers);
    let policies = stack.layers.iter().map(|entry| (entry.attribute.name, &entry.written));
    let body = instrument::count_call(&plan.layers[0], policies, &body);
    let items: TokenStream = layers.iter().zip(&plan.layers).map(|(layer, context)| layer.sibling_items(context)).collect();
    // Where an argument is bound again, the `mut` belongs there. Also in a batch, which takes along what its callers share.
    let rebinds = |name: &Ident| {
        plan.rebound_in_batch().contains(name)
            || above.iter().zip(&plan.layers).any(|(layer, context)| layer.rebinds(context, name))
    };
    let uses = stack.uses();
    let version = version(&root);
    let item = with_body(call.function, stack.makes_async(), &rebinds, &quote!(#version #uses), &body);
    quote!(#item #items)
}

/// The function with another body, behind `items`.
fn with_body(
    function: &Function,
    makes_async: bool,
    rebinds: &dyn Fn(&Ident) -> bool,
    items: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let mut signature = function.signature.clone();
    if makes_async && signature.asyncness.is_none() {
        signature.asyncness = Some(syn::Token![async](signature.fn_token.span()));
    }
    strip_mut(&mut signature, rebinds);
    assign_self(&mut signature, rebinds);
    let mut prologue = function.prologue.clone();
    for local in &mut prologue {
        strip_mut_in(&mut local.pat, rebinds);
    }
    let body = match &function.shape {
        FnKind::Returned { before, boxed, braces } => {
            let block = quote_spanned!(Span::mixed_site()=> async move { #(#prologue)* #body });
            let last = boxed.as_ref().map_or_else(|| block.clone(), |pin| quote!(#pin(#block)));
            with_braces(braces, quote!(#items #before #last))
        }
        FnKind::Made { wrap, .. } => {
            let made = wrap.around(&quote_spanned!(Span::mixed_site()=> async move { #body }));
            with_braces(&function.body, quote!(#items #made))
        }
        FnKind::Async | FnKind::Plain => with_braces(&function.body, quote!(#items #body)),
    };
    function.item(&signature, &quote!(#body))
}
