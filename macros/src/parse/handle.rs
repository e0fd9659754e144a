//! `handle = name`: a function next to the attributed one that returns the attribute's state.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Path;
use syn::parse::{Parse, ParseStream};

use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::parse::units::Value;

/// `name`, or `Self::name`.
pub(crate) struct Handle(pub(crate) Path);

impl Parse for Handle {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let path = input.call(Path::parse_mod_style);
        path.map(Self).map_err(|error| {
            syn::Error::new(
                error.span(),
                "`handle` takes a plain name: write `handle = name`, or `handle = Self::name` inside an `impl`",
            )
        })
    }
}

impl Value for Handle {}

impl Handle {
    pub(crate) fn check(&self, function: &Function, errors: &mut Errors) {
        if let Some(problem) = self.problem(function) {
            errors.at(&self.0, problem);
        }
    }

    /// Why it cannot be added next to the function, if it cannot.
    pub(crate) fn problem(&self, function: &Function) -> Option<String> {
        let path = &self.0;
        let in_impl = path.segments.first().is_some_and(|first| first.ident == "Self");
        if path.segments.len() > 2 || in_impl != (path.segments.len() == 2) {
            let problem = "`handle` takes a plain name: write `handle = name`, or `handle = Self::name` inside an `impl`";
            return Some(problem.to_owned());
        }
        let name = self.name();
        if *name == function.signature.ident {
            return Some(format!("`{name}` is already the name of the function: choose another name for the handle"));
        }
        let mut constants = function.signature.generics.params.iter().filter_map(|parameter| match parameter {
            syn::GenericParam::Const(constant) => Some(&constant.ident),
            _ => None,
        });
        if !in_impl && constants.any(|constant| constant == name) {
            return Some(format!("`{name}` is already the name of a const parameter: choose another name for the handle"));
        }
        (function.parameters.receiver.is_some() && !in_impl)
            .then(|| format!("inside an `impl`, the handle is an associated function: write `handle = Self::{name}`"))
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.0.segments.last().expect("a path has a segment").ident
    }

    /// A call of the handle, which an argument of the same name does not shadow.
    pub(crate) fn call(&self) -> TokenStream {
        let path = self.path();
        quote!(#path())
    }

    /// The path to the handle, with a span that an argument of the same name does not shadow.
    pub(crate) fn path(&self) -> Path {
        let mut path = self.0.clone();
        if let [segment] = path.segments.iter_mut().collect::<Vec<_>>().as_mut_slice() {
            let place = segment.ident.span();
            segment.ident.set_span(Span::mixed_site().located_at(place));
        }
        path
    }

    /// The documentation of the handle; `noun` is what it returns.
    pub(crate) fn documentation(&self, noun: &str, function: &Function) -> String {
        let name = function.name();
        let target = if self.0.segments.len() > 1 { format!("(Self::{name})") } else { String::new() };
        format!("The {noun} of [`{name}`]{target}.")
    }
}
