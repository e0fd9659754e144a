//! `#[finally(release(&lock))]`, `#[finally(|exit| report(exit))]`

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, FnArg, Receiver};

use crate::codegen::bounds::BoundCheck;
use crate::codegen::context::Context;
use crate::codegen::fragment::{During, Fragment, Wrapper};
use crate::codegen::layer::{Layer, LayerPlan, Parsed, Target};
use crate::codegen::policy;
use crate::codegen::rejection;
use crate::codegen::spawned::{self, is_copied};
use crate::diagnostics::Errors;
use crate::item::function::{Function, self_ident};
use crate::item::names;
use crate::item::parameters::Binding;
use crate::item::tokens::{self, local};
use crate::item::types;
use crate::parse::args;
use crate::parse::expression::plain;
use crate::parse::units;

const OPTIONS: &[&str] = &[];

struct Finally {
    cleanup: Option<Expr>,
    /// Whether a cleanup was written but is invalid.
    failed: bool,
}

pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Parsed {
    let (mut cleanup, mut failed) = (None, false);
    let mut positional = |input: syn::parse::ParseStream<'_>| {
        failed = true;
        cleanup = Some(units::read(input.parse()?)?);
        failed = false;
        Ok(())
    };
    let common = args::read("finally", tokens, OPTIONS, errors, Some(&mut positional), &mut |_, _| Ok(()));
    Parsed::new(Finally { cleanup, failed }, common)
}

impl Layer for Finally {
    fn needs_own_arguments(&self) -> bool {
        true
    }

    fn check(&self, target: Target<'_>, errors: &mut Errors) {
        let Some(cleanup) = &self.cleanup else {
            if !self.failed {
                errors.at_span(target.span, "`#[finally]` requires a cleanup future: write `#[finally(release(lock))]`");
            }
            return;
        };
        if let Expr::Closure(closure) = cleanup
            && closure.inputs.len() != 1
        {
            let message =
                "the closure takes one argument, how the function ended: write `|exit| ..`, or the future without a closure";
            errors.at(closure, message);
        }
        check_borrows(target.function, cleanup, errors);
        if let Expr::Closure(closure) = plain(cleanup)
            && closure.inputs.first().is_some_and(|exit| !matches!(exit, syn::Pat::Wild(_)))
        {
            policy::check_known(target.function, "the cleanup would receive `Exit::Ok` for every outcome", "", errors);
        }
    }

    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_> {
        let finally = context.name("finally");
        LayerPlan {
            wrapper: Some(Wrapper {
                call: quote_spanned!(Span::mixed_site()=> #finally.catch),
                argument: None,
                breaks_to: Some(context.label("finally")),
                during: Some(During::Result(quote_spanned!(Span::mixed_site()=> #finally.during))),
            }),
            guard: Some(finally),
            turn_exprs: self.cleanup.iter().collect(),
            ..LayerPlan::default()
        }
    }

    // let finally = Finally::new(name, { let id = Clone::clone(&id); move |exit| release(id) });
    // match 'finally: { Ok(..) } {
    //     Ok(out) => { finally.end(exit(&out)).await; out }
    //     Err(payload) => finally.resume(payload).await,
    // }
    fn expand(&self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let (finally, label, payload) = (context.name("finally"), context.label("finally"), context.name("payload"));
        let (name, cleanup) = (context.function_name(), self.written(context));
        let made = quote_spanned!(span=> #private::finally::Finally::new(#name, #cleanup));
        let bind = context.guard_mut(&mut inner, &finally, &made);
        let failed = rejection::verdict(context, &quote_spanned!(span=> &__outcome));
        let end = context.await_wrapped(&quote_spanned!(span=> #finally.end(#failed)));
        let resume = context.await_wrapped_to_the_end(&quote_spanned!(span=> #finally.resume(#payload)));
        inner.map(|expr| {
            quote_spanned! {span=> {
                #bind
                match #label: { ::core::result::Result::Ok(#expr) } {
                    ::core::result::Result::Ok(__outcome) => {
                        #end;
                        __outcome
                    }
                    ::core::result::Result::Err(#payload) => #resume,
                }
            }}
        })
    }
}

impl Finally {
    /// The cleanup as a closure that owns what it names, since the body may consume the arguments, and the call may have been dropped.
    fn written(&self, context: &Context<'_>) -> TokenStream {
        let span = Span::mixed_site();
        let Some(cleanup) = &self.cleanup else { return TokenStream::new() };
        let mut written = cleanup.to_token_stream();
        let (mut owned, mut borrowed) = (TokenStream::new(), TokenStream::new());
        for binding in &context.function.parameters.bindings {
            let Binding { ident, cfgs, ty, .. } = binding;
            if !names::takes(cleanup, ident) {
                continue;
            }
            if binding.by_ref {
                borrowed.extend(quote_spanned!(span=> #(#cfgs)* let #ident = &#ident;));
            }
            if ty.as_ref().is_some_and(is_copied) {
                let (copy, borrow) = spawned::copy(context, &Binding { mutability: None, ..binding.clone() });
                owned.extend(copy);
                borrowed.extend(borrow);
            } else {
                let copy = quote_spanned!(ident.span()=> ::core::clone::Clone::clone(&#ident));
                owned.extend(quote_spanned!(span=> #(#cfgs)* let #ident = #copy;));
            }
        }
        if let Some(receiver) = &context.function.parameters.receiver {
            let (this, copy) = (self_ident(receiver), local("this"));
            if names::takes(cleanup, &this) {
                owned.extend(quote_spanned!(span=> let #copy = ::core::clone::Clone::clone(&#this);));
                written = tokens::rename(written, &this, &copy);
            }
        }
        let private = &context.private;
        let exit = local("exit");
        let (argument, future) = if matches!(cleanup, Expr::Closure(_)) {
            (exit.clone(), quote_spanned!(span=> #private::finally::call(#written, #exit)))
        } else {
            (local("exit"), written)
        };
        // The future owns what it names, so that the cleanup may borrow from it.
        let kept = local("kept");
        let fit = BoundCheck::of_value(cleanup.span(), "assert_cleanup", quote!(&#kept))
            .pass(&quote!(#private::finally), &kept.to_token_stream());
        let awaited = quote_spanned!(span=> let #kept = #future; #fit.await);
        quote_spanned!(span=> { #owned #private::finally::cleanup(move |#argument| async move { #borrowed #awaited }) })
    }
}

/// Reports borrows that the cleanup names, since it needs owned arguments.
fn check_borrows(function: &Function, cleanup: &Expr, errors: &mut Errors) {
    let names_self = |receiver: &&Receiver| names::takes(cleanup, &self_ident(receiver));
    if let Some(receiver) = function.parameters.receiver.as_ref().filter(names_self) {
        let borrowed = match &receiver.kind {
            syn::ReceiverKind::Reference(..) => true,
            syn::ReceiverKind::Typed(_, ty) => types::borrows(ty),
            _ => false,
        };
        if borrowed {
            errors.at(receiver, "the cleanup may outlive the call and cannot borrow `self`: take `self: Arc<Self>`");
        }
    }
    for input in &function.signature.inputs {
        let FnArg::Typed(argument) = input else { continue };
        let syn::Pat::Ident(name) = &*argument.pat else { continue };
        if names::takes(cleanup, &name.ident) && types::borrows(&argument.ty) && !is_copied(&argument.ty) {
            let advice = types::owned_form(&argument.ty);
            errors.at(&argument.ty, format!("the cleanup may outlive the call and cannot borrow: {advice}"));
        }
    }
}
