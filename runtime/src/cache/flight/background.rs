//! Computations that go on without their caller: `detached`, and those that a hit starts.

use std::future::Future;
use std::hash::Hash;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::leader::Lead;
use crate::background::{self, Failure, Task};
use crate::cache::return_kind::Shape;
use crate::cache::store::lifetime::Lifetime;
use crate::recursion::{Awaiting, Marks};
use crate::shutdown::RuntimeShutDown;

/// A computation on a task of its own. Dropping this leaves it running; a panic is reported then.
pub struct Spawned<R> {
    task: Task<R>,
    _awaiting: Awaiting,
}

impl<R> Future for Spawned<R> {
    type Output = Result<R, RuntimeShutDown>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx).map(|outcome| match outcome {
            Ok(out) => Ok(out),
            Err(Failure::Panicked(payload)) => resume_unwind(payload),
            Err(Failure::Abandoned) => Err(RuntimeShutDown),
        })
    }
}

impl<K, V> Lead<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Computes on a task of its own. `load` yields what the body returned, and for how long that is kept.
    pub fn spawn<S, F>(self, function: &'static str, shape: S, load: F) -> Spawned<S::Out>
    where
        S: Shape<Value = V, Out: Send + 'static> + 'static,
        F: Future<Output = (S::Out, Lifetime)> + Send + 'static,
    {
        let (marks, awaiting) = Marks::while_awaited();
        let load = marks.with(self.flight_id()).enter(load);
        let completed = async move {
            let (out, lifetime) = load.await;
            self.land(shape, out, lifetime)
        };
        // An error is counted by the cache, and its type asks for no `Display`.
        Spawned { task: background::spawn(function, completed, |_| None), _awaiting: awaiting }
    }
}
