//! Attempts.

use std::hint::black_box;

use steadfast::retry;

use super::{Failure, bare, each_ready, ready};
use crate::Case;

pub(super) const CASES: &[Case] = &[
    Case { group: "retry", name: "bare", run: |n| each_ready(n, |n| bare(black_box([n; 8]))) },
    Case { group: "retry", name: "retried", run: |n| each_ready(n, |n| retried(black_box([n; 8]))) },
    Case { group: "retry", name: "retried_3_zero_delay", run: |n| each_ready(n, |n| failing(black_box(n))) },
];

#[retry(attempts = 3)]
async fn retried(argument: [u64; 8]) -> Result<u64, Failure> {
    ready(argument[0]).await
}

#[retry(attempts = 3, delay = 0s)]
async fn failing(n: u64) -> Result<u64, Failure> {
    ready(n).await.and(Err(Failure))
}
