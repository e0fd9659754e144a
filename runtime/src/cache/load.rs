//! Loading by hand: what the attribute does, for a key and a closure.

use std::hash::Hash;
use std::sync::Arc;

use super::background::Spawned;
use super::by_hand::Cache;
use super::call::{self, Begin, Mode, Next, Owned};
use super::flight::Turn;
use super::key::Key;
use super::lead::Lead;
use super::shape::{Optional, Plain, Shape, SharedResult};
use super::tags::Tags;
use super::waiter::Waited;

/// Under which name a computation in the background is reported.
const SPAWNED: &str = "Cache::get_or_spawn";

const MODE: Mode = Mode { refresh: false, single_flight: true };

/// What a loading closure may return, for a cache of `V`: a `V`; a `Result<V, E>`, whose `Err` is not stored and goes to all who wait
/// (`E: Clone + Send + Sync + 'static`); or an `Option<V>`, whose `None` is not stored. Which of them is inferred: `M` is never written.
#[diagnostic::on_unimplemented(
    message = "a cache of `{V}` cannot be loaded with `{Self}`",
    label = "neither the value, nor a `Result` or `Option` of it",
    note = "the error of a `Result` is shared by all who wait for it: it must be `Clone + Send + Sync + 'static` (put what is not into an `Arc`)"
)]
pub trait Loaded<V, M>: Sized {
    #[doc(hidden)]
    type Shape: Shape<Out = Self, Value = V>;

    #[doc(hidden)]
    fn shape() -> Self::Shape;
}

/// How a return type is stored, told apart for inference only.
#[doc(hidden)]
#[derive(Debug)]
pub enum Whole {}

#[doc(hidden)]
#[derive(Debug)]
pub struct Fallible<E>(E);

#[doc(hidden)]
#[derive(Debug)]
pub enum Perhaps {}

impl<V> Loaded<V, Whole> for V {
    type Shape = Plain<V>;

    fn shape() -> Plain<V> {
        Plain::of_type()
    }
}

impl<V, E: Clone + Send + Sync + 'static> Loaded<V, Fallible<E>> for Result<V, E> {
    type Shape = SharedResult<V, E>;

    fn shape() -> SharedResult<V, E> {
        SharedResult::of_type()
    }
}

impl<V> Loaded<V, Perhaps> for Option<V> {
    type Shape = Optional<V>;

    fn shape() -> Optional<V> {
        Optional::of_type()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// The value of `key`; where it is not there, `load` computes it, once for all who ask meanwhile.
    ///
    /// ```
    /// use steadfast::Cache;
    ///
    /// static LENGTHS: Cache<String, usize> = Cache::new(100);
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
    /// let plain = LENGTHS.get_or_load("steadfast".to_owned(), async || 9).await;
    /// let fallible = LENGTHS.get_or_load("".to_owned(), async || Err::<usize, _>("empty".to_owned())).await;
    /// assert_eq!((plain, fallible), (9, Err("empty".to_owned())));
    /// assert_eq!(LENGTHS.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// The flights are those of [`async_cached`](macro@crate::async_cached): they are shared with the functions that use the same cache,
    /// and end in the same way for errors, invalidations, panics and callers that are dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call while it computes hands over to the next who waits.
    ///
    /// # Panics
    ///
    /// Where `load` asks for the key that it is computing.
    pub async fn get_or_load<R, M>(&self, key: K, load: impl AsyncFnOnce() -> R) -> R
    where
        R: Loaded<V, M>,
        K: Key<K>,
    {
        let shape = R::shape();
        let turn = match call::begin(self, &key, owned(&key), shape, MODE) {
            Begin::Hit(out) => return out,
            Begin::Miss(turn) => turn,
            Begin::Recursion => panic_of_recursion(),
        };
        let lead = match turn {
            Turn::Lead(lead) => lead,
            Turn::Wait(waiter) => match waiter.wait_as_set(shape).await {
                Waited::Done(out) => return out,
                Waited::Lead(lead) => lead,
            },
        };
        let out = lead.scope(load()).await;
        lead.land(shape, out, self.shared().settings.by_hand())
    }

    /// Like [`get_or_load`](Self::get_or_load), with the computation on a task of its own: a caller that is dropped does not throw it
    /// away, and `stale_while_revalidate` and `refresh_ahead` of the cache apply. A panic that no caller sees goes to [`on_report`](crate::on_report),
    /// and [`drain`](crate::drain) waits for what is under way.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::Cache;
    ///
    /// static RATES: Cache<&str, u64> =
    ///     Cache::builder().ttl(Duration::from_secs(60)).stale_while_revalidate(Duration::from_secs(600)).build();
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert_eq!(RATES.get_or_spawn("eur", async || 100).await, 100);
    /// tokio::time::advance(Duration::from_secs(90)).await;
    /// assert_eq!(RATES.get_or_spawn("eur", async || 101).await, 100); // at once, and refreshed behind it
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where `load` asks for the key that it is computing, and where there is no runtime or it shuts down meanwhile.
    pub async fn get_or_spawn<R, M, F>(&self, key: K, load: impl FnOnce() -> F) -> R
    where
        R: Loaded<V, M, Shape: 'static> + Send + 'static,
        F: Future<Output = R> + Send + 'static,
        K: Key<K> + Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let shape = R::shape();
        let revalidate = self.shared().settings.by_hand().revalidate();
        let next = match call::begin_or_refresh(self, &key, owned(&key), shape, MODE, revalidate) {
            Begin::Hit(out) => return out,
            Begin::Miss(next) => next,
            Begin::Recursion => panic_of_recursion(),
        };
        let turn = match next {
            Next::Compute(turn) => turn,
            Next::Refresh(out, lead) => {
                drop(self.spawn(lead, shape, load()));
                return out;
            }
        };
        let lead = match turn {
            Turn::Lead(lead) => lead,
            Turn::Wait(waiter) => match waiter.wait_as_set(shape).await {
                Waited::Done(out) => return out,
                Waited::Lead(lead) => lead,
            },
        };
        match self.spawn(lead, shape, load()).await {
            Ok(out) => out,
            Err(stopped) => panic!("{}", stopped.error(SPAWNED)),
        }
    }

    fn spawn<S, F>(&self, lead: Lead<K, V>, shape: S, load: F) -> Spawned<S::Out>
    where
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
        S: Shape<Value = V, Out: Send + 'static> + 'static,
        F: Future<Output = S::Out> + Send + 'static,
    {
        let shared = Arc::clone(self.shared());
        lead.spawn(SPAWNED, shape, async move { (load.await, shared.settings.by_hand()) })
    }
}

fn owned<K: Clone>(key: &K) -> Owned<impl Fn() -> K + '_, impl FnOnce() -> Tags> {
    Owned { key: || key.clone(), tags: Tags::none }
}

#[cold]
fn panic_of_recursion() -> ! {
    panic!("{}", call::recursion("Cache::get_or_load"))
}
