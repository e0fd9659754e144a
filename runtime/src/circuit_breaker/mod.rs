//! `#[circuit_breaker]`: rejects calls to a failing dependency.

mod breaker;
mod by_hand;
mod metrics;
mod open;
mod permit;
mod settings;
mod sliding_window;
mod state;

pub use breaker::CircuitBreaker;
pub use by_hand::{CircuitPermit, Guarded};
pub use metrics::CircuitMetrics;
pub use state::CircuitState;

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::circuit_breaker;

#[doc(hidden)]
pub mod private {
    use super::breaker::CircuitBreaker;
    pub use super::open::Open;
    pub use super::permit::Permit;
    use crate::events::{EventSource, Origin};
    use std::time::Duration;

    crate::rejection::rejections! {
        "`#[circuit_breaker]` can fail, but `{Self}` cannot represent its error",
        "`#[circuit_breaker]` can fail, but `{Self}` cannot be created from its error"
    }

    /// The permit of a call that has not been admitted yet.
    #[inline]
    pub fn permit<'a>(breaker: &'a CircuitBreaker, origin: &'static Origin) -> Permit<'a> {
        Permit::outside(breaker, EventSource::by(origin))
    }

    /// `window = expr`: a number of calls or a duration, depending on the type.
    pub fn window(breaker: CircuitBreaker, window: impl Window) -> CircuitBreaker {
        window.set(breaker)
    }

    /// The unit of a window: calls or time.
    #[diagnostic::on_unimplemented(
        message = "`window` takes a number of calls or a `Duration`, found `{Self}`",
        label = "neither an integer nor a `Duration`"
    )]
    pub trait Window {
        /// Sets the window of `breaker`.
        fn set(self, breaker: CircuitBreaker) -> CircuitBreaker;
    }

    impl Window for Duration {
        fn set(self, breaker: CircuitBreaker) -> CircuitBreaker {
            breaker.window(self)
        }
    }

    macro_rules! windows_of_calls {
        ($($integer:ty)*) => {$(
            impl Window for $integer {
                fn set(self, breaker: CircuitBreaker) -> CircuitBreaker {
                    breaker.window_calls(crate::outcome::count(self))
                }
            }
        )*};
    }

    windows_of_calls!(u8 u16 u32 u64 usize i32 i64);
}
