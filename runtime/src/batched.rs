//! `#[batched]`: many callers, one call.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::cache::Marks;
use crate::contain::{contain, discard};
use crate::{Error, ErrorKind, background};

/// Serves many calls by one: callers pass a key each and get the answer to it, and the function gets the keys of all of them.
///
/// For what is cheaper by the dozen: a query with `WHERE id = ANY(..)`, a request that takes a list. Known as a `DataLoader`.
///
/// ```
/// use steadfast::batched;
///
/// /// Called as `load(id).await`, with an `Option<String>` as the answer.
/// #[batched(max_batch_size = 50, delay = 2ms)]
/// async fn load(ids: Vec<u32>) -> Vec<Option<String>> {
///     // SELECT id, name FROM users WHERE id = ANY($1)
///     ids.iter().map(|id| Some(format!("user {id} of {}", ids.len()))).collect()
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let (first, second) = tokio::join!(load(7), load(9));
/// assert_eq!(first.as_deref(), Some("user 7 of 2"));
/// assert_eq!(second.as_deref(), Some("user 9 of 2"));
/// # }
/// ```
///
/// # The function
///
/// It takes the keys of a batch, as one argument of type `Vec<Id>`, and returns one answer for each of them, in the same order: a `Vec<T>`,
/// or a `Result<Vec<T>, E>` with an `E: Clone`, whose error goes to every caller of the batch. Its callers see a function of an `Id` that
/// returns a `T`, or a `Result<T, E>`. Keys that are equal are not made one: put `#[async_cached]` or `#[coalesce]` above for that.
///
/// Keys, answers and the body are `Send + 'static`: the body runs on a task of its own. It is a free function, or an associated one
/// without a `self`.
///
/// Attributes above it work for each caller, attributes below it for a batch: a `timeout` above limits how long a caller waits, one below
/// limits the query.
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `max_batch_size = n` | 100 | a batch with so many callers does not wait for more; any integer type, below 1 is 1 |
/// | `delay = duration` | `5ms` | how long a batch waits for callers, counted from the first of them; with `0s` it waits for those that are ready to run, and touches no timer |
/// | `or_else = \|error\| value` | none | what a caller returns where its batch failed |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// A batch has many callers: its size and delay are those of the caller that opens it, and cannot depend on the argument, which is an error.
///
/// # When options are evaluated
///
/// | evaluated | options |
/// | --- | --- |
/// | at each call; those of the call that opens a batch hold | `max_batch_size`, `delay` |
/// | for each caller of a batch that failed | `or_else` |
///
/// # Errors
///
/// An [`Error`] for which [`is_batch`](Error::is_batch) holds, in the function's own error type and for every caller of the batch, where
/// the body panicked, or where it gave another number of answers than it got keys; also for those who are left where an error panics while
/// it is cloned for them. The text of the panic is in a [`Report`](crate::Report), once. One for which
/// [`is_shutdown`](Error::is_shutdown) holds where the runtime went away.
///
/// # Panics
///
/// Where there is such an error, and neither can the return type carry it nor is there an `or_else`: with its text, at each caller. With a
/// `delay`, in a runtime whose timers are not enabled. A key or an answer of a caller that has gone, and whose destructor panics, costs the
/// other callers nothing.
///
/// # Cancel safety
///
/// A caller that is dropped before the batch is sent off is taken out of it; a batch that has lost all of its callers is not run. One that
/// has been sent off runs to its end, whoever is left; [`drain`](crate::drain) waits for it.
pub use steadfast_macros::batched;

/// How large a batch gets, and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many callers at most.
    pub max_batch_size: usize,
    /// So long after the first.
    pub delay: Duration,
}

/// What a batch returns.
#[diagnostic::on_unimplemented(
    message = "`#[batched]` finds no answers in a `{Self}`",
    label = "neither a `Vec` nor a `Result` of one",
    note = "return one answer for each key: a `Vec<T>`, or a `Result<Vec<T>, E>` where `E: Clone`"
)]
pub trait Answers {
    /// What a caller gets.
    type One;

    /// One for each of so many keys.
    ///
    /// # Errors
    ///
    /// The number of answers, where it is another.
    fn split(self, keys: usize) -> Result<impl Iterator<Item = Self::One>, usize>;
}

impl<T> Answers for Vec<T> {
    type One = T;

    fn split(self, keys: usize) -> Result<impl Iterator<Item = T>, usize> {
        if self.len() == keys { Ok(self.into_iter()) } else { Err(self.len()) }
    }
}

/// An error that each caller of a batch gets. Its own trait only for its message.
#[diagnostic::on_unimplemented(
    message = "the error of a batch goes to each of its callers, and a `{Self}` cannot be cloned",
    label = "`{Self}` does not implement `Clone`",
    note = "derive `Clone` for it, or return it in an `Arc`"
)]
pub trait Shared: Clone {}

#[diagnostic::do_not_recommend]
impl<E: Clone> Shared for E {}

impl<T, E: Shared> Answers for Result<Vec<T>, E> {
    type One = Result<T, E>;

    fn split(self, keys: usize) -> Result<impl Iterator<Item = Result<T, E>>, usize> {
        let (answers, error) = match self {
            Ok(answers) if answers.len() != keys => return Err(answers.len()),
            Ok(answers) => (answers, None),
            Err(error) => (Vec::new(), Some(std::iter::repeat_n(error, keys))),
        };
        Ok(answers.into_iter().map(Ok).chain(error.into_iter().flatten().map(Err)))
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy)]
pub enum Failure {
    /// The body panicked.
    Panicked,
    /// It gave so many answers.
    Answers(usize),
    /// The runtime dropped the batch.
    Abandoned,
}

impl Failure {
    /// The error that says so for `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        match self {
            Self::Panicked => Error::new(ErrorKind::Batch, function),
            Self::Answers(count) => Error::new(ErrorKind::Batch, function).with_count(u32::try_from(count).unwrap_or(u32::MAX)),
            Self::Abandoned => Error::new(ErrorKind::Shutdown, function),
        }
    }
}

type AnyBatcher = &'static (dyn Any + Send + Sync);

/// The batches of one function.
///
/// A static is shared by all instantiations of the function around it. What tells them apart is the type of a closure written in the
/// function: it has all type parameters that are in scope there.
pub struct Slot(OnceLock<RwLock<HashMap<TypeId, AnyBatcher>>>);

impl Slot {
    /// No batch yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions make one")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn batcher<K: Send + 'static, O: Send + 'static, I: Fn()>(&'static self) -> &'static Batcher<K, O> {
        let instance = typeid::of::<I>();
        let batchers = self.0.get_or_init(RwLock::default);
        let known = batchers.read().unwrap_or_else(PoisonError::into_inner).get(&instance).copied();
        let batcher = known.unwrap_or_else(|| {
            let mut batchers = batchers.write().unwrap_or_else(PoisonError::into_inner);
            *batchers.entry(instance).or_insert_with(|| Box::leak(Box::new(Batcher::<K, O>::default())))
        });
        batcher.downcast_ref().expect("an instantiation has one type of keys, and one of answers")
    }
}

/// The batches that still take callers: one for each runtime, since a batch ends with its own.
struct Batcher<K, O>(Mutex<Batches<K, O>>);

struct Batches<K, O> {
    open: Vec<Open<K, O>>,
    opened: u64,
}

struct Open<K, O> {
    number: u64,
    runtime: Option<Id>,
    callers: Vec<Caller<K, O>>,
    /// That of the first caller.
    max_batch_size: usize,
    /// Takes the callers of a full batch to its task.
    full: oneshot::Sender<Vec<Caller<K, O>>>,
}

/// One that waits. Its answer is closed where it has gone.
struct Caller<K, O> {
    key: K,
    /// The computations that wait for the batch as long as this caller does.
    marks: Marks,
    answer: oneshot::Sender<Result<O, Failure>>,
}

impl<K, O> Default for Batcher<K, O> {
    fn default() -> Self {
        Self(Mutex::new(Batches { open: Vec::new(), opened: 0 }))
    }
}

impl<K, O> Batcher<K, O> {
    fn batches(&self) -> MutexGuard<'_, Batches<K, O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a caller join the batch that is open, or opens one, whose task is then to be started.
    fn join(&'static self, caller: Caller<K, O>, limits: Limits) -> Option<Gathering<K, O>> {
        let runtime = Handle::try_current().ok().map(|runtime| runtime.id());
        let mut batches = self.batches();
        let at = batches.open.iter().position(|open| open.runtime == runtime);
        let (at, gathering) = at.map_or_else(
            || {
                // In the caller: a runtime without timers panics here, which is nothing that a batch could answer with.
                let delay = (runtime.is_some() && !limits.delay.is_zero()).then(|| tokio::time::sleep(limits.delay));
                let (full, filled) = oneshot::channel();
                batches.opened += 1;
                let number = batches.opened;
                let max_batch_size = limits.max_batch_size;
                batches.open.push(Open { number, runtime, callers: Vec::new(), max_batch_size, full });
                (batches.open.len() - 1, Some(Gathering { batch: Batch { batcher: self, number, filled }, delay }))
            },
            |at| (at, None),
        );
        let open = &mut batches.open[at];
        open.callers.push(caller);
        let max_batch_size = open.max_batch_size;
        let mut gone = Vec::new();
        if open.callers.len() >= max_batch_size {
            gone.extend(open.callers.extract_if(.., |caller| caller.answer.is_closed()));
        }
        let full = (open.callers.len() >= max_batch_size).then(|| batches.open.swap_remove(at));
        drop(batches);
        // Keys are dropped, and tasks woken, without the lock; and the keys of others are nothing to this caller.
        gone.into_iter().for_each(discard);
        if let Some(Open { callers, full, .. }) = full
            && let Err(callers) = full.send(callers)
        {
            callers.into_iter().for_each(discard);
        }
        gathering
    }

    fn close(&self, number: u64) -> Option<Open<K, O>> {
        let mut batches = self.batches();
        let at = batches.open.iter().position(|open| open.number == number)?;
        Some(batches.open.swap_remove(at))
    }
}

/// What the first caller of a batch starts.
struct Gathering<K: 'static, O: 'static> {
    batch: Batch<K, O>,
    delay: Option<Sleep>,
}

/// A batch that waits for callers. Where its runtime drops it, so are they.
struct Batch<K: 'static, O: 'static> {
    batcher: &'static Batcher<K, O>,
    number: u64,
    filled: oneshot::Receiver<Vec<Caller<K, O>>>,
}

impl<K, O> Gathering<K, O> {
    /// The callers that are there when the batch is full or the time is up.
    async fn callers(self) -> Vec<Caller<K, O>> {
        let Self { mut batch, delay } = self;
        let wait = async {
            match delay {
                Some(delay) => delay.await,
                None => tokio::task::yield_now().await,
            }
        };
        if let Either::Left((callers, _)) = select(&mut batch.filled, pin!(wait)).await {
            return callers.unwrap_or_default();
        }
        match batch.batcher.close(batch.number) {
            Some(open) => open.callers,
            None => (&mut batch.filled).await.unwrap_or_default(),
        }
    }
}

impl<K, O> Drop for Batch<K, O> {
    fn drop(&mut self) {
        if let Some(open) = self.batcher.close(self.number) {
            open.callers.into_iter().for_each(discard);
        }
    }
}

/// The answer to `key`, from a batch. Cancel safe: a caller that goes before its batch is sent off is no part of it.
///
/// # Errors
///
/// A [`Failure`], where the batch came to nothing.
pub async fn load<K, A, B, I>(
    slot: &'static Slot,
    _instance: I,
    function: &'static str,
    limits: Limits,
    key: K,
    body: impl FnOnce(Vec<K>) -> B + Send + 'static,
) -> Result<A::One, Failure>
where
    K: Send + 'static,
    A: Answers<One: Send + 'static> + 'static,
    B: Future<Output = A> + Send + 'static,
    I: Fn(),
{
    let (answer, answered) = oneshot::channel();
    let batcher = slot.batcher::<K, A::One, I>();
    let (marks, _awaiting) = Marks::while_awaited();
    if let Some(gathering) = batcher.join(Caller { key, marks, answer }, limits) {
        drop(background::spawn(function, run(gathering, body), |()| None));
    }
    answered.await.unwrap_or(Err(Failure::Abandoned))
}

/// Keys, answers and errors are dropped and cloned here: where that panics, it is for those alone to whom they belong, and for the report.
async fn run<K, A, B>(gathering: Gathering<K, A::One>, body: impl FnOnce(Vec<K>) -> B)
where
    A: Answers<One: 'static>,
    B: Future<Output = A>,
{
    let mut callers = gathering.callers().await;
    callers.extract_if(.., |caller| caller.answer.is_closed()).for_each(discard);
    if callers.is_empty() {
        return;
    }
    let mut part_of = Marks::default();
    let key_and_answer = |Caller { key, marks, answer }| {
        part_of.join(marks);
        (key, answer)
    };
    let (keys, waiting): (Vec<K>, Vec<_>) = callers.into_iter().map(key_and_answer).unzip();
    let answers = part_of.enter(async { body(keys).await.split(waiting.len()) });
    let outcome = AssertUnwindSafe(answers).catch_unwind().await;
    let mut waiting = waiting.into_iter();
    let panicked = match outcome {
        Ok(Ok(mut answers)) => {
            // An error is cloned for each of them.
            let panicked = hand_out(&mut waiting, || catch_unwind(AssertUnwindSafe(|| answers.next())));
            discard(answers);
            panicked
        }
        Ok(Err(count)) => {
            fail(&mut waiting, Failure::Answers(count));
            None
        }
        Err(payload) => Some(payload),
    };
    if let Some(payload) = panicked {
        fail(&mut waiting, Failure::Panicked);
        // To where panics in the background are reported.
        resume_unwind(payload);
    }
}

type Answer<O> = oneshot::Sender<Result<O, Failure>>;

/// Gives each caller its answer, until there is none because of a panic.
fn hand_out<O>(
    waiting: &mut impl Iterator<Item = Answer<O>>,
    mut next: impl FnMut() -> thread::Result<Option<O>>,
) -> Option<Box<dyn Any + Send>> {
    for caller in waiting {
        match next() {
            // A caller that has gone leaves its answer behind, and no more.
            Ok(Some(answer)) => contain(|| caller.send(Ok(answer))),
            Ok(None) => return None,
            Err(payload) => {
                contain(|| caller.send(Err(Failure::Panicked)));
                return Some(payload);
            }
        }
    }
    None
}

fn fail<O>(waiting: &mut impl Iterator<Item = Answer<O>>, failure: Failure) {
    for caller in waiting {
        contain(|| caller.send(Err(failure)));
    }
}

#[doc(hidden)]
pub mod private {
    pub use super::{Answers, Failure, Limits, Slot, load};
}
