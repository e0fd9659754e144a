//! How many retries all calls together may make.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;
use crate::gcra::{AtomicQuota, Gcra};
use crate::name::Name;

/// Keeps retries a small share of the calls, so that what is down is not kept down by them.
///
/// A success puts a share of a token into the bucket, and each retry takes one out; besides, so many retries a second are always allowed,
/// or a function that is seldom called could never retry. When the budget is empty, a failed call returns its error at once. That is the
/// retry budget of Finagle, which tower has as well; the figures it is made with are Finagle's.
///
/// One budget is meant to be shared by all functions that call the same thing.
///
/// ```
/// use steadfast::{RetryBudget, retry};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// static SHOP: RetryBudget = RetryBudget::new().share(0.1).floor(0);
/// static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
///
/// #[retry(delay = 0s, budget = SHOP)]
/// async fn stock(up: bool) -> Option<()> {
///     ATTEMPTS.fetch_add(1, Ordering::Relaxed);
///     up.then_some(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// for _ in 0..100 {
///     stock(true).await; // ten retries' worth
/// }
/// for _ in 0..1_000 {
///     assert!(stock(false).await.is_none());
/// }
/// assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 1_100 + 10);
/// # }
/// ```
pub struct RetryBudget {
    /// Thousandths of a retry for each success.
    share: u64,
    /// Thousandths of a retry that are kept at most.
    reserve: u64,
    balance: AtomicU64,
    floor: Option<AtomicQuota>,
    gcra: Gcra,
    name: Name<Self>,
}

/// A retry, in the unit of the balance.
const RETRY: u64 = 1_000;

impl RetryBudget {
    /// A fifth of the successes, with 100 retries kept at most, and 10 retries a second besides.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(200, 100 * RETRY, None).floor(10)
    }

    const fn of(share: u64, reserve: u64, floor: Option<AtomicQuota>) -> Self {
        Self { share, reserve, balance: AtomicU64::new(0), floor, gcra: Gcra::new(), name: Name::none() }
    }

    /// Gives it a name, by which the [registry](crate#features) lists it as long as it lives, in a field too. With the feature `registry` the state
    /// of a budget with a name is on the heap, made at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    /// Where its state is.
    #[inline]
    fn live(&self) -> &Self {
        self.name.state(self, || Self::of(self.share, self.reserve, self.floor.as_ref().map(AtomicQuota::as_built)))
    }

    /// The share of a retry that each success is good for \[0.2\], to three decimal places.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN. In a `static` that is an error of the compiler.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a cast of floats saturates"
    )]
    pub const fn share(mut self, share: f64) -> Self {
        assert!(share >= 0.0, "a share of a retry is 0 or more");
        self.share = (share * RETRY as f64 + 0.5) as u64;
        self
    }

    /// How many retries a second are allowed besides \[10\].
    #[must_use]
    pub const fn floor(mut self, per_second: u32) -> Self {
        self.floor = match per_second {
            0 => None,
            count => Some(AtomicQuota::new(count, Duration::from_secs(1))),
        };
        self
    }

    /// How many retries are kept at most, from successes, for worse times \[100\].
    #[must_use]
    pub const fn reserve(mut self, retries: u32) -> Self {
        self.reserve = retries as u64 * RETRY;
        self
    }

    /// Forgets the successes, and the retries that were made: as it was when it was made.
    pub fn reset(&self) {
        self.balance.store(0, Ordering::Relaxed);
        self.gcra.reset(clock::now());
    }

    /// How many retries the successes so far are good for. Those of the floor are not counted.
    #[must_use]
    pub fn balance(&self) -> u64 {
        self.live().balance.load(Ordering::Relaxed) / RETRY
    }

    /// Counts a success: for calls that are not made by a `#[retry]`, which counts its own.
    #[inline]
    pub fn deposit(&self) {
        let this = self.live();
        let more = |balance: u64| (balance < this.reserve).then(|| balance.saturating_add(this.share).min(this.reserve));
        // A full bucket stays as it is.
        let _ = this.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes a retry. Whether there was one.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        let this = self.live();
        let taken = this.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |balance| balance.checked_sub(RETRY));
        taken.is_ok() || this.floor.as_ref().is_some_and(|floor| this.gcra.try_acquire(floor, clock::now()).is_ok())
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

// A panic leaves no retry half taken.
impl UnwindSafe for RetryBudget {}
impl RefUnwindSafe for RetryBudget {}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget").field("name", &self.name.get()).field("balance", &self.balance()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_success_is_lost_among_threads() {
        let budget = RetryBudget::new().share(1.0).reserve(u32::MAX);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..100_000).for_each(|_| budget.deposit()));
            }
        });
        assert_eq!(budget.balance(), 200_000);
    }

    #[test]
    fn a_share_that_is_none_panics() {
        for share in [-0.1, f64::NAN] {
            assert!(std::panic::catch_unwind(|| RetryBudget::new().share(share)).is_err(), "{share}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_the_successes_and_a_floor() {
        let budget = RetryBudget::new().share(0.5).floor(2).reserve(3);
        assert!(budget.withdraw() && budget.withdraw() && !budget.withdraw());
        for _ in 0..100 {
            budget.deposit();
        }
        assert_eq!(budget.balance(), 3);
        assert!(budget.withdraw() && budget.withdraw() && budget.withdraw() && !budget.withdraw());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(budget.withdraw() && !budget.withdraw());
        budget.deposit();
        budget.reset();
        assert_eq!(budget.balance(), 0);
        assert!(budget.withdraw() && budget.withdraw() && !budget.withdraw());
    }
}
