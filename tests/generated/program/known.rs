//! Known faults of the library that are not fixed yet: what would find them again is left out or not compared.
//!
//! `GENERATED_KNOWN=all`, or a comma-separated list of names, looks for them anyway. Remove a name once the fault is fixed.

use super::spec::{Layer, Shape, Spec};

/// Their names.
const KNOWN: [&str; 2] = [
    // An argument that the body moves is dropped first when the body is dropped, if an option names any argument: `b` before `c` under
    // `timeout(1h, or_else = |_| a)`. And the original of `retry(clone(..))` is dropped before the other arguments.
    "consumed-drops",
    // `unused_assignments` for `self: Arc<Self>` under `hedge` above `retry` above a layer that spawns.
    "self-lint",
];

/// Whether this fault is left out.
pub(crate) fn tolerates(name: &str) -> bool {
    let wanted = std::env::var("GENERATED_KNOWN").unwrap_or_default();
    KNOWN.contains(&name) && !wanted.split(',').any(|wanted| wanted == "all" || wanted == name)
}

/// The fault for which a function is left out, if any.
pub(crate) fn fault(spec: &Spec) -> Option<&'static str> {
    let at = |is: fn(&Layer) -> bool| spec.stack.iter().position(is).unwrap_or(usize::MAX);
    let (hedge, retry) = (at(|layer| matches!(layer, Layer::Hedge { .. })), at(|layer| matches!(layer, Layer::Retry(_))));
    let repeats = hedge < retry && spec.stack.iter().rposition(Layer::spawns).is_some_and(|spawns| retry < spawns);
    let faults = [("self-lint", repeats && spec.shape == Shape::ArcMethod)];
    faults.into_iter().find_map(|(name, applies)| (applies && tolerates(name)).then_some(name))
}
