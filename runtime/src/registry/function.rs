//! An attributed function: its location, its attributes and its call counts.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::handle::{CacheHandle, Handle, PoliciesByKey};
use crate::body::CallState;
use crate::circuit_breaker::CircuitBreaker;
use crate::concurrency_limit::ConcurrencyLimiter;
#[cfg(feature = "metrics")]
use crate::metrics::durations::Durations;
use crate::rate_limit::RateLimiter;
use crate::stripe::Counters;

/// An attributed function, as [`registry`](super::registry) lists it.
pub struct Function {
    name: &'static str,
    module: &'static str,
    file: &'static str,
    line: u32,
    policies: &'static [Policy],
    listed: AtomicBool,
    counts: Counters<5>,
    handles: Mutex<Vec<Handle>>,
    #[cfg(feature = "metrics")]
    durations: Durations,
}

/// An attribute on a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `timeout`
    pub attribute: &'static str,
    /// The contents of its parentheses, with each string replaced by `".."`: it may be a secret (`key = "..."`), and operators see this. Numbers
    /// and names are shown, so they must not contain secrets.
    pub settings: &'static str,
}

/// Counts of the calls of a function by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Calls {
    /// Calls that were polled.
    pub started: u64,
    /// Calls that returned an `Ok`, a `Some` or a plain value.
    pub ok: u64,
    /// Calls that returned an `Err` or a `None`.
    pub failed: u64,
    /// Calls that were dropped before they returned.
    pub cancelled: u64,
    /// Calls that panicked themselves; a call that is dropped by the panic of another is cancelled.
    pub panicked: u64,
}

/// The counters of a function.
#[derive(Debug, Clone, Copy)]
enum Count {
    Started,
    Ok,
    Failed,
    Cancelled,
    Panicked,
}

impl Calls {
    /// The number of calls in progress.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.started.saturating_sub(self.ok + self.failed + self.cancelled + self.panicked)
    }
}

impl Function {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, module: &'static str, file: &'static str, line: u32, policies: &'static [Policy]) -> Self {
        Self {
            name,
            module,
            file,
            line,
            policies,
            listed: AtomicBool::new(false),
            counts: Counters::new(),
            handles: Mutex::new(Vec::new()),
            #[cfg(feature = "metrics")]
            durations: Durations::new(),
        }
    }

    /// Its name in the source, without the `r#` of a raw identifier.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The path of its module.
    #[must_use]
    pub fn module(&self) -> &'static str {
        self.module
    }

    /// The source file, by the path that was passed to the compiler.
    #[must_use]
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The line of its first attribute.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Its attributes of this crate, outermost first.
    #[must_use]
    pub fn policies(&self) -> &'static [Policy] {
        self.policies
    }

    /// Counts of its calls so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        // Ends before starts, so that `running` never counts a call that has not started.
        let [ok, failed, cancelled, panicked] =
            [Count::Ok, Count::Failed, Count::Cancelled, Count::Panicked].map(|count| self.counts.sum(count as usize));
        Calls { started: self.counts.sum(Count::Started as usize), ok, failed, cancelled, panicked }
    }

    /// The handles of its policies: its own, and statics that it names. Those of an instance (`cache = self.users`) are not known here, and of a
    /// generic function only the first instantiation's cache.
    pub fn handles(&self) -> impl Iterator<Item = Handle> {
        self.lock().clone().into_iter()
    }

    /// Its caches.
    pub fn caches(&self) -> impl Iterator<Item = &'static dyn CacheHandle> {
        self.handles().filter_map(|handle| match handle {
            Handle::Cache(cache) => Some(cache),
            _ => None,
        })
    }

    /// Its circuit breakers.
    pub fn circuit_breakers(&self) -> impl Iterator<Item = &'static CircuitBreaker> {
        self.handles().filter_map(|handle| match handle {
            Handle::CircuitBreaker(breaker) => Some(breaker),
            _ => None,
        })
    }

    /// Its rate limiters.
    pub fn rate_limiters(&self) -> impl Iterator<Item = &'static RateLimiter> {
        self.handles().filter_map(|handle| match handle {
            Handle::RateLimiter(limiter) => Some(limiter),
            _ => None,
        })
    }

    /// Its concurrency limiters.
    pub fn concurrency_limiters(&self) -> impl Iterator<Item = &'static ConcurrencyLimiter> {
        self.handles().filter_map(|handle| match handle {
            Handle::ConcurrencyLimiter(limiter) => Some(limiter),
            _ => None,
        })
    }

    /// Its circuit breakers, by key.
    pub fn circuit_breakers_by_key(&self) -> impl Iterator<Item = &'static dyn PoliciesByKey<CircuitBreaker>> {
        self.handles().filter_map(|handle| match handle {
            Handle::CircuitBreakers(breakers) => Some(breakers),
            _ => None,
        })
    }

    /// Its concurrency limiters, by key.
    pub fn concurrency_limiters_by_key(&self) -> impl Iterator<Item = &'static dyn PoliciesByKey<ConcurrencyLimiter>> {
        self.handles().filter_map(|handle| match handle {
            Handle::ConcurrencyLimiters(limiters) => Some(limiters),
            _ => None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Handle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        if name.strip_prefix(self.file).and_then(|rest| rest.strip_prefix(':')).is_some_and(|line| line.parse() == Ok(self.line)) {
            return true;
        }
        match name.rsplit_once("::") {
            None => self.is_named(name),
            Some((module, name)) => {
                let before = self.module.strip_suffix(module);
                self.is_named(name) && before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
            }
        }
    }

    /// Also matches a raw identifier: `r#match`.
    fn is_named(&self, name: &str) -> bool {
        self.name == name.strip_prefix("r#").unwrap_or(name)
    }

    pub(super) fn attach(&self, handle: Handle) {
        self.lock().push(handle);
    }

    /// Starts a call.
    #[doc(hidden)]
    #[inline]
    pub fn enter(&'static self) -> CallGuard {
        if !self.listed.load(Relaxed) {
            self.list();
        }
        self.counts.add(Count::Started as usize);
        CallGuard {
            function: Some(self),
            state: CallState::Running,
            #[cfg(feature = "metrics")]
            started: crate::metrics::durations::start(),
        }
    }

    #[cold]
    fn list(&'static self) {
        if !self.listed.swap(true, Relaxed) {
            FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner).push(self);
        }
    }
}

static FUNCTIONS: Mutex<Vec<&'static Function>> = Mutex::new(Vec::new());

/// The functions that have run, in the order of their first calls.
pub(super) fn all() -> Vec<&'static Function> {
    FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Function");
        debug.field("name", &self.name).field("module", &self.module).field("file", &self.file).field("line", &self.line);
        debug.field("policies", &self.policies).field("calls", &self.calls()).finish_non_exhaustive()
    }
}

/// A call in progress. Dropped before it has [left](Self::leave), it was cancelled or has panicked.
#[doc(hidden)]
#[derive(Debug)]
pub struct CallGuard {
    /// `None` once it has left.
    function: Option<&'static Function>,
    /// The state of the call.
    pub state: CallState,
    /// 0: durations are not recorded.
    #[cfg(feature = "metrics")]
    started: u64,
}

impl CallGuard {
    /// The call returns. In place: a move first would cause a store-forwarding stall.
    #[inline]
    pub fn leave(&mut self, failed: bool) {
        let Some(function) = self.function.take() else { return };
        function.counts.add(if failed { Count::Failed } else { Count::Ok } as usize);
        #[cfg(feature = "metrics")]
        function.durations.end(self.started, function.name, function.module);
    }

    #[cold]
    #[inline(never)]
    fn abandon(&self, function: &'static Function) {
        function.counts.add(if self.state.panics() { Count::Panicked } else { Count::Cancelled } as usize);
    }
}

impl Drop for CallGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(function) = self.function {
            self.abandon(function);
        }
    }
}
