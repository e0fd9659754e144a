//! The limiter without an attribute: permits to hold for as long as something runs.

use std::time::Duration;

use super::acquire::TryAcquire;
use super::limiter::ConcurrencyLimiter;
use super::permit::Permit;
use super::saturated::Saturated;
use crate::error::Error;
use crate::events::{Origin, Wait};

/// What errors call a limiter without a name.
const KIND: &str = "concurrency_limit";

/// Where calls wait that are not of a function.
static BY_HAND: Origin = Origin { function: KIND, module: "" };

impl ConcurrencyLimiter {
    /// Waits for a permit, in FIFO order with the calls of the attribute. The permit is released when it is dropped.
    ///
    /// The bound of the [`queue`](Self::queue) does not apply, since this cannot be rejected.
    ///
    /// Dropping the future gives up the place in the queue, or the permit that it has been granted in the meantime. A future that is kept
    /// and not polled loses its turn to those behind it, and regains the front of the queue when it is polled again.
    ///
    /// ```
    /// use steadfast::ConcurrencyLimiter;
    ///
    /// static DISK: ConcurrencyLimiter = ConcurrencyLimiter::new(8);
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let permit = DISK.acquire().await;
    /// assert_eq!(DISK.running(), 1);
    /// drop(permit);
    /// assert_eq!(DISK.running(), 0);
    /// # }
    /// ```
    pub async fn acquire(&self) -> ConcurrencyPermit<'_> {
        match self.permit_or_wait(u32::MAX) {
            TryAcquire::Now(permit) => ConcurrencyPermit(permit),
            TryAcquire::Queued(waiting) => {
                let wait = Wait::begin(&BY_HAND, "concurrency");
                let permit = waiting.await;
                wait.end();
                ConcurrencyPermit(permit)
            }
            TryAcquire::Full => unreachable!("the queue has no bound"),
        }
    }

    /// Takes a permit without waiting. Waiting calls take precedence, unless none of them is being polled.
    ///
    /// # Errors
    ///
    /// If no permit is free. [`Error::function`] is the [`name`](Self::name) of the limiter, or `"concurrency_limit"`.
    ///
    /// ```
    /// use steadfast::ConcurrencyLimiter;
    ///
    /// let limiter = ConcurrencyLimiter::new(1).name("uploads");
    /// let _permit = limiter.try_acquire().unwrap();
    /// let rejected = limiter.try_acquire().unwrap_err();
    /// assert_eq!(rejected.to_string(), "`uploads` was rejected: concurrency limit of 1 reached");
    /// ```
    pub fn try_acquire(&self) -> Result<ConcurrencyPermit<'_>, Error> {
        self.permit_now().or_else(|| self.try_overtake()).map(ConcurrencyPermit).ok_or_else(|| self.rejection())
    }

    /// Waits for a permit for up to `max_wait`, in FIFO order with the calls of the attribute.
    ///
    /// Cancel safe, as [`acquire`](Self::acquire) is.
    ///
    /// # Errors
    ///
    /// If no permit is free within `max_wait`, and at once if the [`queue`](Self::queue) is full. [`Error::function`] is the
    /// [`name`](Self::name) of the limiter, or `"concurrency_limit"`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::ConcurrencyLimiter;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let limiter = ConcurrencyLimiter::new(1);
    /// let _permit = limiter.acquire().await;
    /// assert!(limiter.acquire_within(Duration::from_millis(50)).await.unwrap_err().is_saturated());
    /// # }
    /// ```
    pub async fn acquire_within(&self, max_wait: Duration) -> Result<ConcurrencyPermit<'_>, Error> {
        if max_wait.is_zero() {
            return self.try_acquire();
        }
        match self.permit_or_wait(self.live().queue_bound()) {
            TryAcquire::Now(permit) => Ok(ConcurrencyPermit(permit)),
            TryAcquire::Queued(waiting) => {
                let wait = Wait::begin(&BY_HAND, "concurrency");
                let permit = tokio::time::timeout(max_wait, waiting).await;
                wait.end();
                permit.map(ConcurrencyPermit).map_err(|_| self.rejection())
            }
            TryAcquire::Full => Err(self.rejection()),
        }
    }

    #[cold]
    fn rejection(&self) -> Error {
        Saturated::of(self).error(self.given_name().unwrap_or(KIND))
    }
}

/// A permit of a [`ConcurrencyLimiter`], which is released when it is dropped.
///
/// An [adaptive](ConcurrencyLimiter::adaptive) limiter adapts to the outcomes that [`success`](Self::success) and
/// [`failure`](Self::failure) report; a permit that is only dropped does not change its limit.
#[derive(Debug)]
#[must_use = "dropping it at once releases the permit"]
pub struct ConcurrencyPermit<'a>(Permit<'a>);

impl ConcurrencyPermit<'_> {
    /// The work has succeeded. Releases the permit.
    pub fn success(self) {
        self.0.record_outcome(false);
    }

    /// The work has failed, which lowers an adaptive limit. Releases the permit.
    pub fn failure(self) {
        self.0.record_outcome(true);
    }
}
