//! Layers that may let a call wait before they run what is below.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Lifetime;

use super::context::Context;
use super::fragment::Fragment;

/// What such a layer does before what is below it runs.
pub(crate) struct Admission<'a> {
    /// Where a call leaves to that is rejected.
    pub(crate) label: &'a Lifetime,
    /// Statements that bind the object with the layer's state.
    pub(crate) object: TokenStream,
    /// Statements that look at the arguments, and the names that they bind.
    pub(crate) look: TokenStream,
    pub(crate) captures: Vec<Ident>,
    /// The arguments that those mention.
    pub(crate) named: &'a dyn Fn(&Ident) -> bool,
    /// The statements that admit a call. They may await.
    pub(crate) enter: TokenStream,
}

impl Admission<'_> {
    /// ```text
    /// Output: 'label: { object; look; make the body; enter; inner }
    /// ```
    pub(crate) fn around(self, context: &Context<'_>, mut inner: Fragment) -> Fragment {
        let Self { label, object, look, captures, named, enter } = self;
        let before = context.before_wait(&mut inner, &look, captures, named);
        inner.map(|expr| quote!(#label: { #object #before #enter #expr }))
    }
}
