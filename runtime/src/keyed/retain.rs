//! What a policy object may be forgotten for.

/// A policy object that a map of keys may forget.
pub trait Retain {
    /// How much is lost if the object is forgotten: 0 for an idle one, which a new one would equal; `None` for one that must stay: an open
    /// circuit, a limit in use. Called under a lock: it must call no code of users'.
    fn retention(&self, now: u64) -> Option<u64>;
}
