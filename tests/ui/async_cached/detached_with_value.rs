use steadfast::async_cached;

#[async_cached(detached = true)]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
