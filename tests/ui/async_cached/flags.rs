use steadfast::async_cached;

#[async_cached(unbounded = true)]
async fn with_value(id: u64) -> u64 {
    id
}

#[async_cached(single_flight)]
async fn without_value(id: u64) -> u64 {
    id
}

#[async_cached(single_flight = off)]
async fn wrong_value(id: u64) -> u64 {
    id
}

fn main() {}
