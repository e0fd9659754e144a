//! Faults of the library that are known, and not mended yet: what would find them again is left out.

use crate::program::spec::{Layer, Spec, Usage};

/// Why a function is left out, if it is.
pub(crate) fn fault(spec: &Spec) -> Option<&'static str> {
    let has = |is: fn(&Layer) -> bool| spec.stack.iter().any(is);
    let named = |name: &str| spec.arguments.iter().any(|argument| argument.name == name);
    if has(|layer| matches!(layer, Layer::Finally { .. })) && named("exit") {
        return Some("`finally` takes each token with the name of an argument for that argument");
    }
    let unused = spec.arguments.iter().any(|argument| argument.usage == Usage::Unused);
    if has(Layer::spawns) && unused {
        return Some("`shield` leaves with the caller what the body does not mention");
    }
    let above = |above: fn(&Layer) -> bool, below: fn(&Layer) -> bool| {
        let (above, below) = (spec.stack.iter().position(above), spec.stack.iter().rposition(below));
        matches!((above, below), (Some(above), Some(below)) if above < below)
    };
    if above(|layer| matches!(layer, Layer::Retry(_)), Layer::spawns) && !spec.arguments.is_empty() {
        return Some("`retry` above `shield` does not clone the arguments");
    }
    let guards = |layer: &Layer| matches!(layer, Layer::Timeout { .. } | Layer::Cancellable { .. } | Layer::Finally { .. });
    if above(guards, |layer| matches!(layer, Layer::Fallback(fallback) if fallback.takes.is_some() || fallback.panics)) {
        return Some("what a `fallback` awaits is outside of the attributes above it");
    }
    if above(|layer| matches!(layer, Layer::Cancellable { .. }), |layer| matches!(layer, Layer::Finally { .. })) {
        return Some("a `finally` that is reached in the moment of the cancellation cleans up after a body that never began");
    }
    None
}
