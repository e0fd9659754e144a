//! `#[batched(max_batch_size = 100, delay = 5ms, share(db))]`
//!
//! The source contains the function of a batch; callers see a function of one element. Attributes above `batched` apply to the latter,
//! those below to the former.
//!
//! Shared arguments are the same in both: the closure of the batch captures those of the caller that opens it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, FnArg, GenericArgument, Pat, PatType, PathArguments, ReturnType, Signature, Type, parse_quote};

use crate::codegen::bounds::{self, BoundCheck};
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::layer::{Boundary, Layer, LayerPlan, Parsed, Target};
use crate::codegen::policy;
use crate::diagnostics::{Errors, available};
use crate::item::function::{FnKind, Function, self_ident};
use crate::item::parameters::borrows_self;
use crate::item::tokens::local;
use crate::item::types;
use crate::parse::args::{self, Count};
use crate::parse::closure;
use crate::parse::duration::Duration;
use crate::parse::expression::{is_literal, is_place};
use crate::parse::once::{self, Named, Once, SharedBy};

const OPTIONS: &[&str] = &["max_batch_size", "delay", "share", "or_else"];

/// The name of the attribute, by which the stack finds it.
pub(crate) const NAME: &str = "batched";

#[derive(Default)]
struct Batched {
    max_batch_size: Option<Count>,
    delay: Option<Duration>,
    share: Vec<Ident>,
    or_else: Option<Expr>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut batched = Batched::default();
    let common = args::read(NAME, tokens, OPTIONS, errors, None, &mut |option, input| {
        match option.name.as_str() {
            "max_batch_size" => batched.max_batch_size = Some(option.parse(input)?),
            "delay" => batched.delay = Some(option.parse(input)?),
            "share" => batched.share = option.names(input)?,
            _ => batched.or_else = Some(option.parse(input)?),
        }
        Ok(())
    });
    Parsed::new(batched, common)
}

impl Layer for Batched {
    fn is_batch(&self) -> bool {
        true
    }

    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        closure::check_or_else(self.or_else.as_ref(), errors);
        let max_batch_size = self.max_batch_size.as_ref();
        policy::check_positive(max_batch_size, "`max_batch_size` must be at least 1", errors);
        let options = [
            Once::option("max_batch_size", max_batch_size.map(|count| &count.0)),
            Once::option("delay", self.delay.as_ref().map(Duration::written)),
        ];
        let way_out = |_: &Named| "use a value that all of its callers have in common".to_owned();
        // Shared arguments are the same for all callers of a batch.
        let mut apart = target.function.clone();
        apart.parameters.bindings.retain(|binding| !self.share.contains(&binding.ident));
        once::check(options, SharedBy::Batch, &apart, &way_out, errors);
        let function = target.function;
        if matches!(function.shape, FnKind::Returned { .. } | FnKind::Made { .. }) {
            let token = function.signature.fn_token;
            errors.at(token, "`#[batched]` rewrites the signature, which a returned future does not allow: write `async fn`");
            return;
        }
        self.check_receiver(function, errors);
        self.check_shared(function, errors);
        self.check_keys(function, errors);
        check_return(function, errors);
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        let options = self.max_batch_size.iter().map(|count| &count.0).chain(self.delay.iter().map(Duration::written));
        let turn_exprs: Vec<&Expr> = options.collect();
        LayerPlan {
            boundary: Some(Boundary::Batch),
            needs_turn: !turn_exprs.iter().all(|option| is_literal(option) || is_place(option)),
            turn_exprs,
            deferred_exprs: self.or_else.iter().collect(),
            ..LayerPlan::default()
        }
    }

    // match load(&__STEADFAST_SLOT, || (), "name", limits, shares, ids, move |ids: Vec<Id>| async move { body }).await {
    //     Ok(value) => value,
    //     Err(failure) => rejection,
    // }
    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let failure = context.name("failure");
        let (arguments, body) = (context.batch_arguments(&is_keys), inner.expr);
        let max_batch_size = self
            .max_batch_size
            .as_ref()
            .map_or_else(|| quote!(100), |count| context.evaluate_option(&count.0, &count.tokens(private)));
        let delay = self.delay.as_ref().map_or_else(
            || quote!(::core::time::Duration::from_millis(5)),
            |delay| context.evaluate_option(delay.written(), &delay.to_token_stream()),
        );
        let name = context.function_name();
        let keys = self.keys(context.function);
        let (shares, capture) = self.shares(context);
        let load = quote_spanned! {span=>
            #private::batched::load(
                {
                    static __STEADFAST_SLOT: #private::batched::BatchSlot = #private::batched::BatchSlot::new();
                    &__STEADFAST_SLOT
                },
                || (),
                #name,
                #private::batched::Limits { max_batch_size: #max_batch_size, delay: #delay },
                #shares,
                #keys,
                #capture |#arguments| async move { #body },
            )
        };
        let error = quote!(#failure.error(#name));
        let rejection = match &self.or_else {
            Some(_) => context.reject(NAME, &error, self.or_else.as_ref()),
            None => context.reject_or_panic(&error),
        };
        context.leaf(&load).map(|expr| {
            quote_spanned! {span=>
                match #expr {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#failure) => #rejection,
                }
            }
        })
    }
}

impl Batched {
    /// The arguments that the callers of a batch share, and how the batch captures them.
    ///
    /// ```text
    /// Output: { let fit = Satisfied.and(assert_share::<Arc<Db>, _>()); let shares = (); let shares = (&db, shares); hold(fit.gate(shares)) }
    /// ```
    fn shares(&self, context: &Context<'_>) -> (TokenStream, TokenStream) {
        if self.share.is_empty() {
            return (quote!(()), TokenStream::new());
        }
        let (span, private) = (Span::mixed_site(), &context.private);
        let (fit, shares) = (local("fit"), local("shares"));
        let (mut asks, mut together) = (Vec::new(), quote_spanned!(span=> let #shares = ();));
        for shared in self.share.iter().filter_map(|name| Shared::find(context.function, name)) {
            let Shared { name, ty, cfgs } = shared;
            asks.push(match &ty {
                Some(ty) if !types::has_impl(ty) => {
                    BoundCheck::of_type(ty.span(), "assert_share", ty.to_token_stream()).under(cfgs)
                }
                _ => BoundCheck::of_value(name.span(), "assert_share_of", quote!(&#name)).under(cfgs),
            });
            together.extend(quote_spanned!(span=> #(#cfgs)* let #shares = (&#name, #shares);));
        }
        let asks = bounds::statements(&fit, private, &quote!(#private::batched), &asks);
        (quote_spanned!(span=> { #asks #together #private::batched::hold(#fit.gate(#shares)) }), quote!(move))
    }

    /// The name of the keys.
    fn keys(&self, function: &Function) -> Option<Ident> {
        let mut bindings = function.parameters.bindings.iter().map(|binding| &binding.ident);
        bindings.find(|ident| !self.share.contains(ident)).cloned()
    }

    fn check_receiver(&self, function: &Function, errors: &mut Errors) {
        let Some(receiver) = &function.parameters.receiver else { return };
        if borrows_self(receiver) {
            errors.at(
                receiver,
                "the batch outlives its callers and cannot borrow `self`: take `self: Arc<Self>`, and add `share(self)`",
            );
        } else if !self.share.contains(&self_ident(receiver)) {
            errors.at(
                receiver,
                "callers in one batch may have different `self` values: take `self: Arc<Self>`, and add `share(self)`",
            );
        }
    }

    fn check_shared(&self, function: &Function, errors: &mut Errors) {
        let known = function.parameters.names();
        for (index, name) in self.share.iter().enumerate() {
            if self.share[..index].contains(name) {
                errors.at(name, format!("`{name}` is listed twice: remove one"));
                continue;
            }
            let Some(Shared { ty, .. }) = Shared::find(function, name) else {
                let message = if known.iter().any(|known| name == known) {
                    format!("`{name}` is only part of an argument: name the whole argument, and share that")
                } else {
                    format!("`{}` has no argument `{name}` to share ({})", function.name(), available(&known))
                };
                errors.at(name, message);
                continue;
            };
            let Some(ty) = ty.filter(|_| name != "self") else { continue };
            if types::borrows(&ty) {
                errors.at(&ty, format!("the batch outlives its callers and cannot borrow: take `{name}` in an `Arc`"));
            } else if element(&ty).is_some() {
                errors.at(name, format!("`share` requires an `Arc`, but `{name}` is a `Vec`: remove it from `share(..)`"));
            }
        }
    }

    fn check_keys(&self, function: &Function, errors: &mut Errors) {
        let shared = |argument: &&PatType| matches!(&*argument.pat, Pat::Ident(name) if self.share.contains(&name.ident));
        let arguments: Vec<_> = typed(&function.signature).filter(|argument| !shared(argument)).collect();
        let Some(keys) = arguments.iter().find(|argument| element(&argument.ty).is_some()).or(arguments.first()) else {
            let message = "`#[batched]` requires an argument for the keys, outside of `share(..)`: write `ids: Vec<Id>`";
            errors.at(&function.signature.ident, message);
            return;
        };
        for other in arguments.iter().filter(|argument| !std::ptr::eq(**argument, *keys)) {
            let name = match &*other.pat {
                Pat::Ident(name) => name.ident.to_string(),
                _ => "..".to_owned(),
            };
            errors.at(
                other,
                format!(
                    "callers in one batch may pass different values here: make this part of the keys (`ids: Vec<(Id, ..)>`), or, if \
                     it is an `Arc`, batch only callers that pass the same one: `share({name})`"
                ),
            );
        }
        match element(&keys.ty) {
            None => errors.at(&keys.ty, "`#[batched]` takes the keys as a `Vec`: write `Vec<Id>`, and each caller passes one `Id`"),
            Some(key) if types::has_impl(key) => {
                errors.at(key, "one batch serves all callers, so their keys have one type: name it instead of `impl Trait`");
            }
            Some(key) if types::borrows(key) => {
                errors.at(key, format!("the batch outlives its callers and cannot borrow: {}", types::owned_form(key)));
            }
            Some(_) => {}
        }
        if !matches!(&*keys.pat, Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none()) {
            errors.at(&keys.pat, "the keys require a plain name, not a pattern: write `ids: Vec<Id>`");
        }
    }
}

/// An argument that callers share.
struct Shared<'a> {
    name: Ident,
    ty: Option<Type>,
    cfgs: &'a [syn::Attribute],
}

impl<'a> Shared<'a> {
    /// `None` if there is no such argument, or if it is a part of a pattern.
    fn find(function: &'a Function, name: &Ident) -> Option<Self> {
        let parameters = &function.parameters;
        if let Some(receiver) = parameters.receiver.as_ref().filter(|receiver| self_ident(receiver) == *name) {
            let ty = match &receiver.kind {
                syn::ReceiverKind::Typed(_, ty) => (**ty).clone(),
                _ => syn::parse_quote_spanned!(receiver.self_token.span=> Self),
            };
            return Some(Self { name: self_ident(receiver), ty: Some(ty), cfgs: &[] });
        }
        let binding = parameters.find(name)?;
        let ty = binding.ty.clone()?;
        Some(Self { name: binding.ident.clone(), ty: Some(ty), cfgs: &binding.cfgs })
    }
}

fn typed(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(|input| if let FnArg::Typed(typed) = input { Some(typed) } else { None })
}

/// Whether these are the keys: shared arguments are never a `Vec`.
fn is_keys(input: &FnArg) -> bool {
    matches!(input, FnArg::Typed(argument) if element(&argument.ty).is_some())
}

/// The function as its callers see it: `Id` for `Vec<Id>`, `T` for `Vec<T>`. `None` if there is no such function.
pub(crate) fn of_one(function: &Function, root: &TokenStream) -> Option<Function> {
    let mut one = function.clone();
    let Some(FnArg::Typed(argument)) = one.signature.inputs.iter_mut().find(|input| is_keys(input)) else { return None };
    let key = element(&argument.ty)?.clone();
    *argument.ty = key.clone();
    let Pat::Ident(name) = &mut *argument.pat else { return None };
    name.mutability = None;
    let binding = one.parameters.bindings.iter_mut().find(|binding| binding.ident == name.ident)?;
    binding.ty = Some(key.clone());
    binding.mutability = None;
    let ReturnType::Type(_, returned) = &mut one.signature.output else { return None };
    **returned = answer(returned, &key, root)?;
    one.output = Some((**returned).clone());
    Some(one)
}

/// The `T` of a `Vec<T>`.
fn element(ty: &Type) -> Option<&Type> {
    types::last_segment(ty).filter(|(name, _)| name == "Vec").and_then(|(_, arguments)| arguments.first().copied())
}

/// What a caller receives: the `T` of a `Vec<T>`, an `Option<T>` of a `HashMap<Id, T>`, also inside a `Result` or an alias for one. Any
/// other type may be an alias for one of these, and the trait decides.
fn answer(returned: &Type, key: &Type, root: &TokenStream) -> Option<Type> {
    spelled_answer(returned).or_else(|| {
        let plausible = types::last_segment(returned).is_some_and(|(name, _)| !is_no_alias(&name));
        let span = Span::mixed_site().located_at(returned.span());
        plausible.then(|| {
            let answers = quote_spanned!(span=> #root::__private::batched::BatchOutput<#key>);
            syn::parse_quote_spanned!(span=> <#returned as #answers>::One)
        })
    })
}

fn spelled_answer(returned: &Type) -> Option<Type> {
    if let Some(one) = one_of(returned) {
        return Some(one);
    }
    let mut answer = types::ungroup(returned).clone();
    let Type::Path(path) = &mut answer else { return None };
    let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else { return None };
    let inner = arguments.args.iter_mut().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })?;
    *inner = one_of(inner)?;
    Some(answer)
}

fn one_of(ty: &Type) -> Option<Type> {
    match types::last_segment(ty)? {
        (name, arguments) if name == "Vec" => arguments.first().map(|&element| element.clone()),
        (name, arguments) if name == "HashMap" => {
            arguments.get(1).map(|value| syn::parse_quote_spanned!(Span::mixed_site()=> ::core::option::Option<#value>))
        }
        _ => None,
    }
}

/// Types that hold no results, for which the message of the attribute is better than that of the trait.
fn is_no_alias(name: &str) -> bool {
    const TYPES: [&str; 21] = [
        "bool", "char", "str", "String", "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
        "isize", "BTreeMap", "BTreeSet", "HashSet", "VecDeque",
    ];
    TYPES.contains(&name)
}

fn check_return(function: &Function, errors: &mut Errors) {
    let expected = "`#[batched]` requires one result per key: return a `Vec<T>` in the order of the keys, a `HashMap<Id, T>`, or a \
                    `Result` of one of these";
    let anything: Type = parse_quote!(_);
    match &function.signature.output {
        ReturnType::Default => errors.at(&function.signature.ident, expected),
        ReturnType::Type(_, returned) => match answer(returned, &anything, &TokenStream::new()) {
            None => errors.at(returned, expected),
            Some(_) if types::has_impl(returned) => {
                errors
                    .at(returned, "one batch serves all callers, so their results have one type: name it instead of `impl Trait`");
            }
            Some(_) if types::borrows(returned) => {
                errors.at(returned, "the batch outlives its callers and cannot return borrows: return owned values");
            }
            Some(_) => {}
        },
    }
}
