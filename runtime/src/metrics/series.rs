//! The labels of a metric.

use metrics::Label;

/// The owner of a metric.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) function: &'static str,
    pub(super) module: &'static str,
    /// The name of a cache, a circuit or a limit, empty if it has none. `None` for the metric of a function.
    pub(super) name: Option<&'static str>,
}

pub(super) type Extra = (&'static str, &'static str);

/// A metric name, its owner, and another label.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) figure: &'static str,
    pub(super) owner: Owner,
    pub(super) label: Option<Extra>,
}

/// The labels of a metric of a function.
pub(crate) fn labels(function: &'static str, module: &'static str, label: Option<Extra>) -> Vec<Label> {
    Series { figure: "", owner: Owner { function, module, name: None }, label }.labels()
}

impl Series {
    pub(super) fn labels(self) -> Vec<Label> {
        let Owner { function, module, name } = self.owner;
        let owner = [("function", function), ("module", module)].into_iter().chain(name.map(|name| ("name", name)));
        owner.chain(self.label).map(|(key, value)| Label::from_static_parts(key, value)).collect()
    }
}
