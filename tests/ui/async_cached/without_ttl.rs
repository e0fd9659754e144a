use steadfast::async_cached;

#[async_cached(ttl_jitter = 1s)]
async fn jitter(id: u64) -> u64 {
    id
}

#[async_cached(stale_while_revalidate = 1s)]
async fn revalidate(id: u64) -> u64 {
    id
}

#[async_cached(stale_if_error = 1s)]
async fn on_error(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_cached(refresh_ahead = 0.8)]
async fn ahead(id: u64) -> u64 {
    id
}

fn main() {}
