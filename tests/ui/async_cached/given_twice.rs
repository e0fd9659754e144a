use steadfast::async_cached;

#[async_cached(unbounded, unbounded)]
async fn flag(id: u64) -> u64 {
    id
}

#[async_cached(skip(a), skip(b))]
async fn names(a: u64, b: u64) -> u64 {
    a + b
}

fn main() {}
