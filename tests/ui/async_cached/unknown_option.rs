use steadfast::async_cached;

#[async_cached(tll = 60s)]
async fn misspelt(id: u64) -> u64 {
    id
}

#[async_cached(max_capacity = 100)]
async fn of_another_crate(id: u64) -> u64 {
    id
}

#[async_cached(60s)]
async fn unnamed(id: u64) -> u64 {
    id
}

fn main() {}
