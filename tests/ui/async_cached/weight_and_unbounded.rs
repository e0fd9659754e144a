use steadfast::async_cached;

#[async_cached(unbounded, weight = |_, _| 1)]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
