//! Every annotated function that has run, with its policies, its counters and its handles: what an operator looks at and turns.
//!
//! `examples/operator` mounts it in axum: as JSON, as figures for Prometheus, and as a page with buttons. Whoever reaches such an endpoint
//! can open every circuit: it belongs behind authentication.

mod attached;
mod function;
mod handle;
mod named;

pub use attached::Attached;
pub use function::{CallGuard, Calls, Function, Policy};
pub use handle::{Attach, CacheHandle, Handle};
use named::WeakObject;
pub use named::{Named, Object};

/// The annotated functions that have run, in the order of their first calls: all that stand in this process, of every crate.
///
/// ```
/// use steadfast::{async_cached, registry};
///
/// #[async_cached(ttl = 60s)]
/// async fn rate(currency: &str) -> u64 {
///     currency.len() as u64
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// rate("eur").await;
/// rate("eur").await;
///
/// let function = registry().find("rate").unwrap();
/// assert_eq!(function.calls().ok, 2);
/// assert_eq!(function.policies()[0].attribute, "async_cached");
/// assert_eq!(function.policies()[0].settings, "ttl = 60s");
///
/// let cache = function.caches().next().unwrap();
/// assert_eq!((cache.len(), cache.stats().hits), (1, 1));
/// cache.clear();
/// # }
/// ```
///
/// With the feature `registry`. A function is in it from its first call on; that call costs an allocation, the others two counters.
#[must_use]
pub fn registry() -> Registry {
    Registry { functions: function::all(), named: named::all() }
}

/// The annotated functions at one moment: [`registry`].
#[derive(Debug, Clone)]
pub struct Registry {
    functions: Vec<&'static Function>,
    named: Vec<(&'static str, WeakObject)>,
}

impl Registry {
    /// All of them, in the order of their first calls.
    pub fn functions(&self) -> impl Iterator<Item = &'static Function> {
        self.functions.iter().copied()
    }

    /// The caches, circuits, limits and budgets that were given a name ([`CircuitBreaker::name`](crate::CircuitBreaker::name)), in the order in
    /// which they were first used: those in fields too, as long as they live.
    ///
    /// ```
    /// use steadfast::registry::Object;
    /// use steadfast::{CircuitBreaker, circuit_breaker, registry};
    ///
    /// struct Client {
    ///     breaker: CircuitBreaker,
    /// }
    ///
    /// impl Client {
    ///     #[circuit_breaker(self.breaker)]
    ///     async fn call(&self) -> Option<()> {
    ///         Some(())
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let client = Client { breaker: CircuitBreaker::new().name("upstream") };
    /// client.call().await;
    ///
    /// let named = registry().named().find(|named| named.name() == "upstream").unwrap();
    /// let Object::CircuitBreaker(breaker) = named.object() else { panic!() };
    /// breaker.force_open();
    /// assert_eq!(client.call().await, None);
    ///
    /// drop((client, named));
    /// assert_eq!(registry().named().count(), 0);
    /// # }
    /// ```
    pub fn named(&self) -> impl Iterator<Item = Named> {
        self.named.iter().filter_map(|(name, object)| Some(Named { name, object: object.upgrade()? }))
    }

    /// The function of a name: `rate`, or with the end of its module's path, `currency::rate`. Of several (methods are found by their names
    /// and modules, and not by their types) the one that ran first; by the place of its first attribute, `src/currency.rs:12`, each can be
    /// found.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Function> {
        self.functions().find(|function| function.is_called(name))
    }
}
