//! Deadlock detection: the computations that the running code is part of. Waiting for one of them would never end.
//!
//! Work on another task is part of a computation only while that computation waits for it. If the wait ends before the work does
//! (the caller of a shielded function is dropped, for example), the work may request the key like any other caller.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    /// The computations being polled on this thread, outermost first.
    static UNDER_WAY: RefCell<Vec<Mark>> = const { RefCell::new(Vec::new()) };
}

/// A computation, and the tasks that must still be waiting for the running code to be part of it.
#[derive(Clone)]
struct Mark {
    flight: u64,
    /// `None` if the computation itself polls the code.
    through: Option<Arc<Link>>,
}

/// One task waiting for another.
struct Link {
    given_up: Arc<AtomicBool>,
    /// The wait that the waiting task is itself subject to.
    outer: Option<Arc<Link>>,
}

impl Mark {
    fn holds(&self) -> bool {
        let mut link = self.through.as_ref();
        while let Some(Link { given_up, outer }) = link.map(Arc::as_ref) {
            if given_up.load(Ordering::Acquire) {
                return false;
            }
            link = outer.as_ref();
        }
        true
    }
}

/// Whether the computation `flight` is waiting for the running code.
pub(crate) fn is_computing(flight: u64) -> bool {
    UNDER_WAY.with_borrow(|marks| marks.iter().any(|mark| mark.flight == flight && mark.holds()))
}

/// Removes the entered computations on drop, so that a panic in the poll removes them too.
struct Leave {
    depth: usize,
}

impl Leave {
    fn after_entering(marks: impl IntoIterator<Item = Mark>) -> Self {
        UNDER_WAY.with_borrow_mut(|under_way| {
            let depth = under_way.len();
            under_way.extend(marks);
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
    pub(crate) fn new(flight: u64, future: F) -> Self {
        Self { flight, future }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _leave = Leave::after_entering([Mark { flight: *this.flight, through: None }]);
        this.future.poll(cx)
    }
}

/// The computations that work on another task is part of.
#[derive(Default)]
pub(crate) struct ActiveFlights(Vec<Mark>);

impl ActiveFlights {
    /// The computations of the running code, for work that ends when the caller stops waiting.
    pub(crate) fn current() -> Self {
        // Collecting no marks does not allocate.
        Self(UNDER_WAY.with_borrow(|marks| marks.iter().filter(|mark| mark.holds()).cloned().collect()))
    }

    /// The computations of the running code, for work that may outlive the caller's wait. They apply until the [`AwaitGuard`] is
    /// dropped, which the caller holds while it waits.
    pub(crate) fn while_awaited() -> (Self, AwaitGuard) {
        let Self(mut marks) = Self::current();
        if marks.is_empty() {
            return (Self(marks), AwaitGuard(None));
        }
        let given_up = Arc::new(AtomicBool::new(false));
        for mark in &mut marks {
            mark.through = Some(Arc::new(Link { given_up: Arc::clone(&given_up), outer: mark.through.take() }));
        }
        (Self(marks), AwaitGuard(Some(given_up)))
    }

    /// Adds the computations of another caller that waits for the same work.
    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Makes `future` part of these computations.
    pub(crate) fn enter<F>(self, future: F) -> InheritFlights<F> {
        InheritFlights { marks: self.0.into_boxed_slice(), future }
    }

    /// Adds `flight`, the computation that the work performs.
    pub(crate) fn with(mut self, flight: u64) -> Self {
        self.0.push(Mark { flight, through: None });
        self
    }
}

/// A caller's wait for work on another task. Once it is dropped, the work is no longer part of the caller's computations.
pub(crate) struct AwaitGuard(Option<Arc<AtomicBool>>);

impl Drop for AwaitGuard {
    fn drop(&mut self) {
        if let Some(given_up) = &self.0 {
            given_up.store(true, Ordering::Release);
        }
    }
}

pin_project! {
    /// A future that is part of the computations of the callers waiting for it.
    pub(crate) struct InheritFlights<F> {
        marks: Box<[Mark]>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for InheritFlights<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _leave = Leave::after_entering(this.marks.iter().cloned());
        this.future.poll(cx)
    }
}
