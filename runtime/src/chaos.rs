//! Faults on purpose, for tests: latency, errors and panics in annotated functions, by name and rate.
//!
//! ```
//! use std::time::Duration;
//! use steadfast::{chaos, retry};
//!
//! #[retry(attempts = 10, delay = 0s)]
//! async fn fetch(id: u64) -> std::io::Result<u64> {
//!     Ok(id)
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let _chaos = chaos::inject("fetch", chaos::Faults::new().errors(0.5).latency(0.2, Duration::from_millis(50)).seed(7));
//! for id in 0..100 {
//!     assert_eq!(fetch(id).await.unwrap(), id); // the retries hold
//! }
//! assert!(_chaos.injected() > 50);
//! # }
//! ```
//!
//! A method goes by its own name and its module, as in `client::fetch`, and never by its type. A name that nothing has injects nothing: a
//! test asserts that [`injected`](Injected::injected) is more than 0.
//!
//! The faults strike where the function's own body begins, below all its attributes: each attempt of a `retry` meets its own. Only with the
//! feature `chaos`; without it the attributes write nothing of this. It is for tests: put the feature under `dev-dependencies`.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// What goes wrong, and how often. Each rate is a share of the runs of the body, from 0 to 1, and is drawn for itself. One that is not, or
/// is NaN, panics where it is said: a test whose faults never strike would pass.
#[derive(Debug, Clone)]
#[must_use = "faults strike once they are injected"]
pub struct Faults {
    errors: f64,
    panics: f64,
    slow: f64,
    latency: Duration,
    seed: u64,
}

impl Faults {
    /// Nothing goes wrong.
    pub const fn new() -> Self {
        Self { errors: 0.0, panics: 0.0, slow: 0.0, latency: Duration::ZERO, seed: 0 }
    }

    /// This share of runs comes to an [`Error`] of the kind [`Injected`](ErrorKind::Injected), in the function's own error type (or `None`).
    /// A return type that carries no error panics instead.
    pub const fn errors(mut self, share: f64) -> Self {
        self.errors = checked(share);
        self
    }

    /// This share of runs panics.
    pub const fn panics(mut self, share: f64) -> Self {
        self.panics = checked(share);
        self
    }

    /// This share of runs waits for `latency` first: on tokio's clock, in a blocking function on the thread.
    pub const fn latency(mut self, share: f64, latency: Duration) -> Self {
        self.slow = checked(share);
        self.latency = latency;
        self
    }

    /// What the draws depend on: runs of a test with the same seed, in the same order, meet the same faults.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

const fn checked(share: f64) -> f64 {
    assert!(share >= 0.0 && share <= 1.0, "faults strike a share of the runs, from 0 to 1");
    share
}

impl Default for Faults {
    fn default() -> Self {
        Self::new()
    }
}

/// Injects faults into the functions of this name (`fetch`, or with the end of the module's path, `client::fetch`), until the returned
/// value is dropped. Of several injections for one function the latest strikes.
#[must_use = "the faults end when this is dropped"]
pub fn inject(function: &'static str, faults: Faults) -> Injected {
    let random = Mutex::new(fastrand::Rng::with_seed(faults.seed));
    let rule = Arc::new(Rule { function, faults, random, struck: AtomicU64::new(0) });
    RULES.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&rule));
    ACTIVE.fetch_add(1, Relaxed);
    Injected(rule)
}

/// Faults in force. They end when it is dropped.
#[derive(Debug)]
pub struct Injected(Arc<Rule>);

impl Injected {
    /// How many runs were struck: by an error, a panic or a wait.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.0.struck.load(Relaxed)
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Relaxed);
        RULES.write().unwrap_or_else(PoisonError::into_inner).retain(|rule| !Arc::ptr_eq(rule, &self.0));
    }
}

#[derive(Debug)]
struct Rule {
    function: &'static str,
    faults: Faults,
    random: Mutex<fastrand::Rng>,
    struck: AtomicU64,
}

static RULES: RwLock<Vec<Arc<Rule>>> = RwLock::new(Vec::new());

/// How many rules there are: what a call looks at first.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

impl Rule {
    fn is_for(&self, function: &str, module: &str) -> bool {
        match self.function.rsplit_once("::") {
            None => self.function == function,
            Some((end, name)) => {
                let before = module.strip_suffix(end);
                name == function && before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
            }
        }
    }

    fn draw(&self, function: &'static str) -> Option<Fault> {
        let Faults { errors, panics, slow, latency, .. } = self.faults;
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut happens = |share: f64| random.f64() < share;
        let wait = if happens(slow) { latency } else { Duration::ZERO };
        let fault = Fault { function, wait, panics: happens(panics), fails: happens(errors) };
        let strikes = fault.panics || fault.fails || !wait.is_zero();
        self.struck.fetch_add(u64::from(strikes), Relaxed);
        strikes.then_some(fault)
    }
}

/// What happens to one run.
#[doc(hidden)]
#[derive(Debug)]
pub struct Fault {
    function: &'static str,
    wait: Duration,
    panics: bool,
    fails: bool,
}

impl Fault {
    /// Waits, panics, or gives the error.
    pub async fn strike(self) -> Option<Error> {
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
        self.end()
    }

    /// The same on a thread of its own.
    #[must_use]
    pub fn strike_blocking(self) -> Option<Error> {
        std::thread::sleep(self.wait);
        self.end()
    }

    fn end(self) -> Option<Error> {
        assert!(!self.panics, "chaos in `{}`: a panic was injected", self.function);
        self.fails.then(|| Error::new(ErrorKind::Injected, self.function))
    }
}

#[doc(hidden)]
pub mod private {
    use std::sync::PoisonError;
    use std::sync::atomic::Ordering::Relaxed;

    use super::{ACTIVE, Fault, RULES};

    /// What happens to this run of the function.
    #[inline]
    #[must_use]
    pub fn fault(function: &'static str, module: &'static str) -> Option<Fault> {
        if ACTIVE.load(Relaxed) == 0 {
            return None;
        }
        let rules = RULES.read().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter().rev().find(|rule| rule.is_for(function, module)).cloned();
        drop(rules);
        rule?.draw(function)
    }
}
