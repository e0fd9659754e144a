//! `#[offload_blocking(limit = 4)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use crate::codegen::bounds::{self, BoundCheck};
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::layer::{Boundary, Layer, LayerPlan, Parsed, Target};
use crate::diagnostics::Errors;
use crate::item::function::{FnKind, Function};
use crate::item::parameters::{Binding, borrows_self};
use crate::item::tokens::{calling, local, respan};
use crate::item::types;
use crate::parse::args::{self, Count};
use crate::parse::expression::is_place;
use crate::parse::once::{self, Named, Once, SharedBy};

const OPTIONS: &[&str] = &["limit", "pool"];

#[derive(Default)]
struct OffloadBlocking {
    limit: Option<Count>,
    pool: Option<Expr>,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let mut offload = OffloadBlocking::default();
    let common = args::read("offload_blocking", tokens, OPTIONS, errors, None, &mut |option, input| {
        match option.name.as_str() {
            "limit" => offload.limit = Some(option.parse(input)?),
            _ => offload.pool = Some(option.parse(input)?),
        }
        Ok(())
    });
    Parsed::new(offload, common)
}

impl Layer for OffloadBlocking {
    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        let function = target.function;
        if !matches!(function.shape, FnKind::Plain) {
            let (at, advice) = match &function.signature.asyncness {
                Some(asyncness) => (asyncness.span, "remove `async`; the function is still called with `.await`"),
                None => (function.signature.fn_token.span, "return the output instead of the future, and block for it"),
            };
            errors.at_span(at, format!("`#[offload_blocking]` requires a synchronous `fn`, which it makes async: {advice}"));
        }
        if let Some(Expr::Path(path)) = &self.pool
            && is_keyword(path, "tokio", function)
        {
            errors.at(path, "Tokio's blocking pool is the default: remove `pool`");
        }
        if let Some(limit) = self.limit.as_ref().filter(|limit| limit.literal() == Some(0)) {
            errors.at(&limit.0, "`limit` must be at least 1");
        }
        let limit = Once::option("limit", self.limit.as_ref().map(|limit| &limit.0));
        once::check([limit], SharedBy::Function, function, &pool_instead, errors);
        check_arguments(target, errors);
    }

    fn makes_async(&self) -> bool {
        true
    }

    fn sync_fn_hint(&self) -> &'static str {
        "it makes one"
    }

    fn needs_own_arguments(&self) -> bool {
        true
    }

    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        context.deferred_above.contains(argument)
    }

    fn plan(&self, _: &Context<'_>) -> LayerPlan<'_> {
        LayerPlan {
            boundary: Some(Boundary::Job),
            turn_exprs: self.pool.iter().collect(),
            needs_turn: self.pool.as_ref().is_some_and(|pool| !is_place(pool)),
            ..LayerPlan::default()
        }
    }

    // let pool = executor;
    // match run(pool, permit, move || { body }).await { Ok(value) => value, Err(gone) => rejection }
    fn expand(&self, context: &Context<'_>, _: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let gone = context.name("gone");
        let pool = self.executor(context);
        let permit = match &self.limit {
            None => quote!(::core::future::ready(())),
            Some(limit) => {
                let count = limit.tokens(private);
                let literal = limit.literal().is_some();
                let limit = if literal { quote!(|| #count) } else { once::maker(&count, &quote!(::core::primitive::usize)) };
                quote_spanned! {span=> {
                    static __STEADFAST_GATE: #private::offload::JobLimit = #private::offload::JobLimit::new();
                    __STEADFAST_GATE.acquire(#limit)
                }}
            }
        };
        let (checks, job, body) = (checks(context), local("job"), context.body("blocking"));
        let checks = bounds::statements(&job, private, &quote!(#private::offload), &checks);
        let clones = context.bind_clones();
        let job = quote_spanned!(span=> { #checks #clones #job.gate(move || #body) });
        let name = context.function_name();
        let rejection = context.reject_or_panic(&quote!(#gone.error(#name)));
        let mut run = quote_spanned!(span=> #private::offload::run(#pool, #permit, #job));
        if self.pool.is_some() {
            // In a separate statement, so that borrows of the expression end before the call waits.
            run = quote_spanned!(span=> { let __pool = #pool; #private::offload::run(__pool, #permit, #job) });
        }
        context.leaf(&run).map(|expr| {
            quote_spanned! {span=>
                match #expr {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(#gone) => #rejection,
                }
            }
        })
    }
}

impl OffloadBlocking {
    /// The executor of the job, owned: the expression may name an argument, which the job consumes afterward.
    fn executor(&self, context: &Context<'_>) -> TokenStream {
        let (root, private) = (&context.root, &context.private);
        match &self.pool {
            None => quote!(#private::offload::Tokio),
            Some(Expr::Path(path)) if is_keyword(path, "rayon", context.function) => {
                respan(path.span(), quote!(#root::__steadfast_rayon!()))
            }
            Some(pool) => context.evaluate_option(pool, &calling(&quote!(#root::BlockingPool::handle), pool)),
        }
    }
}

/// Whether the path is this keyword, and not an argument of that name.
fn is_keyword(path: &syn::ExprPath, word: &str, function: &Function) -> bool {
    path.path.get_ident().is_some_and(|name| name == word && function.parameters.find(name).is_none())
}

/// The advice for a limit that depends on the call.
fn pool_instead(named: &Named) -> String {
    let pool = match named {
        Named::This => "self.pool".to_owned(),
        other => other.chosen_by("pool_of"),
    };
    format!("use a `BlockingPool` with that many threads, which is selected at each call, as in `pool = {pool}`")
}

/// The bounds that the thread requires of the arguments and the return value.
fn checks(context: &Context<'_>) -> Vec<BoundCheck> {
    let function = context.function;
    let asks = function.parameters.bindings.iter().filter_map(|binding| {
        let Binding { ident, ty, cfgs, .. } = binding;
        let ty = ty.as_ref().filter(|ty| !types::borrows(ty))?;
        if types::has_impl(ty) {
            return context
                .is_captured(binding)
                .then(|| BoundCheck::of_value(ty.span(), "assert_send_of", quote!(&#ident)).under(cfgs));
        }
        Some(BoundCheck::of_type(ty.span(), "assert_send", ty.to_token_stream()).under(cfgs))
    });
    let output = function.output.as_ref().filter(|ty| !types::has_impl(ty) && !types::borrows(ty) && !function.diverges());
    asks.chain(output.map(|ty| BoundCheck::of_type(ty.span(), "assert_send", ty.to_token_stream()))).collect()
}

/// A job outlives its caller, so it cannot borrow from it.
fn check_arguments(target: Target<'_>, errors: &mut Errors) {
    if let Some(receiver) = target.function.parameters.receiver.as_ref().filter(|receiver| borrows_self(receiver)) {
        errors.at(
            receiver,
            "the job outlives its caller and cannot borrow `self`: take `self: Arc<Self>`, or extract the blocking part into \
             a free function",
        );
    }
    for input in &target.function.signature.inputs {
        if let syn::FnArg::Typed(argument) = input
            && types::borrows(&argument.ty)
        {
            errors.at(&argument.ty, format!("the job outlives its caller and cannot borrow: {}", types::owned_form(&argument.ty)));
        }
    }
}
