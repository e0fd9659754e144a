//! How each attribute that rejects calls represents its rejection: as the function's own error, `None`, `io::Error`,
//! `anyhow::Error`, a boxed error, or the value of `or_else`.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::fmt;
use std::future::pending;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use futures::FutureExt;
use steadfast::{
    CircuitBreaker, ConcurrencyLimiter, Error, RateLimiter, cancellable, circuit_breaker, concurrency_limit, rate_limit, timeout,
};
use tokio_util::sync::CancellationToken;

/// The error of an application.
#[derive(Debug)]
enum AppError {
    Refused(Error),
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// One that cannot be made of a refusal.
#[derive(Debug, PartialEq)]
struct Opaque(String);

/// The attribute's `$is` refusal, in every return type. What `$setup` makes is held meanwhile, so that every call is refused.
macro_rules! refused {
    ($name:ident: $policy:ident($($option:tt)*) $(, of a plain value: $judge:ident = $failed:expr)?; $is:ident, $kind:ident, while $setup:block) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            #[$policy($($option)*)]
            async fn own() -> Result<u8, AppError> {
                pending().await
            }
            #[$policy($($option)*)]
            async fn option() -> Option<u8> {
                pending().await
            }
            #[$policy($($option)*)]
            async fn io() -> io::Result<u8> {
                pending().await
            }
            #[$policy($($option)*)]
            async fn any() -> anyhow::Result<u8> {
                pending().await
            }
            #[$policy($($option)*)]
            async fn boxed() -> Result<u8, Box<dyn std::error::Error>> {
                pending().await
            }
            #[$policy($($option)*)]
            async fn boxed_for_threads() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
                pending().await
            }
            #[$policy($($option)*)]
            async fn itself() -> Result<u8, Error> {
                pending().await
            }
            #[$policy($($option)* $(, $judge = $failed)?, or_else = |error| u16::from(error.$is()))]
            async fn plain() -> u16 {
                pending().await
            }
            #[$policy($($option)*, or_else = |error| Err(Opaque(error.to_string())))]
            async fn opaque() -> Result<u8, Opaque> {
                pending().await
            }

            let _held = $setup;
            let AppError::Refused(error) = own().await.unwrap_err();
            assert!(error.$is(), "{error:?}");
            assert!(error.function().ends_with("own"), "{}", error.function());
            let text = |function: &str| error.to_string().replace(error.function(), function);

            assert_eq!(option().await, None);

            let error = io().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::$kind);
            let inside = error.downcast::<Error>().expect("an `io::Error` has it inside");
            assert!(inside.$is() && inside.function().ends_with("io"), "{inside:?}");

            let error = any().await.unwrap_err().downcast::<Error>().expect("what was refused");
            assert!(error.$is() && error.function().ends_with("any"), "{error:?}");
            let error = boxed().await.unwrap_err().downcast::<Error>().expect("what was refused");
            assert!(error.$is() && error.function().ends_with("boxed"), "{error:?}");
            let error = boxed_for_threads().await.unwrap_err().downcast::<Error>().expect("what was refused");
            assert!(error.$is() && error.function().ends_with("boxed_for_threads"), "{error:?}");
            let error = itself().await.unwrap_err();
            assert!(error.$is() && error.function().ends_with("itself"), "{error:?}");

            assert_eq!(plain().await, 1);
            let name = error.function().replace("itself", "opaque");
            assert_eq!(opaque().await, Err(Opaque(text(&name))));
        }
    };
}

refused!(by_a_deadline: timeout(1ms); is_timeout, TimedOut, while {});

static SHUT: CircuitBreaker = CircuitBreaker::new();
refused!(by_an_open_circuit: circuit_breaker(SHUT), of a plain value: failure = |_| false; is_circuit_open, ConnectionRefused, while { SHUT.force_open() });

static SPENT: RateLimiter = RateLimiter::new(1, Duration::from_secs(3_600));
refused!(by_a_spent_rate: rate_limit(SPENT); is_rate_limited, QuotaExceeded, while { SPENT.check().expect("it is the first") });

static FAR: RateLimiter = RateLimiter::new(1, Duration::from_secs(3_600));
refused!(by_a_turn_that_is_too_far: rate_limit(FAR, max_wait = 1min); is_rate_limited, QuotaExceeded, while {
    FAR.check().expect("it is the first");
});

refused!(by_the_rate_of_a_key: rate_limit(KEYED, key = 7_u8); is_rate_limited, QuotaExceeded, while {
    #[rate_limit(KEYED, key = 7_u8)]
    async fn first() -> Option<()> {
        Some(())
    }
    first().await.expect("it is the first");
});
static KEYED: RateLimiter = RateLimiter::new(1, Duration::from_secs(3_600));

/// Takes the only place under a limit, for as long as the future lives.
macro_rules! taken {
    ($limiter:ident) => {{
        #[concurrency_limit($limiter)]
        async fn hold() -> Option<()> {
            pending().await
        }
        let mut held = Box::pin(hold());
        assert!((&mut held).now_or_never().is_none());
        held
    }};
}

static FULL: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
refused!(by_a_full_limit: concurrency_limit(FULL, max_wait = 0s); is_saturated, ResourceBusy, while { taken!(FULL) });

static SLOW: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
refused!(by_a_wait_that_took_too_long: concurrency_limit(SLOW, max_wait = 5s); is_saturated, ResourceBusy, while { taken!(SLOW) });

static LINED: ConcurrencyLimiter = ConcurrencyLimiter::new(1).queue(1);
refused!(by_a_full_line: concurrency_limit(LINED); is_saturated, ResourceBusy, while { (taken!(LINED), taken!(LINED)) });

static SHUTDOWN: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);
refused!(by_a_cancelled_token: cancellable(token = SHUTDOWN); is_cancelled, ConnectionAborted, while { SHUTDOWN.cancel() });

/// In the middle of a stack a refusal passes through what stands above it: a retry takes it for a failure, a fallback replaces it.
#[tokio::test(start_paused = true)]
async fn from_below_other_attributes() {
    static BROKEN: CircuitBreaker = CircuitBreaker::new();
    #[steadfast::fallback(|error: io::Error| if error.kind() == io::ErrorKind::ConnectionRefused { Ok(5) } else { Err(error) })]
    #[timeout(1s)]
    #[steadfast::retry(attempts = 2)]
    #[circuit_breaker(BROKEN)]
    async fn work() -> io::Result<u8> {
        pending().await
    }
    BROKEN.force_open();
    assert_eq!(work().await.unwrap(), 5);
}
