//! What waiters are offered, and for how long.

use std::time::Duration;

/// For how long an offer is kept for one waiter.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

pub(super) const NEVER: u64 = u64::MAX;

/// What waiters are offered.
pub(crate) trait Offer: Copy + Send + 'static {
    /// Whether the waiter that is offered this sees to it that the others get on.
    fn leads(self) -> bool;
}

impl Offer for () {
    fn leads(self) -> bool {
        false
    }
}
