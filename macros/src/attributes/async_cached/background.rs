//! A computation that goes on without its caller.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{Cached, key, lifetime};
use crate::codegen::context::Context;
use crate::codegen::fragment::Fragment;
use crate::codegen::spawned::{copies, hold};
use crate::item::tokens::local;

impl Cached {
    // 'cached: {
    //     let turn = match begin_or_refresh(cache, &key, owned, ..) { Hit(value) => break 'cached value, Miss(turn) => turn };
    //     let load = async move { let out = ..; (out, lifetime) };
    //     let turn = match turn { Compute(turn) => turn, Refresh(old, lead) => { lead.spawn(load); break 'cached old } };
    //     let lead = match turn { Leader(lead) => lead, Waiter(waiter) => waiter.wait().await };
    //     lead.spawn(load).await, or let (out, lifetime) = lead.scope(load).await; lead.complete(out, lifetime)
    // }
    pub(super) fn expand_in_background(&self, context: &Context<'_>, inner: Fragment) -> Fragment {
        let span = Span::mixed_site();
        let Context { private, .. } = context;
        let label = context.label("cached");
        let (cache, shape, load, lead) = (context.name("cache"), context.name("shape"), context.name("load"), context.name("lead"));
        let begin = self.begin(context, &cache, &shape, &label);
        let fit = key::fit();
        let bound = lifetime::bind(context, &self.options).statements;
        let (clones, share_hint) = (context.bind_clones(), context.share_hint());
        let (copies, borrows) = copies(context);
        let hold = hold(context);
        let out = local("out");
        let lifetime = self.lifetime(&context.on_task(), &shape, &out);
        let name = context.function_name();
        let spawn = |lead: &Ident| context.within_attempt(quote_spanned!(span=> #lead.spawn(#name, #shape, #load)));
        // There is no lookup for a call that runs alone.
        let may_be_alone = self.options.cache_if.is_some();
        let some = |turn: TokenStream| if may_be_alone { quote!(::core::option::Option::Some(#turn)) } else { turn };
        let alone = may_be_alone.then(|| quote!(::core::option::Option::None => ::core::option::Option::None,));
        let compute = some(quote_spanned!(span=> #private::cache::Next::Compute(__turn)));
        let refreshes = some(quote_spanned!(span=> #private::cache::Next::Refresh(__out, __lead)));
        let turn = some(quote_spanned!(span=> __turn));
        let refresh = self.options.refreshes().then(|| {
            let spawned = spawn(&local("lead"));
            quote_spanned! {span=>
                let __turn = match __turn {
                    #alone
                    #compute => #turn,
                    #refreshes => {
                        ::core::mem::drop(#spawned);
                        break #label __out
                    }
                };
            }
        });
        let wait = self.wait(context, &shape, &label);
        let compute = self.compute(context, &shape, &load, &lead, &spawn(&lead));
        inner.map(|expr| {
            quote_spanned! {span=>
                #label: {
                    #begin
                    #bound
                    #clones
                    #copies
                    #share_hint
                    let #load = #fit.gate(async move {
                        #hold
                        #borrows
                        let #out = #expr;
                        let __lifetime = #lifetime;
                        (#out, __lifetime)
                    });
                    #refresh
                    let #lead = #wait;
                    #compute
                }
            }
        })
    }

    fn compute(&self, context: &Context<'_>, shape: &Ident, load: &Ident, lead: &Ident, spawned: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        if self.options.detached.is_none() {
            let loaded = context.await_wrapped(&quote_spanned!(span=> #lead.scope(#load)));
            return quote_spanned! {span=>
                let (__out, __lifetime) = #loaded;
                #lead.complete(#shape, __out, __lifetime)
            };
        }
        let (private, name) = (&context.private, context.function_name());
        let refusal = context.reject_or_panic(&quote_spanned!(span=> #private::RuntimeShutDown::error(__stopped, #name)));
        // Within an attempt, the deadlines above are read when the task starts, and borrowed while it is awaited.
        let (start, task) = if context.attempts.is_empty() {
            (TokenStream::new(), spawned.clone())
        } else {
            (quote_spanned!(span=> let __task = #spawned;), quote_spanned!(span=> __task))
        };
        let awaited = context.await_wrapped(&task);
        quote_spanned! {span=>
            #start
            match #awaited {
                ::core::result::Result::Ok(__out) => __out,
                ::core::result::Result::Err(__stopped) => #refusal,
            }
        }
    }
}
