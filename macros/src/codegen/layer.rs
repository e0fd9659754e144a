//! What an attribute is to the rest of the compiler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::codegen::context::{Context, Fragment};
use crate::diagnostics::Errors;
use crate::item::function::Function;
use crate::parse::args::Common;

/// An entry of the list in `lib.rs`.
pub(crate) struct AttributeDef {
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

/// What a layer is checked against.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The name in the attribute, as it was written.
    pub(crate) span: Span,
    pub(crate) function: &'a Function,
    /// Whether the stack makes an ordinary `fn` an `async fn`.
    pub(crate) makes_async: bool,
}

/// One attribute on one function: its checks, and its part of the expansion.
pub(crate) trait Layer {
    /// Reports what cannot be expanded on this function, in this stack.
    fn check(&self, target: Target<'_>, errors: &mut Errors);

    /// Writes the layer around what `below` writes.
    fn expand(&self, context: &mut Context<'_>, below: &mut dyn FnMut(&mut Context<'_>) -> Fragment) -> Fragment;

    /// Whether the body may run more than once: then it borrows its arguments, or they are cloned for it.
    fn reruns_body(&self) -> bool {
        false
    }

    /// Whether the body is a blocking one, and the function an ordinary `fn`.
    fn makes_async(&self) -> bool {
        false
    }

    /// Whether one call of what is below serves several callers.
    fn is_batch(&self) -> bool {
        false
    }

    /// Whether several may stand on one function.
    fn repeatable(&self) -> bool {
        false
    }

    /// What to do about a function that is not async.
    fn sync_fn_hint(&self) -> &'static str {
        "write `async fn`"
    }

    /// Expressions that are evaluated after the body has begun. What they name the body may not take along.
    fn deferred_exprs(&self) -> TokenStream {
        TokenStream::new()
    }

    /// Whether the layer looks at the arguments when its turn comes, and they may not be taken along before.
    fn reads_args_late(&self) -> bool {
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
    fn rebinds(&self, context: &Context<'_>, argument: &Ident) -> bool {
        let _ = (context, argument);
        false
    }

    /// Told once what stands in the attributes below this one.
    fn stands_above(&mut self, below: &TokenStream) {
        let _ = below;
    }

    /// Items beside the function; also of one that has errors, where they are there for their names only (`Purpose::Names`).
    fn sibling_items(&self, context: &Context<'_>) -> TokenStream {
        let _ = context;
        quote!()
    }
}
