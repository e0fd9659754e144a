use steadfast::{async_cached, batched, coalesce, offload_blocking, retry};

#[retry(3)]
async fn attempts() -> Option<u8> {
    None
}

#[retry(5s, attempts = 3)]
async fn delay() -> Option<u8> {
    None
}

#[async_cached(60s)]
async fn ttl(id: u64) -> u64 {
    id
}

#[async_cached(100)]
async fn capacity(id: u64) -> u64 {
    id
}

#[offload_blocking(4)]
fn limit() -> u8 {
    0
}

#[batched(50)]
async fn max_batch_size(ids: Vec<u64>) -> Vec<u64> {
    ids
}

#[coalesce(5)]
async fn nothing(id: u64) -> u64 {
    id
}

fn main() {}
