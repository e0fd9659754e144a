//! Computations that outlive their caller: `detached`, and those started by a hit.

use std::future::Future;
use std::hash::Hash;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::leader::Leader;
use crate::background::{self, Failure, Task};
use crate::cache::return_kind::ReturnKind;
use crate::cache::store::lifetime::Lifetime;
use crate::inherit::Inherited;
use crate::recursion::AwaitGuard;
use crate::shutdown::RuntimeShutDown;

/// A computation on a task of its own. If this is dropped, the computation continues, and a panic in it is reported.
pub struct Spawned<R> {
    task: Task<R>,
    _awaiting: AwaitGuard,
}

impl<R> Spawned<R> {
    pub(super) fn new(task: Task<R>, awaiting: AwaitGuard) -> Self {
        Self { task, _awaiting: awaiting }
    }
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

impl<K, V> Leader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Runs the computation on a task of its own. `load` returns the result of the body and its lifetime.
    pub fn spawn<S, F>(self, function: &'static str, kind: S, load: F) -> Spawned<S::Out>
    where
        S: ReturnKind<Value = V, Out: Send + 'static> + 'static,
        F: Future<Output = (S::Out, Lifetime)> + Send + 'static,
    {
        let (inherited, awaiting) = Inherited::while_awaited();
        let load = inherited.with(self.flight_id()).enter(load);
        let completed = async move {
            let (out, lifetime) = load.await;
            self.complete(kind, out, lifetime)
        };
        // The cache counts errors, and does not require them to implement `Display`.
        Spawned::new(background::spawn(function, completed, |_| None), awaiting)
    }
}
