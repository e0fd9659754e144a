use steadfast::async_cached;

#[async_cached(ttl = |value| *value)]
async fn number(id: u64) -> u64 {
    id
}

#[async_cached(ttl = || std::time::Duration::ZERO)]
async fn no_argument(id: u64) -> u64 {
    id
}

fn main() {}
