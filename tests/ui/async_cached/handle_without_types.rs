use steadfast::async_cached;

#[async_cached(key = id * 2, handle = by_key)]
async fn key(id: u64) -> u64 {
    id
}

#[async_cached(handle = by_pattern)]
async fn pattern((a, b): (u64, u64)) -> u64 {
    a + b
}

fn main() {}
