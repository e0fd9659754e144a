use steadfast::async_cached;

#[async_cached(ttl = 0s)]
async fn ttl(id: u64) -> u64 {
    id
}

#[async_cached(error_ttl = 0ms)]
async fn error_ttl(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_cached(none_ttl = 0min)]
async fn none_ttl(id: u64) -> Option<u64> {
    Some(id)
}

#[async_cached(capacity = 0)]
async fn capacity(id: u64) -> u64 {
    id
}

fn main() {}
