//! The cases, one file per group.

mod cache;
mod policies;
mod retry;
mod timeout;

use std::future::Future;
use std::hint::black_box;
use std::task::{Context, Poll, Waker};

use crate::Case;

/// All of them, in the order in which they are printed.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [cache::CASES, retry::CASES, timeout::CASES, policies::CASES].into_iter().flatten()
}

fn each<T>(count: u64, mut call: impl FnMut(u64) -> T) {
    for n in 0..count {
        black_box(call(n));
    }
}

fn each_ready<F: Future>(count: u64, mut call: impl FnMut(u64) -> F) {
    let mut context = Context::from_waker(Waker::noop());
    each(count, |n| at_once(call(n), &mut context));
}

/// Polls once, and finds the call ready.
#[inline]
pub(crate) fn at_once<F: Future>(call: F, context: &mut Context<'_>) -> F::Output {
    match std::pin::pin!(call).poll(context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("this case never waits"),
    }
}

async fn bare(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

async fn ready(n: u64) -> Result<u64, Failure> {
    black_box(Ok(n))
}

/// What goes wrong in a service: its own errors, and those of the policies.
#[derive(Debug)]
struct Failure;

impl From<steadfast::Error> for Failure {
    fn from(_: steadfast::Error) -> Self {
        Self
    }
}
