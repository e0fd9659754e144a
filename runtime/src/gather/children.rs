//! Where gathered futures run: as tasks, or within the caller.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::stream::{FuturesUnordered, StreamExt};
use pin_project_lite::pin_project;
use tokio::task::{JoinError, JoinSet, coop};

use crate::cache::inherited;

/// A set of running futures, each known by its place in the input.
pub trait Children<F: Future> {
    /// Starts a future.
    fn start(&mut self, place: usize, future: F);

    /// How many have been started and not yet been seen to end.
    fn running(&self) -> usize;

    /// The next that ends; `None` when none is left.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<F::Output>>>;

    /// Stops all. Those that have not ended by then still turn up, as [`Ended::Stopped`].
    fn stop(&mut self);
}

/// How a future ended.
pub enum Ended<T> {
    /// With an output, for its place.
    Done(usize, T),
    /// With a panic.
    Panicked(Box<dyn Any + Send>),
    /// It was dropped.
    Stopped,
}

/// Futures that run as tasks of the runtime.
pub struct Spawned<T>(JoinSet<(usize, T)>);

impl<T: 'static> Spawned<T> {
    pub(super) fn new() -> Self {
        Self(JoinSet::new())
    }
}

impl<F> Children<F> for Spawned<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn start(&mut self, place: usize, future: F) {
        let future = inherited(future);
        self.0.spawn(async move { (place, future.await) });
    }

    fn running(&self) -> usize {
        self.0.len()
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<F::Output>>> {
        self.0.poll_join_next(cx).map(|joined| {
            joined.map(|joined| match joined {
                Ok((place, output)) => Ended::Done(place, output),
                Err(error) => error.try_into_panic().map_or_else(|_: JoinError| Ended::Stopped, Ended::Panicked),
            })
        })
    }

    fn stop(&mut self) {
        self.0.abort_all();
    }
}

/// Futures that are polled by the caller, each only when it is woken.
pub struct InPlace<F>(FuturesUnordered<Placed<F>>);

pin_project! {
    struct Placed<F> {
        place: usize,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Placed<F> {
    type Output = (usize, F::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.future.poll(cx).map(|output| (*this.place, output))
    }
}

impl<F: Future> InPlace<F> {
    pub(super) fn new() -> Self {
        Self(FuturesUnordered::new())
    }
}

impl<F: Future> Children<F> for InPlace<F> {
    fn start(&mut self, place: usize, future: F) {
        self.0.push(Placed { place, future });
    }

    fn running(&self) -> usize {
        self.0.len()
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<F::Output>>> {
        // Futures that are ready at once, without end, would keep the task from ever yielding.
        let progress = ready!(coop::poll_proceed(cx));
        self.0.poll_next_unpin(cx).map(|ended| {
            progress.made_progress();
            ended.map(|(place, output)| Ended::Done(place, output))
        })
    }

    fn stop(&mut self) {
        self.0.clear();
    }
}
