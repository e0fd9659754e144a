//! The retry budget: limits the retries of all calls together.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;
use crate::gcra::{AtomicQuota, Gcra};
use crate::name::Name;

/// A retry budget: limits retries to a fraction of successful calls, so that retries cannot overload a failing dependency.
///
/// Each success adds a fraction of a retry to the balance, and each retry spends one. A fixed number of retries per second is
/// allowed in addition, without which a rarely called function could never retry. When the budget is exhausted, a failed call
/// returns its error at once. This is the retry budget of Finagle, which tower implements as well; the defaults are Finagle's.
///
/// Share one budget among all functions that call the same dependency.
///
/// ```
/// use steadfast::{RetryBudget, retry};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// static SHOP: RetryBudget = RetryBudget::new().retry_ratio(0.1).min_per_second(0);
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
///     stock(true).await; // adds ten retries in total
/// }
/// for _ in 0..1_000 {
///     assert!(stock(false).await.is_none());
/// }
/// assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 1_100 + 10);
/// # }
/// ```
pub struct RetryBudget {
    /// Added to the balance by each success, in thousandths of a retry.
    ratio: u64,
    /// The maximum balance, in thousandths of a retry.
    reserve: u64,
    balance: AtomicU64,
    minimum: Option<AtomicQuota>,
    gcra: Gcra,
    name: Name<Self>,
}

/// One retry, in the unit of the balance.
const RETRY: u64 = 1_000;

impl RetryBudget {
    /// A budget of one retry per five successes, a maximum balance of 100 retries, and 10 further retries per second.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(200, 100 * RETRY, None).min_per_second(10)
    }

    const fn of(ratio: u64, reserve: u64, minimum: Option<AtomicQuota>) -> Self {
        Self { ratio, reserve, balance: AtomicU64::new(0), minimum, gcra: Gcra::new(), name: Name::none() }
    }

    /// Sets the name under which the [registry](crate#features) lists the budget while it exists, whether it is a `static` or a
    /// field. With the `registry` feature, the state of a named budget is allocated on the heap at first use.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name.set(name);
        self
    }

    /// The value that holds the state.
    #[inline]
    fn live(&self) -> &Self {
        self.name.state(self, || Self::of(self.ratio, self.reserve, self.minimum.as_ref().map(AtomicQuota::as_built)))
    }

    /// Sets how many retries each success adds to the balance, to three decimal places. Default: 0.2.
    ///
    /// # Panics
    ///
    /// If it is negative or NaN. In a `static` this is a compile error.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a cast of floats saturates"
    )]
    pub const fn retry_ratio(mut self, ratio: f64) -> Self {
        assert!(ratio >= 0.0, "`retry_ratio` must be at least 0");
        self.ratio = (ratio * RETRY as f64 + 0.5) as u64;
        self
    }

    /// Sets how many retries per second are allowed in addition to the balance. Default: 10.
    #[must_use]
    pub const fn min_per_second(mut self, retries: u32) -> Self {
        self.minimum = match retries {
            0 => None,
            count => Some(AtomicQuota::new(count, Duration::from_secs(1))),
        };
        self
    }

    /// Sets the maximum balance in retries. Default: 100.
    #[must_use]
    pub const fn reserve(mut self, retries: u32) -> Self {
        self.reserve = retries as u64 * RETRY;
        self
    }

    /// Clears the balance, and restores the full allowance per second.
    pub fn reset(&self) {
        self.balance.store(0, Ordering::Relaxed);
        self.gcra.reset(clock::now());
    }

    /// The current balance: the retries that successes have paid for, not counting those allowed per second.
    #[must_use]
    pub fn balance(&self) -> u64 {
        self.live().balance.load(Ordering::Relaxed) / RETRY
    }

    /// Records a success. For calls made outside of `#[retry]`, which records its own.
    #[inline]
    pub fn deposit(&self) {
        let this = self.live();
        let more = |balance: u64| (balance < this.reserve).then(|| balance.saturating_add(this.ratio).min(this.reserve));
        // A full balance is not written.
        let _ = this.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Spends a retry. Returns whether one was available.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        let this = self.live();
        let taken = this.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |balance| balance.checked_sub(RETRY));
        taken.is_ok()
            || this.minimum.as_ref().is_some_and(|minimum| this.gcra.try_acquire(minimum.params(), 1, clock::now()).is_ok())
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

// A panic cannot leave a retry half spent.
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
        let budget = RetryBudget::new().retry_ratio(1.0).reserve(u32::MAX);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..100_000).for_each(|_| budget.deposit()));
            }
        });
        assert_eq!(budget.balance(), 200_000);
    }

    #[test]
    fn a_negative_ratio_panics() {
        for share in [-0.1, f64::NAN] {
            assert!(std::panic::catch_unwind(|| RetryBudget::new().retry_ratio(share)).is_err(), "{share}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_ratio_of_the_successes_and_a_minimum() {
        let budget = RetryBudget::new().retry_ratio(0.5).min_per_second(2).reserve(3);
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
