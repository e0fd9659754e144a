//! The arguments of a call, as far as they record when they are cloned and dropped.

use std::cell::RefCell;
use std::rc::Rc;

use crate::program::spec::{Argument, Kind, Spec, second};
use crate::program::world::Noisy;

/// Dropped in the order of a function without attributes: the last one first.
pub(super) struct Arguments {
    own: RefCell<Vec<Option<Noisy>>>,
    /// What these were cloned from, if they are the clones of an attempt.
    originals: Option<Rc<Arguments>>,
}

impl Drop for Arguments {
    fn drop(&mut self) {
        let arguments = self.own.get_mut();
        while let Some(argument) = arguments.pop() {
            drop(argument);
        }
    }
}

impl Arguments {
    pub(super) fn of(spec: &Spec, call: u32) -> Self {
        let noisy = spec.arguments.iter().flat_map(names);
        Self { own: RefCell::new(noisy.map(|name| Some(Noisy::new(call, name))).collect()), originals: None }
    }

    /// What `retry(clone(..))` makes for an attempt.
    pub(super) fn cloned(self: &Rc<Self>, names: &[&'static str]) -> Self {
        Self { own: RefCell::new(names.iter().map(|name| self.cloned_one(name)).collect()), originals: Some(self.clone()) }
    }

    fn cloned_one(&self, name: &str) -> Option<Noisy> {
        let own = self.own.borrow().iter().flatten().find(|argument| argument.name() == name).cloned();
        own.or_else(|| self.originals.as_ref()?.cloned_one(name))
    }

    /// Drops the argument that the body consumes.
    pub(super) fn consume(&self, name: &'static str) {
        let mut own = self.own.borrow_mut();
        let argument = own.iter_mut().find(|argument| argument.as_ref().is_some_and(|argument| argument.name() == name));
        let consumed = argument.and_then(Option::take);
        drop(own);
        match (&consumed, &self.originals) {
            (None, Some(originals)) => originals.consume(name),
            _ => drop(consumed),
        }
    }
}

/// The bindings of an argument that record when they are dropped.
pub(crate) fn names(argument: &Argument) -> Vec<&'static str> {
    match argument.kind {
        Kind::Owned | Kind::Generic | Kind::Impl => vec![argument.name],
        Kind::Pair => vec![argument.name, second(argument.name)],
        Kind::Str | Kind::Number => vec![],
    }
}
