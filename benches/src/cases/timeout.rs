//! Deadlines.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use steadfast::timeout;

use super::{each, each_ready};
use crate::Case;

pub(super) const CASES: &[Case] = &[
    Case { group: "timeout ready", name: "tokio_timeout", run: |n| inside(|| each_ready(n, |n| tokio_timeout(black_box(n)))) },
    Case { group: "timeout ready", name: "timeout", run: |n| inside(|| each_ready(n, |n| timed(black_box(n)))) },
    Case {
        group: "timeout pending",
        name: "tokio_timeout_pending",
        run: |n| inside(|| each_twice(n, |n| tokio_timeout_pending(black_box(n)))),
    },
    Case { group: "timeout pending", name: "timeout_pending", run: |n| inside(|| each_twice(n, |n| timed_pending(black_box(n)))) },
];

/// Polls twice, and finds the call ready the second time.
fn each_twice<F: Future>(count: u64, mut call: impl FnMut(u64) -> F) {
    let mut context = Context::from_waker(Waker::noop());
    each(count, |n| {
        let mut call = pin!(call(n));
        assert!(call.as_mut().poll(&mut context).is_pending());
        match call.poll(&mut context) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("this case waits once"),
        }
    });
}

/// Inside a runtime whose timer wheel already has a timer, as that of a service has.
pub(super) fn inside(run: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let mut earlier = pin!(tokio::time::sleep(Duration::from_millis(1)));
        assert!(earlier.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::unconstrained(async { run() }).await;
    });
}

async fn tokio_timeout(n: u64) -> Option<u64> {
    tokio::time::timeout(Duration::from_secs(5), async move { black_box(n) }).await.ok()
}

#[timeout(5s)]
async fn timed(n: u64) -> Option<u64> {
    Some(black_box(n))
}

async fn tokio_timeout_pending(n: u64) -> Option<u64> {
    tokio::time::timeout(Duration::from_secs(5), once_pending(n)).await.ok()
}

#[timeout(5s)]
async fn timed_pending(n: u64) -> Option<u64> {
    Some(once_pending(n).await)
}

async fn once_pending(n: u64) -> u64 {
    let mut first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
    n
}
