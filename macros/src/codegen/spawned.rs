//! What runs on a task of its own, and so outlives its caller: it needs its arguments for itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, Type};

use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::{Capture, Context};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::item::parameters::{Binding, borrows_self};
use crate::item::types;

/// Reports borrows that cannot come along. `what` outlives its caller: "with `detached` a computation".
pub(crate) fn check(function: &Function, what: &str, errors: &mut Errors) {
    if let Some(receiver) = function.parameters.receiver.as_ref().filter(|receiver| borrows_self(receiver)) {
        errors.at(receiver, format!("{what} outlives its caller and cannot borrow `self`: take `self: Arc<Self>`"));
    }
    for input in &function.signature.inputs {
        if let FnArg::Typed(argument) = input
            && types::borrows(&argument.ty)
            && !(is_copied(&argument.ty) && matches!(*argument.pat, Pat::Ident(_)))
        {
            let advice = types::owned_form(&argument.ty);
            errors.at(&argument.ty, format!("{what} outlives its caller and cannot borrow: {advice}"));
        }
    }
    if let Some(output) = function.output.as_ref().filter(|output| types::borrows(output)) {
        errors.at(output, format!("{what} outlives its caller and cannot return a borrow: return an owned value"));
    }
}

/// `&str` and `&[T]` have an owned form that everybody knows.
pub(crate) fn is_copied(ty: &Type) -> bool {
    match types::ungroup(ty) {
        Type::Reference(reference) if reference.mutability.is_none() && types::borrows(ty) => match types::ungroup(&reference.elem)
        {
            Type::Slice(slice) => !types::borrows(&slice.elem),
            Type::Path(path) => path.path.is_ident("str"),
            _ => false,
        },
        _ => false,
    }
}

/// Whether the argument is bound again: as a borrow of its copy, or as a clone of what an option above still names.
pub(crate) fn rebinds(context: &Context<'_>, argument: &Ident) -> bool {
    let binding = context.function.parameters.find(argument);
    context.deferred_above.contains(argument) || binding.and_then(|binding| binding.ty.as_ref()).is_some_and(is_copied)
}

/// What another task needs, of each argument and of the return type. `ask` is the question, in the attribute's own words.
pub(crate) fn checks(context: &Context<'_>, ask: &'static str) -> Vec<BoundCheck> {
    let function = context.function;
    let nameable = |ty: &&Type| !types::has_impl(ty) && !types::borrows(ty);
    let ask = |ty: &Type| BoundCheck::of_type(ty.span(), ask, ty.to_token_stream());
    let arguments = function
        .parameters
        .bindings
        .iter()
        .filter_map(|Binding { ty, cfgs, .. }| ty.as_ref().filter(nameable).map(|ty| ask(ty).under(cfgs)));
    arguments.chain(function.output.as_ref().filter(nameable).map(ask)).collect()
}

/// Statements with which a task takes the arguments along, last first, also those that the body does not mention: they live as long as it
/// runs, and are dropped in the order of a function without attributes.
pub(crate) fn hold(context: &Context<'_>) -> TokenStream {
    if context.capture_from_task == Capture::Move {
        return TokenStream::new();
    }
    // Of a borrowed argument the task has the copy.
    let named = context.arguments_in_drop_order(&|binding| !binding.ty.as_ref().is_some_and(is_copied));
    quote_spanned!(Span::mixed_site()=> if false { #named })
}

/// The owned forms of borrowed arguments, and the arguments again, borrowed from those.
pub(crate) fn copies(context: &Context<'_>) -> (TokenStream, TokenStream) {
    let bindings = context.function.parameters.bindings.iter();
    let copied = bindings.filter(|binding| !binding.is_left_alone() && binding.ty.as_ref().is_some_and(is_copied));
    copied.map(|binding| copy(context, binding)).unzip()
}

/// The owned form of a borrowed argument, and the argument again, borrowed from that.
pub(crate) fn copy(context: &Context<'_>, binding: &Binding) -> (TokenStream, TokenStream) {
    let Binding { ident, cfgs, .. } = binding;
    let span = Span::mixed_site();
    let owned = format_ident!("__owned_{}", ident.unraw(), span = span);
    (
        quote_spanned!(span=> #(#cfgs)* let #owned = ::std::borrow::ToOwned::to_owned(#ident);),
        context.rebind(binding, &quote_spanned!(span=> ::core::ops::Deref::deref(&#owned))),
    )
}
