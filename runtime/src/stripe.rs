//! A number that spreads threads over the parts of something, so that they do not fight over one.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many parts there are.
pub(crate) const STRIPES: usize = 8;

/// The part of this thread.
#[inline]
pub(crate) fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    // While a thread ends its locals may be gone: any part will do.
    MINE.try_with(|mine| *mine).unwrap_or(0)
}
