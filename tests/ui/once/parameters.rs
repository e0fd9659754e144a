use std::time::Duration;

use steadfast::{circuit_breaker, concurrency_limit, offload_blocking, rate_limit};

trait Plan {
    const LIMIT: u32;
    const PERIOD: Duration;
}

#[rate_limit(T::LIMIT / T::PERIOD, burst = <T as Plan>::LIMIT)]
async fn rated<T: Plan>() -> Option<u32> {
    Some(T::LIMIT)
}

#[concurrency_limit(N)]
async fn limited<const N: usize>() -> Option<usize> {
    Some(N)
}

#[concurrency_limit(T::LIMIT)]
async fn limited_by_type<T: Plan>() -> Option<u32> {
    Some(T::LIMIT)
}

#[circuit_breaker(failures = N, open_for = T::PERIOD)]
async fn broken<T: Plan, const N: u32>() -> Option<u32> {
    Some(N)
}

#[offload_blocking(limit = size_of::<T>())]
fn offloaded<T>() -> usize {
    size_of::<T>()
}

struct Client<T>(T);

impl<T: Plan> Client<T> {
    // Of these parameters an attribute knows nothing: rustc does.
    #[rate_limit(T::LIMIT / 1s)]
    async fn rated(&self) -> Option<u32> {
        Some(T::LIMIT)
    }

    #[offload_blocking(limit = T::LIMIT)]
    fn offloaded() -> u32 {
        T::LIMIT
    }

    #[concurrency_limit(T::LIMIT * 2)]
    async fn limited(&self) -> Option<u32> {
        Some(T::LIMIT)
    }
}

fn main() {}
