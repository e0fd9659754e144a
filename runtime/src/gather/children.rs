//! Executors of gathered futures: as tasks, or within the caller.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use futures_util::stream::{FuturesUnordered, StreamExt};
use pin_project_lite::pin_project;
use tokio::task::{JoinError, JoinSet, coop};

use crate::contain::{Caught, Payload, discard};
use crate::inherit::inherit;

/// A set of running futures, each with its index in the input.
#[doc(hidden)]
pub trait Children<F: Future> {
    /// Starts a future.
    fn start(&mut self, index: usize, future: F);

    /// The number of futures that have been started and whose end has not been observed.
    fn running(&self) -> usize;

    /// The next future that ends; `None` if none is left.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<F::Output>>>;

    /// Stops all. Those that have not ended by then are still yielded, as [`Ended::Stopped`]. Returns the panic of a destructor that has run
    /// meanwhile.
    fn stop(&mut self) -> Option<Box<dyn Any + Send>>;
}

/// How a future ended.
#[doc(hidden)]
pub enum Ended<T> {
    /// With an output, at its index.
    Done(usize, T),
    /// With a panic.
    Panicked(Box<dyn Any + Send>),
    /// It was dropped.
    Stopped,
}

/// Futures that run as tasks of the runtime.
#[doc(hidden)]
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
    fn start(&mut self, index: usize, future: F) {
        let future = inherit(future);
        self.0.spawn(async move { (index, future.await) });
    }

    fn running(&self) -> usize {
        self.0.len()
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<F::Output>>> {
        self.0.poll_join_next(cx).map(|joined| {
            joined.map(|joined| match joined {
                Ok((index, output)) => Ended::Done(index, output),
                Err(error) => error.try_into_panic().map_or_else(|_: JoinError| Ended::Stopped, Ended::Panicked),
            })
        })
    }

    fn stop(&mut self) -> Option<Payload> {
        self.0.abort_all();
        None
    }
}

/// Futures that are polled by the caller, each only when it is woken.
#[doc(hidden)]
pub struct InPlace<F>(FuturesUnordered<Placed<F>>);

impl<F> InPlace<F> {
    /// Drops all futures, even if the destructor of one panics.
    fn clear(&mut self) -> Option<Payload> {
        let mut first = None;
        for placed in Pin::new(&mut self.0).iter_pin_mut() {
            match placed.project().future.clear() {
                Err(payload) if first.is_none() => first = Some(payload),
                Err(other) => discard(other),
                Ok(()) => {}
            }
        }
        self.0.clear();
        first
    }
}

impl<F> Drop for InPlace<F> {
    fn drop(&mut self) {
        match self.clear() {
            Some(payload) if !thread::panicking() => resume_unwind(payload),
            Some(payload) => discard(payload),
            None => {}
        }
    }
}

pin_project! {
    struct Placed<F> {
        index: usize,
        #[pin]
        future: Caught<F>,
    }
}

impl<F: Future> Future for Placed<F> {
    type Output = (usize, Result<F::Output, Payload>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.future.poll(cx).map(|output| (*this.index, output))
    }
}

impl<F: Future> InPlace<F> {
    pub(super) fn new() -> Self {
        Self(FuturesUnordered::new())
    }
}

impl<F: Future> Children<F> for InPlace<F> {
    fn start(&mut self, index: usize, future: F) {
        self.0.push(Placed { index, future: Caught::new(future) });
    }

    fn running(&self) -> usize {
        self.0.len()
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ended<F::Output>>> {
        // Futures that are ready at once, without end, would keep the task from ever yielding.
        let progress = ready!(coop::poll_proceed(cx));
        self.0.poll_next_unpin(cx).map(|ended| {
            progress.made_progress();
            ended.map(|(index, outcome)| match outcome {
                Ok(output) => Ended::Done(index, output),
                Err(payload) => Ended::Panicked(payload),
            })
        })
    }

    fn stop(&mut self) -> Option<Payload> {
        self.clear()
    }
}
