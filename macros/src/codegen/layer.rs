//! What an attribute is to the rest of the compiler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Expr;

use super::context::Context;
use super::fragment::{Fragment, Wrapper};
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
    /// Whether a layer below takes the arguments along, so that a layer above that repeats it clones them.
    pub(crate) moves_below: bool,
}

/// What a layer is to the others, decided before anything is expanded.
#[derive(Default)]
pub(crate) struct LayerPlan<'l> {
    /// Around everything that is awaited below.
    pub(crate) wrapper: Option<Wrapper>,
    /// The local that outlives a pinned body ([`Context::guard`]).
    pub(crate) guard: Option<Ident>,
    /// The variable of the wrapper, if it is a deadline.
    pub(crate) deadline: Option<Ident>,
    /// The variables of a layer that makes several attempts.
    pub(crate) attempts: Option<Attempts>,
    /// What is below becomes a future of its own.
    pub(crate) boundary: Option<Boundary>,
    /// Whether the layer awaits something before it runs what is below.
    pub(crate) waits: bool,
    /// Whether the layer rejects calls and may know when they are to come again.
    pub(crate) hints: bool,
    /// What the layer returns for a call that it rejects.
    pub(crate) rejects: Rejects,
    /// Options that are evaluated in their turn, before the body is made.
    pub(crate) turn_exprs: Vec<&'l Expr>,
    /// Options that are evaluated after the body has begun: what they name the body may not take along. Those of a layer with a task of its
    /// own are evaluated there.
    pub(crate) deferred_exprs: Vec<&'l Expr>,
    /// Whether what is below can only be made in its turn, and not before a layer above waits: the layer looks at all arguments, or its
    /// state lives in a temporary.
    pub(crate) needs_turn: bool,
}

impl LayerPlan<'_> {
    /// Whether the body may run more than once: then it borrows its arguments, or they are cloned for it.
    pub(crate) fn reruns_body(&self) -> bool {
        self.attempts.is_some() || self.boundary == Some(Boundary::Attempt)
    }

    /// Whether the layer takes the arguments to where it runs what is below.
    pub(crate) fn moves_arguments(&self) -> bool {
        self.boundary.is_some_and(|boundary| boundary != Boundary::Attempt)
    }
}

/// What a layer returns for a call that it rejects.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rejects {
    /// It rejects none.
    #[default]
    Never,
    /// The value of `or_else`.
    WithValue,
    /// Its error, which the return type must represent.
    WithError,
}

impl Rejects {
    /// A layer that rejects calls, by whether it has an `or_else`.
    pub(crate) fn by(or_else: Option<&Expr>) -> Self {
        if or_else.is_some() { Self::WithValue } else { Self::WithError }
    }
}

/// The variables of a layer that makes several attempts.
pub(crate) struct Attempts {
    pub(crate) count: Ident,
    /// Takes what a rejection below asks for.
    pub(crate) hint: Ident,
}

/// Why what is below a layer is a future of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// One of several attempts that run side by side.
    Attempt,
    /// A task of its own.
    Task,
    /// A job on another thread.
    Job,
    /// A task that serves several callers.
    Batch,
}

/// One attribute on one function: its checks, and its part of the expansion.
pub(crate) trait Layer {
    /// Reports what cannot be expanded on this function, in this stack.
    fn check(&self, target: Target<'_>, errors: &mut Errors);

    /// What the layer is to the others. The names are those that `context` gives; of the rest of the stack it knows nothing yet.
    fn plan(&self, context: &Context<'_>) -> LayerPlan<'_>;

    /// Expands the layer around what those below it have expanded to.
    fn expand(&self, context: &Context<'_>, inner: Fragment) -> Fragment;

    /// Whether the body is a blocking one, and the function an ordinary `fn`.
    fn makes_async(&self) -> bool {
        false
    }

    /// Whether one call of what is below serves several callers.
    fn is_batch(&self) -> bool {
        false
    }

    /// Whether a function may have several.
    fn repeatable(&self) -> bool {
        false
    }

    /// What to do about a function that is not async.
    fn sync_fn_hint(&self) -> &'static str {
        "write `async fn`"
    }

    /// Whether the layer needs the arguments for itself, and not references to them.
    fn needs_own_arguments(&self) -> bool {
        false
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

    /// Receives, once, what is written in the attributes below this one.
    fn stands_above(&mut self, below: &TokenStream) {
        let _ = below;
    }

    /// Items next to the function; also next to one that has errors, where only their names are needed (`Purpose::Names`).
    fn sibling_items(&self, context: &Context<'_>) -> TokenStream {
        let _ = context;
        quote!()
    }
}
