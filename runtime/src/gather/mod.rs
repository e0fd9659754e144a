//! `gather` and `try_gather`: run many futures concurrently; results in order, no task left running.

mod children;

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pub use children::{Children, Ended, InPlace, Spawned};

use crate::contain::{catch, discard, drop_caught};

/// Runs all futures, each as a task, and returns their outputs in the order of the input.
///
/// ```
/// # async fn size(page: u32) -> Result<u64, String> { if page == 2 { Err("gone".into()) } else { Ok(page.into()) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use steadfast::gather;
///
/// let sizes = gather((1..=3).map(size)).limit(2).await; // at most two concurrently
/// assert_eq!(sizes, [Ok(1), Err("gone".into()), Ok(3)]);
/// # }
/// ```
///
/// An error is an output like any other, and stops nothing. To stop at the first error, use [`try_gather`]; for futures that borrow,
/// [`gather_local`].
///
/// # Arguments
///
/// Any iterator over futures that are `Send + 'static`, as for [`tokio::spawn`]. With a [`limit`](Gather::limit), the next future is pulled when
/// another has ended; without one, all are pulled at once, so the iterator must be finite.
///
/// The iterator is part of the future. If a closure in it takes borrowed items, as in `text.split(',').map(|part| ..)`, and the future must be `Send`,
/// as in a task or in a handler of a web framework, rustc may report "implementation of `FnOnce` is not general enough", a limitation of its
/// inference of lifetimes. Collect the futures first:
///
/// ```
/// # async fn load(part: String) -> usize { part.len() }
/// # async fn handler(text: &str) -> Vec<usize> {
/// let parts: Vec<_> = text.split(',').map(|part| load(part.to_owned())).collect();
/// steadfast::gather(parts).limit(8).await
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let sizes = tokio::spawn(async { let text = String::from("a,bc"); handler(&text).await }).await.unwrap();
/// # assert_eq!(sizes, [1, 2]);
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping it aborts all of its tasks. They are dropped at their next yield, for which a destructor cannot wait: a task that is being polled on
/// another thread at that moment ends a little later.
///
/// # Panics
///
/// A panic of a future, of the iterator, or of an output's destructor stops the others; it is resumed in the caller when all of them have been
/// dropped. Panics outside of a Tokio runtime, and if the runtime of the tasks shuts down while a caller that is not on it waits.
#[doc(alias("join_all"))]
pub fn gather<I>(futures: I) -> Gather<I::IntoIter, Spawned<OutputOf<I>>, Everything>
where
    I: IntoIterator<Item: Future<Output: Send + 'static> + Send + 'static>,
{
    Gather::new(futures.into_iter(), Spawned::new())
}

/// Runs all futures, each as a task, and returns their values in the order of the input, or the first error.
///
/// ```
/// # async fn size(page: u32) -> Result<u64, String> { if page == 9 { Err("gone".into()) } else { Ok(page.into()) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
/// use steadfast::try_gather;
///
/// let sizes = try_gather((1..=3).map(size)).await?;
/// assert_eq!(sizes, [1, 2, 3]);
///
/// let first_error = try_gather((1..).map(size)).limit(4).await.unwrap_err();
/// assert_eq!(first_error, "gone");
/// # Ok(()) }
/// ```
///
/// As soon as one fails, the others are aborted and awaited: when it returns, their destructors have run and no work continues in the background. It
/// waits for work that blocks its thread.
///
/// For the arguments, see [`gather`]; for futures that borrow, [`try_gather_local`].
///
/// # Errors
///
/// The error of the future that fails first in time. Errors of others that fail before they are stopped are dropped.
///
/// # Cancel safety
///
/// As [`gather`]: dropping it aborts all of its tasks.
///
/// # Panics
///
/// As [`gather`]. A panic takes precedence over an error, so that it is never lost.
#[doc(alias("try_join_all"))]
pub fn try_gather<I, T, E>(futures: I) -> Gather<I::IntoIter, Spawned<OutputOf<I>>, UntilError>
where
    I: IntoIterator<Item: Future<Output = Result<T, E>> + Send + 'static>,
    T: Send + 'static,
    E: Send + 'static,
{
    Gather::new(futures.into_iter(), Spawned::new())
}

/// [`gather`] within the caller's own task: the futures may borrow, need not be `Send`, and run concurrently on one thread.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use steadfast::gather_local;
///
/// let names = vec!["Ada".to_owned(), "Grace".to_owned()];
/// let lengths = gather_local(names.iter().map(async |name| name.len())).await;
/// assert_eq!(lengths, [3, 5]);
/// # }
/// ```
///
/// It needs no runtime.
///
/// # Cancel safety
///
/// Dropping it drops all futures at once.
///
/// # Panics
///
/// A panic of a future, of the iterator, or of an output's destructor is resumed when the other futures have been dropped.
pub fn gather_local<I>(futures: I) -> Gather<I::IntoIter, InPlace<I::Item>, Everything>
where
    I: IntoIterator<Item: Future>,
{
    Gather::new(futures.into_iter(), InPlace::new())
}

/// [`try_gather`] within the caller's own task: the futures may borrow, need not be `Send`, and run concurrently on one thread.
///
/// ```
/// # struct Db; impl Db { async fn row(&self, id: u64) -> Result<u64, String> { Ok(id * 10) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
/// use steadfast::try_gather_local;
///
/// # let db = Db;
/// let rows = try_gather_local([3, 4].map(|id| db.row(id))).await?;
/// assert_eq!(rows, [30, 40]);
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// The first error in time. The other futures are dropped before it is returned.
///
/// # Cancel safety
///
/// Dropping it drops all futures at once.
///
/// # Panics
///
/// A panic of a future, of the iterator, or of an output's destructor is resumed when the other futures have been dropped.
pub fn try_gather_local<I, T, E>(futures: I) -> Gather<I::IntoIter, InPlace<I::Item>, UntilError>
where
    I: IntoIterator<Item: Future<Output = Result<T, E>>>,
{
    Gather::new(futures.into_iter(), InPlace::new())
}

/// The output of the futures of `I`.
#[doc(hidden)]
pub type OutputOf<I> = <<I as IntoIterator>::Item as Future>::Output;

/// Futures that run concurrently: `.await` it, with or without a [`limit`](Self::limit). Created by [`gather`], [`try_gather`] and their `_local`
/// forms.
#[must_use = "nothing runs before it is awaited"]
pub struct Gather<I, C, K>
where
    I: Iterator<Item: Future>,
    K: Collect<OutputOf<I>>,
{
    /// `None` when it is exhausted, or when the run is being stopped.
    futures: Option<I>,
    limit: usize,
    children: C,
    /// A slot for each future that was started.
    values: Vec<Option<K::Value>>,
    verdict: Option<Verdict<K::Error>>,
}

/// Why the futures are being stopped.
enum Verdict<E> {
    Failed(E),
    Panicked(Box<dyn Any + Send>),
}

impl<I, C, K> Gather<I, C, K>
where
    I: Iterator<Item: Future>,
    K: Collect<OutputOf<I>>,
{
    fn new(futures: I, children: C) -> Self {
        Self { futures: Some(futures), limit: usize::MAX, children, values: Vec::new(), verdict: None }
    }

    /// Runs at most `limit` futures concurrently; the next is pulled from the iterator when one has ended. Without it, all run at once.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    pub fn limit(self, limit: usize) -> Self {
        assert!(limit > 0, "`limit` must be at least 1");
        Self { limit, ..self }
    }
}

impl<I, C, K> Gather<I, C, K>
where
    I: Iterator<Item: Future>,
    C: Children<I::Item>,
    K: Collect<OutputOf<I>>,
{
    fn start_more(&mut self) {
        while self.children.running() < self.limit && self.futures.is_some() {
            // The iterator is user code, as is its destructor, and the children must not outlive its panic.
            if let Err(payload) = catch(|| self.start_next()) {
                self.stop(Verdict::Panicked(payload));
            }
        }
    }

    fn start_next(&mut self) {
        let Some(futures) = self.futures.as_mut() else { return };
        if let Some(future) = futures.next() {
            self.children.start(self.values.len(), future);
            self.values.push(None);
        } else {
            self.futures = None;
        }
    }

    fn record(&mut self, ended: Ended<OutputOf<I>>) {
        match ended {
            Ended::Panicked(payload) => self.stop(Verdict::Panicked(payload)),
            Ended::Done(_, output) if self.verdict.is_some() => self.throw_away(output),
            Ended::Stopped if self.verdict.is_some() => {}
            Ended::Done(index, output) => match K::sort(output) {
                Ok(value) => self.values[index] = Some(value),
                Err(error) => self.stop(Verdict::Failed(error)),
            },
            Ended::Stopped => panic!("the runtime of the gathered tasks has shut down"),
        }
    }

    /// A panic takes precedence, even over an earlier error; otherwise the first one does.
    fn stop(&mut self, verdict: Verdict<K::Error>) {
        let loser = match (&self.verdict, &verdict) {
            (None, _) | (Some(Verdict::Failed(_)), Verdict::Panicked(_)) => self.verdict.replace(verdict),
            _ => Some(verdict),
        };
        match loser {
            None => {}
            Some(Verdict::Panicked(payload)) => discard(payload),
            Some(Verdict::Failed(error)) => self.throw_away(error),
        }
        let futures = self.futures.take();
        self.throw_away(futures);
        if let Some(payload) = self.children.stop() {
            self.stop(Verdict::Panicked(payload));
        }
    }

    fn throw_away<T>(&mut self, value: T) {
        if let Err(payload) = drop_caught(value) {
            self.stop(Verdict::Panicked(payload));
        }
    }
}

// Nothing in it is ever pinned in place: the futures are in `children`, each in an allocation of its own.
impl<I, C, K> Unpin for Gather<I, C, K>
where
    I: Iterator<Item: Future>,
    K: Collect<OutputOf<I>>,
{
}

impl<I, C, K> Future for Gather<I, C, K>
where
    I: Iterator<Item: Future>,
    C: Children<I::Item>,
    K: Collect<OutputOf<I>>,
{
    type Output = K::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<K::Output> {
        loop {
            self.start_more();
            match ready!(self.children.poll_ended(cx)) {
                Some(ended) => self.record(ended),
                None => break,
            }
        }
        let values = std::mem::take(&mut self.values);
        if self.verdict.is_none() {
            let values = values.into_iter().map(|value| value.expect("every future has ended")).collect();
            return Poll::Ready(K::finish(Ok(values)));
        }
        // Here, and one by one: not while a panic unwinds.
        for value in values {
            self.throw_away(value);
        }
        match self.verdict.take() {
            Some(Verdict::Failed(error)) => Poll::Ready(K::finish(Err(error))),
            Some(Verdict::Panicked(payload)) => resume_unwind(payload),
            None => unreachable!("the verdict has not been taken"),
        }
    }
}

/// The policy: which outputs are kept, and which stops the others.
#[doc(hidden)]
pub trait Collect<O> {
    /// The kept part of an output.
    type Value;
    /// What stops the others.
    type Error;
    /// The result for the caller.
    type Output;

    /// Whether an output is kept.
    fn sort(output: O) -> Result<Self::Value, Self::Error>;

    /// The caller's result.
    fn finish(result: Result<Vec<Self::Value>, Self::Error>) -> Self::Output;
}

/// Every output is kept.
#[doc(hidden)]
pub enum Everything {}

impl<O> Collect<O> for Everything {
    type Value = O;
    type Error = Infallible;
    type Output = Vec<O>;

    fn sort(output: O) -> Result<O, Infallible> {
        Ok(output)
    }

    fn finish(Ok(values): Result<Vec<O>, Infallible>) -> Vec<O> {
        values
    }
}

/// Values are kept until an error comes.
#[doc(hidden)]
pub enum UntilError {}

impl<T, E> Collect<Result<T, E>> for UntilError {
    type Value = T;
    type Error = E;
    type Output = Result<Vec<T>, E>;

    fn sort(output: Result<T, E>) -> Result<T, E> {
        output
    }

    fn finish(result: Result<Vec<T>, E>) -> Result<Vec<T>, E> {
        result
    }
}
