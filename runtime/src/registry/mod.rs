//! Every attributed function that has run, with its policies, counters and handles, for inspection and control at runtime.
//!
//! `examples/operator` mounts it in axum: as JSON, as metrics for Prometheus, and as a page with controls. Any client of such an endpoint can
//! open every circuit: put it behind authentication.

mod attached;
mod function;
mod handle;
mod named;

pub use attached::Attached;
pub use function::{CallGuard, Calls, Function, Policy};
pub use handle::{Attach, CacheHandle, Handle, PoliciesByKey};
use named::WeakObject;
pub use named::{Named, Object};

/// The attributed functions of this process that have run, in the order of their first calls, across all crates.
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
/// Requires the feature `registry`. A function is listed from its first call on; that call costs an allocation, each further call two counters.
#[must_use]
pub fn registry() -> Registry {
    Registry { functions: function::all(), named: named::all() }
}

/// A snapshot of the attributed functions: [`registry`].
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

    /// The caches, circuits, limits and budgets with a name ([`CircuitBreaker::name`](crate::CircuitBreaker::name)), in the order of their first
    /// use. Those in fields are listed as long as they live.
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

    /// Finds a function by its name: `rate`, or with the end of its module's path, `currency::rate`. Of several (methods are found by name and
    /// module, not by type), the one that ran first. The location of its first attribute, `src/currency.rs:12`, is unambiguous.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Function> {
        self.functions().find(|function| function.is_called(name))
    }
}
