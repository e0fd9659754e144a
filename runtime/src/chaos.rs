//! Fault injection for tests: latency, errors and panics in attributed functions, by name and rate.
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
//! let faults = chaos::Faults::new().errors(0.5).latency(0.2, Duration::from_millis(50)).seed(7);
//! let _chaos = chaos::inject("fetch", faults);
//! for id in 0..100 {
//!     assert_eq!(fetch(id).await.unwrap(), id); // the retries hold
//! }
//! assert!(_chaos.injected() > 50);
//! # }
//! ```
//!
//! A method is found by its name and its module, as in `client::fetch`, never by its type. An unknown name injects nothing: assert in the test
//! that [`injected`](Injected::injected) is greater than 0.
//!
//! Faults are injected at the start of the function's body, below all its attributes: each attempt of a `retry` draws its own. Requires the
//! feature `chaos`; without it the expansions contain nothing of this. Enable the feature in `dev-dependencies` only.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// The kinds of faults and their rates. Each rate is a fraction of the runs of the body, from 0 to 1, and is drawn independently. Any other
/// value, and NaN, panics where it is set: a test without faults would pass.
#[derive(Debug, Clone)]
#[must_use = "no fault occurs until it is injected"]
pub struct Faults {
    errors: f64,
    panics: f64,
    slow: f64,
    latency: Duration,
    seed: u64,
}

impl Faults {
    /// No faults.
    pub const fn new() -> Self {
        Self { errors: 0.0, panics: 0.0, slow: 0.0, latency: Duration::ZERO, seed: 0 }
    }

    /// The fraction of runs that return an [`Error`] of kind [`Injected`](ErrorKind::Injected), in the function's own error type (or `None`).
    /// A return type that cannot represent it panics instead.
    pub const fn errors(mut self, share: f64) -> Self {
        self.errors = checked(share);
        self
    }

    /// The fraction of runs that panic.
    pub const fn panics(mut self, share: f64) -> Self {
        self.panics = checked(share);
        self
    }

    /// The fraction of runs that wait for `latency` first: on Tokio's clock, or on the thread in a blocking function.
    pub const fn latency(mut self, share: f64, latency: Duration) -> Self {
        self.slow = checked(share);
        self.latency = latency;
        self
    }

    /// The seed of the draws: with the same seed and order of calls, a test meets the same faults.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

const fn checked(share: f64) -> f64 {
    assert!(share >= 0.0 && share <= 1.0, "the rate of a fault must be between 0 and 1");
    share
}

impl Default for Faults {
    fn default() -> Self {
        Self::new()
    }
}

/// Injects faults into the functions of this name (`fetch`, or with the end of the module's path, `client::fetch`), until the returned
/// value is dropped. Of several injections for one function, the latest applies.
#[must_use = "dropping it ends the injection"]
pub fn inject(function: &'static str, faults: Faults) -> Injected {
    let random = Mutex::new(fastrand::Rng::with_seed(faults.seed));
    let rule = Arc::new(Rule { function, faults, random, struck: AtomicU64::new(0) });
    RULES.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&rule));
    ACTIVE.fetch_add(1, Relaxed);
    Injected(rule)
}

/// Active fault injection, which ends when this is dropped.
#[derive(Debug)]
pub struct Injected(Arc<Rule>);

impl Injected {
    /// The number of runs with a fault: an error, a panic or a wait.
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

/// The number of rules, which a call checks first.
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

/// The faults of one run.
#[doc(hidden)]
#[derive(Debug)]
pub struct Fault {
    function: &'static str,
    wait: Duration,
    panics: bool,
    fails: bool,
}

impl Fault {
    /// Waits, panics, or returns the error.
    pub async fn strike(self) -> Option<Error> {
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
        self.end()
    }

    /// The same in a blocking function.
    #[must_use]
    pub fn strike_blocking(self) -> Option<Error> {
        std::thread::sleep(self.wait);
        self.end()
    }

    fn end(self) -> Option<Error> {
        assert!(!self.panics, "`{}` panicked: injected by `steadfast::chaos`", self.function);
        self.fails.then(|| Error::new(ErrorKind::Injected, self.function))
    }
}

#[doc(hidden)]
pub mod private {
    use std::sync::PoisonError;
    use std::sync::atomic::Ordering::Relaxed;

    use super::{ACTIVE, Fault, RULES};

    /// The faults of this run of the function.
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
