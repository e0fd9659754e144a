//! Which computations the running code is part of: to wait for one of them would be to wait for oneself.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    /// The computations that are being polled on this thread, outermost first.
    static UNDER_WAY: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Whether the caller is polled by the one that computes `flight`.
pub(super) fn is_under_way(flight: u64) -> bool {
    UNDER_WAY.with_borrow(|flights| flights.contains(&flight))
}

/// Leaves the computations that were entered, also when the poll panics.
struct Leave {
    depth: usize,
}

impl Leave {
    fn after_entering(flights: impl IntoIterator<Item = u64>) -> Self {
        UNDER_WAY.with_borrow_mut(|under_way| {
            let depth = under_way.len();
            under_way.extend(flights);
            Self { depth }
        })
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        UNDER_WAY.with_borrow_mut(|under_way| under_way.truncate(self.depth));
    }
}

pin_project! {
    /// A future that is part of a computation.
    pub struct Scoped<F> {
        flight: u64,
        #[pin]
        future: F,
    }
}

impl<F> Scoped<F> {
    #[inline]
    pub(super) fn new(flight: u64, future: F) -> Self {
        Self { flight, future }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _leave = Leave::after_entering([*this.flight]);
        this.future.poll(cx)
    }
}

pin_project! {
    /// A future that is part of the computations of those who spawned it.
    pub(crate) struct Inherited<F> {
        flights: Box<[u64]>,
        #[pin]
        future: F,
    }
}

/// Work that whoever runs now goes on to await, on another task: part of all that the running code is part of.
pub(crate) fn inherited<F>(future: F) -> Inherited<F> {
    // Of none, nothing is allocated.
    Inherited { flights: UNDER_WAY.with_borrow(|flights| flights.as_slice().into()), future }
}

impl<F> Inherited<F> {
    /// Part of `flight` too.
    pub(super) fn within(flight: u64, future: F) -> Self {
        Self { flights: UNDER_WAY.with_borrow(|flights| flights.iter().copied().chain([flight]).collect()), future }
    }
}

impl<F: Future> Future for Inherited<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _leave = Leave::after_entering(this.flights.iter().copied());
        this.future.poll(cx)
    }
}
