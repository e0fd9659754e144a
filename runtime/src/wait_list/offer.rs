//! What waiters are offered, and for how long it is reserved.

use std::time::Duration;

/// How long an offer is reserved for one waiter.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

pub(super) const NEVER: u64 = u64::MAX;

/// What waiters are offered: a permit, or the task of admitting the others.
pub(crate) trait Offer: Copy + Send + 'static {
    /// Whether the waiter that receives this offer is responsible for admitting the others.
    fn leads(self) -> bool;
}

impl Offer for () {
    fn leads(self) -> bool {
        false
    }
}
