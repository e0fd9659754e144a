//! Known faults of the library that are not fixed yet: what would find them again is left out or not compared.
//!
//! `GENERATED_KNOWN=all`, or a comma-separated list of names, looks for them anyway. Remove a name once the fault is fixed.

use super::spec::{Layer, Spec, Usage};

/// Their names.
const KNOWN: [&str; 3] = [
    // An argument that a spawned body does not mention can stay with the caller (`shield` above `hedge`, `fallback`, ..).
    "spawn-unused",
    // The arguments of a spawned function are not dropped last first.
    "spawn-drops",
    // Arguments that the body moves are not dropped last first if it is dropped before that; nor are the originals of `retry(clone(..))`.
    "consumed-drops",
];

/// Whether this fault is left out.
pub(crate) fn tolerates(name: &str) -> bool {
    let wanted = std::env::var("GENERATED_KNOWN").unwrap_or_default();
    KNOWN.contains(&name) && !wanted.split(',').any(|wanted| wanted == "all" || wanted == name)
}

/// The fault for which a function is left out, if any.
pub(crate) fn fault(spec: &Spec) -> Option<&'static str> {
    let spawns = spec.stack.iter().any(Layer::spawns);
    let unused = spec.arguments.iter().any(|argument| argument.usage == Usage::Unused);
    let faults = [("spawn-unused", spawns && unused)];
    faults.into_iter().find_map(|(name, applies)| (applies && tolerates(name)).then_some(name))
}
