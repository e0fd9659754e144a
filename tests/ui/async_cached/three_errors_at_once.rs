use steadfast::async_cached;

#[async_cached(ttl = 60, capactiy = 10, skip(nothing))]
async fn three(id: u64) -> u64 {
    id
}

fn main() {}
