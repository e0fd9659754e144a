use steadfast::async_cached;

#[async_cached(ttl = 1s, stale_if_error = 1min)]
async fn plain(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 1s, stale_if_error = 1min)]
async fn option(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
