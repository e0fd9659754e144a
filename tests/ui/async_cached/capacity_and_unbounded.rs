use steadfast::async_cached;

#[async_cached(capacity = 10, unbounded)]
async fn both(id: u64) -> u64 {
    id
}

fn main() {}
