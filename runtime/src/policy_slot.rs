//! The static of a function's own policy whose settings are expressions: initialized at the first call.

use std::sync::OnceLock;

/// One policy for all calls of a function, and for all instantiations of a generic one.
#[derive(Debug)]
pub struct PolicySlot<P>(OnceLock<P>);

impl<P> PolicySlot<P> {
    /// Not initialized.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The policy, initialized by the first call.
    #[inline]
    pub fn get(&'static self, make: impl FnOnce() -> P) -> &'static P {
        self.0.get_or_init(make)
    }
}
