use steadfast::async_cached;

#[async_cached(single_flight = false, load_timeout = 1s)]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
