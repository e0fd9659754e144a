use steadfast::async_cached;

#[derive(Debug)]
struct Failure;

#[async_cached(error_ttl = 1s)]
async fn not_clone(id: u64) -> Result<u64, Failure> {
    Ok(id)
}

#[async_cached(error_ttl = 1s)]
async fn option(id: u64) -> Option<u64> {
    Some(id)
}

#[async_cached(error_ttl = 1s)]
async fn plain(id: u64) -> u64 {
    id
}

#[async_cached(error_ttl = 1s)]
async fn io(id: u64) -> std::io::Result<u64> {
    Ok(id)
}

fn main() {}
