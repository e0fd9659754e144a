use steadfast::async_cached;

#[async_cached(tags = "users")]
async fn not_a_list(id: u64) -> u64 {
    id
}

#[async_cached(tags = [])]
async fn empty(id: u64) -> u64 {
    id
}

#[async_cached(tags = [id])]
async fn not_text(id: u64) -> u64 {
    id
}

fn main() {}
