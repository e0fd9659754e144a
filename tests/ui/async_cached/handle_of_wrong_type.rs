use steadfast::{Cache, async_cached};

#[async_cached(handle = wrong_value: Cache<u64, u32>)]
async fn value(id: u64) -> u64 {
    id
}

#[async_cached(handle = wrong_key: Cache<u32, u64>)]
async fn key(id: u64) -> u64 {
    id
}

#[async_cached(handle = not_a_cache: u64)]
async fn cache(id: u64) -> u64 {
    id
}

fn main() {}
