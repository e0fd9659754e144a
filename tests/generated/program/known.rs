//! Faults of the library that are known and not mended yet: what would find them again is left out, or not compared.
//!
//! `GENERATED_KNOWN=all`, or a comma-separated list of names, looks for them nevertheless. Once a fault is mended, its name goes from the list.

use super::spec::{Layer, Spec, Usage};

/// Their names.
const KNOWN: [&str; 3] = [
    // What the body of a spawned function does not mention stays with the caller.
    "spawn-unused",
    // The arguments of a spawned function are dropped in an order of their own.
    "spawn-drops",
    // What the body would have consumed, had it not been dropped, is dropped in an order of its own; so is the original of what `retry` clones.
    "consumed-drops",
];

/// Whether this fault is left out.
pub(crate) fn tolerates(name: &str) -> bool {
    let wanted = std::env::var("GENERATED_KNOWN").unwrap_or_default();
    KNOWN.contains(&name) && !wanted.split(',').any(|wanted| wanted == "all" || wanted == name)
}

/// Why a function is left out, if it is.
pub(crate) fn fault(spec: &Spec) -> Option<&'static str> {
    let spawns = spec.stack.iter().any(Layer::spawns);
    let unused = spec.arguments.iter().any(|argument| argument.usage == Usage::Unused);
    let faults = [("spawn-unused", spawns && unused)];
    faults.into_iter().find_map(|(name, applies)| (applies && tolerates(name)).then_some(name))
}
