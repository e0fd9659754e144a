use steadfast::async_cached;

#[async_cached(ttl = 1s, refresh_ahead = 1.5)]
async fn above(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 1s, refresh_ahead = 0.0)]
async fn nothing(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 1s, refresh_ahead = 80)]
async fn percent(id: u64) -> u64 {
    id
}

#[async_cached(ttl = 1s, refresh_ahead = 10s)]
async fn time(id: u64) -> u64 {
    id
}

fn main() {}
