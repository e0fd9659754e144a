//! `with_resource`: releases an acquired resource, however the body ends.

use std::any::type_name;
use std::fmt::Display;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use tokio::runtime::Handle;

use crate::background::{Failure, Logged, Task, spawn_on};
use crate::contain::{discard, drop_caught};
use crate::exit::Exit;
use crate::inherit::Inherited;
use crate::recursion::AwaitGuard;
use crate::report::{self, PendingPanic, Report, ReportKind};

/// Acquires a resource, lends it to `body`, and releases it exactly once: on success, on an error, on a panic, and when the call is dropped.
///
/// ```
/// use steadfast::{Exit, with_resource};
/// # #[derive(Debug)] pub struct DbError;
/// # impl std::fmt::Display for DbError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("db") } }
/// # pub struct Db; pub struct Transaction;
/// # impl Db { async fn begin(&self) -> Result<Transaction, DbError> { Ok(Transaction) } }
/// # impl Transaction {
/// #     async fn execute(&mut self, _: &str) -> Result<u64, DbError> { Ok(1) }
/// #     async fn commit(self) -> Result<(), DbError> { Ok(()) }
/// #     async fn rollback(self) -> Result<(), DbError> { Ok(()) }
/// # }
///
/// async fn rename(db: &Db, name: &str) -> Result<u64, DbError> {
///     with_resource(
///         db.begin(),
///         async |tx| tx.execute(name).await,
///         async |tx, exit| match exit {
///             Exit::Ok => tx.commit().await,
///             Exit::Err | Exit::Panicked | Exit::Cancelled => tx.rollback().await,
///         },
///     )
///     .await
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(rename(&Db, "Ada").await.unwrap(), 1);
/// # }
/// ```
///
/// # Arguments
///
/// - `acquire`: a future that yields the resource. If it fails, its error is returned and nothing is released.
/// - `body`: receives `&mut` the resource; it may borrow from its surroundings.
/// - `release`: receives the resource, and the [`Exit`] that describes how the body ended. Its future returns `()` or a `Result<(), E>` whose error
///   is `Display`. It runs on a task of its own, so that no deadline of the caller cuts it short: the resource and what `release` captures are
///   `Send + 'static`, and the caller's `tokio::task_local!` values and current `tracing` span are not set.
///
/// # Errors
///
/// The error of `acquire`, else that of `body`, else that of `release` (a failed commit, for instance). The error of the body is never replaced:
/// an error of the release that follows it becomes a [`Report`](crate::Report) under the name of the resource's type, as does one whose caller
/// was dropped.
///
/// # Cancel safety
///
/// Dropped while it acquires: `acquire` is dropped. Dropped in the body: the body is dropped, then the release runs in the background with
/// [`Exit::Cancelled`]. Dropped in the release: the release continues in the background. [`drain`](crate::drain) waits for both; a runtime that
/// shuts down first drops them, which is reported.
///
/// # Panics
///
/// A panic of the body is resumed once the release has ended; if the caller is dropped before that, it is reported. A panic of the release is
/// resumed if the body succeeded, and reported otherwise. If the body succeeded and the runtime shuts down before the release has ended, a
/// caller that is not on that runtime panics, because the outcome of the release is unknown. If the release fails and the destructor of the
/// body's value panics, the panic is resumed and the error of the release is reported. Outside of a Tokio runtime, the call panics before
/// anything is acquired.
pub async fn with_resource<R, T, E, A, B, C, F>(acquire: A, body: B, release: C) -> Result<T, E>
where
    A: IntoFuture<Output = Result<R, E>>,
    R: Send + 'static,
    B: AsyncFnOnce(&mut R) -> Result<T, E>,
    C: FnOnce(R, Exit) -> F + Send + 'static,
    F: Future<Output: Released<E> + Send> + Send + 'static,
{
    let runtime = Handle::current();
    let mut held = Held { owned: Some((acquire.await?, release)), runtime };
    // Within a block, so that a panic of the call itself is caught as well.
    let body = async { body(held.resource()).await };
    let outcome = AssertUnwindSafe(body).catch_unwind().await;
    match outcome {
        Ok(Ok(value)) => {
            let (task, _awaiting) = held.release(Exit::Ok);
            match task.await {
                Ok(released) => keep_unless_failed(value, released, type_name::<R>()),
                Err(Failure::Panicked(payload)) => {
                    // Not while the panic of the release unwinds: a second one would abort the process.
                    if let Err(second) = drop_caught(value) {
                        report::panicked(type_name::<R>(), second);
                    }
                    resume_unwind(payload)
                }
                Err(Failure::Abandoned) => {
                    drop(value);
                    panic!("the release of `{}` was aborted: its runtime shut down", type_name::<R>());
                }
            }
        }
        Ok(Err(error)) => {
            let (task, _awaiting) = held.release(Exit::Err);
            task.reported().await;
            Err(error)
        }
        Err(payload) => {
            let panic = PendingPanic::new(type_name::<R>(), payload);
            let (task, _awaiting) = held.release(Exit::Panicked);
            task.reported().await;
            panic.resume()
        }
    }
}

/// The body's value, unless the release failed. The value is then dropped; if its destructor panics, that propagates to the caller, and the error
/// of the release is reported.
fn keep_unless_failed<T, E>(value: T, released: impl Released<E>, name: &'static str) -> Result<T, E> {
    let text = released.error();
    let Err(error) = released.into_result() else { return Ok(value) };
    let Err(payload) = drop_caught(value) else { return Err(error) };
    Report::new(name, ReportKind::Error, text.unwrap_or_default()).send();
    discard(error);
    resume_unwind(payload)
}

/// The output of a release: `()`, or a `Result<(), _>` whose error becomes that of the call.
#[diagnostic::on_unimplemented(
    message = "`release` must return `()` or `Result<(), {E}>`, found `{Self}`",
    label = "neither `()` nor a `Result<(), {E}>` whose error is `Display`"
)]
pub trait Released<E>: Logged {
    /// The error, if there is one.
    ///
    /// # Errors
    ///
    /// The error of the release.
    fn into_result(self) -> Result<(), E>;
}

impl<E> Released<E> for () {
    fn into_result(self) -> Result<(), E> {
        Ok(())
    }
}

// For exactly the body's error type, so that a `?` in the release knows the target type.
impl<E: Display> Released<E> for Result<(), E> {
    fn into_result(self) -> Self {
        self
    }
}

/// A resource and its release. Dropping it releases in the background.
struct Held<R, C, F>
where
    R: Send + 'static,
    C: FnOnce(R, Exit) -> F + Send + 'static,
    F: Future<Output: Logged + Send> + Send + 'static,
{
    owned: Option<(R, C)>,
    runtime: Handle,
}

impl<R, C, F> Held<R, C, F>
where
    R: Send + 'static,
    C: FnOnce(R, Exit) -> F + Send + 'static,
    F: Future<Output: Logged + Send> + Send + 'static,
{
    fn resource(&mut self) -> &mut R {
        &mut self.owned.as_mut().expect("it is held until it is released").0
    }

    fn release(mut self, exit: Exit) -> (Task<F::Output>, AwaitGuard) {
        let owned = self.owned.take().expect("it is released once");
        let (inherited, awaiting) = Inherited::while_awaited();
        (spawn_on(&self.runtime, type_name::<R>(), inherited.enter(releasing(owned, exit)), Logged::error), awaiting)
    }
}

impl<R, C, F> Drop for Held<R, C, F>
where
    R: Send + 'static,
    C: FnOnce(R, Exit) -> F + Send + 'static,
    F: Future<Output: Logged + Send> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some(owned) = self.owned.take() {
            drop(spawn_on(&self.runtime, type_name::<R>(), releasing(owned, Exit::Cancelled), Logged::error));
        }
    }
}

/// The release, called within the task, which also catches a panic of the call.
async fn releasing<R, C, F>((resource, release): (R, C), exit: Exit) -> F::Output
where
    C: FnOnce(R, Exit) -> F,
    F: Future,
{
    release(resource, exit).await
}
