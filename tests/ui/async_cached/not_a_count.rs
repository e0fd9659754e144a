use steadfast::async_cached;

#[async_cached(capacity = 10s)]
async fn unit(id: u64) -> u64 {
    id
}

#[async_cached(capacity = SIZE)]
async fn wrong_type(id: u64) -> u64 {
    id
}

const SIZE: &str = "10";

fn main() {}
