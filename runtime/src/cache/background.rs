//! Computations that go on without their caller: `detached`, and those that a hit starts.

use std::future::Future;
use std::hash::Hash;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::lead::Lead;
use super::lifetime::Lifetime;
use super::scope::{Awaiting, Marks};
use super::shape::Shape;
use crate::ask::{Met, Nothing, Unmet};
use crate::background::{self, Failure, Task};
use crate::{Error, ErrorKind};

/// A computation on a task of its own. Dropping this leaves it running; a panic is reported then.
pub struct Spawned<R> {
    task: Task<R>,
    _awaiting: Awaiting,
}

/// The runtime shut down before the computation had ended.
#[derive(Debug)]
pub struct Stopped;

impl Stopped {
    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        Error::new(ErrorKind::Shutdown, function)
    }
}

impl<R> Future for Spawned<R> {
    type Output = Result<R, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx).map(|outcome| match outcome {
            Ok(out) => Ok(out),
            Err(Failure::Panicked(payload)) => resume_unwind(payload),
            Err(Failure::Abandoned) => Err(Stopped),
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
        let landed = async move {
            let (out, lifetime) = load.await;
            self.land(shape, out, lifetime)
        };
        // An error is counted by the cache, and its type asks for no `Display`.
        Spawned { task: background::spawn(function, landed, |_| None), _awaiting: awaiting }
    }
}

/// A type that can go to another task. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot go into a computation in the background",
    label = "not `Send + 'static`",
    note = "`detached`, `stale_while_revalidate` and `refresh_ahead` compute on a task of their own, to which arguments and result go"
)]
pub trait Background<M> {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Background<Met> for T {}

#[diagnostic::do_not_recommend]
impl<T: Nothing> Background<Unmet> for T {}

/// Asks whether a `T` can go to another task.
#[inline]
pub fn ask_background<T: Background<M>, M: Default>() -> M {
    M::default()
}
