//! What an attribute is to the rest of the compiler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::args::Common;
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::stack::Stack;
use crate::weaver::{Weaver, Woven};

/// An entry of the list in `lib.rs`.
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) parse: fn(TokenStream, &mut Errors) -> Parsed,
}

/// The arguments of an attribute, read as far as they can be.
pub(crate) struct Parsed {
    pub(crate) layer: Box<dyn Layer>,
    pub(crate) common: Common,
}

impl Parsed {
    pub(crate) fn new(layer: impl Layer + 'static, common: Common) -> Self {
        Self { layer: Box::new(layer), common }
    }
}

/// Where a layer stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The name in the attribute, as it was written.
    pub(crate) span: Span,
    pub(crate) function: &'a Function,
    pub(crate) stack: &'a Stack,
}

/// One attribute on one function: its checks, and its part of the expansion.
pub(crate) trait Layer {
    /// Reports what cannot be expanded on this function, in this stack.
    fn check(&self, place: Place<'_>, errors: &mut Errors);

    /// Writes the layer around what `below` writes.
    fn weave(&self, weaver: &mut Weaver<'_>, below: &mut dyn FnMut(&mut Weaver<'_>) -> Woven) -> Woven;

    /// Whether the body may run more than once: then it borrows its arguments, or they are cloned for it.
    fn repeats(&self) -> bool {
        false
    }

    /// Whether the body is a blocking one, and the function an ordinary `fn`.
    fn makes_async(&self) -> bool {
        false
    }

    /// Whether several may stand on one function.
    fn stacks_with_itself(&self) -> bool {
        false
    }

    /// What to do about a function that is not async.
    fn on_plain_fn(&self) -> &'static str {
        "write `async fn`"
    }

    /// Expressions that are evaluated after the body has begun. What they name the body may not take along.
    fn late(&self) -> TokenStream {
        TokenStream::new()
    }

    /// Whether the layer looks at the arguments when its turn comes, and they may not be taken along before.
    fn looks_late(&self) -> bool {
        false
    }

    /// Whether the layer takes the arguments to a task of its own.
    fn spawns(&self) -> bool {
        false
    }

    /// Whether the layer needs the arguments for itself, and not references to them.
    fn needs_own_arguments(&self) -> bool {
        self.spawns() || self.makes_async()
    }

    /// Whether the layer looks at the argument without an option that says so.
    fn looks_at(&self, function: &Function, argument: &Ident) -> bool {
        let _ = (function, argument);
        false
    }

    /// Whether the layer binds the argument again, inside.
    fn binds_again(&self, weaver: &Weaver<'_>, argument: &Ident) -> bool {
        let _ = (weaver, argument);
        false
    }

    /// Told once what stands in the attributes below this one.
    fn stands_above(&mut self, below: &TokenStream) {
        let _ = below;
    }

    /// Items beside the function; also of one that has errors, where they are there for their names only (`Purpose::Names`).
    fn items(&self, weaver: &Weaver<'_>) -> TokenStream {
        let _ = weaver;
        quote!()
    }
}
