//! The driver: plan, then emit.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Token;

use super::fragment::Fragment;
use super::layer::Layer;
use super::plan::Plan;

/// Expands the layers around the body, from the innermost outwards: each turns what those below it have expanded to into its own.
pub(crate) fn expand(plan: &Plan<'_>, layers: &[&dyn Layer]) -> TokenStream {
    // A job has the body in it.
    let body = if layers.last().is_some_and(|layer| layer.makes_async()) {
        Fragment::default()
    } else {
        let (mode, body) = (plan.body.move_token(), plan.body.body("asynchronous"));
        // What a body that runs again moves is an error of the compiler's, which belongs to the attribute that runs it again.
        let block = Token![async](plan.body.rerun_by.map_or_else(Span::call_site, |by| Span::mixed_site().located_at(by)));
        plan.body.leaf(&quote!(#block #mode #body))
    };
    let fragment = layers.iter().zip(&plan.layers).rfold(body, |inner, (layer, context)| layer.expand(context, inner));
    fragment.expr
}
