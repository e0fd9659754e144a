use std::time::Duration;

use steadfast::{CircuitBreaker, async_cached, batched, circuit_breaker, concurrency_limit, offload_blocking, rate_limit};

fn rate_of(_: u32) -> u32 {
    1
}

#[rate_limit(rate_of(tenant) / Duration::from_secs(period), burst = tenant, key = tenant)]
async fn rated(tenant: u32, period: u64) -> Option<u8> {
    Some(u8::try_from(u64::from(tenant) + period).ok()?)
}

#[concurrency_limit(places, queue = { let length = places; length })]
async fn limited(places: usize) -> Option<usize> {
    Some(places)
}

#[concurrency_limit(places * 2)]
async fn limited_to_a_product(places: usize) -> Option<usize> {
    Some(places)
}

#[concurrency_limit(places, handle = limiter)]
async fn limited_with_a_handle(places: usize) -> Option<usize> {
    Some(places)
}

#[circuit_breaker(failures = n, window = time, open_for = time, open_for_max = time, probes = n, slow_call = time, probe_timeout = time)]
async fn broken(n: u32, time: Duration) -> Option<Duration> {
    time.checked_mul(n)
}

#[circuit_breaker(failure_rate = share, min_calls = n)]
async fn broken_by_share(share: f64, n: u32) -> Option<f64> {
    Some(share * f64::from(n))
}

#[offload_blocking(limit = n)]
fn offloaded(n: usize) -> usize {
    n
}

#[batched(max_batch_size = ids.len(), delay = Duration::from_millis(ids.len() as u64))]
async fn load(ids: Vec<u64>) -> Vec<u64> {
    ids
}

#[async_cached(capacity = n, weight = move |_, value: &u64| value + n, on_evict = move |_, _, _| println!("{n}"))]
async fn cached(n: u64) -> u64 {
    n
}

fn main() {
    let _ = CircuitBreaker::new();
}
