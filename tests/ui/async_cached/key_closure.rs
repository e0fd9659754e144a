use steadfast::async_cached;

#[async_cached(key = |id| id)]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
