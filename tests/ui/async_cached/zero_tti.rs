use steadfast::async_cached;

#[async_cached(tti = 0s)]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
