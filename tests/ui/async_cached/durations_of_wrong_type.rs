use steadfast::async_cached;

#[async_cached(ttl = seconds, skip(seconds))]
async fn ttl(id: u64, seconds: u64) -> u64 {
    id + seconds
}

#[async_cached(error_ttl = SECONDS)]
async fn error_ttl(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_cached(ttl = SECONDS)]
async fn constant(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 60)]
async fn no_unit(id: u64) -> u64 {
    id
}

const SECONDS: u64 = 5;

fn main() {}
