//! The stack, analyzed from top to bottom before anything is expanded: what is in force at each layer, how the body takes the arguments
//! along, and which layer makes it.

use proc_macro2::{Ident, Span, TokenStream};
use syn::Expr;

use super::context::{Batch, Capture, Context, Hints, Purpose};
use super::fragment::Wrapper;
use super::layer::{Attempts, Boundary, Layer, LayerPlan, Rejects};
use crate::item::function::{Function, self_ident};
use crate::item::names;
use crate::parse::expression::is_place;

/// A stack of layers on a function.
pub(crate) struct Stacked<'f> {
    pub(crate) function: &'f Function,
    pub(crate) layers: &'f [&'f dyn Layer],
    /// The names of their attributes, as written.
    pub(crate) spans: &'f [Span],
}

/// What each layer sees of the rest.
pub(crate) struct Plan<'f> {
    /// Of each layer, outermost first.
    pub(crate) layers: Vec<Context<'f>>,
    /// Of the body.
    pub(crate) body: Context<'f>,
}

impl<'f> Plan<'f> {
    /// Plans `call`, which is all of the stack, or of a stack with a batch in it the part above, the batch included; then `batch` is the
    /// part below. `entered` is around everything.
    pub(crate) fn of(call: &Stacked<'f>, batch: Option<&Stacked<'f>>, root: &TokenStream, entered: Option<Wrapper>) -> Self {
        let mut top = Context::new(call.function, root.clone(), Purpose::Function);
        top.wrappers.extend(entered);
        let mut plan = part(call, top, batch.is_some());
        let Some(batch) = batch else { return plan };
        let mut top = Context::new(batch.function, root.clone(), Purpose::Function);
        top.index = call.layers.len();
        let mut inner = part(batch, top, false);
        let parameters = &batch.function.parameters;
        let names =
            parameters.bindings.iter().map(|binding| binding.ident.clone()).chain(parameters.receiver.as_ref().map(self_ident));
        let rebinds = |name: &Ident| batch.layers.iter().zip(&inner.layers).any(|(layer, context)| layer.rebinds(context, name));
        let rebound = names.filter(rebinds).collect();
        if let Some(last) = plan.layers.last_mut() {
            last.batch = Some(Batch { function: batch.function, rebound });
        }
        plan.layers.append(&mut inner.layers);
        plan.body = inner.body;
        plan
    }

    /// The arguments of the batch's function that its layers bind again.
    pub(crate) fn rebound_in_batch(&self) -> &[Ident] {
        self.layers.iter().find_map(|context| context.batch.as_ref()).map_or(&[], |batch| &batch.rebound)
    }
}

/// Plans the layers on one function. `moves`: what is below them takes the arguments along.
fn part<'f>(Stacked { function, layers, spans }: &Stacked<'f>, mut context: Context<'f>, moves: bool) -> Plan<'f> {
    let first = context.index;
    let plans: Vec<LayerPlan<'f>> = (first..)
        .zip(*layers)
        .map(|(index, layer)| layer.plan(&Context { index, ..Context::new(function, context.root.clone(), Purpose::Function) }))
        .collect();
    let mut contexts = Vec::new();
    context.capture = capture(&context, same_future(&plans));
    for (at, plan) in plans.iter().enumerate() {
        let below = &plans[at + 1..];
        (context.index, context.span) = (first + at, spans[at]);
        context.moves_below = moves || below.iter().any(LayerPlan::moves_arguments);
        context.hints = Hints::of(below);
        let future = same_future(&plans[at..]);
        context.pins = plan.waits && context.pinned.is_none() && may_pin(&context, &future[1..]);
        if context.pins {
            context.pinned = Some(context.name("body"));
            context.read_below = read(&context, &future[1..]);
        }
        contexts.push(context.clone());
        (context.pins, context.read_below) = (false, Vec::new());
        pass(&mut context, plan, below);
        if let Some(last) = contexts.last_mut().filter(|_| plan.boundary == Some(Boundary::Task)) {
            last.capture_from_task = context.capture;
        }
    }
    context.index = first + plans.len();
    let mut rebound = Vec::new();
    for (layer, context) in layers.iter().zip(&mut contexts).rev() {
        context.rebound_below.clone_from(&rebound);
        let names = context.function.parameters.bindings.iter().map(|binding| &binding.ident);
        rebound.extend(names.filter(|name| layer.rebinds(context, name)).cloned());
    }
    Plan { layers: contexts, body: context }
}

/// From what a layer sees to what those below it see.
fn pass(context: &mut Context<'_>, plan: &LayerPlan<'_>, below: &[LayerPlan<'_>]) {
    if plan.reruns_body() {
        context.rerun_by = Some(context.span);
    }
    let deferred: Vec<Ident> = context.by_value().filter(|name| plan.defers(name)).collect();
    context.deferred_above.extend(deferred.iter().cloned());
    if plan.reruns_body() && context.moves_below {
        // Each attempt has arguments of its own.
        context.deferred_above.clear();
    }
    if let Some(boundary) = plan.boundary {
        context.wrappers.clear();
        context.deadlines.clear();
        context.guards.clear();
        context.attempts.clear();
        context.pinned = None;
        // An attempt borrows the arguments, unless it has its own.
        if boundary != Boundary::Attempt || context.moves_below {
            context.deferred_above.clear();
            context.capture = capture(context, same_future(below));
        }
        if boundary == Boundary::Task && !deferred.is_empty() {
            context.deferred_above = deferred;
            context.capture = Capture::Borrow;
        }
    }
    context.rejects_above |= plan.rejects == Rejects::WithError;
    if context.pinned.is_some() {
        context.guards.extend(plan.guard.clone().map(|guard| (context.wrappers.len(), guard)));
    }
    context.wrappers.extend(plan.wrapper.clone());
    context.deadlines.extend(plan.deadline.clone());
    if let Some(Attempts { count, hint }) = &plan.attempts {
        context.attempts.push(count.clone());
        context.hint = Some(hint.clone());
    }
}

impl LayerPlan<'_> {
    /// Whether an option of the layer names the argument after the body has begun.
    fn defers(&self, name: &Ident) -> bool {
        self.deferred_exprs.iter().any(|expression| names::takes(expression, name))
    }
}

impl Hints {
    /// Those among the layers below a retry, or below what is between it and them.
    fn of(below: &[LayerPlan<'_>]) -> Self {
        let mut hints = Self::None;
        let mut here = Self::Here;
        for plan in below {
            if plan.hints && hints != Self::OnTask {
                hints = here;
            }
            if plan.moves_arguments() {
                here = Self::OnTask;
            }
        }
        hints
    }
}

/// The layers, to the one below which another future begins.
fn same_future<'p, 'l>(plans: &'p [LayerPlan<'l>]) -> &'p [LayerPlan<'l>] {
    let end = plans.iter().position(|plan| plan.boundary.is_some());
    &plans[..end.map_or(plans.len(), |last| last + 1)]
}

/// How the body of a future takes the arguments along: it must leave them where they are if it runs again, or if an expression that is
/// evaluated later names one.
fn capture(context: &Context<'_>, layers: &[LayerPlan<'_>]) -> Capture {
    let borrows = layers.iter().any(|plan| {
        plan.reruns_body() || (plan.boundary != Some(Boundary::Task) && context.by_value().any(|name| plan.defers(&name)))
    });
    if borrows { Capture::Borrow } else { Capture::Move }
}

/// Whether a layer that waits can make the body before it does: nothing below reads in its turn what the body has taken along by then. An
/// argument that is only named is bound with the body.
fn may_pin(context: &Context<'_>, below: &[LayerPlan<'_>]) -> bool {
    let in_turn = |expression: &&Expr| !is_place(expression) && !context.taken_by(expression).is_empty();
    context.capture == Capture::Move && !below.iter().any(|plan| plan.needs_turn || plan.turn_exprs.iter().any(in_turn))
}

/// The arguments that the layers name in their turn.
fn read(context: &Context<'_>, layers: &[LayerPlan<'_>]) -> Vec<Ident> {
    let expressions = layers.iter().flat_map(|plan| &plan.turn_exprs);
    let names = context.function.parameters.bindings.iter().map(|binding| binding.ident.clone());
    names.filter(|name| expressions.clone().any(|expression| names::takes(expression, name))).collect()
}
