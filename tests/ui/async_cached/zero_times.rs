use steadfast::async_cached;

#[async_cached(ttl = 1s, ttl_jitter = 0s)]
async fn jitter(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 1s, stale_while_revalidate = 0s)]
async fn revalidate(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 1s, stale_if_error = 0s)]
async fn on_error(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_cached(load_timeout = 0s)]
async fn load(id: u64) -> u64 {
    id
}

fn main() {}
