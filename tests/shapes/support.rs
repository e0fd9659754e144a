//! The comparison of a function with itself under attributes.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// What `#[invalidates]` invalidates.
pub(crate) static WRITTEN: steadfast::Cache<u8, u8> = steadfast::Cache::new(1);

/// A test: one function, bare and under each of the lists of attributes; the check must find the same each time.
///
/// The lists may be `every(..)`, what fits a function that returns a `Result`, with the options of `async_cached` in the parentheses, or
/// `changing(..)`, the same without `hedge`, whose attempts run side by side and cannot change an argument; `refusing()` is for what moves
/// or borrows its arguments. A function that is part of an item is written `{ what stands before } in [impl Type] { fn .. }`.
///
/// These three are a few stacks, in which each attribute stands above and below others. That suffices for most shapes: an attribute does
/// the same to a function whether or not others stand there, too. `alone(..)` is `every(..)` and each attribute by itself, for one or two
/// representative shapes in each module, and `each_policy()` and `each_refusal()` are the same in `policies.rs`.
macro_rules! shape {
    // What `every(..)` is, and each attribute by itself.
    ($name:ident: alone($($cached:tt)*) $($rest:tt)*) => {
        shape! {
            $name:
            [timeout(1s)]
            [retry]
            [async_cached($($cached)*)]
            [steadfast::hedge(after = 1h)]
            [steadfast::circuit_breaker]
            [steadfast::rate_limit(100 / 1s, max_wait = 1s)]
            [steadfast::concurrency_limit(8, max_wait = 1s)]
            [steadfast::fallback(|error| Err(error))]
            [steadfast::invalidates(crate::support::WRITTEN, key = 1_u8, always)]
            every($($cached)*)
            $($rest)*
        }
    };
    ($name:ident: $([$($attribute:meta),+])* every($($cached:tt)*) $($rest:tt)*) => {
        shape! {
            $name:
            $([$($attribute),+])*
            [
                steadfast::fallback(|error| Err(error)), async_cached($($cached)*), steadfast::rate_limit(100 / 1s),
                steadfast::concurrency_limit(8), steadfast::circuit_breaker, timeout(1s), retry, steadfast::hedge(after = 1h)
            ]
            [
                steadfast::rate_limit(100 / 1s, max_wait = 1s), steadfast::concurrency_limit(8, max_wait = 1s),
                steadfast::circuit_breaker, retry(attempts = 2, delay = 0s), timeout(1s), async_cached($($cached)*)
            ]
            $($rest)*
        }
    };
    // No `hedge`: also where arguments are changed.
    ($name:ident: $([$($attribute:meta),+])* changing($($cached:tt)*) $($rest:tt)*) => {
        shape! {
            $name:
            $([$($attribute),+])*
            [
                steadfast::rate_limit(100 / 1s, max_wait = 1s), steadfast::concurrency_limit(8, max_wait = 1s),
                steadfast::circuit_breaker, retry(attempts = 2, delay = 0s), timeout(1s), async_cached($($cached)*)
            ]
            [async_cached($($cached)*), timeout(1s), steadfast::fallback(|error| Err(error)), retry]
            $($rest)*
        }
    };
    // The policies that refuse calls, in two stacks: they fit what returns a `Result` or an `Option`, also where arguments are changed
    // or moved.
    ($name:ident: $([$($attribute:meta),+])* refusing() $($rest:tt)*) => {
        shape! {
            $name:
            $([$($attribute),+])*
            [
                steadfast::rate_limit(100 / 1s, max_wait = 1s), steadfast::concurrency_limit(8, max_wait = 1s),
                steadfast::circuit_breaker
            ]
            [
                steadfast::circuit_breaker, steadfast::timeout(1s), steadfast::concurrency_limit(8),
                steadfast::rate_limit(100 / 1s, key = 1_u8)
            ]
            $($rest)*
        }
    };
    // The policies that fit a function that returns a `Result` and changes none of its arguments, in stacks.
    ($name:ident: $([$($attribute:meta),+])* policies() $($rest:tt)*) => {
        shape! {
            $name:
            $([$($attribute),+])*
            [
                steadfast::fallback(|error| Err(error)), steadfast::rate_limit(100 / 1s, max_wait = 1s), steadfast::circuit_breaker,
                steadfast::timeout(1s), steadfast::retry(attempts = 1), steadfast::hedge(after = 1h)
            ]
            refusing()
            $($rest)*
        }
    };
    // The same, and each by itself.
    ($name:ident: each_policy() $($rest:tt)*) => {
        shape! {
            $name:
            [steadfast::hedge(after = 1h)]
            [steadfast::fallback(|error| Err(error))]
            [steadfast::invalidates(crate::support::WRITTEN, all)]
            [steadfast::retry, steadfast::invalidates(crate::support::WRITTEN, key = 1_u8, always)]
            [
                steadfast::fallback(|error| Err(error)), steadfast::rate_limit(100 / 1s, max_wait = 1s), steadfast::circuit_breaker,
                steadfast::timeout(1s), steadfast::retry(attempts = 1), steadfast::hedge(after = 1h)
            ]
            each_refusal()
            $($rest)*
        }
    };
    // `refusing()`, and each by itself, with and without a wait.
    ($name:ident: $([$($attribute:meta),+])* each_refusal() $($rest:tt)*) => {
        shape! {
            $name:
            $([$($attribute),+])*
            [steadfast::circuit_breaker]
            [steadfast::rate_limit(100 / 1s)]
            [steadfast::rate_limit(100 / 1s, max_wait = 1s)]
            [steadfast::rate_limit(100 / 1s, key = 1_u8)]
            [steadfast::concurrency_limit(8)]
            [steadfast::concurrency_limit(8, max_wait = 0s)]
            refusing()
            $($rest)*
        }
    };
    ($name:ident: $([$($attribute:meta),+])+ for $before:tt in $head:tt $function:tt => $check:block) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let bare = variant!([] $before $head $function $check);
            $(
                let attributed = variant!([$($attribute),+] $before $head $function $check);
                assert_eq!(attributed, bare, "under {}", stringify!($(#[$attribute])+));
            )+
        }
    };
    ($name:ident: $([$($attribute:meta),+])+ for $function:tt => $check:block) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let bare = variant!([] $function $check);
            $(
                let attributed = variant!([$($attribute),+] $function $check);
                assert_eq!(attributed, bare, "under {}", stringify!($(#[$attribute])+));
            )+
        }
    };
}

/// The function under some attributes, and what the check finds.
macro_rules! variant {
    ([$($attribute:meta),*] { $($before:tt)* } [$($head:tt)*] { $($function:tt)* } $check:block) => {{
        $($before)*
        $($head)* {
            $(#[$attribute])*
            $($function)*
        }
        $check
    }};
    ([$($attribute:meta),*] { $($function:tt)* } $check:block) => {{
        $(#[$attribute])*
        $($function)*
        $check
    }};
}

/// Whether a value may go to another thread.
macro_rules! is_send {
    ($value:expr) => {{
        #[allow(unused_imports, reason = "not looked at where the future is Send")]
        use $crate::support::NotSend as _;
        $crate::support::Probe::of(&$value).is_send()
    }};
}

/// Awaits once, so that every body has a point at which it is suspended.
pub(crate) async fn tick() {
    tokio::task::yield_now().await;
}

/// Found first where `T: Send`; otherwise look-up goes on to [`NotSend`].
pub(crate) struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    pub(crate) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

impl<T: Send> Probe<T> {
    #[expect(clippy::unused_self, reason = "found by method look-up")]
    pub(crate) fn is_send(&self) -> bool {
        true
    }
}

pub(crate) trait NotSend {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> NotSend for Probe<T> {}

/// The error of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Policy(steadfast::Error),
    Busy(u32),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Failure {}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error)
    }
}

/// An alias that hides the `Result`.
pub(crate) type Reply<T> = Result<T, Failure>;

/// What was dropped, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    pub(crate) fn note(&self, event: &'static str) {
        self.0.lock().unwrap().push(event);
    }

    /// Something that says when it is dropped.
    pub(crate) fn item(&self, name: &'static str) -> Noisy {
        Noisy { name, log: self.clone() }
    }

    /// What happened since the last look.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Says when it is dropped.
#[derive(Clone)]
pub(crate) struct Noisy {
    pub(crate) name: &'static str,
    log: Log,
}

impl Noisy {
    pub(crate) fn note(&self, event: &'static str) {
        self.log.note(event);
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.log.note(self.name);
    }
}

/// Polls a future a few times, and drops it.
pub(crate) fn abandon<F: Future>(future: F, polls: u32) {
    let mut future: Pin<Box<F>> = Box::pin(future);
    for _ in 0..polls {
        let poll = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(poll, Poll::Pending), "it was to be abandoned while it is suspended");
    }
}
