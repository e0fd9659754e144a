//! Definitions that generated functions use.

#![allow(unused_imports, reason = "each function uses some of it")]

pub(crate) use std::pin::Pin;

pub(crate) use steadfast::{
    async_cached, cancellable, circuit_breaker, coalesce, concurrency_limit, fallback, finally, hedge, rate_limit, retry, shield,
    timeout, warn_slow_poll,
};
pub(crate) use tokio::time::sleep;

pub(crate) use crate::program::{Call, Function};

pub(crate) use crate::program::world::{Failure, Noisy, Outcome, ms, token};

use crate::program::world::{self, Run, note};

/// Begins a run of the body.
pub(crate) fn body(call: u32, key: u32) -> Run {
    world::run(call, key, steadfast::remaining())
}

impl Run {
    /// Ends the run as its script says.
    pub(crate) fn end<R: Reply>(self) -> R {
        self.outcome().map_or_else(R::failure, R::success)
    }
}

/// A return type.
pub(crate) trait Reply {
    fn success(value: u32) -> Self;
    fn failure(number: u32) -> Self;
}

impl Reply for Outcome {
    fn success(value: u32) -> Self {
        Ok(value)
    }

    fn failure(number: u32) -> Self {
        Err(Failure::Application(number))
    }
}

/// An error that cannot be cloned. It is shown as the error within.
pub(crate) struct Unshared(pub(crate) Failure);

impl std::fmt::Debug for Unshared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<steadfast::Error> for Unshared {
    fn from(error: steadfast::Error) -> Self {
        Self(error.into())
    }
}

impl Reply for Result<u32, Unshared> {
    fn success(value: u32) -> Self {
        Ok(value)
    }

    fn failure(number: u32) -> Self {
        Err(Unshared(Failure::Application(number)))
    }
}

impl Reply for Option<u32> {
    fn success(value: u32) -> Self {
        Some(value)
    }

    fn failure(_: u32) -> Self {
        None
    }
}

impl Reply for u32 {
    fn success(value: u32) -> Self {
        value
    }

    fn failure(number: u32) -> Self {
        9_000 + number
    }
}

impl Failure {
    pub(crate) fn is_application(&self) -> bool {
        matches!(self, Self::Application(_))
    }
}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error.kind())
    }
}

/// Records that an option is evaluated.
pub(crate) fn option(call: u32, name: &str) {
    world::option_left(call, name, steadfast::remaining());
}

/// An option that panics in every second call.
pub(crate) fn trap(call: u32, name: &str) {
    option(call, name);
    world::trap(call);
}

/// What bodies do with their arguments.
pub(crate) trait Touch {
    fn touch(&self) {}
    fn change(&mut self) {}
}

impl Touch for Noisy {}
impl Touch for str {}
impl Touch for u32 {}

/// The bounds of generic arguments.
pub(crate) trait Argument: Touch + Clone + Send + Sync + 'static {}

impl<T: Touch + Clone + Send + Sync + 'static> Argument for T {}

/// Runs the functions and their models.
pub(crate) fn main(functions: &[Function]) {
    std::panic::set_hook(Box::new(|_| {}));
    steadfast::on_report(|_| {});
    for wrong in crate::program::compare(functions) {
        println!("{wrong}");
    }
}

/// Panics, unseen by the compiler.
pub(crate) fn panics(text: &'static str) {
    if !text.is_empty() {
        std::panic::panic_any(text);
    }
}

/// A cleanup for `finally`.
pub(crate) async fn finally_of(call: u32, exit: steadfast::Exit, takes: u64) {
    note(call, format!("finally {exit:?}"));
    if takes > 0 {
        sleep(ms(takes)).await;
    }
    note(call, "finally done");
}

/// A cleanup for `cancellable`.
pub(crate) async fn cleanup_of(call: u32, takes: u64) {
    option(call, "cancelled");
    sleep(ms(takes)).await;
    option(call, "cleaned");
}
