use steadfast::async_cached;

#[async_cached(tags = ["users", idd])]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
