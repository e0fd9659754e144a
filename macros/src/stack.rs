//! The attributes of this crate on one function, in written order.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Path};

use crate::codegen::layer::{AttributeDef, Parsed, Target};
use crate::diagnostics::{Errors, suggest};
use crate::item::function::Function;
use crate::item::tokens;

/// The layers, outermost first.
pub(crate) struct Stack {
    pub(crate) layers: Vec<Entry>,
    /// The arguments of all attributes.
    pub(crate) written: TokenStream,
}

pub(crate) struct Entry {
    pub(crate) attribute: &'static AttributeDef,
    pub(crate) span: Span,
    pub(crate) parsed: Parsed,
    /// The arguments of the attribute.
    pub(crate) written: TokenStream,
    /// The path of an attribute that was removed from the function.
    path: Option<Path>,
}

/// The attribute being expanded.
pub(crate) struct First {
    pub(crate) attribute: &'static AttributeDef,
    /// Where it is reported.
    pub(crate) span: Span,
    pub(crate) arguments: TokenStream,
}

/// The argument of an attribute that only marks its name as used.
pub(crate) const CONSUMED: &str = "__taken";

impl Stack {
    /// The stack of the attribute being expanded, if there is one, and its siblings among `others`, which are removed. Attributes of other
    /// crates stay in place.
    pub(crate) fn collect(
        known: &'static [AttributeDef],
        first: Option<First>,
        others: &mut Vec<Attribute>,
        errors: &mut Errors,
    ) -> Self {
        let mut written = TokenStream::new();
        let entry = |attribute: &'static AttributeDef, span, written: TokenStream, path, errors: &mut Errors| {
            let parsed = (attribute.parse)(written.clone(), errors);
            Entry { attribute, span, parsed, written, path }
        };
        let mut layers = Vec::new();
        if let Some(First { attribute, span, arguments }) = first {
            written.extend(arguments.clone());
            layers.push(entry(attribute, span, arguments, None, errors));
        }
        others.retain(|other| {
            let Some(attribute) = definition(known, other) else { return true };
            let arguments = match arguments(other, attribute) {
                Ok(arguments) => arguments,
                Err(error) => {
                    errors.push(error);
                    return false;
                }
            };
            let path = Some(other.path().clone());
            written.extend(arguments.clone());
            layers.push(entry(attribute, other.path().span(), arguments, path, errors));
            false
        });
        let mut below = TokenStream::new();
        for entry in layers.iter_mut().rev() {
            entry.parsed.layer.stands_above(&below);
            below.extend(entry.written.clone());
            // Separates the arguments of two attributes, which would otherwise read as one expression.
            below.extend(quote!(,));
        }
        Self { layers, written }
    }

    /// Items that use the names of the removed attributes: rustc never resolves those, and would report their imports as unused.
    pub(crate) fn uses(&self) -> TokenStream {
        let taken = tokens::mixed_site(CONSUMED);
        self.layers.iter().filter_map(|entry| entry.path.as_ref()).map(|path| quote!(#[#path(#taken)] const _: () = ();)).collect()
    }

    /// Reports the option `name` on a function, which has a name.
    pub(crate) fn refuse_names(&self, errors: &mut Errors) {
        for name in self.layers.iter().filter_map(|entry| entry.parsed.common.name.as_ref()) {
            errors
                .at(name, "`name` is an option of attributes in `run!`: errors, registry and metrics use the name of the function");
        }
    }

    pub(crate) fn makes_async(&self) -> bool {
        self.layers.iter().any(|entry| entry.parsed.layer.makes_async())
    }

    /// The number of layers above `#[batched]`: they apply to one call, the others to the batch.
    pub(crate) fn above_batch(&self) -> Option<usize> {
        self.layers.iter().position(|entry| entry.parsed.layer.is_batch())
    }

    /// Reports errors of the stack, then those of each layer. `one` is the function as its callers see it, if that differs.
    pub(crate) fn check(&self, function: &Function, one: Option<&Function>, errors: &mut Errors) {
        let above = self.above_batch().unwrap_or_default();
        for (index, entry) in self.layers.iter().enumerate() {
            let (name, layer) = (entry.attribute.name, &entry.parsed.layer);
            let again = self.layers[..index].iter().any(|earlier| earlier.attribute.name == name);
            if again && !layer.repeatable() {
                errors.at_span(entry.span, format!("duplicate attribute `#[{name}]`: remove one"));
            }
            if layer.makes_async() && index + 1 < self.layers.len() {
                let below = self.layers[index + 1].attribute.name;
                errors.at_span(
                    entry.span,
                    format!(
                        "`#[{name}]` must be the last attribute, since it makes the function async: move `#[{below}]` above it"
                    ),
                );
            }
            let function = one.filter(|_| index < above).unwrap_or(function);
            let mut below = self.layers[index + 1..].iter().map(|entry| &entry.parsed.layer);
            let moves_below = below.any(|layer| layer.needs_own_arguments() || layer.is_batch());
            layer.check(Target { span: entry.span, function, makes_async: self.makes_async(), moves_below }, errors);
        }
    }
}

/// What the attribute is, if it is one of ours.
pub(crate) fn definition(known: &'static [AttributeDef], attribute: &Attribute) -> Option<&'static AttributeDef> {
    attribute.path().segments.last().and_then(|last| named(known, &last.ident.to_string()))
}

/// The arguments of one of ours.
pub(crate) fn arguments(attribute: &Attribute, definition: &AttributeDef) -> syn::Result<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::NameValue(pair) => {
            let message = format!("options go in parentheses: write `#[{}(..)]`", definition.name);
            Err(syn::Error::new_spanned(pair, message))
        }
    }
}

/// The attribute of this name.
pub(crate) fn named(known: &'static [AttributeDef], name: &str) -> Option<&'static AttributeDef> {
    known.iter().find(|attribute| attribute.name == name)
}

/// The message for an attribute that is none of ours. `otherwise` is the advice if no name is close.
pub(crate) fn unknown(known: &'static [AttributeDef], name: &str, otherwise: &str) -> String {
    let names: Vec<&'static str> = known.iter().map(|attribute| attribute.name).collect();
    let advice = suggest(name, &names).map_or_else(|| otherwise.to_owned(), |meant| format!("write `{meant}`"));
    format!("`{name}` is not an attribute of `steadfast`: {advice}")
}
