//! Arguments that an option uses, and the body does not, where a layer binds them again: the new binding is not reported as unused, and the
//! lint levels of a parameter apply to it.
//!
//! The whole program denies warnings, so a false report does not compile.

use steadfast::{async_cached, finally, hedge, offload_blocking, rate_limit, retry, shield};

/// Only the key names the borrowed argument, which the task has a copy of.
#[rate_limit(100 / 1h, key = user)]
#[shield]
async fn copied(user: &str) -> Option<u32> {
    Some(1)
}

/// The same, in a task that is there for all callers.
#[rate_limit(100 / 1h, key = user)]
#[async_cached(detached, key = 1)]
async fn detached(user: &str) -> Option<u32> {
    Some(1)
}

/// Each attempt has a clone of an argument that only an option above names.
#[rate_limit(100 / 1h, key = n)]
#[retry]
#[offload_blocking]
fn cloned(n: u64) -> Option<u32> {
    Some(1)
}

/// The cleanup names one argument, and the key another.
#[rate_limit(100 / 1h, key = n)]
#[finally({ let m = m; async move { let _ = m; } })]
#[hedge(after = 1h)]
#[shield]
async fn cleaned(n: u64, m: String) -> Option<u32> {
    Some(1)
}

/// Nothing names the arguments, and their levels allow it.
#[hedge(after = 1h)]
#[shield]
async fn allowed(#[allow(unused_variables)] n: u64, #[expect(unused_variables)] m: String) -> Option<u32> {
    Some(1)
}

/// A level is carried to where the `mut` goes.
#[retry]
#[offload_blocking]
fn unchanged(#[allow(unused_mut)] mut n: u64) -> Option<u64> {
    Some(n)
}

#[tokio::test]
async fn the_new_binding_of_an_argument_is_no_unused_variable() {
    assert_eq!((copied("a").await, detached("a").await, cloned(1).await), (Some(1), Some(1), Some(1)));
    assert_eq!((cleaned(1, String::new()).await, allowed(1, String::new()).await), (Some(1), Some(1)));
    assert_eq!(unchanged(1).await, Some(1));
}
