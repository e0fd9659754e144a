//! A computation that goes on without its caller.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::{Cached, key, times};
use crate::background::copies;
use crate::tokens::local;
use crate::weaver::{Weaver, Woven};

impl Cached {
    // 'cached: {
    //     let turn = match begin_or_refresh(cache, &key, owned, ..) { Hit(value) => break 'cached value, Miss(turn) => turn };
    //     let load = async move { let out = ..; (out, lifetime) };
    //     let turn = match turn { Compute(turn) => turn, Refresh(old, lead) => { lead.spawn(load); break 'cached old } };
    //     let lead = match turn { Lead(lead) => lead, Wait(waiter) => waiter.wait().await };
    //     lead.spawn(load).await, or let (out, lifetime) = lead.scope(load).await; lead.land(out, lifetime)
    // }
    pub(super) fn weave_in_background(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven {
        let span = Span::mixed_site();
        let private = weaver.private.clone();
        let label = weaver.label("cached");
        let (cache, shape, load, lead) = (weaver.name("cache"), weaver.name("shape"), weaver.name("load"), weaver.name("lead"));
        let begin = self.begin(weaver, &cache, &shape, &label);
        let fit = key::fit();
        let bound = times::bind(&self.options).statements;
        let (copies, borrows) = copies(weaver);
        let inside = weaver.in_background(below).tokens();
        let out = local("out");
        let lifetime = times::lifetime(&self.options, weaver.function, &private, &shape, &out);
        let name = weaver.function_name();
        let refresh = self.options.refreshes().then(|| {
            quote_spanned! {span=>
                let __turn = match __turn {
                    #private::cache::Next::Compute(__turn) => __turn,
                    #private::cache::Next::Refresh(__out, __lead) => {
                        ::core::mem::drop(__lead.spawn(#name, #shape, #load));
                        break #label __out
                    }
                };
            }
        });
        let wait = self.wait(weaver, &shape, &label);
        let compute = self.compute(weaver, &shape, &load, &lead);
        Woven {
            run: quote_spanned! {span=>
                #label: {
                    #begin
                    #bound
                    #copies
                    let #load = #fit.pass(async move {
                        #borrows
                        let #out = { #inside };
                        let __lifetime = #lifetime;
                        (#out, __lifetime)
                    });
                    #refresh
                    let #lead = #wait;
                    #compute
                }
            },
            ..Woven::default()
        }
    }

    fn compute(&self, weaver: &Weaver<'_>, shape: &Ident, load: &Ident, lead: &Ident) -> TokenStream {
        let span = Span::mixed_site();
        if self.options.detached.is_none() {
            let loaded = weaver.awaiting(&quote_spanned!(span=> #lead.scope(#load)));
            return quote_spanned! {span=>
                let (__out, __lifetime) = #loaded;
                #lead.land(#shape, __out, __lifetime)
            };
        }
        let (private, name) = (&weaver.private, weaver.function_name());
        let refusal = weaver.refuse_or_panic(&quote_spanned!(span=> #private::cache::Stopped::error(__stopped, #name)));
        let spawned = weaver.awaiting(&quote_spanned!(span=> #lead.spawn(#name, #shape, #load)));
        quote_spanned! {span=>
            match #spawned {
                ::core::result::Result::Ok(__out) => __out,
                ::core::result::Result::Err(__stopped) => #refusal,
            }
        }
    }
}
