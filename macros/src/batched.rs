//! `#[batched(max_batch_size = 100, delay = 5ms)]`
//!
//! What stands in the source is the function of a batch; what callers see is one of its elements. Everything above the attribute is
//! written for the second, everything below it for the first.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, FnArg, GenericArgument, Pat, PathArguments, ReturnType, Type};

use crate::args::{self, Count};
use crate::closure;
use crate::diagnostics::Errors;
use crate::duration::Duration;
use crate::function::{Function, Shape};
use crate::layer::{Layer, Parsed, Place};
use crate::once::{self, Named, Once, SharedBy};
use crate::policy;
use crate::types;
use crate::weaver::{Weaver, Woven};

const OPTIONS: &[&str] = &["max_batch_size", "delay", "or_else"];

/// The name of the attribute, by which the stack finds it.
pub(crate) const NAME: &str = "batched";

#[derive(Default)]
struct Batched {
    max_batch_size: Option<Count>,
    delay: Option<Duration>,
    or_else: Option<Expr>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut batched = Batched::default();
    let common = args::read(NAME, tokens, OPTIONS, errors, None, &mut |option, input| {
        match option.name.as_str() {
            "max_batch_size" => batched.max_batch_size = Some(option.parse(input)?),
            "delay" => batched.delay = Some(option.parse(input)?),
            _ => batched.or_else = Some(option.parse(input)?),
        }
        Ok(())
    });
    Parsed::new(batched, common)
}

impl Layer for Batched {
    fn check(&self, place: Place<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        let max_batch_size = self.max_batch_size.as_ref();
        policy::check_positive(max_batch_size, "no batch could ever be full: `max_batch_size` is at least 1", errors);
        let options = [
            Once::option("max_batch_size", max_batch_size.map(|count| &count.0)),
            Once::option("delay", self.delay.as_ref().map(Duration::written)),
        ];
        let way_out = |_: &Named| "write what holds for all of its callers".to_owned();
        once::check(options, SharedBy::Batch, place.function, &way_out, errors);
        let function = place.function;
        if matches!(function.shape, Shape::Returned { .. } | Shape::Made { .. }) {
            let token = function.signature.fn_token;
            errors.at(
                token,
                "`#[batched]` changes the arguments and the return type, and so needs them as they are: write `async fn`",
            );
            return;
        }
        if let Some(receiver) = &function.parameters.receiver {
            errors.at(
                receiver,
                "a batch serves callers that may have different `self`s, and outlives them: put `#[batched]` on a free function, with what it needs in a static",
            );
        }
        check_argument(place, errors);
        check_return(place, errors);
    }

    // match load(&__STEADFAST_SLOT, || (), "name", limits, ids, |ids: Vec<Id>| async move { body }).await {
    //     Ok(value) => value,
    //     Err(failure) => refusal,
    // }
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let failure = weaver.name("failure");
        let (arguments, body) = weaver.in_batch(below);
        let body = body.tokens();
        let max_batch_size = self.max_batch_size.as_ref().map_or_else(|| quote!(100), |count| count.tokens(&private));
        let delay = self.delay.as_ref().map_or_else(|| quote!(::core::time::Duration::from_millis(5)), ToTokens::to_token_stream);
        let name = weaver.function_name();
        let keys = weaver.function.parameters.bindings.iter().map(|binding| &binding.ident);
        let load = quote_spanned! {span=>
            #private::batched::load(
                {
                    static __STEADFAST_SLOT: #private::batched::Slot = #private::batched::Slot::new();
                    &__STEADFAST_SLOT
                },
                || (),
                #name,
                #private::batched::Limits { max_batch_size: #max_batch_size, delay: #delay },
                #(#keys)*,
                |#arguments| async move { #body },
            )
        };
        let Woven { evaluate, carried, setup, run } = weaver.leaf(&load);
        let error = quote!(#failure.error(#name));
        let refusal = match &self.or_else {
            Some(_) => weaver.refuse(NAME, &error, self.or_else.as_ref()),
            None => weaver.refuse_or_panic(&error),
        };
        Woven {
            evaluate,
            carried,
            setup,
            run: quote_spanned! {span=>
                match #run {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#failure) => #refusal,
                }
            },
        }
    }
}

/// The function as its callers see it: `Id` for `Vec<Id>`, `T` for `Vec<T>`. `None` where it cannot be one.
pub(crate) fn of_one(function: &Function) -> Option<Function> {
    let mut one = function.clone();
    let mut inputs = one.signature.inputs.iter_mut();
    let (Some(FnArg::Typed(argument)), None) = (inputs.next(), inputs.next()) else { return None };
    let element = element(&argument.ty)?.clone();
    let [binding] = one.parameters.bindings.as_mut_slice() else { return None };
    binding.ty = Some(element.clone());
    binding.mutability = None;
    *argument.ty = element;
    let Pat::Ident(name) = &mut *argument.pat else { return None };
    name.mutability = None;
    let ReturnType::Type(_, returned) = &mut one.signature.output else { return None };
    **returned = answer(returned)?;
    one.output = Some((**returned).clone());
    Some(one)
}

/// The `T` of a `Vec<T>`.
fn element(ty: &Type) -> Option<&Type> {
    types::last_segment(ty).filter(|(name, _)| name == "Vec").and_then(|(_, arguments)| arguments.first().copied())
}

/// What a caller gets: the `T` of a `Vec<T>`, also inside of a `Result` or of an alias for one.
fn answer(returned: &Type) -> Option<Type> {
    if let Some(element) = element(returned) {
        return Some(element.clone());
    }
    let mut answer = types::bare(returned).clone();
    let Type::Path(path) = &mut answer else { return None };
    let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else { return None };
    let inner = arguments.args.iter_mut().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })?;
    *inner = element(inner)?.clone();
    Some(answer)
}

fn check_argument(place: Place<'_>, errors: &mut Errors) {
    let signature = &place.function.signature;
    let arguments: Vec<_> =
        signature.inputs.iter().filter_map(|input| if let FnArg::Typed(typed) = input { Some(typed) } else { None }).collect();
    let [argument] = arguments.as_slice() else {
        if arguments.is_empty() {
            errors.at(&signature.ident, "`#[batched]` needs the keys of a batch as the argument: write `ids: Vec<Id>`");
        }
        for superfluous in arguments.iter().skip(1) {
            errors.at(
                superfluous,
                "a batch has callers with different arguments: `#[batched]` takes one, the keys, as in `ids: Vec<Id>`",
            );
        }
        return;
    };
    match element(&argument.ty) {
        None => errors.at(&argument.ty, "the keys of a batch come as a `Vec`: write `Vec<Id>`, and callers pass an `Id`"),
        Some(key) if types::has_impl(key) => errors.at(key, "one batch serves all callers: say the type of the keys"),
        Some(key) if types::borrows(key) => {
            errors.at(key, format!("the batch outlives its callers and cannot borrow: {}", types::owned_form(key)));
        }
        Some(_) => {}
    }
    if !matches!(&*argument.pat, Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none()) {
        errors.at(&argument.pat, "the keys of a batch need a name: write `ids: Vec<Id>`");
    }
}

fn check_return(place: Place<'_>, errors: &mut Errors) {
    let function = place.function;
    let expected = "one answer for each key, in the order of the keys: return a `Vec<T>`, or a `Result<Vec<T>, E>`";
    match &function.signature.output {
        ReturnType::Default => errors.at(&function.signature.ident, expected),
        ReturnType::Type(_, returned) => match answer(returned) {
            None => errors.at(returned, expected),
            Some(answer) if types::has_impl(&answer) => {
                errors.at(returned, "one batch serves all callers: say the type of the answers");
            }
            Some(answer) if types::borrows(&answer) => {
                errors.at(returned, "the batch outlives its callers and cannot borrow: return owned values");
            }
            Some(_) => {}
        },
    }
}
