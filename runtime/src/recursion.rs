//! Which computations the running code is part of: to wait for one of them would be to wait for oneself.
//!
//! Work on another task is part of a computation only while that computation waits for it. Where the waiting ends before the work does,
//! as when the caller of a shielded function goes away, the work may ask for the key like anybody else.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    /// The computations that are being polled on this thread, outermost first.
    static UNDER_WAY: RefCell<Vec<Mark>> = const { RefCell::new(Vec::new()) };
}

/// A computation, and who has to be waiting for the running code to be part of it.
#[derive(Clone)]
struct Mark {
    flight: u64,
    /// `None`: the code is polled by the computation itself.
    through: Option<Arc<Link>>,
}

/// One task that another waits for.
struct Link {
    given_up: Arc<AtomicBool>,
    /// Who has to be waiting for the task that waits.
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

/// Whether whoever computes `flight` waits for the running code.
pub(crate) fn is_computing(flight: u64) -> bool {
    UNDER_WAY.with_borrow(|marks| marks.iter().any(|mark| mark.flight == flight && mark.holds()))
}

/// Leaves the computations that were entered, also when the poll panics.
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
pub(crate) struct Marks(Vec<Mark>);

impl Marks {
    /// Those that the running code is part of, for work that ends with the caller's waiting.
    fn current() -> Self {
        // Of none, nothing is allocated.
        Self(UNDER_WAY.with_borrow(|marks| marks.iter().filter(|mark| mark.holds()).cloned().collect()))
    }

    /// Those that the running code is part of, for work that may outlive the caller's waiting: until the [`Awaiting`] is dropped, which
    /// the caller holds while it waits.
    pub(crate) fn while_awaited() -> (Self, Awaiting) {
        let Self(mut marks) = Self::current();
        if marks.is_empty() {
            return (Self(marks), Awaiting(None));
        }
        let given_up = Arc::new(AtomicBool::new(false));
        for mark in &mut marks {
            mark.through = Some(Arc::new(Link { given_up: Arc::clone(&given_up), outer: mark.through.take() }));
        }
        (Self(marks), Awaiting(Some(given_up)))
    }

    /// Adds those of another caller that waits for the same work.
    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Makes `future` part of them.
    pub(crate) fn enter<F>(self, future: F) -> InheritFlights<F> {
        InheritFlights { marks: self.0.into_boxed_slice(), future }
    }

    /// And of `flight`, whose computation it is.
    pub(crate) fn with(mut self, flight: u64) -> Self {
        self.0.push(Mark { flight, through: None });
        self
    }
}

/// A caller's waiting for work on another task. Dropped, the work is no part any more of what the caller is part of.
pub(crate) struct Awaiting(Option<Arc<AtomicBool>>);

impl Drop for Awaiting {
    fn drop(&mut self) {
        if let Some(given_up) = &self.0 {
            given_up.store(true, Ordering::Release);
        }
    }
}

pin_project! {
    /// A future that is part of the computations of those who wait for it.
    pub(crate) struct InheritFlights<F> {
        marks: Box<[Mark]>,
        #[pin]
        future: F,
    }
}

/// Work on another task that ends with its caller's waiting, since it is aborted then: part of all that the running code is part of.
pub(crate) fn inherit_flights<F>(future: F) -> InheritFlights<F> {
    Marks::current().enter(future)
}

impl<F: Future> Future for InheritFlights<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _leave = Leave::after_entering(this.marks.iter().cloned());
        this.future.poll(cx)
    }
}
