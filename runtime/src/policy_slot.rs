//! Where a function's own policy lives whose settings are expressions: in a static, made at the first call.

use std::sync::OnceLock;

/// One policy for all calls of a function, and for all instantiations of a generic one.
#[derive(Debug)]
pub struct PolicySlot<P>(OnceLock<P>);

impl<P> PolicySlot<P> {
    /// Nothing yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The policy; the first to ask makes it.
    #[inline]
    pub fn get(&'static self, make: impl FnOnce() -> P) -> &'static P {
        self.0.get_or_init(make)
    }
}
