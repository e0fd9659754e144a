//! `#[concurrency_limit]`: limits the calls that run at once.

mod acquire;
mod by_hand;
mod limiter;
mod permit;
mod saturated;

pub(crate) use acquire::TryAcquire;
pub use by_hand::ConcurrencyPermit;
pub use limiter::ConcurrencyLimiter;
pub(crate) use permit::Permit;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::concurrency_limit;

#[doc(hidden)]
pub mod private {
    use std::sync::{Arc, LazyLock};
    use std::time::Duration;

    pub use super::acquire::AcquireTimeout;
    use super::acquire::TryAcquire;
    use super::limiter::ConcurrencyLimiter;
    pub use super::permit::Permit;
    pub use super::saturated::Saturated;
    use crate::events::Origin;
    use crate::policy_slot::PolicySlot;

    crate::rejection::rejections! {
        "`#[concurrency_limit]` can fail, but `{Self}` cannot represent its error",
        "`#[concurrency_limit]` can fail, but `{Self}` cannot be created from its error"
    }

    /// The result of asking for admission.
    pub enum Admission<'a> {
        /// The call runs.
        Now(Permit<'a>),
        /// The call waits.
        Wait(AcquireTimeout<'a>),
        /// The call is rejected.
        Rejected(Saturated),
    }

    /// Acquires a permit, or begins to wait for one.
    #[inline]
    pub fn acquire<'a>(limiter: &'a ConcurrencyLimiter, max_wait: Option<Duration>, origin: &'static Origin) -> Admission<'a> {
        match limiter.permit_now() {
            Some(permit) => Admission::Now(permit),
            None => wait(limiter, max_wait, origin),
        }
    }

    /// Acquires a permit without waiting.
    ///
    /// # Errors
    ///
    /// If no permit is free.
    #[inline]
    pub fn try_acquire(limiter: &ConcurrencyLimiter) -> Result<Permit<'_>, Saturated> {
        limiter.permit_now().or_else(|| limiter.try_overtake()).ok_or_else(|| Saturated::of(limiter))
    }

    /// The rejection branch of a limit that never rejects: calls wait indefinitely in an unbounded queue.
    #[cold]
    pub fn never_rejects(Saturated { limit }: Saturated) -> ! {
        unreachable!("a call was rejected although it may wait indefinitely for one of {limit} permits")
    }

    #[cold]
    fn wait<'a>(limiter: &'a ConcurrencyLimiter, max_wait: Option<Duration>, origin: &'static Origin) -> Admission<'a> {
        if max_wait.is_some_and(|max_wait| max_wait.is_zero()) {
            return limiter.try_overtake().map_or_else(|| Admission::Rejected(Saturated::of(limiter)), Admission::Now);
        }
        match limiter.permit_or_wait(limiter.live().queue_bound()) {
            TryAcquire::Now(permit) => Admission::Now(permit),
            TryAcquire::Queued(waiting) => Admission::Wait(AcquireTimeout::new(waiting, max_wait, origin)),
            TryAcquire::Full => Admission::Rejected(Saturated::of(limiter)),
        }
    }

    /// What the `expr` of `#[concurrency_limit(expr)]` may be: a count, which creates a limiter for the function, or a limiter.
    #[diagnostic::on_unimplemented(
        message = "`#[concurrency_limit]` takes a number of calls or a `ConcurrencyLimiter`, found `{Self}`",
        label = "neither an integer nor a `ConcurrencyLimiter`"
    )]
    pub trait Limit {
        /// [`ACount`] or [`ALimiter`].
        type Is;

        /// Returns the limiter. A function's own limiter is stored in `own`.
        fn limiter<'a>(&'a self, own: &'static PolicySlot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter;
    }

    /// A number of calls, evaluated once for all callers.
    pub enum ACount {}

    /// A limiter, evaluated at each call.
    pub enum ALimiter {}

    /// A limit that may depend on the call.
    #[diagnostic::on_unimplemented(
        message = "the limit is evaluated once, for all callers and all instantiations of the function, and cannot depend on one of them",
        label = "may differ between callers",
        note = "for one per caller, create the limiters yourself and select one: a field, as in `#[concurrency_limit(self.limiter)]`, or the result of a function that returns a `&ConcurrencyLimiter`, as in `#[concurrency_limit(limiter_of(tenant))]`"
    )]
    pub trait OfCall {}

    impl OfCall for ALimiter {}

    /// Returns the limiter named by an expression that depends on the call.
    #[inline]
    pub fn of_call<L: Limit<Is: OfCall> + ?Sized>(limiter: &L) -> &ConcurrencyLimiter {
        // Unused: only a count stores a limiter in the slot.
        static NONE: PolicySlot<ConcurrencyLimiter> = PolicySlot::new();
        limiter.limiter(&NONE)
    }

    impl Limit for ConcurrencyLimiter {
        type Is = ALimiter;

        fn limiter<'a>(&'a self, _: &'static PolicySlot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
            self
        }
    }

    macro_rules! limits_behind {
        ($($pointer:ty)*) => {$(
            impl<L: Limit + ?Sized> Limit for $pointer {
                type Is = L::Is;

                fn limiter<'a>(&'a self, own: &'static PolicySlot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
                    (**self).limiter(own)
                }
            }
        )*};
    }

    limits_behind!(&L Arc<L> Box<L>);

    impl<L: Limit> Limit for LazyLock<L> {
        type Is = L::Is;

        fn limiter<'a>(&'a self, own: &'static PolicySlot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
            (**self).limiter(own)
        }
    }

    /// A limit that is not a literal, combined with `queue`, `adaptive` or `handle`: it must be a count.
    #[diagnostic::on_unimplemented(
        message = "`queue`, `adaptive` and `handle` require a number of calls, found `{Self}`",
        label = "not a number of calls",
        note = "set them where the limiter is created: `ConcurrencyLimiter::new(8).queue(100)`"
    )]
    pub trait Calls {
        /// Converts the count to a limit.
        fn calls(self) -> usize;
    }

    /// Applies [`Calls`].
    pub fn calls(calls: impl Calls) -> usize {
        calls.calls()
    }

    macro_rules! counts {
        ($($integer:ty)*) => {$(
            impl Calls for $integer {
                fn calls(self) -> usize {
                    crate::outcome::count(self)
                }
            }


            impl Limit for $integer {
                type Is = ACount;

                fn limiter<'a>(&'a self, own: &'static PolicySlot<ConcurrencyLimiter>) -> &'a ConcurrencyLimiter {
                    own.get(|| ConcurrencyLimiter::new(crate::outcome::count(*self)))
                }
            }
        )*};
    }

    counts!(u8 u16 u32 u64 usize i32 i64);
}
