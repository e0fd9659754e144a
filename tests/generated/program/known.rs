//! Faults of the library that are known and not mended yet: what would find them again is left out, or not compared.
//!
//! `GENERATED_KNOWN=all`, or a comma-separated list of names, looks for them nevertheless. Once a fault is mended, its name goes from the list.

use super::spec::{Layer, Spec, Usage};

/// Their names.
const KNOWN: [&str; 7] = [
    // `remaining()` is `None` in the options of a stack that stand below a `timeout`.
    "remaining",
    // `finally` takes each token with the name of an argument for that argument.
    "finally-names",
    // What the body of a spawned function does not mention stays with the caller.
    "spawn-unused",
    // The arguments of a spawned function are dropped in an order of their own.
    "spawn-drops",
    // What the body would have consumed, had it not been dropped, is dropped in an order of its own; so is the original of what `retry` clones.
    "consumed-drops",
    // What a `fallback` awaits is not bounded by the attributes above it.
    "fallback-awaits",
    // A panic of an option below `finally` reaches the caller before the cleanup has ended.
    "option-panics",
];

/// Whether this fault is left out.
pub(crate) fn tolerates(name: &str) -> bool {
    let wanted = std::env::var("GENERATED_KNOWN").unwrap_or_default();
    KNOWN.contains(&name) && !wanted.split(',').any(|wanted| wanted == "all" || wanted == name)
}

/// Why a function is left out, if it is.
pub(crate) fn fault(spec: &Spec) -> Option<&'static str> {
    let has = |is: fn(&Layer) -> bool| spec.stack.iter().any(is);
    let above = |above: fn(&Layer) -> bool, below: fn(&Layer) -> bool| {
        let (above, below) = (spec.stack.iter().position(above), spec.stack.iter().rposition(below));
        matches!((above, below), (Some(above), Some(below)) if above < below)
    };
    let finally = |layer: &Layer| matches!(layer, Layer::Finally { .. });
    let guards = |layer: &Layer| matches!(layer, Layer::Timeout { .. } | Layer::Cancellable { .. });
    let faults = [
        ("fallback-awaits", above(guards, |layer| matches!(layer, Layer::Fallback(fallback) if fallback.takes.is_some()))),
        ("finally-names", has(finally) && spec.arguments.iter().any(|argument| argument.name == "exit")),
        ("spawn-unused", has(Layer::spawns) && spec.arguments.iter().any(|argument| argument.usage == Usage::Unused)),
        ("option-panics", spec.notes && spec.panics_at.is_some_and(|at| spec.stack.iter().take(at).any(finally))),
        ("option-panics", above(finally, |layer| matches!(layer, Layer::Fallback(fallback) if fallback.panics))),
    ];
    faults.into_iter().find_map(|(name, applies)| (applies && tolerates(name)).then_some(name))
}
