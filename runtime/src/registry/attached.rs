//! How an expansion attaches policy handles to a function.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::function::Function;
use super::handle::Attach;

/// Whether the handle of a policy has been attached to its function.
#[doc(hidden)]
#[derive(Debug)]
pub struct Attached(AtomicBool);

impl Attached {
    /// Not yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Attaches it, once.
    #[inline]
    pub fn attach(&self, function: &'static Function, policy: impl Attach) {
        if !self.0.load(Relaxed) {
            self.attach_first(function, policy);
        }
    }

    #[cold]
    #[inline(never)]
    fn attach_first(&self, function: &'static Function, policy: impl Attach) {
        if !self.0.swap(true, Relaxed) {
            function.attach(policy.handle());
        }
    }
}
