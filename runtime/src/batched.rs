//! `#[batched]`: many callers share one call.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::background;
use crate::bounds::bounds;
use crate::contain::{contain, discard};
use crate::error::{Error, ErrorKind};
use crate::recursion::ActiveFlights;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::batched;

/// The maximum size of a batch, and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of callers.
    pub max_batch_size: usize,
    /// Maximum time after the first caller.
    pub delay: Duration,
}

/// The return type of a batch of `K`s.
#[diagnostic::on_unimplemented(
    message = "`#[batched]` cannot find results for keys of type `{K}` in `{Self}`",
    label = "neither a `Vec`, nor a `HashMap` from `{K}`, nor a `Result` of one",
    note = "return a `Vec<T>` with one result per key, in order, or a `HashMap<{K}, T>`, or a `Result` of one of these whose error is `Clone`"
)]
pub trait BatchOutput<K> {
    /// The result for a caller.
    type One;

    /// What must be kept of the keys.
    type Asked: Send + 'static;

    /// Keeps that.
    fn asked(keys: &[K]) -> Self::Asked;

    /// One result for each key.
    ///
    /// # Errors
    ///
    /// The number of results, if it differs from that of the keys.
    fn split(self, asked: Self::Asked) -> Result<impl Iterator<Item = Self::One>, usize>;
}

impl<K, T> BatchOutput<K> for Vec<T> {
    type One = T;
    type Asked = usize;

    fn asked(keys: &[K]) -> usize {
        keys.len()
    }

    fn split(self, asked: usize) -> Result<impl Iterator<Item = T>, usize> {
        if self.len() == asked { Ok(self.into_iter()) } else { Err(self.len()) }
    }
}

/// A key whose result is looked up in a map. A trait of its own for the message.
#[diagnostic::on_unimplemented(
    message = "results are looked up by key in the `HashMap`, but `{Self}` is not `Clone + Eq + Hash`",
    label = "`{Self}` is not `Clone + Eq + Hash`",
    note = "derive `Clone, PartialEq, Eq, Hash` for it, or return a `Vec` with one result per key"
)]
pub trait LookedUp: Clone + Eq + Hash + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<K: Clone + Eq + Hash + Send + 'static> LookedUp for K {}

/// A result that is cloned for each caller with the same key. A trait of its own for the message.
#[diagnostic::on_unimplemented(
    message = "a result is cloned for every caller of the same key, but `{Self}` is not `Clone`",
    label = "`{Self}` does not implement `Clone`",
    note = "derive `Clone` for it, or return it in an `Arc`"
)]
pub trait Repeated: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Repeated for T {}

impl<K: LookedUp, T: Repeated, S: BuildHasher> BatchOutput<K> for HashMap<K, T, S> {
    type One = Option<T>;
    type Asked = Vec<K>;

    fn asked(keys: &[K]) -> Vec<K> {
        keys.to_vec()
    }

    fn split(mut self, asked: Vec<K>) -> Result<impl Iterator<Item = Option<T>>, usize> {
        // The last caller of a key receives the result itself, the others a clone.
        let mut last: HashMap<&K, usize> = HashMap::with_capacity(asked.len());
        last.extend(asked.iter().enumerate().map(|(index, key)| (key, index)));
        let is_last: Vec<bool> = asked.iter().enumerate().map(|(index, key)| last.get(key) == Some(&index)).collect();
        Ok(asked.into_iter().zip(is_last).map(move |(key, last)| if last { self.remove(&key) } else { self.get(&key).cloned() }))
    }
}

/// An error that is cloned for each caller of a batch. A trait of its own for the message.
#[diagnostic::on_unimplemented(
    message = "a batch error is cloned for every caller, but `{Self}` is not `Clone`",
    label = "`{Self}` does not implement `Clone`",
    note = "derive `Clone` for it, or return it in an `Arc`"
)]
pub trait Shared: Clone {}

#[diagnostic::do_not_recommend]
impl<E: Clone> Shared for E {}

impl<K, A: BatchOutput<K>, E: Shared> BatchOutput<K> for Result<A, E> {
    type One = Result<A::One, E>;
    /// With the number of results.
    type Asked = (A::Asked, usize);

    fn asked(keys: &[K]) -> (A::Asked, usize) {
        (A::asked(keys), keys.len())
    }

    fn split(self, (asked, count): (A::Asked, usize)) -> Result<impl Iterator<Item = Result<A::One, E>>, usize> {
        let (answers, error) = match self {
            Ok(answers) => (Some(answers.split(asked)?), None),
            Err(error) => (None, Some(std::iter::repeat_n(error, count))),
        };
        Ok(answers.into_iter().flatten().map(Ok).chain(error.into_iter().flatten().map(Err)))
    }
}

bounds! {
    /// An argument that callers share. A trait of its own for the message.
    #[diagnostic::on_unimplemented(
        message = "`share` requires an `Arc`, found `{Self}`",
        label = "not an `Arc`",
        note = "take an `Arc<..>`, which callers clone, or make it part of the keys"
    )]
    trait Common: [IsArc] {
        /// Asserts that callers can share a `T`.
        fn assert_share[T: Common<M>]();
        /// The same, for a type that cannot be named.
        fn assert_share_of[T: Common<M>](_: &T);
    }
}

/// An `Arc`.
pub trait IsArc {}

impl<T: ?Sized> IsArc for Arc<T> {}

/// The arguments that callers share, as nested pairs.
pub trait Shares {
    /// The owned arguments.
    type Held: Same;

    /// Keeps them alive, so that their addresses are not reused.
    fn hold(self) -> Self::Held;
}

/// Identity, not equality.
pub trait Same {
    /// Compares by pointer.
    fn same(&self, other: &Self) -> bool;
}

impl Shares for () {
    type Held = ();

    fn hold(self) {}
}

impl<T: ?Sized, R: Shares> Shares for (&Arc<T>, R) {
    type Held = (Arc<T>, R::Held);

    fn hold(self) -> Self::Held {
        (Arc::clone(self.0), self.1.hold())
    }
}

impl Same for () {
    #[inline]
    fn same(&self, (): &()) -> bool {
        true
    }
}

impl<T: ?Sized, R: Same> Same for (Arc<T>, R) {
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) && self.1.same(&other.1)
    }
}

/// Keeps the shared arguments alive while a batch is open.
#[inline]
pub fn hold<S: Shares>(shares: S) -> S::Held {
    shares.hold()
}

/// Why there is no result.
#[derive(Debug, Clone, Copy)]
pub enum Failure {
    /// The body panicked.
    Panicked,
    /// It returned this many results.
    BatchOutput(usize),
    /// The runtime dropped the batch.
    Abandoned,
}

impl Failure {
    /// The error of `function`.
    #[cold]
    #[must_use]
    pub fn error(self, function: &'static str) -> Error {
        match self {
            Self::Panicked => Error::new(ErrorKind::Batch, function),
            Self::BatchOutput(count) => Error::new(ErrorKind::Batch, function).with_count(u32::try_from(count).unwrap_or(u32::MAX)),
            Self::Abandoned => Error::new(ErrorKind::Shutdown, function),
        }
    }
}

type AnyBatcher = &'static (dyn Any + Send + Sync);

/// The batches of one function.
///
/// A static is shared by all instantiations of the function around it. They are distinguished by the type of a closure written in the function, which
/// has all type parameters in scope.
pub struct BatchSlot(OnceLock<RwLock<HashMap<TypeId, AnyBatcher>>>);

impl BatchSlot {
    /// No batch yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only expansions create one")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn batcher<S, K, O, I>(&'static self) -> &'static Batcher<S, K, O>
    where
        S: Send + 'static,
        K: Send + 'static,
        O: Send + 'static,
        I: Fn(),
    {
        let instance = typeid::of::<I>();
        let batchers = self.0.get_or_init(RwLock::default);
        let known = batchers.read().unwrap_or_else(PoisonError::into_inner).get(&instance).copied();
        let batcher = known.unwrap_or_else(|| {
            let mut batchers = batchers.write().unwrap_or_else(PoisonError::into_inner);
            *batchers.entry(instance).or_insert_with(|| Box::leak(Box::new(Batcher::<S, K, O>::default())))
        });
        batcher.downcast_ref().expect("an instantiation has one type of keys, and one of results")
    }
}

/// The batches that still admit callers: one for each runtime, since a batch ends with its runtime, and for each set of shared arguments.
struct Batcher<S, K, O>(Mutex<Batches<S, K, O>>);

struct Batches<S, K, O> {
    open: Vec<Open<S, K, O>>,
    opened: u64,
}

struct Open<S, K, O> {
    number: u64,
    runtime: Option<Id>,
    shares: S,
    callers: Vec<Caller<K, O>>,
    /// That of the first caller.
    max_batch_size: usize,
    /// Sends the callers of a full batch to its task.
    full: oneshot::Sender<Vec<Caller<K, O>>>,
}

/// A waiting caller. Its channel is closed if it was dropped.
struct Caller<K, O> {
    key: K,
    /// The computations that wait for the batch through this caller.
    marks: ActiveFlights,
    answer: oneshot::Sender<Result<O, Failure>>,
}

impl<S, K, O> Default for Batcher<S, K, O> {
    fn default() -> Self {
        Self(Mutex::new(Batches { open: Vec::new(), opened: 0 }))
    }
}

impl<S: Same, K, O> Batcher<S, K, O> {
    fn batches(&self) -> MutexGuard<'_, Batches<S, K, O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a caller to the open batch, or opens one, whose task must then be started.
    fn join(&'static self, caller: Caller<K, O>, shares: S, limits: Limits) -> Option<OpenBatch<S, K, O>> {
        let runtime = Handle::try_current().ok().map(|runtime| runtime.id());
        let mut shares = Some(shares);
        let mut batches = self.batches();
        let known =
            |open: &Open<S, K, O>| open.runtime == runtime && shares.as_ref().is_some_and(|shares| open.shares.same(shares));
        let at = batches.open.iter().position(known);
        let (at, batch) = at.map_or_else(
            || {
                let shares = shares.take().expect("they have only been compared so far");
                // In the caller: a runtime without timers panics here, which a batch could not report.
                let delay = (runtime.is_some() && !limits.delay.is_zero()).then(|| tokio::time::sleep(limits.delay));
                let (full, filled) = oneshot::channel();
                batches.opened += 1;
                let number = batches.opened;
                let max_batch_size = limits.max_batch_size;
                batches.open.push(Open { number, runtime, shares, callers: Vec::new(), max_batch_size, full });
                (batches.open.len() - 1, Some(OpenBatch { batch: Batch { batcher: self, number, filled }, delay }))
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
        // Keys are dropped and tasks woken without the lock, and a panic of another caller's key must not reach this one.
        gone.into_iter().for_each(discard);
        if let Some(Open { callers, full, shares, .. }) = full {
            if let Err(callers) = full.send(callers) {
                callers.into_iter().for_each(discard);
            }
            discard(shares);
        }
        batch
    }

    fn close(&self, number: u64) -> Option<Open<S, K, O>> {
        let mut batches = self.batches();
        let at = batches.open.iter().position(|open| open.number == number)?;
        Some(batches.open.swap_remove(at))
    }
}

/// The task that the first caller of a batch starts.
struct OpenBatch<S: Same + 'static, K: 'static, O: 'static> {
    batch: Batch<S, K, O>,
    delay: Option<Sleep>,
}

/// A batch that waits for callers. If its runtime drops it, they are dropped, too.
struct Batch<S: Same + 'static, K: 'static, O: 'static> {
    batcher: &'static Batcher<S, K, O>,
    number: u64,
    filled: oneshot::Receiver<Vec<Caller<K, O>>>,
}

impl<S: Same, K, O> OpenBatch<S, K, O> {
    /// The callers present when the batch is full or its delay is over.
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
            Some(Open { callers, shares, .. }) => {
                discard(shares);
                callers
            }
            None => (&mut batch.filled).await.unwrap_or_default(),
        }
    }
}

impl<S: Same, K, O> Drop for Batch<S, K, O> {
    fn drop(&mut self) {
        if let Some(Open { callers, shares, .. }) = self.batcher.close(self.number) {
            callers.into_iter().for_each(discard);
            discard(shares);
        }
    }
}

/// The result for `key`, from a batch. Cancel safe: a caller that is dropped before its batch starts is removed from it.
///
/// # Errors
///
/// A [`Failure`], if the batch returned no result.
pub async fn load<S, K, A, B, I>(
    slot: &'static BatchSlot,
    _instance: I,
    function: &'static str,
    limits: Limits,
    shares: S,
    key: K,
    body: impl FnOnce(Vec<K>) -> B + Send + 'static,
) -> Result<A::One, Failure>
where
    S: Same + Send + 'static,
    K: Send + 'static,
    A: BatchOutput<K, One: Send + 'static> + 'static,
    B: Future<Output = A> + Send + 'static,
    I: Fn(),
{
    let (answer, answered) = oneshot::channel();
    let batcher = slot.batcher::<S, K, A::One, I>();
    let (marks, _awaiting) = ActiveFlights::while_awaited();
    if let Some(batch) = batcher.join(Caller { key, marks, answer }, shares, limits) {
        drop(background::spawn(function, run(batch, body), |()| None));
    }
    answered.await.unwrap_or(Err(Failure::Abandoned))
}

/// Keys, results and errors are dropped and cloned here. A panic of one affects only its own caller, and is reported.
async fn run<S, K, A, B>(batch: OpenBatch<S, K, A::One>, body: impl FnOnce(Vec<K>) -> B)
where
    S: Same,
    A: BatchOutput<K, One: 'static>,
    B: Future<Output = A>,
{
    let mut callers = batch.callers().await;
    callers.extract_if(.., |caller| caller.answer.is_closed()).for_each(discard);
    if callers.is_empty() {
        return;
    }
    let mut part_of = ActiveFlights::default();
    let key_and_answer = |Caller { key, marks, answer }| {
        part_of.join(marks);
        (key, answer)
    };
    let (keys, waiting): (Vec<K>, Vec<_>) = callers.into_iter().map(key_and_answer).unzip();
    let answers = part_of.enter(async {
        let asked = A::asked(&keys);
        body(keys).await.split(asked)
    });
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
            fail(&mut waiting, Failure::BatchOutput(count));
            None
        }
        Err(payload) => Some(payload),
    };
    if let Some(payload) = panicked {
        fail(&mut waiting, Failure::Panicked);
        // Reported like a panic in the background.
        resume_unwind(payload);
    }
}

type Answer<O> = oneshot::Sender<Result<O, Failure>>;

/// Sends each caller its result, until a panic.
fn hand_out<O>(
    waiting: &mut impl Iterator<Item = Answer<O>>,
    mut next: impl FnMut() -> thread::Result<Option<O>>,
) -> Option<Box<dyn Any + Send>> {
    for caller in waiting {
        match next() {
            // The result of a caller that was dropped is dropped here.
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
    pub use super::{BatchOutput, BatchSlot, Failure, Limits, assert_share, assert_share_of, hold, load};
}
