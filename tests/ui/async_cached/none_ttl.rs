use steadfast::async_cached;

#[async_cached(none_ttl = 1s)]
async fn result(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_cached(none_ttl = 1s)]
async fn plain(id: u64) -> u64 {
    id
}

fn main() {}
